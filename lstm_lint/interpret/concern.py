"""Which calls can have to do with a recurrent layer. Others may make a state or a size too: they are followed, but not far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from lstm_lint.dims import Kind
from lstm_lint.interpret.attributes import mro
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.operators import it_contents
from lstm_lint.interpret.store import Frame
from lstm_lint.values import Class, Dict, Function, Layer, Method, OneOf, Partial, Ref, Repeated, Tuple, Unknown, Value

EFFORT_BESIDE = 3_000  # for a call that reaches no layer: enough for what makes a state, too little for a data pipeline
EFFORT_WITH_LAYERS = 12_000  # for a call that is given a layer, of a function that names none


def effort_for(it: Interpreter, function: Function, arguments: Sequence[Value]) -> int | None:
    """How far a call is followed, None for as far as the entry's budget goes.

    That depends on whether it can build or call a recurrent layer: by the names in the function, or by what it is given.
    """
    if _mentions_layers(it, function):
        return None
    values = [*arguments] if function.receiver is None else [function.receiver, *arguments]
    return EFFORT_WITH_LAYERS if any(holds_layers(it, value, 1) for value in values) else EFFORT_BESIDE


def _mentions_layers(it: Interpreter, definition: Function | Class) -> bool:
    """Whether the definition at module level that it is, or stands in, can concern a layer."""
    scope = definition.scope
    if not isinstance(scope, Frame) or scope.tree is None:
        return True
    relevant = it.relevant_in(scope.tree)
    return relevant is None or (scope.top or definition.name) in relevant


def holds_layers(it: Interpreter, value: Value, depth: int) -> bool:
    """Whether a value is a recurrent layer or can reach one; containers in it are looked into to this depth."""
    match value:
        case Layer(site=site):
            return site is not None
        case Ref(number, "instance") if (cls := it.world.classes.get(number)) is not None:
            return any(_mentions_layers(it, candidate) for candidate in mro(it, cls))
        case Class() | Function():
            return _mentions_layers(it, value)
        case Partial(function=inner) | Method(receiver=inner):
            return holds_layers(it, inner, depth)
        case OneOf(alternatives):
            return any(holds_layers(it, item, depth) for _, item in alternatives)
        case _ if depth:
            return any(holds_layers(it, item, depth - 1) for item in _items(it_contents(it, value)))
        case _:
            return False


def _items(content: Value) -> Iterator[Value]:
    match content:
        case Tuple(items):
            yield from items
        case Repeated(item=item):
            yield item
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
