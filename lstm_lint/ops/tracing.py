"""Where the axes of what a recurrent layer gave go: the meaning of every result of an op, beside its shape.

An op that keeps a tensor's sizes keeps its axes; one that moves axes is run once more on a tensor of the same rank whose
sizes are the axes' own names; indexing, regrouping and joining say what they do below. Every other op loses what the axes
mean, but not where the tensor came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol, product
from lstm_lint.lineage import WORKED_OUT, Astray, Axis, Factor, Graph, Lineage, Role, Taken, fitted, loosened, other, size_of
from lstm_lint.ops.arguments import Op
from lstm_lint.ops.einops import arrangement, as_function
from lstm_lint.ops.taking import TAKES, part_of
from lstm_lint.regrouping import Regrouping
from lstm_lint.shapes import Shape
from lstm_lint.values import Call, Int, NoneValue, OneOf, Repeated, Slice, Tensor, Tuple, Value, as_dim

Trace = Callable[[Call, Lineage, Tensor], Lineage]


def traced(op: Op, name: str) -> Op:
    """The op, its results with their lineage."""
    short = name.rpartition(".")[2]

    def run(call: Call) -> Value:
        result = op(call)
        parents = list(lineages(call))
        return result if not parents else _with_lineage(op, call, short, parents, result)

    run.__doc__ = op.__doc__
    return run


def lineages(call: Call) -> Iterator[Lineage]:
    """The lineage of every tensor among the arguments that has one."""
    for value in (*call.positional, *call.keywords.values()):
        yield from _lineages(value)


def _lineages(value: Value) -> Iterator[Lineage]:
    match value:
        case Tensor(lineage=Lineage() as lineage):
            yield lineage
        case Tuple(items):
            for item in items:
                yield from _lineages(item)
        case Repeated(item):
            yield from _lineages(item)
        case OneOf(alternatives):
            for _, item in alternatives:
                yield from _lineages(item)


def _with_lineage(op: Op, call: Call, name: str, parents: Sequence[Lineage], result: Value) -> Value:
    match result:
        case Tensor():
            lineage = _of_tensor(op, call, name, parents, result)
            cut = lineage is not None and name in CUTS
            return replace(result, lineage=replace(lineage, graph=Graph.CUT) if lineage is not None and cut else lineage)
        case Tuple(items) if any(isinstance(item, Tensor) for item in items):
            pieces = [_of_piece(call, name, one, items[:i]) if isinstance(one, Tensor) else one for i, one in enumerate(items)]
            return replace(result, items=tuple(pieces))
        case Repeated(Tensor() as item):
            return replace(result, item=_of_piece(call, name, item, None))
        case OneOf(alternatives):
            found = [(condition, _with_lineage(op, call, name, parents, value)) for condition, value in alternatives]
            return OneOf(tuple(found))
        case _:
            return result


def _of_tensor(op: Op, call: Call, name: str, parents: Sequence[Lineage], result: Tensor) -> Lineage | None:
    source = call.positional[0] if call.positional else call.keywords.get("input")
    first = source.lineage if isinstance(source, Tensor) else None
    if first is not None and name in TRACES:
        return TRACES[name](call, first, result)
    if name in JOINS:
        return JOINS[name](call, parents, result)
    if name in NEW or (first is None and name in OF_FIRST):
        return None
    if isinstance(source, Tensor) and first is not None and name in MOVES and first.axes is not None and call.positional:
        rest = call.positional[1:]
        return _turned(first, _moved(lambda named: op(replace(call, positional=(named, *rest))), source, first.axes, result))
    return _together(call, parents, result, keeps=name not in REORDERS)


def with_origin(call: Call, result: Tensor) -> Tensor:
    """A result whose shape is lost, with where it came from: what it is worked out of."""
    parents, name = list(lineages(call)), call.name.rpartition(".")[2]
    source = call.positional[0] if call.positional else call.keywords.get("input")
    of_others = name in OF_FIRST and not (isinstance(source, Tensor) and source.lineage is not None)
    if not parents or name in NEW or of_others or name in TAKES:  # what is taken is said elsewhere
        return result
    lineage = _united(parents)
    return replace(result, lineage=replace(lineage, graph=Graph.CUT) if name in CUTS else lineage)


NEW = frozenset({
    "new_zeros", "new_ones", "new_full", "new_empty", "new_tensor", "zeros_like", "ones_like", "rand_like", "randn_like",
    "full_like", "empty_like", "new", "zero_", "fill_", "normal_", "uniform_", "copy_", "bernoulli", "eq", "ne", "lt", "gt",
    "le", "ge", "argmax", "argmin", "argsort",
})  # fmt: skip
"""What is made in a tensor's image, or asks about it, holds nothing of it."""

