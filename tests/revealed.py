"""The comments behind ``reveal_shape(x)`` in fixtures, held against what the linter infers and against the real tensor.

``reveal_shape(h)  # [2*num_layers, x.size(1), hidden_size]`` stands on a line of its own. The text is the linter's, see
`lstm_lint/interpret/revealing.py`. A place may be reached in several contexts: those with symbols for the parameters count, if
there are any, and what is known counts before ``?``; of several texts that are left, one must be the comment. ``A | B`` is one
of several shapes, in any order: an input of unknown rank gives a batch's result and one sample's (``steps, batch, features =
x.shape`` says which).
``# ? "reason"`` says that nothing is known and what the reason contains.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

from lstm_lint.facts import Reveal
from lstm_lint.interpret import interpret
from lstm_lint.source import Source
from lstm_lint.syntax.tree import parse

COMMENT = re.compile(r"^\s*(?:\w+ = )?reveal_shape\(.*\)\s*# (.*)$")
REASON = re.compile(r'\? "(.*)"')


def comments(text: str) -> dict[int, str]:
    """The comment of each ``reveal_shape`` by line; every one has to have one."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if "reveal_shape(" in line:
            match = COMMENT.match(line)
            assert match, f"line {number}: `reveal_shape(x)  # [shape]` stands on a line of its own"
            found[number] = match.group(1).strip()
    return found


def inferred(path: Path) -> dict[int, list[Reveal]]:
    """What the linter reveals, by line: the contexts that count."""
    facts = interpret(parse(Source(str(path), path.read_text())))
    by_line: dict[int, list[Reveal]] = {}
    for reveal in facts.reveals:
        by_line.setdefault(reveal.place.span.line, []).append(reveal)
    return {line: _those_that_count(reveals) for line, reveals in by_line.items()}


def _those_that_count(reveals: list[Reveal]) -> list[Reveal]:
    reveals = [one for one in reveals if not one.grounded] or reveals
    return [one for one in reveals if one.text != "?"] or reveals


def agrees(comment: str, reveal: Reveal) -> bool:
    """Whether the comment says what was revealed."""
    reason = REASON.fullmatch(comment)
    return (
        reason.group(1) in reveal.why and reveal.text == "?"
        if reason
        else sorted(split(comment, "|")) == sorted(split(reveal.text, "|"))
    )


# -- against the tensor ----------------------------------------------------------------------------------------------
class WrongComment(Exception):
    """The tensor has not the shape that its comment says."""


class Revealed:
    """A ``reveal_shape`` to run: holds the comment of the line that calls it against the tensor it is given.

    Names are looked up in the caller's frame, then among the constructor arguments of its ``self``. A size with a name that is
    nowhere there is skipped; the rank never is. `lines` are those that ran.
    """

    def __init__(self, text: str) -> None:
        self.comments = comments(text)
        self.lines: set[int] = set()
        self.constructed: WeakKeyDictionary[object, dict[str, object]] = WeakKeyDictionary()

    def __call__(self, value: Any) -> Any:
        frame = sys._getframe(1)
        comment = self.comments[frame.f_lineno]
        self.lines.add(frame.f_lineno)
        names = self._names(frame)
        if not any(fits(shape, value, names) for shape in split(comment, "|")):
            raise WrongComment(f"line {frame.f_lineno}: {_sizes(value)}: {comment}")
        return value

    def _names(self, frame: FrameType) -> dict[str, object]:
        receiver = frame.f_locals.get("self")
        given = self.constructed.get(receiver, {}) if receiver is not None else {}
        return {**frame.f_globals, **given, **frame.f_locals}

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note what modules are constructed with: ``super().__init__()`` is called with the arguments in the caller's frame."""
        from torch import nn

        original = nn.Module.__init__

        def noted(module: nn.Module, *args: object, **kwargs: object) -> None:
            caller = sys._getframe(1)
            if caller.f_code.co_name == "__init__" and caller.f_locals.get("self") is module:
                self.constructed[module] = dict(caller.f_locals)
            original(module, *args, **kwargs)

        nn.Module.__init__ = noted  # type: ignore[assignment]
        try:
            yield
        finally:
            nn.Module.__init__ = original  # type: ignore[method-assign]


def split(text: str, mark: str) -> list[str]:
    """The parts of a text between marks that stand in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == mark and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def fits(shape: str, value: Any, names: Mapping[str, object]) -> bool:
    """Whether a value can have this shape."""
    if shape.startswith("?"):
        return True
    if shape == "None":
        return value is None
    if shape.startswith("("):
        items = split(shape[1:-1], ",")
        return (
            isinstance(value, tuple | list) and len(items) == len(value) and all(map(fits, items, value, [names] * len(items)))
        )
    sizes = _sizes(value)
    if sizes is None or shape.startswith("packed ") != hasattr(value, "batch_sizes"):
        return False
    dims = [part for part in split(shape.removeprefix("packed ")[1:-1], ",") if part]
    if "..." in dims:
        front, back = dims[: dims.index("...")], dims[dims.index("...") + 1 :]
        if len(sizes) < len(front) + len(back):
            return False
        dims, sizes = [*front, *back], [*sizes[: len(front)], *sizes[len(sizes) - len(back) :]]
    return len(dims) == len(sizes) and all(map(_has_size, dims, sizes, [names] * len(dims)))


def _sizes(value: Any) -> list[int] | None:
    """The sizes of a tensor; of a PackedSequence its batch and features."""
    if hasattr(value, "batch_sizes"):
        return [int(value.batch_sizes[0]), *value.data.shape[1:]]
    return list(value.shape) if hasattr(value, "shape") else None


def _has_size(dim: str, size: int, names: Mapping[str, object]) -> bool:
    """Whether a dim has this size, as far as its names are known here."""
    try:
        tree = ast.parse(dim, mode="eval")
    except SyntaxError:
        return True  # a condition in words
    if any(isinstance(node, ast.Name) and node.id not in names for node in ast.walk(tree)):
        return True
    try:
        return bool(eval(dim, dict(names)) == size)
    except (AttributeError, TypeError, KeyError):
        return True
