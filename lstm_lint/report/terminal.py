"""Lines in colours. The only file that imports rich, and itself imported only when a terminal is written to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.text import Text

from lstm_lint.report.lines import Line

STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "info": "bold cyan",
    "code": "bold",
    "path": "bold",
    "frame": "blue",
    "torch": "magenta",
    "good": "bold green",
    "": "",
}


def write_colored(lines: Iterable[Line], stream: TextIO) -> None:
    """Writes lines as they are: nothing is wrapped, highlighted or read as markup."""
    console = Console(file=stream, force_terminal=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*((text, STYLES[style]) for text, style in line)), end="\n")
