"""What a reporter makes: lines of styled pieces. And what it is told about how to show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lstm_lint.check import Outcome
from lstm_lint.outline import CallReport, SiteReport
from lstm_lint.source import Source, Span

Piece = tuple[str, str]
"""A text and the name of its style: ``error``, ``warning``, ``info``, ``code``, ``path``, ``frame``, ``torch``, or empty."""

Line = tuple[Piece, ...]


@dataclass(frozen=True)
class View:
    """How an outcome is to be shown. `source` gives the text that findings of a path stand in, None if it cannot be read.

    `unsafe`: unsafe fixes are wanted too.
    """

    source: Callable[[str], Source | None]
    verbose: bool = False
    quiet: bool = False
    unsafe: bool = False


Reporter = Callable[[Outcome, View], Iterable[Line]]


def line(*pieces: str | Piece) -> Line:
    """A line of pieces, those without a style as they are."""
    return tuple((piece, "") if isinstance(piece, str) else piece for piece in pieces)


def plain(line: Line) -> str:
    return "".join(text for text, _ in line)


def location(path: str, place: Span | SiteReport | CallReport) -> str:
    """``path:line:column``, with the cell of a notebook before the line."""
    cell = f"cell {place.cell}:" if place.cell is not None else ""
    return f"{path}:{cell}{place.line}:{place.column}"


def counted(number: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