CUTS = frozenset({"detach", "detach_", "tensor"})
"""What holds a tensor's values, and nothing of the graph behind it."""

OF_FIRST = frozenset(("expand_as", "view_as", "reshape_as", "type_as", "masked_fill", "gather", "index_select"))
"""What only looks at its other arguments."""

REORDERS = frozenset({
    "roll", "sort", "cumsum", "cumprod", "index_select", "matmul", "bmm", "mm", "einsum",
    "baddbmm", "topk",
})  # fmt: skip
"""Of the same sizes, and yet not with every element where it was."""

MOVES = frozenset({
    "permute", "transpose", "swapaxes", "swapdims", "t", "movedim", "moveaxis", "unsqueeze", "sum", "mean", "max", "amax",
    "min", "amin", "logsumexp", "prod", "norm", "std", "var", "unfold",
})  # fmt: skip


def _together(call: Call, parents: Sequence[Lineage], result: Tensor, keeps: bool) -> Lineage:
    """The lineage of what is worked out of several tensors, or of one without a word about axes."""
    tensors = [value for value in (*call.positional, *call.keywords.values()) if isinstance(value, Tensor)]
    given = [tensor for tensor in tensors if tensor.shape.rank == result.shape.rank]
    whole = [tensor.lineage.axes for tensor in given if tensor.lineage is not None and tensor.lineage.axes is not None]
    dims = result.shape.dims
    axes: tuple[Axis, ...] | None = None
    if keeps and whole and dims is not None:
        axes = tuple(fitted(_agreed(column), size) for column, size in zip(zip(*whole, strict=True), dims, strict=True))
    alike = [v.lineage for v in given if keeps and v.lineage is not None and v.shape == result.shape]
    front, astray = alike[0].front if alike else (), alike[0].astray if len(alike) == 1 else None
    return replace(_united(parents), axes=axes, taken=_taken_of_all(parents), front=front, astray=astray)


def _taken_of_all(parents: Sequence[Lineage]) -> tuple[Taken, ...]:
    """What was taken to come to each of the tensors; nothing where it differs."""
    first, *others = (parent.taken for parent in parents)
    return first if all(taken == first for taken in others) else ()


def _agreed(axes: Sequence[Axis]) -> Axis:
    """What the axis of several tensors means together: nothing where one of them counts it from the other end."""
    first, *others = axes
    turned = [replace(factor, backwards=not factor.backwards) for factor in first]
    return first if all(list(axis) != turned for axis in others) else other(size_of(first))


def _united(parents: Sequence[Lineage]) -> Lineage:
    """What holds of something that rests on all of these, whatever its axes are."""
    graphs = {parent.graph for parent in parents}
    return Lineage(
        frozenset(source for parent in parents for source in parent.sources),
        None,
        padded=any(parent.padded for parent in parents),
        overrun=any(parent.overrun for parent in parents),
        turned=parents[0].turned,
        graph=next(graph for graph in (Graph.FREED, Graph.KEPT, Graph.CUT) if graph in graphs),
    )


def moved_by(attribute: Callable[[Tensor], Value | None], source: Tensor) -> Value | None:
    """``x.T``: as for an op that moves axes."""
    result = attribute(source)
    lineage = source.lineage
    if lineage is None or lineage.axes is None or not isinstance(result, Tensor):
        return result
    return replace(result, lineage=_turned(lineage, _moved(attribute, source, lineage.axes, result)))


