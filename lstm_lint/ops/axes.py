"""Axes moved, added and removed: ``permute``, ``transpose``, ``t``, ``movedim``, ``unsqueeze``, ``squeeze``."""

from __future__ import annotations

from dataclasses import replace

from lstm_lint.dims import ONE, Dim, Symbol, product
from lstm_lint.ops.arguments import (
    CannotTell,
    Op,
    axes,
    axis,
    both,
    given,
    integer,
    prefixed,
    required,
    same_axis,
    sizes,
    tensor,
    viewed,
)  # fmt: skip
from lstm_lint.ops.boundary import joined
from lstm_lint.ops.extents import at_least
from lstm_lint.proofs.conditions import flag_cases
from lstm_lint.shapes import Rest, Shape, ShapeError
from lstm_lint.values import Call, Tensor, Value


def permute(call: Call) -> Value:
    """``x.permute(1, 0, 2)``, ``torch.permute(x, (1, 0, 2))``: as many axes as are named, which tells the rank."""
    source = tensor(call)
    named = sizes(call, 1, "dims")
    if named.dims is None:
        raise CannotTell("the order of the axes is not known")
    order = [constant_axis(dim) for dim in named.dims]
    shape = source.shape.with_rank(len(order))
    if shape is None:
        raise ShapeError(f"permute names {len(order)} axes of a tensor of shape {source.shape.text}")
    positions = [axis(shape, index) for index in order]
    if len(set(positions)) != len(positions):
        raise ShapeError("permute(): duplicate dims are not allowed")
    return viewed(source, Shape(tuple(shape.front[i] for i in positions)))


def constant_axis(dim: Dim) -> int:
    """The axis number in a dim. Raises CannotTell."""
    if dim.constant is None:
        raise CannotTell("the order of the axes is not known")
    return dim.constant


def transpose(call: Call) -> Value:
    """``x.transpose(a, b)``, ``swapaxes``, ``swapdims``: two axes change places."""
    source = tensor(call)
    names = ("axis0", "axis1") if call.name.endswith("swapaxes") else ("dim0", "dim1")
    first, second = integer(call, 1, names[0]), integer(call, 2, names[1])
    return viewed(source, swapped(source.shape, first, second))


def swapped(shape: Shape, first: int, second: int) -> Shape:
    """The shape with two axes exchanged. Raises ShapeError and CannotTell."""
    if shape.rank == 0:
        axis(shape, first), axis(shape, second)
        return shape
    a, b = shape.dim(first), shape.dim(second)
    if same_axis(first, second, shape):
        return shape
    return shape.replaced(first, b).replaced(second, a)


def matrix_transpose(call: Call) -> Value:
    """``x.t()``: of at most two axes."""
    source = tensor(call)
    if source.shape.rank is None:
        shape = source.shape.with_rank(2)
        if shape is None:
            raise ShapeError("t() expects a tensor with at most 2 dimensions")
        return viewed(source, swapped(shape, 0, 1))
    if source.shape.rank > 2:
        raise ShapeError(f"t() expects a tensor with <= 2 dimensions, but self is {source.shape.rank}D")
    return source if source.shape.rank < 2 else viewed(source, swapped(source.shape, 0, 1))


def reversed_axes(source: Tensor) -> Value | None:
    """``x.T``: all axes reversed; of unknown rank, taken to be a matrix's, None as nothing is known."""
    return None if source.shape.dims is None else viewed(source, Shape(source.shape.dims[::-1]))


def last_two_swapped(source: Tensor) -> Value | None:
    """``x.mT``: the last two axes swapped; None where there are no two."""
    if source.shape.rank is not None and source.shape.rank < 2:
        return None
    return viewed(source, swapped(source.shape, -1, -2))


def move_axis(call: Call) -> Value:
    """``movedim(x, source, destination)``: the named axes move, the others keep their order."""
    source = tensor(call)
    if source.shape.dims is None:
        raise CannotTell("movedim of a tensor whose number of axes is not known")
    from_axes = [axis(source.shape, i) for i in axes(call, required(call, 1, "source"), "source")]
    to_axes = [axis(source.shape, i) for i in axes(call, required(call, 2, "destination"), "destination")]
    if len(from_axes) != len(to_axes) or len(set(from_axes)) != len(from_axes) or len(set(to_axes)) != len(to_axes):
        raise ShapeError("movedim: source and destination must name as many axes, each once")
    moved = dict(zip(to_axes, from_axes, strict=True))
    others = iter(i for i in range(len(source.shape.dims)) if i not in from_axes)
    order = [moved[i] if i in moved else next(others) for i in range(len(source.shape.dims))]
    return viewed(source, Shape(tuple(source.shape.dims[i] for i in order)))


