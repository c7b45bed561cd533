"""The keys of [tool.lstm-lint] and how their values are read; the options of the command line are read the same way."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from lstm_lint.patterns import PatternError, compile_patterns
from lstm_lint.rules import RULES

CONFIRM = ("auto", "always", "never")
OUTPUT_FORMATS = ("full", "concise", "json", "github")
ALL = "ALL"


class Unusable(Exception):
    """Why a value cannot be used."""


def suggestion(text: str, known: Sequence[str] | Mapping[str, object]) -> str:
    """What was probably meant, as the end of a message; empty if nothing comes close."""
    match = get_close_matches(text, list(known), 1)
    return f"; did you mean {match[0]!r}?" if match else ""


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise Unusable(f"expected a list of strings, not {_shown(value)}")
    return tuple(value)


def _codes(value: object) -> tuple[str, ...]:
    return tuple(known_prefix(code) for code in _strings(value))


def known_prefix(text: str) -> str:
    """A code or a prefix of codes as it is written in the table of rules. Raises Unusable, with the one probably meant."""
    code = text.strip().upper()
    if code == ALL or (re.fullmatch("LST[0-9]*", code) and any(known.startswith(code) for known in RULES)):
        return code
    by_name = {rule.name: rule.code for rule in RULES.values()}
    if text.strip() in by_name:
        raise Unusable(f"rules are selected by code: write {by_name[text.strip()]} for {text!r}")
    raise Unusable(f"unknown code {text!r}{suggestion(code, RULES)}")


def _patterns(value: object) -> tuple[str, ...]:
    patterns = _strings(value)
    try:
        compile_patterns(patterns)
    except PatternError as error:
        raise Unusable(f"a pattern cannot be understood: {error}") from None
    return patterns


def _per_file(value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise Unusable(f"expected a table of pattern = [codes], not {_shown(value)}")
    _patterns(list(value))
    return tuple((pattern, _codes(codes)) for pattern, codes in value.items())


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise Unusable(f"expected true or false, not {_shown(value)}")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise Unusable(f"expected a string, not {_shown(value)}")
    return value


def _one_of(choices: Sequence[str]) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if value not in choices:
            meant = suggestion(value, choices) if isinstance(value, str) else ""
            raise Unusable(f"expected one of {', '.join(choices)}, not {_shown(value)}{meant}")
        return str(value)

    return parse


def _shown(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "a table"
        case _:
            return repr(value)


KEYS: Mapping[str, Callable[[object], Any]] = {
    "select": _codes,
    "extend-select": _codes,
    "ignore": _codes,
    "per-file-ignores": _per_file,
    "exclude": _patterns,
    "extend-exclude": _patterns,
    "force-exclude": _bool,
    "respect-gitignore": _bool,
    "confirm": _one_of(CONFIRM),
    "torch-python": _string,
    "cache": _bool,
    "cache-dir": _string,
    "output-format": _one_of(OUTPUT_FORMATS),
}
"""Every key of the table, and how its value is read."""
