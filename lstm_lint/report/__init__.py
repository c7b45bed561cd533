"""Findings to output. A format is a function from an outcome to lines, listed once below; colours are not its affair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TextIO

from lstm_lint.report import github, json, text
from lstm_lint.report.lines import Line, Reporter, plain

FORMATS: Mapping[str, Reporter] = {
    "full": text.full,
    "concise": text.concise,
    "json": json.check,
    "github": github.check,
}


def write(lines: Iterable[Line], stream: TextIO, color: bool) -> None:
    """Writes lines, in colours if that is wanted."""
    if color:
        from lstm_lint.report.terminal import write_colored  # late: rich costs more start-up time than all the rest

        write_colored(lines, stream)
        return
    for line in lines:
        stream.write(plain(line) + "\n")