def cut_off(source: Tensor) -> Tensor:
    """``x.data``: the same values without the graph behind them."""
    return source if source.lineage is None else replace(source, lineage=replace(source.lineage, graph=Graph.CUT))


def _turned(lineage: Lineage, axes: tuple[Axis, ...] | None) -> Lineage:
    """The lineage with axes in another order; noted if time and batch have changed places."""
    moved = lineage.with_axes(axes)
    orders = {one.batch_before_time for one in (lineage, moved)}
    swapped = len(orders - {None}) == 2
    return replace(moved, turned=lineage.turned != swapped)


def _moved(
    op: Callable[[Tensor], Value | None], source: Tensor, axes: Sequence[Axis], result: Tensor
) -> tuple[Axis, ...] | None:
    """The axes after an op that moves, adds and removes them: what it does to sizes that are the axes' own names."""
    names = [Dim.of(Symbol(("axis", position), f"axis {position}", Kind.OPAQUE)) for position in range(len(axes))]
    moved = op(replace(source, shape=Shape(tuple(names)), lineage=None))
    moved = moved.items[0] if isinstance(moved, Tuple) and moved.items else moved  # the values of max(dim)
    if not isinstance(moved, Tensor) or moved.shape.dims is None or result.shape.dims is None:
        return None
    if len(moved.shape.dims) != len(result.shape.dims):
        return None
    known = dict(zip(names, axes, strict=True))
    return tuple(known.get(name, other(size)) for name, size in zip(moved.shape.dims, result.shape.dims, strict=True))


# -- other sizes -----------------------------------------------------------------------------------------------------
def _regrouped(call: Call, lineage: Lineage, result: Tensor) -> Lineage:
    """``view``, ``reshape``, ``flatten``, ``unflatten``: the same memory order."""
    source, dims = call.positional[0] if call.positional else None, result.shape.dims
    if dims is None:
        return lineage.with_axes(None)
    if lineage.axes is None:
        before = _before(source, dims) if isinstance(source, Tensor) else ()
        return replace(lineage.with_axes(None), astray=Astray.of(call.place, call.name.rpartition(".")[2], before, dims))
    return lineage.with_axes(regrouped(lineage, dims, call.given))


def _before(source: Tensor, after: Sequence[Dim]) -> tuple[Dim, ...]:
    """The sizes of what is viewed; where only the first of them is known, that and how many elements stand behind it."""
    if source.shape.dims is not None:
        return source.shape.dims
    wider = source.shape.with_rank(source.shape.minimum_rank + 1)  # of a vector there is nothing to mix
    if wider is None:
        return ()
    first = wider.front[0]
    behind = product(after).divided_by(first)
    return () if behind is None or first.constant is not None else (first, behind)


def regrouped(lineage: Lineage, sizes: Sequence[Dim], given: Dim) -> tuple[Axis, ...] | None:
    """The factors over axes of these sizes; what is known of them besides is put in only where it is needed for that."""
    axes = lineage.axes or ()
    plain = Regrouping.of(axes, sizes)
    if plain.axes is not None or (given == ONE and not lineage.equal):
        return plain.axes
    return Regrouping.of(axes, sizes, given, lineage.equal).axes


def _rearranged(call: Call, lineage: Lineage, result: Tensor) -> Lineage:
    """einops: the left side takes the axes apart, the right side puts the parts together."""
    arranged = arrangement(call)
    parts = None
    if lineage.axes is not None and arranged is not None:
        parts = regrouped(lineage, arranged.sizes, call.given)
    if arranged is None or parts is None:
        return lineage.with_axes(None)
    return lineage.with_axes(tuple(factor for place in axis for factor in parts[place]) for axis in arranged.axes)


