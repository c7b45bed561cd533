"""Axes summed up or searched: ``sum``, ``mean``, ``max``, ``argmax``, ``norm``, ``sort``, ``topk``, ``cumsum``."""

from __future__ import annotations

from dataclasses import replace

from lstm_lint.dims import ONE
from lstm_lint.ops.arguments import (
    CannotTell,
    Op,
    axes,
    axis,
    both,
    computed,
    constant,
    flag,
    given,
    integer,
    prefixed,
    single,
    tensor,
)  # fmt: skip
from lstm_lint.ops.dtypes import dtype_argument, is_float, is_integer, sum_result
from lstm_lint.shapes import Shape, ShapeError, broadcast
from lstm_lint.values import Bool, Call, Tensor, Tuple, Value


def reduced(shape: Shape, dims: list[int], keepdim: bool) -> Shape:
    """The shape after a reduction over the axes. Raises ShapeError, and CannotTell for axes from both ends of unknown rank."""
    if shape.rank is not None:
        dims = [axis(shape, index) for index in dims]
    if shape.rank == 0 and len(dims) < 2:
        return shape
    if len(set(dims)) != len(dims):
        raise ShapeError("dim appears multiple times in the list of dims")
    if shape.rank is None and len({index < 0 for index in dims}) > 1:
        raise CannotTell("the number of axes is not known")
    for index in sorted(dims, key=lambda i: i if i < 0 else -i):
        shape = shape.replaced(index, ONE) if keepdim else shape.removed(index)
    return shape


def _reduction(call: Call, dtype: str | None, dim_at: int = 1) -> Tensor:
    """``x.sum(dim, keepdim)``: without dim everything."""
    source = tensor(call)
    value = given(call, dim_at, "dim")
    keep = flag(call.argument(dim_at + 1, "keepdim"), False)
    if value is None or (isinstance(value, Tuple) and not value.items):
        shape = Shape()
        if keep:
            if source.shape.rank is None:
                raise CannotTell("the number of axes is not known")
            shape = Shape((ONE,) * source.shape.rank)
        return computed(call, source, shape, dtype)
    return computed(call, source, reduced(source.shape, axes(call, value), keep), dtype)


def summed(call: Call) -> Value:
    """``sum``, ``nansum``: integers become int64."""
    return _reduction(call, dtype_argument(call.keywords.get("dtype"), sum_result(tensor(call).dtype)))


def multiplied(call: Call) -> Value:
    """``prod``: over everything or one axis."""
    return summed(call)


def averaged(call: Call) -> Value:
    """``mean``, ``var``, ``std``, ``logsumexp``, ``norm``: floats only."""
    dtype = dtype_argument(call.keywords.get("dtype"), tensor(call).dtype)
    if is_integer(dtype) and not call.name.endswith(("logsumexp", "norm")):
        raise ShapeError(f"{call.name.rpartition('.')[2]}(): input dtype should be either floating point or complex")
    return _reduction(call, dtype if is_float(dtype) else None)


def spread(call: Call) -> Value:
    """``std``, ``var``: the second positional may be `unbiased`."""
    if isinstance(call.argument(1, "dim"), Bool):
        if len(call.positional) > 2:
            raise CannotTell("the arguments are not understood")
        return averaged(replace(call, positional=call.positional[:1]))
    if len(call.positional) > 3 or (len(call.positional) == 3 and "keepdim" not in call.keywords):
        # std(x, dim, unbiased, keepdim)
        keep = call.positional[3] if len(call.positional) > 3 else Bool(ONE - ONE)
        return averaged(replace(call, positional=call.positional[:2], keywords={**call.keywords, "keepdim": keep}))
    return averaged(call)


def norm(call: Call) -> Value:
    """``torch.norm(x, p, dim, keepdim)``: p stands before dim."""
    dtype = tensor(call).dtype
    return _reduction(call, dtype if is_float(dtype) else None, 2)


def extremes(call: Call) -> Value:
    """``amax``, ``amin``: like max over axes, the values alone."""
    return _reduction(call, tensor(call).dtype)


def found(call: Call) -> Value:
    """``argmax``, ``argmin``, ``count_nonzero``: int64."""
    return _reduction(call, "int64")


def agreed(call: Call) -> Value:
    """``any``, ``all``: bool (uint8 stays)."""
    dtype = tensor(call).dtype
    return _reduction(call, None if dtype is None else "uint8" if dtype == "uint8" else "bool")


