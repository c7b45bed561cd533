"""Which methods of a class can set attributes of ``self``: by what stands in them, and by what they may call."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lstm_lint.interpret.attributes import mro
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.modules import names_in
from lstm_lint.interpret.store import Frame
from lstm_lint.syntax.tree import inner_nodes
from lstm_lint.values import Class, Function, Tuple, Value

BY_NAME = frozenset({
    "setattr", "register_buffer", "register_parameter", "register_module", "add_module", "unsqueeze_", "squeeze_", "t_",
    "transpose_", "swapaxes_", "swapdims_", "resize_", "resize_as_",
})  # fmt: skip
"""Calls that set an attribute, or change the shape of what one holds."""


def setters(it: Interpreter, cls: Class) -> frozenset[cst.FunctionDef]:
    """The methods of a class and its bases that can set an attribute, or call one by its name that can."""
    methods = dict(_definitions(it, cls))
    found = {definition: name for definition, name in methods.items() if _sets(it, definition)}
    while True:
        names = frozenset(found.values())
        more = {d: name for d, name in methods.items() if d not in found and names & it.tree_names(d)}
        if not more:
            return frozenset(found)
        found |= more


def _definitions(it: Interpreter, cls: Class) -> Iterator[tuple[cst.FunctionDef, str]]:
    for candidate in mro(it, cls):
        frame = candidate.scope
        assert isinstance(frame, Frame)
        for name in names_in(it, frame):
            definition = _definition(it.read((frame.number, name)))
            if definition is not None:
                yield definition, name


def _definition(value: Value | None) -> cst.FunctionDef | None:
    match value:
        case Function(definition=cst.FunctionDef() as definition) | Tuple((Function(definition=definition),)):
            return definition if isinstance(definition, cst.FunctionDef) else None
        case _:
            return None


def _sets(it: Interpreter, definition: cst.FunctionDef) -> bool:
    """Whether an attribute is assigned in it, or it gives ``self`` away."""
    if BY_NAME & it.tree_names(definition):
        return True
    parameters = (*definition.params.posonly_params, *definition.params.params)
    receiver = parameters[0].name.value if parameters else None
    pending: list[cst.CSTNode] = [definition.body]
    while pending:
        node = pending.pop()
        match node:
            case cst.AssignTarget(target=target) | cst.AugAssign(target=target) | cst.AnnAssign(target=target):
                if _has_attribute(target):
                    return True
            case cst.For(target=target) | cst.AsName(name=target) if _has_attribute(target):
                return True
            case cst.Arg(value=cst.Name(value=name)) if name == receiver:
                return True
        pending.extend(inner_nodes(node))
    return False


def _has_attribute(target: cst.CSTNode) -> bool:
    match target:
        case cst.Attribute():
            return True
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            return any(_has_attribute(element.value) for element in elements)
        case _:
            return False
