"""torch's graph as far as it decides whether a second ``backward`` is possible: what frees it, and what cuts it off."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace

import libcst as cst

from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.choose import alternatives, choose, is_freed
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.names import dotted
from lstm_lint.interpret.operators import it_contents
from lstm_lint.interpret.uses import note_use
from lstm_lint.lineage import Graph, Lineage, Source
from lstm_lint.shapes import Shape
from lstm_lint.values import (
    FALSE,
    NONE,
    Bool,
    Dict,
    Float,
    Int,
    NoneValue,
    OneOf,
    Packed,
    Repeated,
    Str,
    Tensor,
    Tuple,
    Unknown,
    Value,
)

WITHOUT_GRAPH = frozenset({"no_grad", "inference_mode"})


def backward(it: Interpreter, loss: Tensor, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``loss.backward()``: the graph behind everything that came from the same calls as the loss is freed."""
    note_use(it, it.call("torch.Tensor.backward", node, (loss, *arguments.positional), arguments.keywords), NONE)
    kept = (*arguments.positional[1:], *(arguments.keywords.get(name, FALSE) for name in ("retain_graph", "create_graph")))
    if loss.lineage is not None and arguments.rest is None and all(value in (FALSE, NONE) for value in kept):
        _change_all(it, loss.lineage, Graph.FREED)
    return NONE


RESTS_ON = "rests on"


def note_origin(it: Interpreter, result: Unknown, arguments: Arguments) -> None:
    """What a criterion from outside is given of a layer's output, so that it is known whose ``backward`` that of its result is.

    Not if it gets the state as well, which it may detach.
    """
    values = [it_contents(it, value) for value in (*arguments.positional, *arguments.keywords.values())]
    given = [alternatives(value) for value in values]
    traced = [options for options in given if any(_sources_of(one) for _, one in options)]
    plain = all(
        isinstance(one, Tensor | Unknown | Int | Float | Bool | Str | NoneValue) for options in given for _, one in options
    )
    if len(traced) != 1 or not plain or any(s.which != "output" for _, one in traced[0] for s in _sources_of(one)):
        return
    rests = [(condition, _resting_on(one, result)) for condition, one in traced[0]]
    it.write((result.key, RESTS_ON), rests[0][1] if len(rests) == 1 else OneOf(tuple(rests)))


def _sources_of(value: Value) -> frozenset[Source]:
    return value.lineage.sources if isinstance(value, Tensor) and value.lineage is not None else frozenset()


def _resting_on(value: Value, result: Unknown) -> Tensor:
    """A loss that rests on one of the arguments."""
    lineage = value.lineage if isinstance(value, Tensor) else None
    graph = None if lineage is None else Lineage(lineage.sources, None, graph=lineage.graph)
    return Tensor(Shape.unknown(result.key, result.name), lineage=graph)


def backward_of_unknown(it: Interpreter, key: Hashable, arguments: Arguments, node: cst.CSTNode) -> Value | None:
    """``backward`` of what a criterion from outside gave; None for anything else."""
    found = it.read((key, RESTS_ON))
    if found is None:
        return None
    arms = [(c, lambda v=v: backward(it, v, arguments, node)) for c, v in alternatives(found) if isinstance(v, Tensor)]
    return it.branch(arms)


def detach_in_place(it: Interpreter, tensor: Tensor) -> None:
    """``h.detach_()``: under whatever name it is known."""
    if tensor.lineage is not None:
        _change_all(it, tensor.lineage, Graph.CUT)


def _change_all(it: Interpreter, lineage: Lineage, graph: Graph) -> None:
    """What is behind everything, wherever it is kept, that came from the same calls."""
    calls = {(source.site, source.place) for source in lineage.sources}

    def changed(tensor: Tensor) -> Tensor:
        own = tensor.lineage
        if own is None or own.graph is Graph.CUT or not any((one.site, one.place) in calls for one in own.sources):
            return tensor
        return replace(tensor, lineage=replace(own, graph=graph))

    for location, value in it.store.everything().items():
        new = each_tensor(value, changed)
        if new is not value:
            it.write(location, new)


def each_tensor(value: Value, change: Callable[[Tensor], Tensor]) -> Value:
    """The value with every tensor in it changed; itself where none is."""
    match value:
        case Tensor():
            return change(value)
        case Tuple(items):
            new = tuple(each_tensor(item, change) for item in items)
            return value if all(a is b for a, b in zip(new, items, strict=True)) else replace(value, items=new)
        case Repeated(item):
            one = each_tensor(item, change)
            return value if one is item else replace(value, item=one)
        case Dict(items):
            named = {key: each_tensor(item, change) for key, item in items.items()}
            return value if all(named[key] is item for key, item in items.items()) else replace(value, items=named)
        case OneOf(options):
            pairs = [(condition, each_tensor(item, change)) for condition, item in options]
            if all(a[1] is b[1] for a, b in zip(pairs, options, strict=True)):
                return value
            result = pairs.pop()[1]
            for condition, item in reversed(pairs):
                result = choose(condition, item, result)
            return result
        case _:
            return value


def after_call(it: Interpreter, given: Value, result: Value) -> Value:
    """What a layer gave for `given` (input and state): nothing is behind it under no_grad, and what is freed stays freed."""
    if it.without_graph:
        return marked(result, Graph.CUT)
    return marked(result, Graph.FREED) if _holds_freed(given) else result


def _holds_freed(value: Value) -> bool:
    match value:
        case Tensor():
            return is_freed(value)
        case Tuple(items):
            return any(_holds_freed(item) for item in items)
        case _:
            return False


def marked(value: Value, graph: Graph) -> Value:
    """The value with this behind all that is followed of it."""
    if isinstance(value, Packed):
        return value if value.lineage is None else replace(value, lineage=replace(value.lineage, graph=graph))
    if isinstance(value, Tuple):
        return replace(value, items=tuple(marked(item, graph) for item in value.items))
    return each_tensor(
        value,
        lambda tensor: tensor if tensor.lineage is None else replace(tensor, lineage=replace(tensor.lineage, graph=graph)),
    )


def builds_no_graph(node: cst.BaseExpression) -> bool:
    """Whether it is ``torch.no_grad()`` and its kin, in a ``with`` or as a decorator."""
    called = node.func if isinstance(node, cst.Call) else node
    name = dotted(called).rpartition(".")[2]
    off = isinstance(node, cst.Call) and [dotted(argument.value) for argument in node.args] == ["False"]
    return name in WITHOUT_GRAPH or (name == "set_grad_enabled" and off)