def highest(call: Call) -> Value:
    """``x.max()`` is a scalar, ``x.max(dim)`` the pair (values, indices), ``x.max(other)`` goes element by element."""
    source = tensor(call)
    value = given(call, 1, "dim")
    other = value if isinstance(value, Tensor) else call.keywords.get("other")
    if isinstance(other, Tensor):
        shape = broadcast(source.shape, other.shape)
        if shape is None:
            raise CannotTell("how the two shapes broadcast is not known")
        return computed(call, source, shape, source.dtype if source.dtype == other.dtype else None)
    if value is None:
        return computed(call, source, Shape(), source.dtype)
    return _pair(call, source, reduced(source.shape, [constant(value, "dim")], flag(call.argument(2, "keepdim"), False)))


def middle(call: Call) -> Value:
    """``median``, ``mode``: a scalar (median without dim), else the pair (values, indices)."""
    source = tensor(call)
    value = given(call, 1, "dim")
    if value is None and call.name.endswith("median"):
        return computed(call, source, Shape(), source.dtype)
    index = -1 if value is None else constant(value, "dim")
    return _pair(call, source, reduced(source.shape, [index], flag(call.argument(2, "keepdim"), False)))


def kth(call: Call) -> Value:
    """``kthvalue(x, k, dim, keepdim)``: the pair (values, indices)."""
    source = tensor(call)
    index = integer(call, 2, "dim", -1)
    k, size = integer(call, 1, "k"), source.shape.dim(index).constant if source.shape.rank != 0 else 1
    if k < 1 or (size is not None and k > size):
        raise ShapeError("kthvalue(): selected number k out of range")
    return _pair(call, source, reduced(source.shape, [index], flag(call.argument(3, "keepdim"), False)))


def _pair(call: Call, source: Tensor, shape: Shape) -> Tuple:
    return Tuple((computed(call, source, shape, source.dtype), computed(call, source, shape, "int64")))


def sort(call: Call) -> Value:
    """``x.sort(dim, descending)``: the pair (values, indices), of x's shape."""
    source = tensor(call)
    axis(source.shape, _sort_axis(call))
    return _pair(call, source, source.shape)


def argsort(call: Call) -> Value:
    """``x.argsort(dim)``: int64, of x's shape."""
    source = tensor(call)
    axis(source.shape, _sort_axis(call))
    return computed(call, source, dtype="int64")


def _sort_axis(call: Call) -> int:
    if isinstance(call.argument(1, "dim"), Bool):
        raise CannotTell("the arguments are not understood")
    return integer(call, 1, "dim", -1)


def topk(call: Call) -> Value:
    """``x.topk(k, dim)``: the pair (values, indices), one axis being k."""
    source, count, index = tensor(call), single(call, 1, "k"), integer(call, 2, "dim", -1)
    if source.shape.rank == 0:
        axis(source.shape, index)
        return _pair(call, source, source.shape)
    size = source.shape.dim(index)
    if count.constant is not None and (count.constant < 0 or (size.constant is not None and count.constant > size.constant)):
        raise ShapeError("selected index k out of range")
    return _pair(call, source, source.shape.replaced(index, count))


def cumulative(call: Call) -> Value:
    """``x.cumsum(dim)``, ``cumprod``: x's shape; integers become int64."""
    source = tensor(call)
    axis(source.shape, integer(call, 1, "dim"))
    return computed(call, source, dtype=dtype_argument(call.keywords.get("dtype"), sum_result(source.dtype)))


def cumulative_extreme(call: Call) -> Value:
    """``x.cummax(dim)``: the pair (values, indices), of x's shape."""
    source = tensor(call)
    axis(source.shape, integer(call, 1, "dim"))
    return _pair(call, source, source.shape)


def number(call: Call) -> Value:
    """``x.item()``, ``x.tolist()``: a value read out of a tensor."""
    tensor(call)
    raise CannotTell("a value read out of a tensor")


def nonzero(call: Call) -> Value:
    """``torch.nonzero(x)``: (count, rank), int64."""
    source = tensor(call)
    as_tuple = flag(call.argument(1, "as_tuple"), False)
    count = call.fresh_dim("count", "count")
    if source.shape.rank is None:
        raise CannotTell("the number of axes is not known")
    if as_tuple:
        raise CannotTell("nonzero as a tuple")
    return computed(call, source, Shape((count, ONE * source.shape.rank)), "int64")


ROWS: dict[str, Op] = {
    **both("sum nansum", summed),
    **both("prod", multiplied),
    **both("mean nanmean logsumexp", averaged),
    **both("std var", spread),
    **both("norm", norm),
    **both("amax amin", extremes),
    **both("argmax argmin count_nonzero", found),
    **both("any all", agreed),
    **both("argsort", argsort),
    **both("cumsum cumprod", cumulative),
    **both("nonzero", nonzero),
}
OTHER_ROWS: dict[str, Op] = {
    **both("max min", highest),
    **both("median mode", middle),
    **both("kthvalue", kth),
    **both("sort", sort),
    **both("topk", topk),
    **both("cummax cummin", cumulative_extreme),
    **prefixed("item tolist numpy", number, "torch.Tensor"),
}
