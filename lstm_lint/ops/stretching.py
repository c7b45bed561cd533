"""Axes made longer: ``expand``, ``expand_as``, ``broadcast_to``, ``repeat``, ``tile``, ``repeat_interleave``."""

from __future__ import annotations

from dataclasses import replace

from lstm_lint.dims import ONE, Dim
from lstm_lint.ops.arguments import (
    MINUS_ONE,
    CannotTell,
    Op,
    axis,
    both,
    constant,
    given,
    required,
    sizes,
    sizes_of,
    tensor,
    viewed,
)  # fmt: skip
from lstm_lint.shapes import Shape, ShapeError
from lstm_lint.values import Call, Int, Tensor, Unknown, Value, as_dim


def stretched(call: Call, source: Tensor, shape: Shape) -> Tensor:
    """The same values, some of them more often. What was not made for this shape, such as another state, got it here."""
    result = viewed(source, shape)
    return result if source.made_by is not None else replace(result, place=call.place)


def expand(call: Call) -> Value:
    """``x.expand(L, -1, -1)``: axes of 1 stretched, new ones in front; -1 keeps an axis."""
    source = tensor(call)
    return stretched(call, source, expanded(source.shape, sizes(call, 1)))


def expand_as(call: Call) -> Value:
    """``x.expand_as(other)``: other's shape."""
    source = tensor(call)
    return stretched(call, source, expanded(source.shape, tensor(call, 1, "other").shape))


def broadcast_to(call: Call) -> Value:
    """``torch.broadcast_to(x, size)``."""
    source = tensor(call)
    return stretched(call, source, expanded(source.shape, sizes_of(call, required(call, 1, "size"))))


def expanded(shape: Shape, target: Shape) -> Shape:
    """The shape after ``expand``. Raises ShapeError where a size cannot stretch."""
    if target.dims is None:
        return target
    missing = len(target.dims) - shape.minimum_rank
    if missing < 0:
        raise ShapeError(f"expand: {len(target.dims)} sizes for a tensor of shape {shape.text}")
    result: list[Dim] = []
    for position, size in enumerate(target.dims):
        index = position - len(target.dims)
        if shape.rest is None and position < missing:
            if size == MINUS_ONE:
                raise ShapeError("expand: -1 is not allowed in a leading, non-existing dimension")
            result.append(size)
            continue
        existing = shape.dim(index) if size == MINUS_ONE or shape.rest is None else None
        if existing is not None and size != MINUS_ONE and _cannot_stretch(existing, size):
            raise ShapeError(f"The expanded size ({size.text}) must match the existing size ({existing.text})")
        result.append(existing if existing is not None and size == MINUS_ONE else size)
    return Shape(tuple(result))


def _cannot_stretch(existing: Dim, size: Dim) -> bool:
    return existing.constant not in (None, 1) and size.constant not in (None, existing.constant)


def repeat(call: Call) -> Value:
    """``x.repeat(2, 1, 1)``: each size times its count, new axes in front."""
    source = tensor(call)
    counts = sizes(call, 1, "repeats")
    return stretched(call, source, repeated(call, source.shape, counts))


def tile(call: Call) -> Value:
    """``torch.tile(x, (2, 1))``: as repeat, fewer counts being filled with 1 in front."""
    source = tensor(call)
    counts = sizes(call, 1, "dims")
    if counts.dims is None or source.shape.rank is None:
        raise CannotTell("tile of a tensor whose number of axes is not known")
    padded = Shape((ONE,) * (source.shape.rank - len(counts.dims)) + counts.dims)
    return stretched(call, source, repeated(call, source.shape, padded))


def repeated(call: Call, shape: Shape, counts: Shape) -> Shape:
    """The shape after ``repeat``. Raises ShapeError and CannotTell."""
    if counts.dims is None:
        raise CannotTell("how often each axis is repeated is not known")
    if any(count.constant is not None and count.constant < 0 for count in counts.dims):
        raise ShapeError("repeat: counts must not be negative")
    number = len(counts.dims)
    if number < shape.minimum_rank:
        raise ShapeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    if shape.dims is not None:
        return Shape(_times(shape.dims, counts.dims))
    # from outside: a size is certain where it is the same for every number of axes
    known = [whole.dims for rank in range(shape.minimum_rank, number + 1) if (whole := shape.with_rank(rank)) is not None]
    columns = zip(*(_times(dims, counts.dims) for dims in known if dims is not None), strict=True)
    name = call.place.text or call.name
    return Shape(tuple(c[0] if len(set(c)) == 1 else call.fresh_dim(f"{name}.size({i})", i) for i, c in enumerate(columns)))


def _times(dims: tuple[Dim, ...], counts: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """Each size times its count; the first counts make new axes."""
    missing = len(counts) - len(dims)
    return (*counts[:missing], *(dim * count for dim, count in zip(dims, counts[missing:], strict=True)))


def repeat_interleave(call: Call) -> Value:
    """``x.repeat_interleave(n, dim)``: one size times n; without dim, flat. A tensor of counts gives a new size."""
    source = tensor(call)
    value = required(call, 1, "repeats")
    count = _count(value)
    dim = given(call, 2, "dim")
    if dim is None:
        total = source.shape.numel()
        flat = total * count if total is not None and count is not None else call.fresh_dim("repeat_interleave", "n")
        return stretched(call, source, Shape((flat,)))
    index = constant(dim, "dim")
    axis(source.shape, index)
    size = source.shape.dim(index) * count if count is not None else call.fresh_dim("repeat_interleave", "n")
    return stretched(call, source, source.shape.replaced(index, size))


def _count(value: Value) -> Dim | None:
    """A count as a dim: only what certainly is one number."""
    match value:
        case Int() | Unknown(default=Int()):
            return as_dim(value)
        case _:
            return None


ROWS: dict[str, Op] = {
    "torch.Tensor.expand": expand,
    "torch.Tensor.expand_as": expand_as,
    **both("broadcast_to", broadcast_to),
    "torch.Tensor.repeat": repeat,
    **both("tile", tile),
    **both("repeat_interleave", repeat_interleave),
}
OTHER_ROWS: dict[str, Op] = {}
