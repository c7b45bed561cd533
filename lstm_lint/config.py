"""Settings: the defaults, what [tool.lstm-lint] in pyproject.toml says, and what the command line changes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from lstm_lint.config_keys import ALL, KEYS, Unusable, suggestion
from lstm_lint.discover import Filter
from lstm_lint.patterns import DEFAULT_EXCLUDE, Patterns
from lstm_lint.rules import RULES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = "lstm-lint"
FILE_NAME = "pyproject.toml"
CACHE_FOLDER = ".lstm_lint_cache"


class ConfigError(Exception):
    """A setting that cannot be used. The message names the file (or the option), the key, and what was probably meant."""


@dataclass(frozen=True)
class Settings:
    """What to check and how. `root` is the absolute folder that patterns are relative to; `file` where the settings were read.

    Codes are prefixes, ``ALL`` standing for every rule; `select` None means the rules that are on by default. `cache_dir` and
    `torch_python` are paths as the system takes them, None for the default place and for the Python that runs this.
    """

    root: str
    file: str | None = None
    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    confirm: str = "auto"
    torch_python: str | None = None
    cache: bool = True
    cache_dir: str | None = None
    output_format: str = "full"

    @cached_property
    def codes(self) -> frozenset[str]:
        """The codes that are reported. Of a selecting and an ignoring prefix the longer one wins, then the ignoring one."""
        return frozenset(code for code in RULES if self._is_selected(code))

    def _is_selected(self, code: str) -> bool:
        selected = _specificity(code, (*(self.select or ()), *self.extend_select))
        if self.select is None and RULES[code].default:
            selected = max(selected, 0)
        return selected > _specificity(code, self.ignore)

    def codes_at(self, path: str) -> frozenset[str]:
        """The codes that are reported for one file: those selected, less what `per_file_ignores` says of its path."""
        if not self.per_file_ignores:
            return self.codes
        absolute = os.path.abspath(path)
        ignored = [code for patterns, codes in self._ignored_per_file if patterns.covers(absolute) for code in codes]
        return frozenset(code for code in self.codes if _specificity(code, ignored) < 0)

    @cached_property
    def _ignored_per_file(self) -> list[tuple[Patterns, tuple[str, ...]]]:
        return [(Patterns(self.root, (pattern,)), codes) for pattern, codes in self.per_file_ignores]

    @cached_property
    def filter(self) -> Filter:
        """What a walk leaves out."""
        return Filter(Patterns(self.root, (*self.exclude, *self.extend_exclude)), self.force_exclude, self.respect_gitignore)

    @property
    def cache_folder(self) -> str | None:
        """Where results are kept; None if they are not."""
        return (self.cache_dir or os.path.join(self.root, CACHE_FOLDER)) if self.cache else None


def _specificity(code: str, prefixes: Sequence[str]) -> int:
    """The length of the longest prefix that covers the code, -1 if none does. ``ALL`` has no length."""
    spelt = ["" if prefix == ALL else prefix for prefix in prefixes]
    return max((len(prefix) for prefix in spelt if code.startswith(prefix)), default=-1)


# -- reading -----------------------------------------------------------------------------------------------------------
def load(paths: Sequence[str] = (), file: str | None = None, isolated: bool = False) -> Settings:
    """The settings for a run over `paths`: those of `file`, or of the nearest pyproject.toml above them all that has the table.

    Raises:
        ConfigError: the file, a key or a value cannot be used.
    """
    if isolated:
        return Settings(os.getcwd())
    if file is not None:
        table = _table(file)
        if table is None:
            raise ConfigError(f"{file}: there is no table [tool.{TABLE}]")
        return from_table(table, file)
    for folder in _folders_above(paths):
        candidate = os.path.join(folder, FILE_NAME)
        if os.path.isfile(candidate) and (table := _table(candidate)) is not None:
            return from_table(table, candidate)
    return Settings(os.getcwd())


def _folders_above(paths: Sequence[str]) -> list[str]:
    """The folder that all paths share, then those above it."""
    absolute = [os.path.abspath(path) for path in paths]
    folders = [path if os.path.isdir(path) else os.path.dirname(path) for path in absolute] or [os.getcwd()]
    try:
        folder = os.path.commonpath(folders)
    except ValueError:  # on different drives
        folder = os.getcwd()
    above = [folder]
    while (parent := os.path.dirname(folder)) != folder:
        above.append(parent)
        folder = parent
    return above


def _table(file: str) -> Mapping[str, object] | None:
    """The table of a TOML file, None if it has none. A file that does not name the table is not parsed."""
    try:
        with open(file, "rb") as stream:
            data = stream.read()
        if TABLE.encode() not in data:
            return None
        tool = tomllib.loads(data.decode()).get("tool", {})
    except OSError as error:
        raise ConfigError(f"{file}: {(error.strerror or str(error)).lower()}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: it is not valid TOML: {error}") from None
    table = tool.get(TABLE) if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{file}: [tool.{TABLE}] is not a table")
    return table


def from_table(table: Mapping[str, object], file: str) -> Settings:
    """The settings of a [tool.lstm-lint] table read from `file`. Raises ConfigError."""
    root = os.path.dirname(os.path.abspath(file))
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in KEYS:
            raise ConfigError(f"{file}: [tool.{TABLE}] has no key {key!r}{suggestion(key, KEYS)}")
        try:
            values[field_name(key)] = KEYS[key](value)
        except Unusable as error:
            raise ConfigError(f"{file}: [tool.{TABLE}] {key}: {error}") from None
    for name in ("cache_dir", "torch_python"):
        if name in values:
            values[name] = _located(values[name], root)
    return Settings(root, file, **values)


def _located(path: str, root: str) -> str:
    """A path from the file, relative to it; a bare command (``python3.12``) stays as it is."""
    path = os.path.expanduser(path)
    return os.path.normpath(os.path.join(root, path)) if os.sep in path or path.startswith(".") else path


# -- the command line --------------------------------------------------------------------------------------------------
def override(settings: Settings, options: Mapping[str, Any]) -> Settings:
    """The settings with what the command line says; an option that is None was not given.

    `select` and `exclude` replace, the others of their kind add; and the command line's word on a code is the last one.

    Raises:
        ConfigError: a value cannot be used; the message names the option.
    """
    given: dict[str, Any] = {}
    for name, value in options.items():
        if value is not None:
            try:
                given[name] = KEYS[key_name(name)](value)
            except Unusable as error:
                raise ConfigError(f"--{key_name(name)}: {error}") from None
    if "select" in given:
        settings = replace(settings, extend_select=(), ignore=())
    selected = given.get("extend_select", ())
    kept = tuple(code for code in settings.ignore if not code.startswith(tuple(selected)) and ALL not in selected)
    settings = replace(settings, ignore=kept)
    for name in ("extend_select", "ignore", "extend_exclude"):
        if name in given:
            given[name] = (*getattr(settings, name), *given[name])
    return replace(settings, **given)


# -- showing ----------------------------------------------------------------------------------------------------------
def field_name(key: str) -> str:
    return key.replace("-", "_")


def key_name(field: str) -> str:
    return field.replace("_", "-")


def describe(settings: Settings) -> list[str]:
    """The settings in effect, as lines of the table they could be written in."""
    lines = [f"# settings from {settings.file or 'the defaults'}; paths are relative to {settings.root}", f"[tool.{TABLE}]"]
    values = {key_name(field.name): getattr(settings, field.name) for field in fields(settings)}
    for key in KEYS:
        if key == "per-file-ignores":
            continue
        value = sorted(settings.codes) if key == "select" and values[key] is None else values[key]
        lines.append(f"{key} = {_toml(value)}" if value is not None else f"# {key} is not set")
    if settings.per_file_ignores:
        lines += ["", f"[tool.{TABLE}.per-file-ignores]"]
        lines += [f"{_toml(pattern)} = {_toml(codes)}" for pattern, codes in settings.per_file_ignores]
    return lines


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        case list() | tuple():
            return "[" + ", ".join(_toml(item) for item in value) + "]"
        case _:
            raise TypeError(f"no setting has a value such as {value!r}")
