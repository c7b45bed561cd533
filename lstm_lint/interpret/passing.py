"""Wrappers that decorators make and that change nothing: they measure, log, or check what is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.setting import assignments
from lstm_lint.interpret.store import Frame
from lstm_lint.syntax.tree import all_nodes
from lstm_lint.values import Function

READING = frozenset({"get", "items", "keys", "values", "copy"})
INNER = (cst.FunctionDef, cst.ClassDef, cst.Lambda)


def passes_on(it: Interpreter, wrapper: Function, wrapped: Function) -> bool:
    """Whether a wrapper returns what the function gives for its own arguments, whatever it does besides.

    ``def wrapper(*args, **kwargs): started = time(); result = function(*args, **kwargs); ...; return result``
    """
    definition, frame = wrapper.definition, wrapper.scope
    if not isinstance(definition, cst.FunctionDef) or not isinstance(frame, Frame) or definition.params.kwonly_params:
        return False
    names = list(_parameters(definition.params))
    nodes = list(all_nodes(definition.body, INNER))
    if any(_changes(node, {name.lstrip("*") for name in names}) for node in nodes):
        return False

    def gives_result(node: cst.CSTNode | None) -> bool:
        match node:
            case cst.Call(func=cst.Name(value=called), args=args):
                inner = it.read((frame.number, called))
                return isinstance(inner, Function) and inner.identity == wrapped.identity and _spelt(args) == names
            case _:
                return False

    others = {name for node in nodes for name, value in _assigned(node) if not gives_result(value)}
    results = {name for node in nodes for name, _ in _assigned(node)} - others
    returned = [node.value for node in nodes if isinstance(node, cst.Return)]
    are_results = (gives_result(one) or (isinstance(one, cst.Name) and one.value in results) for one in returned)
    return bool(returned) and all(are_results)


def _parameters(parameters: cst.Parameters) -> Iterator[str]:
    """``self``, ``*args``, ``**kwargs``"""
    yield from (one.name.value for one in (*parameters.posonly_params, *parameters.params))
    if isinstance(parameters.star_arg, cst.Param):
        yield f"*{parameters.star_arg.name.value}"
    if parameters.star_kwarg is not None:
        yield f"**{parameters.star_kwarg.name.value}"


def _spelt(arguments: Sequence[cst.Arg]) -> list[str]:
    """The same of what a call is given; a question mark for what is more than a name."""
    names = ((one, one.value) for one in arguments)
    return [f"{one.star}{value.value}" if isinstance(value, cst.Name) and one.keyword is None else "?" for one, value in names]


def _assigned(node: cst.CSTNode) -> Iterator[tuple[str, cst.CSTNode | None]]:
    """(name, value) of what is assigned; None for a value that is spread over several, or comes of a loop or a ``with``."""
    match node:
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value):
            yield name, value
        case _:
            yield from ((name, None) for target, _ in assignments(node) for name in _names(target))


def _names(target: cst.CSTNode) -> Iterator[str]:
    """The names that a target binds."""
    match target:
        case cst.Name(value=name):
            yield name
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            for element in elements:
                yield from _names(element.value)


def _changes(node: cst.CSTNode, given: set[str]) -> bool:
    """Whether a node gives what was passed another value, changes it in place, or makes a generator of the wrapper."""
    match node:
        case cst.Yield() | cst.Await():
            return True
        case (
            cst.AssignTarget(target=cst.Subscript(value=cst.Name(value=name)))
            | cst.Del(target=cst.Subscript(value=cst.Name(value=name)))
        ):
            return name in given
        case cst.Call(func=cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value=method))):
            return name in given and name != "self" and method not in READING
        case _:
            return any(name in given for name, _ in _assigned(node))
