"""Which calls can have to do with a recurrent layer. Others may make a state or a size too: they are followed, but not far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from lstm_lint.dims import Kind
from lstm_lint.interpret.attributes import mro
from lstm_lint.interpret.choose import alternatives
from lstm_lint.interpret.engine import EFFORT_PER_ENTRY, Interpreter
from lstm_lint.interpret.operators import it_contents
from lstm_lint.interpret.store import Frame
from lstm_lint.values import Class, Dict, Function, Layer, Method, OneOf, Partial, Ref, Tensor, Tuple, Unknown, Value

EFFORT_BESIDE = 3_000  # for a call that reaches no layer: enough for what makes a state, too little for a data pipeline
EFFORT_WITH_TENSORS = 6_000  # for one that is given a tensor of which something is known: what it returns may reach a layer
EFFORT_WITH_LAYERS = 12_000  # for a call that is given a layer, of a function that names none


def effort_for(it: Interpreter, function: Function, arguments: Sequence[Value]) -> int:
    """How far a call is followed at most.

    That depends on whether it can build or call a recurrent layer: by the names in the function, or by what it is given.
    """
    if _mentions_layers(it, function):
        return EFFORT_PER_ENTRY
    values = [*arguments] if function.receiver is None else [function.receiver, *arguments]
    if any(_holds_layers(it, value, 1) for value in values):
        return EFFORT_WITH_LAYERS
    return EFFORT_WITH_TENSORS if any(_is_tensor(value) for value in arguments) else EFFORT_BESIDE


def _is_tensor(value: Value) -> bool:
    return any(isinstance(item, Tensor) for _, item in alternatives(value))


def _mentions_layers(it: Interpreter, definition: Function | Class) -> bool:
    """Whether the definition at module level that it is, or stands in, can concern a layer."""
    scope = definition.scope
    if not isinstance(scope, Frame) or scope.tree is None:
        return True
    relevant = it.relevant_in(scope.tree)
    return relevant is None or (scope.top or definition.name) in relevant


def _holds_layers(it: Interpreter, value: Value, depth: int) -> bool:
    match value:
        case Layer(site=site):
            return site is not None
        case Ref(number, "instance") if (cls := it.world.classes.get(number)) is not None:
            return any(_mentions_layers(it, candidate) for candidate in mro(it, cls))
        case Class() | Function():
            return _mentions_layers(it, value)
        case Partial(function=inner) | Method(receiver=inner):
            return _holds_layers(it, inner, depth)
        case OneOf(options):
            return any(_holds_layers(it, item, depth) for _, item in options)
        case _ if depth:
            return any(_holds_layers(it, item, depth - 1) for item in _items(it_contents(it, value)))
        case _:
            return False


def _items(content: Value) -> Iterator[Value]:
    match content:
        case Tuple(items):
            yield from items
        case Dict(items):
            yield from items.values()


def forget(it: Interpreter, values: Sequence[Value], node: cst.CSTNode) -> None:
    """Take what a call was given for changed: it was not followed to its end."""
    reason = f"`{it.place(node).text}` is not followed to its end, and may have changed it"
    for value in values:
        if isinstance(value, Ref):
            for name in list(it.store.names(value.number)):
                lost = Unknown(("changed", it.number()), name, reason, it.place(node), Kind.CONFIG)
                it.write((value.number, name), lost)
