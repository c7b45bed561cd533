"""Edits put into a file's content: nothing else of it changes, not its encoding, its line ends or the style of its JSON."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lstm_lint import notebook
from lstm_lint.discover import encoding_of
from lstm_lint.findings import Edit

_LINE_END = re.compile(r"\r\n|\r|\n")
_SPACE = re.compile(r"[ \t\r\n]*")
_CHARACTER = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.S)
_DECODER = json.JSONDecoder(parse_int=float, strict=False)


class CannotRewrite(Exception):
    """The file cannot be written again as it was but for the edits: why."""


def rewritten(path: str, data: bytes, edits: Sequence[Edit]) -> bytes:
    """A file's content with edits, of which no two overlap. Raises CannotRewrite."""
    encoding = encoding_of(data)
    try:
        text = data.decode(encoding)
        if text.encode(encoding) != data:
            raise CannotRewrite(f"its {encoding} cannot be written back byte for byte")
        if path.endswith(notebook.SUFFIX):
            changes = [change for edit in edits for change in _in_notebook(text, edit)]
        else:
            changes = [_in_text(text, edit) for edit in edits]
        for start, end, new in sorted(changes, reverse=True):
            text = text[:start] + new + text[end:]
        return text.encode(encoding)
    except (UnicodeError, LookupError, ValueError) as error:
        raise CannotRewrite(f"it cannot be written in its encoding {encoding}: {error}") from None


Change = tuple[int, int, str]
"""What stands between two offsets becomes another text."""


def _in_text(text: str, edit: Edit) -> Change:
    starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
    newline = match[0] if (match := _LINE_END.search(text)) else "\n"
    start, end = (starts[line - 1] + column - 1 for line, column in _corners(edit))
    return start, end, edit.text.replace("\n", newline)


def _corners(edit: Edit) -> tuple[tuple[int, int], tuple[int, int]]:
    return (edit.span.line, edit.span.column), (edit.span.end_line, edit.span.end_column)


# -- notebooks ---------------------------------------------------------------------------------------------------------
def _in_notebook(text: str, edit: Edit) -> Iterator[Change]:
    """The same in the JSON of a cell's source: only the characters that change, wherever its strings begin and end."""
    characters = list(_source_characters(text, edit.span.cell))
    code = "".join(one.text for one in characters)
    offsets = [0]  # behind each character as it stands in the JSON
    for one in characters:
        offsets.append(offsets[-1] + len(one.text))
    start, end, new = _in_text(code, Edit(edit.span, edit.text))
    escaped = json.dumps(new, ensure_ascii=text.isascii())[1:-1]
    first, behind = bisect_right(offsets, start) - 1, bisect_right(offsets, end) - 1
    if first == behind:
        at = characters[first].start if first < len(characters) else characters[-1].end
        yield at, at, escaped
    else:
        yield characters[first].start, characters[behind - 1].end, escaped


@dataclass(frozen=True)
class _Character:
    """One character of a JSON string: what it stands for, and where it is spelt."""

    text: str
    start: int
    end: int


def _source_characters(text: str, number: int | None) -> Iterator[_Character]:
    """The characters of the source of a notebook's cell, over all of its strings."""
    cells = [span for key, *span in _members(text, _skipped(text, 0)) if key == "cells"][-1]
    cell = list(_items(text, cells[0]))[(number or 1) - 1]
    start, end = [span for key, *span in _members(text, cell[0]) if key == "source"][-1]
    strings = [(start, end)] if text[start] == '"' else list(_items(text, start))
    for first, last in strings:
        for match in _CHARACTER.finditer(text, first + 1, last - 1):
            spelt = match[0]
            yield _Character(json.loads(f'"{spelt}"', strict=False), match.start(), match.end())


def _members(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Key, start and end of each value of the JSON object that begins at an offset."""
    position = _skipped(text, start + 1)
    while text[position] != "}":
        key, position = _DECODER.raw_decode(text, position)
        value = _skipped(text, _skipped(text, position) + 1)
        _, position = _DECODER.raw_decode(text, value)
        yield key, value, position
        position = _skipped(text, position)
        position = _skipped(text, position + 1) if text[position] == "," else position


def _items(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Start and end of each item of the JSON array that begins at an offset."""
    position = _skipped(text, start + 1)
    while text[position] != "]":
        _, end = _DECODER.raw_decode(text, position)
        yield position, end
        position = _skipped(text, end)
        position = _skipped(text, position + 1) if text[position] == "," else position


def _skipped(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match is not None else position
