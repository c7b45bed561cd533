"""The methods of a class that are entered for an instance of it, and in which order."""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.interpret.attributes import as_written, bind, find_in_class, mro
from lstm_lint.interpret.choose import alternatives
from lstm_lint.interpret.concern import items_of
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.modules import names_in
from lstm_lint.interpret.operators import it_contents
from lstm_lint.interpret.store import Frame
from lstm_lint.values import Class, Function, Layer, Ref, Tuple, Value

CONSTRUCTOR = "__init__"
CREATORS = frozenset({"zeros", "randn", "rand", "ones", "empty", "new", "new_zeros", "zeros_like"})
"""What makes a state."""


def own_methods(it: Interpreter, cls: Class, instance: Ref) -> list[Function]:
    """The methods of the class, bound to the instance, without the constructor; first those that mention a layer of it.

    Of what it inherits only what can have to do with a layer of the instance: the rest is entered with its own class.
    One that has two names is one.
    """
    layers = _layer_names(it, instance)
    methods = {method.definition: method for method in _methods(it, cls, instance, CREATORS | layers)}
    return sorted(methods.values(), key=lambda method: layers.isdisjoint(it.tree_names(method.definition)))


def _methods(it: Interpreter, cls: Class, instance: Ref, wanted: frozenset[str]) -> Iterator[Function]:
    seen = {CONSTRUCTOR}
    for candidate in mro(it, cls):
        frame = candidate.scope
        assert isinstance(frame, Frame)
        for name in names_in(it, frame, wanted):
            if name in seen:
                continue
            seen.add(name)
            function = _method(it.read((frame.number, name)), instance, candidate)
            if function is not None and (candidate == cls or wanted & it.tree_names(function.definition)):
                yield function
        seen.update(frame.waiting)


def _method(value: Value | None, instance: Ref, cls: Class) -> Function | None:
    """A method to be entered, as it stands in the class: under a decorator too."""
    function = as_written(value)
    if function is None or (isinstance(value, Tuple) and value.kind == "staticmethod"):
        return function
    return bind(function, cls if isinstance(value, Tuple) and value.kind == "classmethod" else instance, cls)


def is_as_written(it: Interpreter, cls: Class, method: Function) -> bool:
    """Whether no decorator makes another function of a method, which is what its callers get."""
    found = find_in_class(it, cls, method.name)
    match found[0] if found is not None else None:
        case Function(wraps=wraps) | Tuple((Function(wraps=wraps), *_)):
            return wraps is None
        case _:
            return False


def _layer_names(it: Interpreter, instance: Ref) -> frozenset[str]:
    """The attributes that hold a recurrent layer, or a list of modules with one."""
    values = {name: it.read((instance.number, name)) for name in it.store.names(instance.number)}
    return frozenset(name for name, value in values.items() if value is not None and _holds_layer(it, value))


def _holds_layer(it: Interpreter, value: Value, within: bool = True) -> bool:
    """Whether it may be a recurrent layer, or else, if `within`, a list of modules with one."""
    for _, item in alternatives(value):
        if isinstance(item, Layer) and item.site is not None:
            return True
        if within and isinstance(item, Ref) and item.kind != "instance":
            if any(_holds_layer(it, held, False) for held in items_of(it_contents(it, item))):
                return True
    return False
