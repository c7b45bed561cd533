"""Which methods of a class can set attributes of ``self``: by what stands in them, and by what they may call."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import libcst as cst

from lstm_lint.interpret.attributes import as_written, mro
from lstm_lint.interpret.concern import is_decorated
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.modules import bound_in
from lstm_lint.interpret.store import Frame
from lstm_lint.syntax.tree import inner_nodes
from lstm_lint.syntax.tree import names_in as tree_names
from lstm_lint.values import Class, Value

BY_NAME = frozenset({
    "setattr", "register_buffer", "register_parameter", "register_module", "add_module", "unsqueeze_", "squeeze_", "t_",
    "transpose_", "swapaxes_", "swapdims_", "resize_", "resize_as_",
})  # fmt: skip
"""Calls that set an attribute, or change the shape of what one holds."""

ASKING = frozenset({"getattr", "hasattr", "isinstance", "type", "id", "len", "print", "repr", "str", "super"})
"""Functions that change nothing of what they are given."""

STATIC = frozenset({"staticmethod"})

CALLED = ("forward", "__call__")
"""What ``self(x)`` calls."""


@dataclass(frozen=True)
class Setters:
    """Those methods of a class and its bases that set attributes: `by_themselves`, or only `by_others` that they call.

    What a ``forward`` sets that calls ``self.init_hidden(n)`` is known from ``init_hidden``, though not with that very `n`.
    """

    by_themselves: frozenset[cst.FunctionDef]
    by_others: frozenset[cst.FunctionDef]


def setters(it: Interpreter, cls: Class, entered: Collection[object]) -> Setters:
    """The setters of a class. What is called counts as done by the caller where its definition is none of those `entered`."""
    names, calls = _reached(it, cls, [one for one in entered if isinstance(one, cst.FunctionDef)])
    setting = {definition for definition in names if sets_attributes(definition, it.tree_names(definition))}

    def with_callers(found: Collection[cst.FunctionDef], known: Collection[object]) -> frozenset[cst.FunctionDef]:
        called = frozenset[str]().union(*(names[definition] for definition in found if definition not in known))
        more = {definition for definition in names if definition not in found and called & calls[definition]}
        return with_callers({*found, *more}, known) if more else frozenset(found)

    by_themselves = with_callers(setting, entered)
    return Setters(by_themselves, with_callers(by_themselves, ()) - by_themselves)


def _reached(
    it: Interpreter, cls: Class, entered: Sequence[cst.FunctionDef]
) -> tuple[Mapping[cst.FunctionDef, set[str]], Mapping[cst.FunctionDef, frozenset[str]]]:
    """Of each method that is entered, and of all that they lead to, its names, and the names that it may call."""
    frames = [candidate.scope for candidate in mro(it, cls) if isinstance(candidate.scope, Frame)]
    names: dict[cst.FunctionDef, set[str]] = {}
    calls: dict[cst.FunctionDef, frozenset[str]] = {}
    pending = [(definition.name.value, definition) for definition in entered]
    asked: set[str] = set()
    while pending:
        name, definition = pending.pop()
        names.setdefault(definition, set()).add(name)
        if definition in calls:
            continue
        calls[definition] = _called_on_itself(definition)
        for called in sorted(calls[definition] - asked):
            asked.add(called)
            values = (bound_in(it, frame, called) for frame in frames)
            pending.extend((called, found) for value in values if (found := _definition(value)) is not None)
    return names, calls


def _definition(value: Value | None) -> cst.FunctionDef | None:
    function = as_written(value)
    return function.definition if function is not None and isinstance(function.definition, cst.FunctionDef) else None


def sets_attributes(definition: cst.FunctionDef, names: frozenset[str]) -> bool:
    """Whether an attribute of ``self``, or of what comes from it, is assigned in a method, or it gives ``self`` away.

    `names` are all that stand in it.
    """
    if BY_NAME & names:
        return True
    receiver = _receiver(definition)
    owners: list[cst.CSTNode] = []
    bound: list[tuple[str, cst.CSTNode]] = []
    pending: list[cst.CSTNode] = [definition.body]
    while pending:
        node = pending.pop()
        for target, value in assignments(node):
            _note_targets(target, value, owners, bound)
        match node:
            case cst.Element(value=cst.Name(value=name)) if name == receiver:
                return True
            case cst.Call(func=function, args=args) if not _only_asks(function):
                if any(isinstance(given.value, cst.Name) and given.value.value == receiver for given in args):
                    return True
        pending.extend(inner_nodes(node))
    if not owners:
        return False
    own = _derived({"super"} if receiver is None else {"super", receiver}, [(name, tree_names(value)) for name, value in bound])
    return any(not tree_names(owner).isdisjoint(own) for owner in owners)


def _only_asks(function: cst.BaseExpression) -> bool:
    return isinstance(function, cst.Name) and function.value in ASKING


def assignments(node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode | None]]:
    """(target, value) of everything that one node assigns."""
    match node:
        case cst.Assign(targets=targets, value=value):
            yield from ((one.target, value) for one in targets)
        case cst.AugAssign(target=target, value=value) | cst.AnnAssign(target=target, value=value):
            yield target, value
        case cst.NamedExpr(target=target, value=value) | cst.For(target=target, iter=value):
            yield target, value
        case cst.WithItem(item=value, asname=cst.AsName(name=target)):
            yield target, value


def _note_targets(
    target: cst.CSTNode, value: cst.CSTNode | None, owners: list[cst.CSTNode], bound: list[tuple[str, cst.CSTNode]]
) -> None:
    """Note whose attributes a target sets, and the names that it binds to the value, if there is one, or a part of it."""
    match target:
        case cst.Name(value=name) if value is not None:
            bound.append((name, value))
        case cst.Attribute(value=owner):
            owners.append(owner)
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            for element in elements:
                _note_targets(element.value, value, owners, bound)


def _derived(names: set[str], bound: Sequence[tuple[str, frozenset[str]]]) -> set[str]:
    """The names with those that are bound to something made of them."""
    found = set(names)
    while more := {name for name, value in bound if name not in found and not value.isdisjoint(found)}:
        found |= more
    return found


def _called_on_itself(definition: cst.FunctionDef) -> frozenset[str]:
    """The names of the methods that one may call on ``self``, which it does not give away, or on ``super()``."""
    receiver = _receiver(definition)
    names: set[str] = set()
    pending: list[cst.CSTNode] = [definition.body]
    while pending:
        node = pending.pop()
        match node:
            case cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value=name)) if owner == receiver:
                names.add(name)
            case cst.Attribute(value=cst.Call(func=cst.Name(value="super")), attr=cst.Name(value=name)):
                names.add(name)
            case cst.Call(func=cst.Name(value=name)) if name == receiver:
                names.update(CALLED)
        pending.extend(inner_nodes(node))
    return frozenset(names)


def _receiver(definition: cst.FunctionDef) -> str | None:
    parameters = (*definition.params.posonly_params, *definition.params.params)
    return None if not parameters or is_decorated(definition, STATIC) else parameters[0].name.value
