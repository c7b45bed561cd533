"""What IPython adds to Python, taken out of a cell line by line: nothing moves, and nothing is run.

Source: IPython's `core/inputtransformer2.py`, for what a magic is and where it may stand, and the list of magics in its
documentation.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lstm_lint.syntax.nesting import parsed

SOMETHING = "get_ipython()"
"""Stands for what a magic or a shell command gives. IPython itself writes a call of it there."""

IN_PLACE = frozenset({"capture", "debug", "memit", "prun", "time", "timeit"})
"""Cell magics that run their body as the Python of the notebook."""

ELSEWHERE = frozenset({
    "!", "HTML", "SVG", "bash", "cmd", "file", "fs", "html", "javascript", "js", "latex", "markdown", "md", "perl", "pypy",
    "python", "python2", "python3", "r", "ruby", "scala", "script", "sh", "sql", "svg", "sx", "system", "writefile",
})  # fmt: skip
"""Cell magics whose body binds no name of the notebook, whatever it looks like."""

AUTOMATIC = frozenset({
    "autoreload", "cat", "cd", "conda", "cp", "env", "less", "load", "load_ext", "ls", "mamba", "man", "matplotlib", "mkdir",
    "more", "mv", "pip", "pylab", "reload_ext", "rm", "rmdir", "run", "set_env", "system", "time", "timeit", "uv",
})  # fmt: skip
"""Magics that need no ``%`` where they are all there is in a cell."""

MOST_MAGICS = 4
"""Cell magics on top of each other that are looked at; every one has the whole cell for its body."""

_CANDIDATE = re.compile(r"^[^\S\n]*[%!?,;/]|\?[^\S\n]*$|=[^\S\n]*[%!]", re.M)
_PROMPT = re.compile(r"(>>>|\.\.\.)(?: |$)|In \[\d+\]: |\s*\.{3,}: ?")
_FIRST_PROMPT = re.compile(r">>>(?: |$)|In \[\d+\]: ")
_CELL_MAGIC = re.compile(r"\s*(?:%%(?=[!\w])|%(?=md\b|(?:fs|r|scala|sh|sql)\s*$))(!|\w+)(?!\w*\?)(.*)")
"""``%%bash``; Databricks writes those of its languages with one percent sign."""

_COMMAND = re.compile(r"(\s*)[%!?,;/]")
_ASSIGNMENT = re.compile(r"[^=]*[^=!<>]=\s*(?=[%!]+\S)")
_TIMED = re.compile(r"(\s*)(%time\s+)(?=\S)")


def python_of(cell: str) -> str:
    """The Python of a cell, with as many lines, and everything that is Python at its own line and column.

    A magic or shell line becomes ``pass``, its value in ``x = !ls`` something that is not known. Of a cell magic whose body is
    not the notebook's Python nothing is left, but that the names which it may bind are not known any more.
    """
    lines = _without_prompts(cell.split("\n"))
    magics = 0
    for number, line in enumerate(lines):
        if magic := _CELL_MAGIC.match(line) if magics < MOST_MAGICS else None:
            lines[number:] = _without_cell_magic(magic[1], magic[2], lines[number + 1 :])
            magics += 1
        elif line.strip():
            break
    text = "\n".join(lines)
    if not _CANDIDATE.search(text):
        return "\n" * text.count("\n") if _is_automatic(text) else text
    return "\n".join(_without_commands(lines))


def forgotten(cell: str) -> str:
    """What is left of a cell that does not run as it stands: its number of lines, and that the names it binds are not known."""
    return _lost(_bound(python_of(cell))) + "\n" * cell.count("\n")


def indentation(text: str) -> str:
    """The white space before the first line with code on it: IPython takes a cell that is indented as a whole."""
    first = next((line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")), "")
    return first[: len(first) - len(first.lstrip())]


# -- cells -------------------------------------------------------------------------------------------------------------
def _without_prompts(lines: list[str]) -> list[str]:
    """A session that was pasted with its prompts, ``>>> x = 1``, indented by them instead."""
    first = next((line for line in lines if line.strip()), "")
    if not _FIRST_PROMPT.match(first):
        return lines
    return [_PROMPT.sub(lambda prompt: " " * len(prompt[0]), line, count=1) if _PROMPT.match(line) else line for line in lines]


def _without_cell_magic(name: str, arguments: str, body: list[str]) -> list[str]:
    """The lines of a cell that begins with a cell magic, without it."""
    may_lose = name == "timeit" or name not in IN_PLACE | ELSEWHERE
    bound = _bound("\n".join(_without_commands(body))) if may_lose else []
    if name == "timeit" and bound:  # its body is a function's, and what is bound there is gone afterwards
        return [""] * (len(body) + 1)
    words = [] if name in ("time", "timeit", "prun") else [w for w in arguments.split() if w.isidentifier()]
    lost = _lost([word for word in (*words, *bound) if not keyword.iskeyword(word)])
    kept = body if name in IN_PLACE else [""] * len(body)
    return [indentation("\n".join(kept)) + lost if lost else "", *kept]


def _lost(names: Sequence[str]) -> str:
    """A statement after which nothing is known of these names."""
    return "".join(f"{name} = " for name in dict.fromkeys(names)) + SOMETHING if names else ""


def _bound(text: str) -> list[str]:
    """The names that Python text binds anywhere; none if it is no Python."""
    names: list[str] = []
    tree = parsed(text)
    for node in ast.walk(tree) if isinstance(tree, ast.Module) else ():
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                names.append(name)
            case ast.alias(name=name, asname=asname) if name != "*":
                names.append(asname or name.split(".")[0])
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.append(name)
    return names


def _is_automatic(text: str) -> bool:
    """``pip install torch`` alone in a cell."""
    words = text.split()
    if len(words) < 2 or words[0] not in AUTOMATIC or "\n" in text.strip():
        return False
    return not isinstance(parsed(text.strip()), ast.Module)


# -- lines -------------------------------------------------------------------------------------------------------------
def _without_commands(lines: Sequence[str]) -> list[str]:
    """Lines without ``%magic``, ``!shell``, ``?help`` and what else IPython takes for a command of its own."""
    result: list[str] = []
    scan = Scan()
    in_command = False
    for line in lines:
        at_start = scan.at_start
        if in_command:
            replaced: str | None = ""
        else:
            replaced = _without_command(line, scan) if at_start else None
        if replaced is None:
            if not at_start:
                scan.over(line)
            result.append(line)
            continue
        scan = Scan()
        result.append(replaced)
        in_command = line.endswith("\\")
    return result


def _without_command(line: str, scan: Scan) -> str | None:
    """The line at the start of a statement without its command; None if it has none, and then `scan` has moved over it."""
    if command := _COMMAND.match(line):
        return _timed(line) or f"{command[1]}pass"
    masked = scan.over(line)
    if assignment := _ASSIGNMENT.match(masked):
        return line[: assignment.end()] + SOMETHING
    if masked.rstrip().endswith("?") and scan.at_start:
        return line[: len(line) - len(line.lstrip())] + "pass"
    return None


def _timed(line: str) -> str | None:
    """``%time x = f()`` runs and binds as it stands; None if it is not that. ``if 1:`` is just as wide."""
    timed = _TIMED.match(line)
    if timed is None:
        return None
    statement = "if 1:".ljust(len(timed[2])) + line[timed.end() :]
    return timed[1] + statement if isinstance(parsed(statement), ast.Module) else None


_TOKEN = re.compile(r"""#.*|\"{3}|'{3}|["'()\[\]{}]""")
_STRING_END = {
    '"': re.compile(r'(?:[^"\\]|\\.)*"'),
    "'": re.compile(r"(?:[^'\\]|\\.)*'"),
    '"""': re.compile(r'(?:(?!""")[^\\]|\\.)*"""'),
    "'''": re.compile(r"(?:(?!''')[^\\]|\\.)*'''"),
}


