"""What a file imports, binds and mentions, skimmed off its text: much faster than parsing it.

It may see a name that is not there, which costs time and nothing else.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from lstm_lint.syntax.relevance import LONGEST_NAME, Statement

_LONG = "{%d,}" % LONGEST_NAME  # noqa: UP031 (braces are its very point)
_NOT_CODE = re.compile("|".join((
    r'"""[\s\S]*?"""', r"'''[\s\S]*?'''", r"#[^\n]*", r'"[^"\n]' + _LONG + '"', r"'[^'\n]" + _LONG + "'",
)))  # fmt: skip
KEYWORDS = frozenset(keyword.kwlist)
_STATEMENT = re.compile(r"^(?=[^\s)\]}\"'#])", re.MULTILINE)
_KEYWORD = re.compile(r"(?:@|(?:def|class|import|from|async|with|try|while)\b)")
_DEFINITION = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)
_BINDING = re.compile(
    r"^[ \t]*(?:(?:async[ \t]+)?(?:def|class)[ \t]+(?P<name>\w+)|(?P<targets>[A-Za-z_][\w, \t]*?)[ \t]*(?::[^=\n]*)?=[^=])"
    r"|\b(?:for|as)[ \t]+(?P<other>\w+)|^[ \t]*(?:from[ \t]+[\w.]+[ \t]+)?import[ \t]*(?P<imported>\([^)]*\)|[^\n]+)",
    re.MULTILINE,
)
_NAME = re.compile(r"[A-Za-z_]\w*")
_SMALL = ("lstm", "gru", "rnn")
_IN_SMALL_LETTERS = re.compile(rf"""(["'])({"|".join(_SMALL)})\1""")  # getattr(nn, kind.upper())
_QUOTED = tuple(f"{quote}{name}{quote}".encode() for quote in "'\"" for name in _SMALL)


_IMPORT = re.compile(
    rb"(?:^|[:;])[ \t]*(?:from[ \t]*(?P<base>[.\w]+)[ \t]*import\b[ \t]*(?P<names>\((?:[^()#]|#[^\n]*)*\)|REST)"
    rb"|import[ \t]+(?P<modules>REST))".replace(b"REST", rb"(?:[^\n#;\\]|\\\r?\n)*"),
    re.MULTILINE,
)
"""An import at the beginning of a line, or behind a colon or semicolon."""
_COMMENT = re.compile(rb"#[^\n]*")
_IMPORTED = re.compile(r"([\w.]+|\*)(?:\s+as\s+(\w+))?")


@dataclass(frozen=True)
class Import:
    """``from ..module import name as bound``: `level` dots, the names and what they are bound to.

    ``import module``: no names, and `whole` is what the module (or its outermost package) is bound to.
    """

    level: int
    module: str
    names: tuple[tuple[str, str], ...] = ()
    whole: str | None = None


def imports_in(data: bytes) -> Iterator[Import]:
    """The imports of a module, wherever in it they stand."""
    for match in _imports(data):
        if match["modules"] is not None:
            for module, bound in _IMPORTED.findall(match["modules"].decode(errors="replace")):
                yield Import(0, module, (), bound or module.split(".")[0])
        elif base := match["base"].decode(errors="replace"):
            module = base.lstrip(".")
            listed = _IMPORTED.findall(_COMMENT.sub(b"", match["names"]).decode(errors="replace"))
            yield Import(len(base) - len(module), module, tuple((name, bound or name) for name, bound in listed))


def _imports(data: bytes) -> Iterator[re.Match[bytes]]:
    """What `_IMPORT` finds, from one line that holds the word to the next: most of a file is behind its imports."""
    behind = 0
    while (word := data.find(b"import", behind)) >= 0:
        match = _IMPORT.search(data, max(behind, data.rfind(b"\n", 0, word) + 1))
        if match is None:
            return
        yield match
        behind = match.end()


def names_layer_in_small_letters(data: bytes) -> bool:
    """Whether a statement of a module can mention a layer so, as `skimmed` reads it: quicker than to skim them all."""
    return any(spelling in data for spelling in _QUOTED)


def skimmed(text: str) -> list[Statement]:
    """The statements of a module by the names in them."""
    code = _NOT_CODE.sub(lambda match: "" if match[0][0] == "#" else '""', text)
    starts = _outside_brackets(code, [match.start() for match in _STATEMENT.finditer(code)])
    undecorated = [start for start, before in zip(starts, [0, *starts], strict=False) if start == before or code[before] != "@"]
    chunks = (code[start:end] for start, end in pairwise([*undecorated, len(code)]))
    return [Statement(frozenset(_bound(chunk)) - KEYWORDS, frozenset(_mentioned(chunk)) - KEYWORDS) for chunk in chunks]


def _outside_brackets(code: str, starts: list[int]) -> list[int]:
    """Those beginnings of lines at which no bracket is open; a bracket in a string does not hide what only a statement says."""
    kept: list[int] = []
    depth = 0
    for start, end in pairwise([*starts, len(code)]):
        if depth <= 0 or _KEYWORD.match(code, start):
            kept.append(start)
            depth = 0
        depth += sum(code.count(one, start, end) for one in "([{") - sum(code.count(one, start, end) for one in ")]}")
    return kept


def _mentioned(chunk: str) -> Iterator[str]:
    yield from _NAME.findall(chunk)
    yield from (match[2].upper() for match in _IN_SMALL_LETTERS.finditer(chunk))


def _bound(chunk: str) -> Iterator[str]:
    definition = _DEFINITION.search(chunk)
    if definition is not None:
        yield definition[1]
    for match in _BINDING.finditer(chunk):
        if definition is None or (
            match["targets"] and chunk[match.start()] not in " \t"
        ):  # what stands behind it is not its own
            for found in match.groups():
                yield from _NAME.findall(found or "")