def unsqueeze(call: Call) -> Value:
    """``x.unsqueeze(dim)``: an axis of 1 before `dim`."""
    source = tensor(call)
    return viewed(source, source.shape.inserted(integer(call, 1, "dim")))


def squeeze(call: Call) -> Value:
    """``x.squeeze()``, ``x.squeeze(dim)``: axes of 1 go; where an axis may or may not be 1, the rank is no longer known."""
    source = tensor(call)
    value = given(call, 1, "dim")
    shape = source.shape
    if value is None:
        if shape.dims is None:
            raise CannotTell("squeeze() removes every axis that happens to be 1")
        chosen = list(range(len(shape.dims)))
    else:
        chosen = [axis(shape, index) for index in axes(call, value)]
    flags = {s: None for index in chosen if shape.rank != 0 for s in _flags_alone(shape.dim(index))}
    cases = list(flag_cases(flags, ONE)) if len(flags) <= 2 else [{}]
    results: list[tuple[Dim, Value]] = []
    for case in cases:
        values = {s: Dim.of(v) for s, v in case.items()}
        condition = product(Dim.of(s) if v else ONE - Dim.of(s) for s, v in case.items())
        here = Shape(_put(shape.front, values), shape.rest, _put(shape.back, values))
        results.append((condition, viewed(source, squeezed(call, here if case else shape, chosen))))
    return joined(call, results)


def _put(dims: tuple[Dim, ...], values: dict[Symbol, Dim]) -> tuple[Dim, ...]:
    return tuple(dim.substitute(values) for dim in dims)


def _flags_alone(dim: Dim) -> tuple[Symbol, ...]:
    """The flags of a dim that has no other symbol: ``2 if bidirectional else 1``."""
    return dim.flags if dim.flags and not dim.sizes else ()


def squeezed(call: Call, shape: Shape, chosen: list[int]) -> Shape:
    """The shape without those of the chosen axes that are 1; where that is open, only the axes around them are known."""
    if shape.rank == 0 or not chosen:
        return shape
    if all(shape.dim(i).constant is not None or at_least(shape.dim(i), 2) for i in chosen):
        if shape.rank is None and len({index < 0 for index in chosen}) > 1:
            raise CannotTell("the number of axes is not known")
        for index in sorted(chosen, key=lambda i: i if i < 0 else -i):
            shape = shape.removed(index) if shape.dim(index) == ONE else shape
        return shape
    first, last = min(chosen), max(chosen)
    if shape.dims is not None:
        return Shape(shape.dims[:first], _rest(call), shape.dims[last + 1 :])
    if first >= 0:
        return Shape(shape.opened(first).front[:first], _rest(call), shape.back if first == last == 0 else ())
    if last < -1:
        return Shape((), _rest(call), shape.opened(0, -last - 1).back[last + 1 :])
    return Shape((), _rest(call))


def _rest(call: Call) -> Rest:
    return Rest(("call", call.number, "rest"), call.place.text or call.name)


def same_axes(call: Call) -> Value:
    """``x.flip(0)``, ``x.roll(1, 0)``, ``x.tril()``: the values move, the shape stays."""
    return replace(tensor(call), made_by=None, lineage=None)


def atleast(call: Call) -> Value:
    """``torch.atleast_2d(x)``, ``atleast_1d``: axes of 1 are added until there are as many."""
    source = tensor(call, 0, "tensors")
    wanted = int(call.name[-2])
    dims = source.shape.dims
    if dims is None:
        raise CannotTell("the number of axes is not known")
    if wanted == 3 and len(dims) < 3:
        dims = {0: (ONE,) * 3, 1: (ONE, *dims, ONE), 2: (*dims, ONE)}[len(dims)]
    while len(dims) < wanted:
        dims = (ONE, *dims)
    return viewed(source, Shape(dims))


ROWS: dict[str, Op] = {
    **both("permute", permute),
    **both("transpose swapaxes swapdims", transpose),
    "torch.Tensor.transpose_": transpose,
    **both("t", matrix_transpose),
    "torch.Tensor.t_": matrix_transpose,
    **both("movedim moveaxis", move_axis),
    **both("unsqueeze", unsqueeze),
    "torch.Tensor.unsqueeze_": unsqueeze,
    **both("squeeze", squeeze),
    "torch.Tensor.squeeze_": squeeze,
    **both("flip roll fliplr flipud tril triu", same_axes),
    **prefixed("atleast_1d atleast_2d atleast_3d", atleast, "torch"),
}
OTHER_ROWS: dict[str, Op] = {}