@dataclass
class Scan:
    """What a line begins in: a string (its quotes), brackets, or a line that a backslash continues.

    Python's own tokenizer will not do: up to 3.11 it takes ``!`` and ``?`` for errors, from 3.12 on it stops at them.
    """

    quotes: str = ""
    depth: int = 0
    continued: bool = False

    @property
    def at_start(self) -> bool:
        """Whether a statement can begin here."""
        return not (self.quotes or self.depth or self.continued)

    def over(self, line: str) -> str:
        """Moves behind a line, and returns it with its strings and comments blotted out."""
        shown: list[str] = []
        position = 0
        while position < len(line):
            token = None if self.quotes else _TOKEN.search(line, position)
            if self.quotes:
                end = _STRING_END[self.quotes].match(line, position)
                stop = end.end() if end else len(line)
                self.quotes = "" if end else self.quotes
                shown.append("_" * (stop - position))
            elif token is None:
                stop = len(line)
                shown.append(line[position:])
            else:
                stop = token.end()
                shown += [line[position : token.start()], self._token(token[0])]
            position = stop
        if len(self.quotes) == 1 and not line.endswith("\\"):
            self.quotes = ""  # never closed: a mistake that ends with its line
        masked = "".join(shown)
        self.continued = not self.quotes and masked.endswith("\\")
        return masked

    def _token(self, token: str) -> str:
        if token in "([{":
            self.depth += 1
        elif token in ")]}":
            self.depth = max(self.depth - 1, 0)
        elif token.startswith("#"):
            return "_" * len(token)
        else:
            self.quotes = token
            return "_" * len(token)
        return token
