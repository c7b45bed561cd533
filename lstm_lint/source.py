"""Text and places: what was read, where in it something stands, and which lines ask not to be reported."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of text: lines and columns count from 1, the end column is behind the last character.

    `cell` is the notebook cell (from 1) that the lines are counted in, None for a plain file.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    cell: int | None = None

    @property
    def order(self) -> tuple[int, Span]:
        """By which places of one file are sorted: cell by cell."""
        return self.cell or 0, self


@dataclass(frozen=True)
class Cell:
    """A code cell of a notebook: its number among all cells, and its first line in the joined text (both from 1).

    The line before the first one is the joined text's own.
    """

    number: int
    first_line: int


@dataclass(frozen=True)
class Source:
    """One file's text as the analysis sees it. `path` is as the user gave it."""

    path: str
    text: str
    cells: tuple[Cell, ...] = ()

    def span(self, line: int, column: int, end_line: int, end_column: int) -> Span:
        """A span from positions in the joined text (lines from 1, columns from 0)."""
        cell = self._cell(line)
        if cell is None:
            return Span(line, column + 1, end_line, end_column + 1)
        offset = cell.first_line - 1
        return Span(line - offset, column + 1, end_line - offset, end_column + 1, cell.number)

    def _cell(self, line: int) -> Cell | None:
        found = None
        for cell in self.cells:
            if cell.first_line > line:
                break
            found = cell
        return found

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """The lines of each cell in the joined text with the one before it: the first, and the one behind them (from 0)."""
        starts = [cell.first_line - 2 for cell in self.cells]
        return list(zip(starts, [*starts[1:], self.text.count("\n")], strict=False))

    def text_line(self, span: Span) -> int:
        """The line of the joined text (from 1) a span begins in."""
        offset = next((cell.first_line - 1 for cell in self.cells if cell.number == span.cell), 0)
        return span.line + offset

    def text_at(self, span: Span) -> str:
        """What stands in a span."""
        lines = self.text.split("\n")
        first = self.text_line(span)
        taken = lines[first - 1 : first + span.end_line - span.line]
        if not taken:
            return ""
        taken[-1] = taken[-1][: span.end_column - 1]
        taken[0] = taken[0][span.column - 1 :]
        return "\n".join(taken)

    @cached_property
    def ignores(self) -> Ignores:
        if not self.cells or "noqa" not in self.text.lower():
            return Ignores.parse(self.text)
        lines = self.text.split("\n")
        found: dict[int, tuple[str, ...]] = {}
        for start, end in self.stretches:  # one by one: what is open at the end of a cell ends with it
            ignores = Ignores.parse("\n".join(lines[start:end]))
            found.update((start + line, codes) for line, codes in ignores.lines.items())
        return Ignores(found)


@dataclass(frozen=True)
class Place:
    """Somewhere in the analysed code, located only when somebody asks.

    Two places are equal when they stand for the same syntax in the same file, which `identity` says. `spell` gives its text.
    """

    path: str
    identity: int
    locate: Callable[[], Span] = field(compare=False, repr=False)
    spell: Callable[[], str] = field(default=str, compare=False, repr=False)

    @property
    def span(self) -> Span:
        return self.locate()

    @property
    def text(self) -> str:
        return self.spell()


_CODES = r"[A-Z][0-9]*(?:[,\s]+[A-Z][0-9]*)*|[A-Z]+[0-9]*(?:[,\s]+[A-Z]+[0-9]*)*"
_NOQA = re.compile(rf"#\s*noqa(?![\w-])(?::[\s]?(?P<codes>{_CODES}))?", re.I)


@dataclass(frozen=True)
class Ignores:
    """The ``# noqa`` comments of a text: by line, the prefixes of the codes that are silenced (none means all)."""

    lines: Mapping[int, tuple[str, ...]]

    @staticmethod
    def parse(text: str) -> Ignores:
        if "noqa" not in text.lower():
            return Ignores({})
        lines: dict[int, tuple[str, ...]] = {}
        try:
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                if token.type == tokenize.COMMENT and (match := _NOQA.search(token.string)):
                    codes = re.split(r"[,\s]+", match["codes"].strip()) if match["codes"] else []
                    lines[token.start[0]] = tuple(code.upper() for code in codes if code)
        except (tokenize.TokenError, SyntaxError):  # the rest of the file has no comments that count
            pass
        return Ignores(lines)

    def silences(self, line: int, code: str) -> bool:
        """Whether the comment on this line (of the joined text) silences the code."""
        codes = self.lines.get(line)
        return codes is not None and (not codes or any(code.startswith(prefix) for prefix in codes))
