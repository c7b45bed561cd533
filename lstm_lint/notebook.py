"""A Jupyter notebook as one Source: its code cells in order, whose places map back to cell and line.

Source: the documentation of nbformat 4 ("The Notebook file format"). Outputs are not looked at, nothing is run or written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lstm_lint.source import Cell, Source, Span
from lstm_lint.syntax.magics import forgotten, indentation, python_of

SUFFIX = ".ipynb"
FORMAT = 4
PYTHON = ("python", "ipython", "pyspark")
"""What kernels whose language is Python call it."""

NOT_AS_IT_STANDS = {"raises-exception", "skip-execution"}
"""The tags of cells that are meant to fail, and that are not run, by which Jupyter's own tools know them."""


class NotANotebook(Exception):
    """The text is no notebook that can be read: where (in the file, or in a cell) and why."""

    def __init__(self, message: str, line: int = 1, column: int = 1, cell: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.span = Span(line, column, line, column + 1, cell)


def notebook(path: str, text: str) -> Source:
    """The Python of a notebook. Each cell stands behind a line of its own, ``if True:`` where it is indented as a whole.

    A notebook of another language has no text.

    Raises:
        NotANotebook: the text is not JSON, or not a notebook of format 4.
    """
    lines: list[str] = []
    cells: list[Cell] = []
    for number, code, runs in _code_cells(_document(text)):
        python = python_of(code) if runs else forgotten(code)
        lines.append("if True:" if indentation(python) else "")
        cells.append(Cell(number, len(lines) + 1))
        lines += python.split("\n")
    joined = "\n".join([*lines, ""]) if lines else ""
    return Source(path, joined.encode(errors="replace").decode(), tuple(cells))


def _document(text: str) -> Mapping[str, Any]:
    """The notebook as JSON. An empty file is an empty notebook, as Jupyter makes one of it."""
    if not text.strip():
        return {"cells": []}
    try:  # numbers as floats: outputs may have some with more digits than Python takes for an integer
        document = json.loads(text, parse_int=float)
    except json.JSONDecodeError as error:
        raise NotANotebook(f"it is not JSON: {_lowered(error.msg)}", error.lineno, error.colno) from None
    except RecursionError:
        raise NotANotebook("its JSON is nested too deeply to be read") from None
    if not isinstance(document, dict):
        raise NotANotebook("it is not a notebook: its JSON is no object")
    version = document.get("nbformat", FORMAT)
    if isinstance(version, float) and version != FORMAT:
        raise NotANotebook(f"it is a notebook of format {version:g}, and only format 4 is read: save it again with Jupyter")
    return document


def _code_cells(document: Mapping[str, Any]) -> Iterator[tuple[int, str, bool]]:
    """Number (from 1, among all cells) and text of each code cell whose language is Python, and whether it is there to run."""
    cells = document.get("cells")
    if not isinstance(cells, list):
        raise NotANotebook("it is not a notebook: it has no list of cells")
    if not _is_python(document.get("metadata")):
        return
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict):
            raise NotANotebook("it is not a notebook: this cell is no object", cell=number)
        metadata = cell.get("metadata")
        if cell.get("cell_type") == "code" and _language(metadata, "vscode", "languageId") in (None, *PYTHON):
            yield number, _text(cell.get("source"), number), NOT_AS_IT_STANDS.isdisjoint(_tags(metadata))


def _text(source: object, number: int) -> str:
    """A cell's source, which is a text or a list of them."""
    parts = source if isinstance(source, list) else [source]
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) < len(parts):
        raise NotANotebook("it is not a notebook: the source of this cell is no text", cell=number)
    return "".join(texts).replace("\r\n", "\n").replace("\r", "\n")


def _tags(metadata: object) -> list[str]:
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _is_python(metadata: object) -> bool:
    """Whether the notebook's kernel is one of Python; it is if nothing is said."""
    name = _language(metadata, "language_info", "name") or _language(metadata, "kernelspec", "language")
    return name in (None, *PYTHON)


def _language(metadata: object, group: str, key: str) -> str | None:
    """What metadata says of a language, None if nothing."""
    found = metadata.get(group) if isinstance(metadata, dict) else None
    name = found.get(key) if isinstance(found, dict) else None
    return name.lower() if isinstance(name, str) and name else None


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
