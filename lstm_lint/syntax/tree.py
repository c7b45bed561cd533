"""One parsed file. Positions cost as much as parsing, so they are computed only when something has to be reported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, cached_property, lru_cache

import libcst as cst
from libcst._batched_visitor import VisitorMethod
from libcst.metadata import CodePosition, CodeRange, MetadataWrapper, PositionProvider

from lstm_lint.source import Place, Source, Span
from lstm_lint.syntax.nesting import is_nested_too_deeply, mistake, parsed
from lstm_lint.syntax.outside import set_from_outside
from lstm_lint.syntax.parts import Part, in_parts

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
    """A file's libcst module and its source; of a module that is divided, the statements that are no part of their own.

    `lines` are the numbers in the source of the lines that were parsed, if not all were. `indented`: the tabs that lines begin
    with were parsed as spaces.
    """

    source: Source
    module: cst.Module
    lines: Sequence[int] | None = None
    indented: bool = False
    _positions: dict[_Statement | None, Mapping[int, CodeRange]] = field(default_factory=dict, init=False, repr=False)
    _parts: list[Tree] = field(default_factory=list, init=False, repr=False)
    _spellings: dict[int, str] = field(default_factory=dict, init=False, repr=False)
    _methods: dict[int, Mapping[str, Part]] = field(default_factory=dict, init=False, repr=False)

    def extent(self, node: cst.CSTNode) -> CodeRange:
        """Where a node of this tree stands in the text: lines from 1, columns from 0. Raises KeyError, RecursionError."""
        statement = self._statement_of(node)
        if statement not in self._positions:
            self._positions[statement] = self._located(statement)
        found = self._positions[statement][id(node)]
        return CodeRange(self._in_source(found.start), self._in_source(found.end)) if self.indented else found

    def _statement_of(self, node: cst.CSTNode) -> _Statement | None:
        """The smallest statement with a line of its own that holds a node; None if only the whole module tells its place."""
        return next((one for one in self._statements if id(node) in one.held), None)

    def _located(self, statement: _Statement | None) -> Mapping[int, CodeRange]:
        """The positions of all nodes of a statement, as its first line tells; of the whole module, which takes far longer."""
        if statement is None:
            return _positions_in(self.module)
        found = _positions_in(self.module.with_changes(header=(), footer=(), body=(statement.alone,)))
        above = statement.line - found[id(statement.node)].start.line
        return {node: CodeRange(_below(span.start, above), _below(span.end, above)) for node, span in found.items()}

    @cached_property
    def _statements(self) -> Sequence[_Statement]:
        """Those of the module and of its classes, the latter first; none where Python's own parser does not tell the lines."""
        whole = parsed(self.source.text) if self.lines is None and not self.indented else None
        if not isinstance(whole, ast.Module) or ODD_LINE_END.search(self.source.text):
            return ()
        return tuple(_statements_in(self.module.body, whole.body))

    def _in_source(self, position: CodePosition) -> CodePosition:
        """A position in what was parsed with spaces for tabs, on the same line with the tabs."""
        number = self._line(position.line) - 1
        line = self._source_lines[number] if number < len(self._source_lines) else ""  # behind the last one
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        return CodePosition(position.line, max(0, position.column - len(indent.expandtabs()) + len(indent)))

    @cached_property
    def _source_lines(self) -> Sequence[str]:
        return self.source.text.split("\n")

    @cached_property
    def set_from_outside(self) -> frozenset[str]:
        """The attributes that this file's code sets on models from outside of their class."""
        return set_from_outside(self.source.text)

    def span(self, node: cst.CSTNode) -> Span:
        """Where a node of this tree, or of a part that was added to it, stands."""
        for tree in (self, *self._parts):
            try:
                found = tree.extent(node)
            except (RecursionError, KeyError):  # of another part, or nested too deeply to be located
                continue
            first, last = tree._line(found.start.line), tree._line(found.end.line)
            return self.source.span(first, found.start.column, last, found.end.column)
        return self.source.span(1, 0, 1, 0)

    def _line(self, parsed: int) -> int:
        """The number in the source of a line that was parsed."""
        return parsed if self.lines is None else self.lines[min(parsed, len(self.lines)) - 1]

    def add(self, part: Part) -> Sequence[cst.CSTNode]:
        """The statements of a part of the file, which is parsed. Raises Unparsable."""
        tree = _parsed(self.source, part.text, part.lines)
        self._parts.append(tree)
        statements = tree.module.body
        if part.in_class and isinstance(statements[0], cst.ClassDef):
            return statements[0].body.body
        self._methods.update((id(node), part.methods) for node in statements if part.methods)
        return statements

    def methods(self, node: cst.ClassDef) -> Mapping[str, Part]:
        """Those methods of a class that wait until they are asked for."""
        return self._methods.get(id(node), {})

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
    return _parsed(source, source.text)


def parse_divided(source: Source) -> tuple[Tree, Mapping[str, Part]]:
    """The tree of a module, without what can wait until its name is asked for; that, by name. Raises Unparsable."""
    parts = in_parts(source.text)
    if parts is None:
        return parse(source), {}
    return _parsed(source, parts.rest.text, parts.rest.lines), parts.waiting


