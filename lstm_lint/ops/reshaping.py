"""The same elements under other sizes: ``view``, ``reshape``, ``flatten``, ``unflatten``; and questions about sizes."""

from __future__ import annotations

from lstm_lint.ops.arguments import (
    CannotTell,
    Op,
    both,
    given,
    integer,
    required,
    sizes,
    sizes_of,
    sizes_value,
    tensor,
    viewed,
)  # fmt: skip
from lstm_lint.ops.dtypes import named_dtype
from lstm_lint.ops.transforms import flattened, reshaped, unflattened
from lstm_lint.values import Call, External, Int, Tensor, Value, as_dim


def view(call: Call) -> Value:
    """``x.view(B, -1)``, ``x.reshape((B, -1))``: the element count stays, and a -1 is worked out from it."""
    source = tensor(call)
    first = call.argument(1, "dtype")
    if isinstance(first, External) and named_dtype(first.qualified_name):
        raise CannotTell("view to another dtype")
    return viewed(source, reshaped(call, source.shape, sizes(call, 1, "shape", "size")))


def view_as(call: Call) -> Value:
    """``x.view_as(other)``, ``x.reshape_as(other)``."""
    source = tensor(call)
    return viewed(source, reshaped(call, source.shape, tensor(call, 1, "other").shape))


def flatten(call: Call) -> Value:
    """``torch.flatten(x, start_dim, end_dim)``: the axes from start to end become one."""
    source = tensor(call)
    return viewed(source, flattened(call, source.shape, integer(call, 1, "start_dim", 0), integer(call, 2, "end_dim", -1)))


def ravel(call: Call) -> Value:
    """``x.ravel()``: one axis."""
    source = tensor(call)
    return viewed(source, flattened(call, source.shape, 0, -1))


def unflatten(call: Call) -> Value:
    """``x.unflatten(dim, (a, b))``: one axis becomes several."""
    source = tensor(call)
    index = integer(call, 1, "dim")
    return viewed(source, unflattened(call, source.shape, index, sizes_of(call, required(call, 2, "sizes"))))


def resize(call: Call) -> Value:
    """``x.resize_(2, 3)``: whatever sizes are asked for."""
    return viewed(tensor(call), sizes(call, 1))


# -- questions about sizes -------------------------------------------------------------------------------------------
def size_of(source: Tensor, index: Value, call: Call | None = None) -> Value:
    """``x.shape[i]``, ``x.size(i)``: the size as an Int; of unknown rank the symbol that belongs to x.

    Raises:
        ShapeError: the axis does not exist. CannotTell: the index is not known.
    """
    dim = as_dim(index)
    if dim is None or dim.constant is None:
        raise CannotTell("which size is asked for is not known")
    return Int(source.shape.dim(dim.constant))


def size(call: Call) -> Value:
    """``x.size()`` is all sizes, ``x.size(i)`` one."""
    source = tensor(call)
    index = given(call, 1, "dim")
    return sizes_value(source) if index is None else size_of(source, index)


def rank(call: Call) -> Value:
    """``x.dim()``: the number of axes."""
    return Int(tensor(call).shape.rank_dim)


def element_count(call: Call) -> Value:
    """``x.numel()``."""
    total = tensor(call).shape.numel()
    if total is None:
        raise CannotTell("the number of elements is not known")
    return Int(total)


ROWS: dict[str, Op] = {
    "torch.Tensor.view": view,
    **both("reshape", view),
    "torch.Tensor.view_as": view_as,
    "torch.Tensor.reshape_as": view_as,
    **both("flatten", flatten),
    **both("ravel", ravel),
    **both("unflatten", unflatten),
    "torch.Tensor.resize_": resize,
}
OTHER_ROWS: dict[str, Op] = {
    "torch.Tensor.size": size,
    "torch.Tensor.dim": rank,
    "torch.Tensor.ndimension": rank,
    **both("numel", element_count),
    "torch.Tensor.nelement": element_count,
}
