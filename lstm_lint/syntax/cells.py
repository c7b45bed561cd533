"""A notebook's cells are programs of their own as far as syntax goes: what one leaves open, the next does not close."""

from __future__ import annotations

import ast

from lstm_lint.source import Source, Span
from lstm_lint.syntax.nesting import parsed


def without_broken_cells(source: Source) -> tuple[Source, list[tuple[Span, str]]]:
    """The source with the cells emptied that do not parse, and where and why each of them does not.

    A cell that does not parse does not run either, so the others go on without it.
    """
    lines = source.text.split("\n")
    mistakes: list[tuple[Span, str]] = []
    for start, end in source.stretches:
        mistake = _mistake("\n".join(lines[start:end]) + "\n")
        if mistake is None:
            continue
        span, message = mistake
        line = start + min(span.line, end - start)
        mistakes.append((source.span(line, span.column - 1, line, span.end_column - 1), message))
        lines[start:end] = [""] * (end - start)
    return (Source(source.path, "\n".join(lines), source.cells) if mistakes else source), mistakes


def _mistake(text: str) -> tuple[Span, str] | None:
    """Where and why a text does not parse. That Python itself takes it is enough; what it refuses may be a newer grammar's."""
    if isinstance(parsed(text), ast.Module):
        return None
    if (position := text.find("\0")) >= 0:
        line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
        return Span(line, column, line, column + 1), "it holds a null character"
    from lstm_lint.syntax.tree import Unparsable, parse  # late: it brings libcst

    try:
        parse(Source("", text))
    except Unparsable as error:
        return error.span, error.message
    return None