def _parsed(source: Source, text: str, lines: Sequence[int] | None = None, indented: bool = False) -> Tree:
    """The tree of a text, which is that of the source or those lines of it.

    `indented`: with spaces for the tabs that lines begin with. libcst does not take every mixture of them that Python takes.
    """
    try:
        return Tree(source, cst.parse_module(INDENT.sub(_as_spaces, text) if indented else text), lines, indented)
    except cst.ParserSyntaxError as error:
        if not indented and "\t" in text and mistake(source.text) is None:
            return _parsed(source, text, lines, indented=True)
        line, column, message = mistake(source.text) or _complaint(error)
        raise Unparsable(source.span(line, column, line, column + 1), message) from None
    except (RecursionError, MemoryError):
        raise Unparsable(source.span(1, 0, 1, 0), TOO_DEEP) from None


INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
ODD_LINE_END = re.compile(r"\r(?!\n)|[\f\v]")  # Python and libcst do not count the same lines there


@dataclass(frozen=True, eq=False)
class _Statement:
    """A statement of a module, or of a class of it that is `around` it, and the line it begins in."""

    node: cst.CSTNode
    line: int
    around: cst.ClassDef | None = None

    @cached_property
    def held(self) -> frozenset[int]:
        """The identities of what is in it."""
        return frozenset(map(id, all_nodes(self.node)))

    @property
    def alone(self) -> cst.CSTNode:
        """The statement, in a class that holds nothing else."""
        if self.around is None:
            return self.node
        body = self.around.body.with_changes(body=(self.node,), footer=())
        return self.around.with_changes(leading_lines=(), decorators=(), lines_after_decorators=(), body=body)


def _statements_in(
    nodes: Sequence[cst.CSTNode], known: Sequence[ast.stmt], around: cst.ClassDef | None = None
) -> Iterator[_Statement]:
    """The statements, with the lines that Python's own parser has for them; before a class those in it."""
    first = 0
    for node in nodes:
        same = known[first]
        if around is None and isinstance(node, cst.ClassDef) and isinstance(same, ast.ClassDef):
            if isinstance(node.body, cst.IndentedBlock):
                yield from _statements_in(node.body.body, same.body, node)
        yield _Statement(node, same.lineno, around)
        first += len(node.body) if isinstance(node, cst.SimpleStatementLine) else 1


def _positions_in(module: cst.Module) -> Mapping[int, CodeRange]:
    found = _Metadata(module, unsafe_skip_copy=True).resolve(PositionProvider)
    return {id(node): span for node, span in found.items() if isinstance(span, CodeRange)}


class _Metadata(MetadataWrapper):
    """Without the walk that libcst makes for providers that share one, also where there is none: half the time."""

    def visit_batched(
        self,
        visitors: Iterable[cst.BatchableCSTVisitor],
        before_visit: VisitorMethod | None = None,
        after_leave: VisitorMethod | None = None,
    ) -> cst.CSTNode:
        visitors = list(visitors)
        return super().visit_batched(visitors, before_visit, after_leave) if visitors else self.module


def _below(position: CodePosition, lines: int) -> CodePosition:
    return CodePosition(position.line + lines, position.column)


def _as_spaces(indent: re.Match[str]) -> str:
    return indent.group().expandtabs()


def _complaint(error: cst.ParserSyntaxError) -> tuple[int, int, str]:
    """Line (from 1), column (from 0) and text of libcst's complaint."""
    message = next(iter(error.message.splitlines()), error.message).strip()
    return max(error.raw_line, 1), max(error.raw_column, 0), message


def names_in(node: cst.CSTNode) -> frozenset[str]:
    """Every name that stands in a tree."""
    return frozenset(current.value for current in all_nodes(node) if type(current) is cst.Name)


def all_nodes(node: cst.CSTNode, without: tuple[type[cst.CSTNode], ...] = ()) -> Iterator[cst.CSTNode]:
    """A node and all `inner_nodes` below it, in no order; not those of certain types, nor what is in them."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        inner = inner_nodes(current)
        pending.extend((one for one in inner if not isinstance(one, without)) if without else inner)


def inner_nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The children of a node without whitespace, comments and punctuation (`node.children`, which has them, is very slow)."""
    for name in _fields(node.__class__) or ():
        value = getattr(node, name)
        if _fields(value.__class__) is not None:
            yield value
        elif isinstance(value, tuple | list):
            yield from value


@cache
def _fields(kind: type) -> tuple[str, ...] | None:
    """The fields of a type of node that can hold more than its spelling; None if it is no such type."""
    if not issubclass(kind, cst.CSTNode):
        return None
    return tuple(field.name for field in fields(kind) if not field.name.startswith(SPELLING))


SPELLING = (
    "whitespace", "leading_lines", "lines_", "trailing_whitespace", "header", "footer", "indent", "lpar", "rpar", "lbracket",
    "rbracket", "lbrace", "rbrace", "comma", "semicolon", "equal", "colon", "dot", "posonly_ind",
)  # fmt: skip
"""How fields of libcst's nodes begin that hold nothing but spelling."""