def _squeezed(call: Call, lineage: Lineage, result: Tensor) -> Lineage:
    """``squeeze``: axes of 1 go, so that the others are what they were. A batch whose size has a name is not one of them."""
    if result.shape.dims is not None or lineage.axes is None or call.argument(1, "dim") is not None:
        return _regrouped(call, lineage, result)
    kept = [axis for axis in lineage.axes if axis]
    named = [axis for axis in kept if size_of(axis).constant is None]
    if any(factor.role not in (Role.BATCH, Role.FEATURE) for axis in named for factor in axis):
        return lineage.with_axes(None)
    return lineage.with_axes(kept)


def _expanded(call: Call, lineage: Lineage, result: Tensor) -> Lineage:
    """``expand``, ``repeat``: an axis that grows means nothing any more; others may be put in front."""
    dims = result.shape.dims
    if lineage.axes is None or dims is None or len(dims) < len(lineage.axes):
        return lineage.with_axes(None)
    new = len(dims) - len(lineage.axes)
    axes = [*((),) * new, *lineage.axes]
    return lineage.with_axes(fitted(axis, size) for axis, size in zip(axes, dims, strict=True))


# -- pieces ----------------------------------------------------------------------------------------------------------
def _of_piece(call: Call, name: str, item: Tensor, before: Sequence[Value] | None) -> Tensor:
    """One of the results of ``chunk``, ``split``, ``unbind``, or of ``max(dim)``, behind those `before` it."""
    source = call.positional[0] if call.positional else None
    lineage = source.lineage if isinstance(source, Tensor) else None
    if lineage is None:
        return item
    if name not in ("chunk", "split", "unbind", "tensor_split"):
        kept = item.shape == source.shape if isinstance(source, Tensor) else False
        return replace(item, lineage=lineage if kept else lineage.with_axes(None))
    index = as_dim(call.argument(1 if name == "unbind" else 2, "dim", Int(ZERO)) or Int(ZERO))
    rank, dims = len(lineage.axes or ()), item.shape.dims
    if lineage.axes is None or dims is None or index is None or index.constant is None or before is None:
        return replace(item, lineage=lineage.with_axes(None))
    axis = index.constant % rank
    if name == "unbind":
        _, taken = part_of(lineage.axes[axis], Int(Dim.of(len(before))), call)
        found = lineage.taking(taken).with_axes(a for i, a in enumerate(lineage.axes) if i != axis)
        return replace(item, lineage=loosened(found, len(lineage.taken)))
    begin = sum((one.shape.dim(axis) for one in before if isinstance(one, Tensor)), ZERO)
    part = Slice(Int(begin), Int(begin + dims[axis]), NoneValue())
    kept_axis, taken = part_of(lineage.axes[axis], part, call)
    axes = [kept_axis or () if i == axis else a for i, a in enumerate(lineage.axes)]
    found = lineage.taking(taken).with_axes(fitted(a, d) for a, d in zip(axes, dims, strict=True))
    return replace(item, lineage=loosened(found, len(lineage.taken)))


# -- joining ---------------------------------------------------------------------------------------------------------
def _joined(call: Call, parents: Sequence[Lineage], result: Tensor) -> Lineage:
    """``cat``, ``stack``: the axes of the first; the one along which they are joined means nothing that has a name."""
    listed = call.argument(0, "tensors")
    items = listed.items if isinstance(listed, Tuple) else (listed.item,) if isinstance(listed, Repeated) else ()
    known = [item.lineage for item in items if isinstance(item, Tensor) and item.lineage is not None and item.lineage.axes]
    lineage = known[0] if known else None
    united = replace(_united(parents), taken=_taken_of_all(parents))
    dims, dim = result.shape.dims, as_dim(call.argument(1, "dim") or Int(ZERO))
    if lineage is None or lineage.axes is None or dims is None or dim is None or dim.constant is None:
        return united
    axes: list[Axis] = list(lineage.axes)
    if len(dims) == len(axes) + 1:
        axes.insert(dim.constant % len(dims), other(dims[dim.constant]))
    if len(dims) != len(axes):
        return united
    if len(dims) == len(lineage.axes):
        ranked = [one.axes for one in known if one.axes is not None and len(one.axes) == len(dims)]
        axes = [_agreed(column) for column in zip(*ranked, strict=True)]
    joined = [axis if size_of(axis) == size else other(size) for axis, size in zip(axes, dims, strict=True)]
    joined[dim.constant] = other(dims[dim.constant])
    if len(dims) == len(lineage.axes) and any(one.holds_features(dim.constant) for one in known):
        joined[dim.constant] = (Factor(Role.JOINED, dims[dim.constant]),)
    return replace(united, axes=tuple(joined), padded=lineage.padded, overrun=lineage.overrun, turned=lineage.turned)


