"""Which paths a list of patterns covers. Patterns are written as in .gitignore and relative to one folder."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

DEFAULT_EXCLUDE = (
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".git-rewrite",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pants.d",
    ".pyenv",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".lstm_lint_cache",
    ".svn",
    ".tox",
    ".venv",
    ".vscode",
    "__pycache__",
    "__pypackages__",
    "_build",
    "buck-out",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)
"""What is not looked into unless it is named on the command line: the list that ruff has."""


class PatternError(Exception):
    """A pattern that cannot be understood."""


@dataclass(frozen=True)
class Pattern:
    """One line: what it matches, whether it takes out what others cover (``!``), and whether it means folders only."""

    expression: re.Pattern[str]
    negated: bool
    folders_only: bool


@dataclass(frozen=True)
class Patterns:
    """Patterns relative to the folder `root`, which is absolute. The last one that speaks of a path decides."""

    root: str
    patterns: tuple[str, ...]

    @cached_property
    def _compiled(self) -> list[Pattern]:
        return compile_patterns(self.patterns)[::-1]

    def match(self, path: str) -> bool | None:
        """Whether a pattern covers the absolute `path` itself: False where ``!pattern`` takes it out, None for neither.

        A folder ends with a separator. That a folder above is covered does not count: a walk does not get there.
        """
        if not self.patterns or not path.startswith(self.root):
            return None
        relative = path[len(self.root) :].replace(os.sep, "/").strip("/")
        is_folder = path.endswith(os.sep)
        for pattern in self._compiled:
            if (is_folder or not pattern.folders_only) and pattern.expression.fullmatch(relative):
                return not pattern.negated
        return None

    def covers(self, path: str) -> bool:
        """Whether a pattern covers the absolute `path` or a folder above it."""
        return any(self.match(above) for above in (*folders_to(self.root, path), path))


def folders_to(root: str, path: str) -> list[str]:
    """The folders between two absolute paths, with a separator each, the outermost first."""
    folders: list[str] = []
    folder = os.path.dirname(path.rstrip(os.sep))
    while len(folder) > len(root.rstrip(os.sep)):
        folders.append(folder + os.sep)
        folder = os.path.dirname(folder)
    return folders[::-1]


def compile_patterns(lines: Sequence[str]) -> list[Pattern]:
    """The patterns among the lines of a .gitignore. Raises PatternError, naming the pattern."""
    compiled: list[Pattern] = []
    for line in lines:
        text = re.sub(r"(?<!\\)\s+$", "", line)
        if not text or text.startswith("#"):
            continue
        negated = text.startswith("!")
        body = text[negated:]
        try:
            expression = re.compile(_expression(body.rstrip("/")))
        except re.error as error:
            raise PatternError(f"{line!r}: {error}") from None
        compiled.append(Pattern(expression, negated, body.endswith("/")))
    return compiled


_TOKEN = re.compile(
    r"""
    (?P<any_folders> (?:(?<=/)|^) \*\*/ )
    | (?P<inside> (?<=/) \*\*$ )
    | (?P<many> \*+ )
    | (?P<one> \? )
    | (?P<set> \[ [!^]? \]? [^]]* \] )
    | \\ (?P<escaped> . )
    """,
    re.VERBOSE,
)
_MEANING = {"any_folders": "(?:.*/)?", "inside": ".+", "many": "[^/]*", "one": "[^/]"}


def _expression(body: str) -> str:
    """The regular expression of a pattern, for a whole relative path (https://git-scm.com/docs/gitignore, "Pattern format")."""
    anywhere = "" if "/" in body else "(?:.*/)?"
    body = body.removeprefix("/")
    written, position = anywhere, 0
    for token in _TOKEN.finditer(body):
        written += re.escape(body[position : token.start()])
        kind, text = str(token.lastgroup), token.group()
        if kind == "escaped":
            written += re.escape(token["escaped"])
        elif kind == "set":
            negated = text[1] in "!^"
            written += f"(?!/)[{'^' if negated else ''}{_set(text[1 + negated : -1])}]"
        else:
            written += _MEANING[kind]
        position = token.end()
    return written + re.escape(body[position:])


def _set(text: str) -> str:
    """What stands between brackets; only ``-`` and escapes mean something there."""
    return re.sub(r"[\[\]^&~|]", r"\\\g<0>", text)


@dataclass(frozen=True)
class Ignored:
    """The .gitignore files that hold in a folder: the deepest one that speaks of a path decides, as git has it."""

    files: tuple[Patterns, ...] = ()

    def match(self, path: str) -> bool:
        for patterns in reversed(self.files):
            answer = patterns.match(path)
            if answer is not None:
                return answer
        return False

    def covers(self, path: str) -> bool:
        """Whether git ignores the absolute `path` or a folder above it."""
        top = self.files[0].root if self.files else path
        return any(self.match(above) for above in (*folders_to(top, path), path))

    def entering(self, folder: str) -> Ignored:
        """The same with what the .gitignore of `folder` (absolute) adds."""
        found = _read_ignore_file(folder, os.path.join(folder, ".gitignore"))
        return Ignored((*self.files, found)) if found else self


def ignored_above(folder: str) -> Ignored:
    """What the .gitignore files hold from the repository's top to above `folder` (absolute); nothing outside a repository."""
    above: list[str] = []
    current = folder
    while not os.path.exists(os.path.join(current, ".git")):
        parent = os.path.dirname(current)
        if parent == current:
            return Ignored()
        above.append(parent)
        current = parent
    exclude = _read_ignore_file(current, os.path.join(current, ".git", "info", "exclude"))
    ignored = Ignored((exclude,)) if exclude else Ignored()
    for parent in reversed(above):
        ignored = ignored.entering(parent)
    return ignored


def _read_ignore_file(root: str, path: str) -> Patterns | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = tuple(line for line in file.read().splitlines() if line.strip() and not line.startswith("#"))
    except OSError:
        return None
    valid = tuple(line for line in lines if _is_valid(line))
    return Patterns(root, valid) if valid else None


def _is_valid(line: str) -> bool:
    """git passes over a line that it does not understand."""
    try:
        compile_patterns((line,))
    except PatternError:
        return False
    return True
