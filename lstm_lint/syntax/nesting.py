"""What Python's own parser says of a text: whether it is nested too deeply for libcst, and where a mistake stands.

libcst's parser recurses without a limit, and dies with the process where Python gives up; and it places errors less well.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from functools import lru_cache

SHORT = 2000
"""Characters that cannot nest deeply enough to hurt."""


def is_nested_too_deeply(text: str) -> bool:
    """Whether Python gives up on the text. Other mistakes in it are no concern here."""
    match parsed(text) if len(text) > SHORT else None:
        case RecursionError() | MemoryError():
            return True
        case SyntaxError(msg=message):
            return message.startswith(("too many nested", "too many levels"))
        case _:
            return False


def mistake(text: str) -> tuple[int, int, str] | None:
    """Line (from 1), column (from 0) and text of Python's own complaint; None if it has none, or a newer grammar's."""
    match parsed(text):
        case SyntaxError(lineno=int(line), offset=int(column), msg=message):
            return max(line, 1), max(column - 1, 0), message
        case _:
            return None


@lru_cache(maxsize=16)
def parsed(text: str) -> ast.Module | Exception:
    """Python's own tree, or why there is none. The last ones are kept: several ask for the same text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are about the analysed code
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return error


def inner_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The children of a node of Python's own tree but for its context, faster than `ast.iter_child_nodes`."""
    for name in node._fields:
        value = getattr(node, name, None) if name != "ctx" else None
        if isinstance(value, list):
            yield from (item for item in value if isinstance(item, ast.AST))
        elif isinstance(value, ast.AST):
            yield value


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, in no order."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(inner_nodes(current))