def _multiplied(call: Call, parents: Sequence[Lineage], result: Tensor) -> Lineage:
    """``weights @ x``: the last axis is that of the right side, the one before it that of the left side."""
    whole = _together(call, parents, result, keeps=False)
    dims = result.shape.dims
    sides = [value for value in call.positional[:2] if isinstance(value, Tensor)]
    if dims is None or len(dims) < 2 or len(sides) < 2 or any(side.shape.rank != len(dims) for side in sides):
        return whole
    axes = [other(size) for size in dims]
    for side, position in ((sides[0], -2), (sides[1], -1)):
        if side.lineage is not None and side.lineage.axes is not None:
            axes[position] = fitted(side.lineage.axes[position], dims[position])
    return whole.with_axes(axes)


TRACES: Mapping[str, Trace] = {
    **TAKES,
    **dict.fromkeys(("view", "reshape", "flatten", "unflatten", "ravel", "view_as", "reshape_as"), _regrouped),
    "rearrange": _rearranged,
    **dict.fromkeys(("squeeze", "squeeze_"), _squeezed),
    **dict.fromkeys(("expand", "expand_as", "repeat", "broadcast_to", "tile"), _expanded),
}
JOINS: Mapping[str, Callable[[Call, Sequence[Lineage], Tensor], Lineage]] = {
    **dict.fromkeys(("cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack"), _joined),
    **dict.fromkeys(("matmul", "bmm", "mm"), _multiplied),
}


def through_layer(call: Call, result: Value, config: Mapping[str, Value]) -> Value:
    """The result of a layer that is not recurrent: axes of the same size stay where they are, but for the features."""
    source = call.positional[0] if call.positional else None
    lineage = source.lineage if isinstance(source, Tensor) else None
    match result:
        case OneOf(alternatives):
            return OneOf(tuple((condition, through_layer(call, value, config)) for condition, value in alternatives))
        case Tensor() if lineage is not None and isinstance(source, Tensor):
            return replace(result, lineage=_through(call, lineage, source, result, config))
        case Tensor():
            return replace(result, lineage=WORKED_OUT)
        case _:
            return result


def _through(call: Call, lineage: Lineage, source: Tensor, result: Tensor, config: Mapping[str, Value]) -> Lineage:
    if call.name in ("torch.nn.Flatten", "torch.nn.Unflatten"):
        return _regrouped(call, lineage, result)
    if call.name == "einops.layers.torch.Rearrange":
        return _rearranged(as_function(call, config), lineage, result)
    if result.shape == source.shape:
        return lineage
    dims, before = result.shape.dims, source.shape.dims
    if lineage.axes is None or dims is None or before is None:
        front = lineage.front if result.shape.front[:2] == source.shape.front[:2] else ()
        return replace(lineage.with_axes(None), front=front)
    if len(dims) == len(lineage.axes) + 1 and dims[:-1] == before:  # an Embedding adds the features
        return lineage.with_axes((*lineage.axes, other(dims[-1])))
    if len(dims) != len(lineage.axes):
        return lineage.with_axes(None)
    kept = [fitted(axis, size) for axis, size in zip(lineage.axes[:-1], dims, strict=False)]
    return lineage.with_axes((*kept, other(dims[-1])))


__all__ = ["lineages", "part_of", "through_layer", "traced"]
