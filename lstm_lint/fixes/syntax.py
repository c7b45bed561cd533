"""A tree as fixes look at it: which node a place stands for, what is around it, and where in the text it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import TypeVar

import libcst as cst

from lstm_lint.findings import Edit
from lstm_lint.source import Place
from lstm_lint.syntax.tree import Tree

Node = TypeVar("Node", bound=cst.CSTNode)
Scope = cst.FunctionDef | cst.Lambda | cst.ClassDef | cst.Module
SCOPES = (cst.FunctionDef, cst.Lambda, cst.ClassDef, cst.Module)

PLAIN = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Integer)
"""Expressions that stand beside ``*`` without parentheses."""


@dataclass(frozen=True, eq=False)
class Syntax:
    """One tree with the way up from each node."""

    tree: Tree

    @property
    def text(self) -> str:
        return self.tree.source.text

    @cached_property
    def _nodes(self) -> dict[int, cst.CSTNode]:
        return {id(node): node for node in walk(self.tree.module)}

    @cached_property
    def _parents(self) -> dict[int, cst.CSTNode]:
        return {id(child): node for node in walk(self.tree.module) for child in node.children}

    @cached_property
    def _starts(self) -> list[int]:
        """The offset of each line."""
        return [0, *accumulate(len(line) + 1 for line in self.text.split("\n"))]

    # -- nodes -------------------------------------------------------------------------------------------------------
    def at(self, place: Place) -> cst.CSTNode | None:
        """What stands at a place of this tree; None for a place of another one."""
        found = self._nodes.get(place.identity)
        return found if found is not None and self.tree.span(found) == place.span else None

    def node(self, place: Place, kind: type[Node]) -> Node | None:
        """The same, if it is of that kind."""
        found = self.at(place)
        return found if isinstance(found, kind) else None

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        return self._parents.get(id(node))

    def around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around one, from the inside."""
        found = self.parent(node)
        while found is not None:
            yield found
            found = self.parent(found)

    def scope(self, node: cst.CSTNode) -> Scope:
        """The function, class or module in whose scope a node stands."""
        return next(one for one in self.around(node) if isinstance(one, SCOPES))

    def class_of(self, node: cst.CSTNode) -> cst.ClassDef | None:
        """The class in a method of which a node stands, where ``self`` is its instance."""
        function = self.scope(node)
        owner = self.scope(function) if isinstance(function, cst.FunctionDef) else None
        first = function.params.params[:1] if isinstance(function, cst.FunctionDef) else ()
        return owner if isinstance(owner, cst.ClassDef) and first and first[0].name.value == "self" else None

    # -- text --------------------------------------------------------------------------------------------------------
    def extent(self, node: cst.CSTNode) -> tuple[int, int]:
        """The offsets of a node's first character and of what is behind it; its own parentheses are outside."""
        found = self.tree.extent(node)
        return self._offset(found.start.line, found.start.column), self._offset(found.end.line, found.end.column)

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def slice(self, node: cst.CSTNode) -> str:
        start, end = self.extent(node)
        return self.text[start:end]

    def factor(self, node: cst.BaseExpression) -> str:
        """An expression's text as it can stand in a product, or before a dot."""
        return self.slice(node) if isinstance(node, PLAIN) and not node.lpar else f"({self.slice(node)})"

    def edit(self, start: int, end: int, text: str) -> Edit:
        """The change of what stands between two offsets."""
        return Edit(self.tree.source.span(*self._position(start), *self._position(end)), text)

    def _position(self, offset: int) -> tuple[int, int]:
        line = self.text.count("\n", 0, offset) + 1
        return line, offset - self._starts[line - 1]

    def replacing(self, node: cst.CSTNode, text: str) -> Edit:
        return self.edit(*self.extent(node), text)


@lru_cache(maxsize=8)
def syntax_of(tree: Tree) -> Syntax:
    return Syntax(tree)


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A node and everything in it."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed(current.children))


def mentions(scope: cst.CSTNode, name: str) -> list[cst.Name]:
    """Where a variable is named in a scope, functions within it included: no attributes, no names of arguments."""
    found: list[cst.Name] = []
    pending = [scope]
    while pending:
        current = pending.pop()
        if isinstance(current, cst.Name) and current.value == name:
            found.append(current)
        match current:
            case cst.Attribute(attr=inner) | cst.Arg(keyword=inner):
                skipped: cst.CSTNode | None = inner
            case _:
                skipped = None
        pending.extend(child for child in reversed(current.children) if child is not skipped)
    return found


def argument(call: cst.Call, name: str, position: int) -> int | None:
    """Which argument of a call is a parameter's; None if it is not given, or if a star hides it."""
    for index, arg in enumerate(call.args):
        if arg.star or (arg.keyword is None and index == position):
            return None if arg.star else index
        if arg.keyword is not None and arg.keyword.value == name:
            return index
    return None


def has_star(call: cst.Call) -> bool:
    return any(arg.star for arg in call.args)


def called_name(call: cst.Call) -> str:
    """``zeros`` of ``torch.zeros(...)`` and of ``zeros(...)``; empty for what has no name."""
    match call.func:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
        case _:
            return ""


def imports_torch(syntax: Syntax) -> bool:
    """Whether ``torch`` is a name of the module."""
    for node in walk(syntax.tree.module):
        if isinstance(node, cst.Import):
            for alias in node.names:
                name = alias.evaluated_alias or alias.evaluated_name.split(".")[0]
                if name == "torch" and alias.evaluated_name.split(".")[0] == "torch":
                    return True
    return False
