"""Tests that are not understood: what they ask for, though nobody knows what they say of it (`Interpreter.doubted`)."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lstm_lint.dims import Symbol
from lstm_lint.syntax.tree import inner_nodes
from lstm_lint.values import Bool, Int, Unknown, Value


def calls_something(node: cst.CSTNode) -> bool:
    """Whether a call stands in a test."""
    return isinstance(node, cst.Call) or any(calls_something(inner) for inner in inner_nodes(node))


def names_asked_for(node: cst.CSTNode) -> Iterator[cst.Name | cst.Attribute]:
    """The variables and attributes that an expression reads, without what it calls."""
    match node:
        case cst.Name(value="True" | "False" | "None"):
            pass
        case cst.Name() | cst.Attribute():
            yield node
        case cst.Call(func=func, args=args):
            receiver = [func.value] if isinstance(func, cst.Attribute) else []
            for given in (*receiver, *(arg.value for arg in args)):
                yield from names_asked_for(given)
        case _:
            for inner in inner_nodes(node):
                yield from names_asked_for(inner)


def symbols_of(value: Value) -> Iterator[Symbol]:
    """The symbols that a value is made of, as a number and as a condition."""
    match value:
        case Unknown():
            yield from (*value.as_condition().symbols, *value.as_dim().symbols)
        case Int(dim) | Bool(dim):
            yield from dim.symbols
