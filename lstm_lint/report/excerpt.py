"""The lines of source a finding stands in, with carets under it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from lstm_lint.report.lines import Line, line
from lstm_lint.source import Source, Span

MAX_LINES = 4
MAX_WIDTH = 120
TAB = "    "


def excerpt(source: Source | None, span: Span, style: str) -> Iterator[Line]:
    """The first lines of a span, each underlined from its first to its last character in it; nothing if there is no text."""
    if source is None:
        return
    first = source.text_line(span)
    texts = source.text.split("\n")[first - 1 : first - 1 + min(span.end_line - span.line + 1, MAX_LINES)]
    if not any(text.strip() for text in texts):
        return
    gutter = len(str(span.line + len(texts) - 1))
    yield line((f"{' ' * gutter} |", "frame"))
    for offset, text in enumerate(texts):
        start = span.column - 1 if offset == 0 else len(text) - len(text.lstrip())
        end = span.end_column - 1 if span.line + offset == span.end_line else len(text.rstrip())
        shown, carets = underlined(text, start, max(end, start + 1))
        yield line((f"{span.line + offset:>{gutter}} | ", "frame"), shown)
        yield line((f"{' ' * gutter} | ", "frame"), (carets, style))
    if span.end_line - span.line + 1 > MAX_LINES:
        yield line((f"{' ' * gutter} | ...", "frame"))


def underlined(text: str, start: int, end: int) -> tuple[str, str]:
    """A line of source and the carets under its characters [start, end), cut to what fits if the line is long."""
    before, middle, after = text[:start], text[start:end], text[end:]
    if len(text) > MAX_WIDTH:
        room = max(MAX_WIDTH - len(middle), 20)
        before = before if len(before) <= room // 2 else "..." + before[-(room // 2) :]
        middle = middle if len(middle) <= MAX_WIDTH else middle[:MAX_WIDTH] + "..."
        after = after if len(after) <= room // 2 else after[: room // 2] + "..."
    before, middle, after = _printable(before), _printable(middle), _printable(after)
    return (before + middle + after).rstrip(), " " * _width(before) + "^" * max(_width(middle), 1)


def _printable(text: str) -> str:
    """Tabs as spaces, and what could move the cursor or hide text as a question mark."""
    expanded = text.replace("\t", TAB)
    return "".join(character if character.isprintable() or character == " " else "?" for character in expanded)


def _width(text: str) -> int:
    """The columns a text takes on a terminal."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)
