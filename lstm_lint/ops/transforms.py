"""What one shape becomes, for a function and a layer alike: ``flatten``, ``unflatten``, ``glu``, and ``view`` itself."""

from __future__ import annotations

from lstm_lint.dims import ONE, product
from lstm_lint.ops.arguments import MINUS_ONE, CannotTell, axis
from lstm_lint.ops.extents import quotient
from lstm_lint.shapes import Shape, ShapeError, reshape
from lstm_lint.values import Call


def reshaped(call: Call, shape: Shape, target: Shape) -> Shape:
    """The shape after ``view(target)``: a -1 is the exact quotient, or a new size where the count is not known.

    Raises:
        ShapeError: the counts cannot agree, or there are two -1.
    """
    if target.dims is None:
        return target
    for size in target.dims:
        if size.constant is not None and size.constant < -1:
            raise ShapeError(f"invalid shape dimension {size.constant}")
    asked = [None if size == MINUS_ONE else size for size in target.dims]
    known = reshape(shape, asked)
    if known is not None:
        return known
    rest = product(size for size in asked if size is not None)
    total = shape.numel()
    if total is not None and rest.terms:
        missing = quotient(total, rest)
    elif rest.constant == 0:
        raise ShapeError("cannot reshape with an inferred dimension beside a 0")
    else:
        name = call.place.text or call.name
        missing = call.fresh_dim(f"{name}.size({asked.index(None)})", "inferred")
    return Shape(tuple(missing if size is None else size for size in asked))


def flattened(call: Call, shape: Shape, start: int, end: int) -> Shape:
    """The shape after ``flatten``. Raises ShapeError, and CannotTell where only the rank would say which axes are meant."""
    if shape.dims is not None:
        if not shape.dims:
            axis(shape, start), axis(shape, end)
            return Shape((ONE,))
        first, last = axis(shape, start), axis(shape, end)
        if first > last:
            raise ShapeError("flatten() has invalid args: start_dim cannot come after end_dim")
        return Shape((*shape.dims[:first], product(shape.dims[first : last + 1]), *shape.dims[last + 1 :]))
    if 0 <= start <= end or start <= end < 0:
        shape = shape.opened(end + 1) if end >= 0 else shape.opened(0, -start)
        part = shape.front if end >= 0 else shape.back
        stop = end + 1 if end >= 0 else len(part) + end + 1
        begin = start if end >= 0 else len(part) + start
        merged = (*part[:begin], product(part[begin:stop]), *part[stop:])
        return Shape(merged, shape.rest, shape.back) if end >= 0 else Shape(shape.front, shape.rest, merged)
    if start >= 0 > end:
        shape = shape.opened(start, -end - 1)
        merged_size = call.fresh_dim(f"{call.place.text or call.name}.size({start})", "flat")
        return Shape((*shape.front[:start], merged_size, *shape.back[len(shape.back) + end + 1 :]))
    raise CannotTell("the number of axes is not known")


def unflattened(call: Call, shape: Shape, index: int, into: Shape) -> Shape:
    """The shape after ``unflatten``. Raises ShapeError and CannotTell."""
    if into.dims is None:
        raise CannotTell("the sizes are not known")
    if not into.dims:
        raise ShapeError("unflatten: sizes must be non-empty")
    parts = reshaped(call, Shape((shape.dim(index),)), into)
    if shape.dims is not None:
        position = axis(shape, index)
        return Shape((*shape.dims[:position], *parts.front, *shape.dims[position + 1 :]))
    if index >= 0:
        shape = shape.opened(index + 1)
        return Shape((*shape.front[:index], *parts.front, *shape.front[index + 1 :]), shape.rest, shape.back)
    shape = shape.opened(0, -index)
    position = len(shape.back) + index
    return Shape(shape.front, shape.rest, (*shape.back[:position], *parts.front, *shape.back[position + 1 :]))


def halved(shape: Shape, index: int) -> Shape:
    """The shape with one axis halved. Raises ShapeError if it is odd."""
    if shape.rank == 0:
        raise ShapeError("glu does not support 0-dimensional tensors")
    size = shape.dim(index)
    if size.constant is not None and size.constant % 2:
        raise ShapeError(f"Halving dimension must be even, but dimension {index} is size {size.text}")
    return shape.replaced(index, size // 2)
