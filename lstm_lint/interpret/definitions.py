"""Definitions of functions and classes, and what decorators make of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import libcst as cst

from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.classes import define_class
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.names import assign_name
from lstm_lint.syntax.tree import inner_nodes
from lstm_lint.values import External, Function, Tuple, Value

DECORATORS: dict[str, Callable[[Value], Value]] = {
    "builtins.property": lambda function: Tuple((function,), "property"),
    "functools.cached_property": lambda function: Tuple((function,), "property"),
    "builtins.staticmethod": lambda function: Tuple((function,), "staticmethod"),
    "builtins.classmethod": lambda function: Tuple((function,), "classmethod"),
}


def execute_function(it: Interpreter, node: cst.FunctionDef) -> None:
    """Bind the name; the body is entered when it is called, and once by itself."""
    defined_in = it.frame.defined_in if it.frame.is_class else None
    function = Function(node.name.value, node, it.frame, id(node), defined_in=defined_in)
    value: Value = function
    for decorator in reversed(node.decorators):
        if (getter := _getter(it, decorator.decorator)) is not None:
            value = Tuple((getter, function), "property")
        else:
            value = _decorated(it, decorator, value, function)
    assign_name(it, node.name.value, value)
    if not it.frame.is_class:
        it.later(function)


def execute_class(it: Interpreter, node: cst.ClassDef) -> None:
    """Bind the name, to what decorators of the analysed code make of the class."""
    cls = define_class(it, node)
    value: Value = cls
    for decorator in reversed(node.decorators):
        made = it.eval(decorator.decorator)
        if isinstance(made, Function) and (_sets_attributes(made.definition) or not _gives_back(made.definition)):
            value = _applied(it, made, value, decorator)
    assign_name(it, node.name.value, value)
    it.later(cls)


def _getter(it: Interpreter, decorator: cst.BaseExpression) -> Value | None:
    """The getter of the property whose setter is decorated, ``@state.setter``."""
    match decorator:
        case cst.Attribute(value=cst.Name() as name, attr=cst.Name(value="setter")):
            known = it.eval(name)
            return known.items[0] if isinstance(known, Tuple) and known.kind == "property" else None
        case _:
            return None


def _decorated(it: Interpreter, node: cst.Decorator, value: Value, function: Function) -> Value:
    """What a decorator of the analysed code makes of a function; one of a library is taken to leave it what it is.

    So is one of a constructor, which looks at the arguments or keeps them.
    """
    match it.eval(node.decorator):
        case External(name) if name in DECORATORS:
            return DECORATORS[name](value)
        case Function() as decorator if isinstance(value, Function) and function.name != "__init__":
            made = value if _gives_back(decorator.definition) else _applied(it, decorator, value, node)
        case _:
            return value
    match made:
        case Function(identity=identity) if identity == value.identity:
            return value
        case Function(receiver=None):
            return replace(made, identity=~function.identity, wraps=function)
        case _:
            return Tuple((made, function), "decorated") if it.frame.is_class else made


def _applied(it: Interpreter, decorator: Function, value: Value, node: cst.Decorator) -> Value:
    """What a decorator gives. What it insists on holds: there is a definition."""
    path, required, vague = it.path, it.required, it.vague
    made = it.apply(decorator, Arguments((value,)), node)
    it.path, it.required, it.vague = path, required, vague
    return made


def _gives_back(definition: object) -> bool:
    """Whether a decorator returns just what it was given: it keeps it in a table, or changes it in place."""
    if not isinstance(definition, cst.FunctionDef) or not definition.params.params:
        return False
    name = definition.params.params[0].name.value
    pending: list[cst.CSTNode] = [definition.body]
    returned: list[bool] = []
    while pending:
        node = pending.pop()
        match node:
            case cst.Return(value=value):
                returned.append(isinstance(value, cst.Name) and value.value == name)
            case cst.AssignTarget(target=cst.Name(value=changed)) if changed == name:
                return False
            case cst.FunctionDef() | cst.ClassDef():
                continue
        pending.extend(inner_nodes(node))
    return bool(returned) and all(returned)


def _sets_attributes(definition: object) -> bool:
    """Whether a function assigns attributes of its one parameter: a decorator that adds something to a class."""
    if not isinstance(definition, cst.FunctionDef) or len(definition.params.params) != 1:
        return False
    name = definition.params.params[0].name.value
    pending: list[cst.CSTNode] = [definition.body]
    while pending:
        node = pending.pop()
        match node:
            case cst.AssignTarget(target=cst.Attribute(value=cst.Name(value=owner))) if owner == name:
                return True
            case cst.Call(func=cst.Name(value="setattr"), args=[cst.Arg(value=cst.Name(value=owner)), *_]) if owner == name:
                return True
        pending.extend(inner_nodes(node))
    return False
