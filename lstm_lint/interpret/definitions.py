"""Definitions of functions and classes, and what decorators make of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import libcst as cst

from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.attributes import bind, find_in_class
from lstm_lint.interpret.classes import define_class
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.names import assign_name
from lstm_lint.interpret.passing import INNER, passes_on
from lstm_lint.syntax.tree import all_nodes
from lstm_lint.values import Class, External, Function, Partial, Ref, Tuple, Value

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
        function = it.eval(decorator.decorator)
        if _makes_another(it, function) or (isinstance(function, Function) and _sets_attributes(function.definition)):
            value = _applied(it, function, value, decorator)
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
    decorator = it.eval(node.decorator)
    if isinstance(decorator, External) and decorator.qualified_name in DECORATORS:
        return DECORATORS[decorator.qualified_name](value)
    if not isinstance(value, Function) or function.name == "__init__" or not _makes_another(it, decorator):
        return value
    if isinstance(decorator, Class) and it.frame.is_class:  # how its objects become methods is their own affair
        made: Value = it.unknown(node, f"what `{decorator.name}` makes of `{function.name}` is not followed")
    else:
        made = _applied(it, decorator, value, node)
    match made:
        case Function(identity=identity) if identity == value.identity or passes_on(it, made, value):
            return value
        case Function(receiver=None):
            return replace(made, identity=~function.identity, wraps=function)
        case _:
            return Tuple((made, function), "decorated") if it.frame.is_class else made


def _makes_another(it: Interpreter, decorator: Value) -> bool:
    """Whether a decorator is code in sight that does more than keep what it is given, or set something on it."""
    match decorator:
        case Function():
            return not _gives_back(decorator)
        case Partial(function=Function()) | Class():
            return True
        case Ref(number, "instance") if (cls := it.world.classes.get(number)) is not None:
            match find_in_class(it, cls, "__call__"):
                case (Function(definition=cst.FunctionDef(decorators=[])) as called, _):
                    return not _gives_back(bind(called, decorator, cls))
            return False
        case _:
            return False


def _applied(it: Interpreter, decorator: Value, value: Value, node: cst.Decorator) -> Value:
    """What a decorator gives. What it insists on holds: there is a definition."""
    path, required, vague = it.path, it.required, it.vague
    made = it.apply(decorator, Arguments((value,)), node)
    it.path, it.required, it.vague = path, required, vague
    return made


def _gives_back(decorator: Function) -> bool:
    """Whether a decorator returns just what it was given: it keeps it in a table, or changes it in place."""
    definition, place = decorator.definition, 0 if decorator.receiver is None else 1
    if not isinstance(definition, cst.FunctionDef) or len(definition.params.params) <= place:
        return False
    name = definition.params.params[place].name.value
    returned: list[bool] = []
    for node in all_nodes(definition.body, INNER):
        match node:
            case cst.Return(value=value):
                returned.append(isinstance(value, cst.Name) and value.value == name)
            case cst.AssignTarget(target=cst.Name(value=changed)) if changed == name:
                return False
    return bool(returned) and all(returned)


def _sets_attributes(definition: object) -> bool:
    """Whether a function assigns attributes of its one parameter: a decorator that adds something to a class."""
    if not isinstance(definition, cst.FunctionDef) or len(definition.params.params) != 1:
        return False
    name = definition.params.params[0].name.value
    for node in all_nodes(definition.body):
        match node:
            case cst.AssignTarget(target=cst.Attribute(value=cst.Name(value=owner))) if owner == name:
                return True
            case cst.Call(func=cst.Name(value="setattr"), args=[cst.Arg(value=cst.Name(value=owner)), *_]) if owner == name:
                return True
    return False
