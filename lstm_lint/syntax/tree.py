"""One parsed file. Positions cost as much as parsing, so they are computed only when something has to be reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from lstm_lint.source import Place, Source, Span
from lstm_lint.syntax.nesting import is_nested_too_deeply, mistake
from lstm_lint.syntax.outside import set_from_outside

NAME_LENGTH = 60
TREES_KEPT = 96
TOO_DEEP = "nested too deeply to be parsed"


class Unparsable(Exception):
    """The text is not Python: where (lines and columns from 1) and why."""

    def __init__(self, span: Span, message: str) -> None:
        super().__init__(message)
        self.span = span
        self.message = message


@dataclass(frozen=True, eq=False)
class Tree:
    """A file's libcst module and its source."""

    source: Source
    module: cst.Module
    _spellings: dict[int, str] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def _positions(self) -> dict[int, CodeRange]:
        wrapper = MetadataWrapper(self.module, unsafe_skip_copy=True)
        return {id(node): span for node, span in wrapper.resolve(PositionProvider).items() if isinstance(span, CodeRange)}

    @cached_property
    def set_from_outside(self) -> frozenset[str]:
        """The attributes that this file's code sets on models from outside of their class."""
        return set_from_outside(self.source.text)

    def span(self, node: cst.CSTNode) -> Span:
        """Where a node of this tree stands."""
        try:
            found = self._positions[id(node)]
        except (RecursionError, KeyError):  # nested too deeply to be located: the file as a whole
            return self.source.span(1, 0, 1, 0)
        return self.source.span(found.start.line, found.start.column, found.end.line, found.end.column)

    def extent(self, node: cst.CSTNode) -> CodeRange:
        """Where a node of this tree stands in the text: lines from 1, columns from 0. Raises KeyError, RecursionError."""
        return self._positions[id(node)]

    def place(self, node: cst.CSTNode) -> Place:
        return Place(self.source.path, id(node), lambda: self.span(node), lambda: self.spelling(node))

    def spelling(self, node: cst.CSTNode) -> str:
        """The node's text on one line, cut where it is long."""
        known = self._spellings.get(id(node))
        if known is None:
            known = self._spellings[id(node)] = self._spelt(node)
        return known

    def _spelt(self, node: cst.CSTNode) -> str:
        try:
            text = " ".join(self.module.code_for_node(node).split())
        except RecursionError:
            return "..."
        return text if len(text) <= NAME_LENGTH else text[: NAME_LENGTH - 3] + "..."


@lru_cache(maxsize=TREES_KEPT)
def parse(source: Source) -> Tree:
    """The tree of a source; the last ones are kept, since files that are checked together import the same modules.

    Raises:
        Unparsable: it is not Python that libcst can parse.
    """
    if is_nested_too_deeply(source.text):
        raise Unparsable(source.span(1, 0, 1, 0), TOO_DEEP)
    try:
        return Tree(source, cst.parse_module(source.text))
    except cst.ParserSyntaxError as error:
        line, column, message = mistake(source.text) or _complaint(error)
        raise Unparsable(source.span(line, column, line, column + 1), message) from None
    except (RecursionError, MemoryError):
        raise Unparsable(source.span(1, 0, 1, 0), TOO_DEEP) from None


def _complaint(error: cst.ParserSyntaxError) -> tuple[int, int, str]:
    """Line (from 1), column (from 0) and text of libcst's complaint."""
    message = next(iter(error.message.splitlines()), error.message).strip()
    return max(error.raw_line, 1), max(error.raw_column, 0), message


def names_in(node: cst.CSTNode) -> frozenset[str]:
    """Every name that stands in a tree."""
    names: set[str] = set()
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, cst.Name):
            names.add(current.value)
        pending.extend(current.children)
    return frozenset(names)
