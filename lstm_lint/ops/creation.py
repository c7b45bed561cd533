"""Tensors made from sizes or data: ``zeros``, ``new_zeros``, ``FloatTensor``, ``tensor``, ``Variable``, ``Parameter``."""

from __future__ import annotations

from dataclasses import replace

from lstm_lint.dims import Dim
from lstm_lint.ops.arguments import (
    CannotTell,
    Op,
    both,
    given,
    integer,
    lost,
    not_negative,
    prefixed,
    required,
    single,
    sizes,
    sizes_of,
    sizes_shape,
    tensor,
    tensor_of,
)  # fmt: skip
from lstm_lint.ops.dtypes import TENSOR_TYPES, creation_device, creation_dtype, dtype_argument, scalar_dtype, tensor_type
from lstm_lint.ops.extents import ceil_division, larger
from lstm_lint.ops.literals import filling, literal_dtype, literal_shape
from lstm_lint.shapes import Shape, ShapeError
from lstm_lint.values import Call, Float, Int, NoneValue, Repeated, Tensor, Tuple, Unknown, Value, as_dim, as_tensor


def made(call: Call, shape: Shape, dtype: str | None, device: str | None = None) -> Tensor:
    """A new tensor that remembers which call made it."""
    return Tensor(shape, dtype, device, call.name, call.place)


def from_sizes(call: Call) -> Value:
    """``torch.zeros(2, 3)``, ``torch.randn((2, 3))``, ``torch.empty(size=x.size())``: float32 unless told otherwise."""
    dtype = creation_dtype(call, "float32")
    try:
        shape = not_negative(sizes(call, 0))
    except CannotTell as problem:
        return replace(lost(call, str(problem), dtype), made_by=call.name)
    return made(call, shape, dtype, creation_device(call))


def full(call: Call) -> Value:
    """``torch.full(size, fill_value)``: the dtype is the value's."""
    dtype = scalar_dtype(call.argument(1, "fill_value") or Float())
    shape = not_negative(sizes_of(call, required(call, 0, "size")))
    filled = filling(call.argument(1, "fill_value"))
    return replace(made(call, shape, creation_dtype(call, dtype), creation_device(call)), filled=filled)


def like(call: Call) -> Value:
    """``torch.zeros_like(x)``: the shape, dtype and device of x."""
    source = tensor(call)
    dtype, device = creation_dtype(call, source.dtype), creation_device(call, source.device)
    return replace(made(call, source.shape, dtype, device), why=source.why)


def full_like(call: Call) -> Value:
    """``torch.full_like(x, value)``: the value does not change the dtype."""
    return like(call)


def new_from_sizes(call: Call) -> Value:
    """``x.new_zeros(2, 3)``: the dtype and device of x, whose own shape does not matter."""
    source = as_tensor(call.positional[0]) or Tensor(Shape())
    shape = not_negative(sizes(call, 1))
    return made(call, shape, creation_dtype(call, source.dtype), creation_device(call, source.device))


def new_full(call: Call) -> Value:
    """``x.new_full(size, value)``."""
    source = as_tensor(call.positional[0]) or Tensor(Shape())
    shape = not_negative(sizes_of(call, required(call, 1, "size")))
    tensor_made = made(call, shape, creation_dtype(call, source.dtype), creation_device(call, source.device))
    return replace(tensor_made, filled=filling(call.argument(2, "fill_value")))


def new_tensor(call: Call) -> Value:
    """``x.new_tensor(data)``."""
    source = as_tensor(call.positional[0]) or Tensor(Shape())
    shape = literal_shape(call, required(call, 1, "data"))
    return made(call, shape, creation_dtype(call, source.dtype), creation_device(call, source.device))


def from_data(call: Call) -> Value:
    """``torch.tensor([[1, 2], [3, 4]])``, ``torch.as_tensor(data)``, ``torch.scalar_tensor(2.0)``."""
    data = required(call, 0, "data")
    source = data.device if isinstance(data, Tensor) else "cpu"
    positional_dtype = call.argument(1, "dtype") if call.name.endswith("as_tensor") else call.keywords.get("dtype")
    dtype = dtype_argument(positional_dtype, literal_dtype(data))
    return replace(made(call, literal_shape(call, data), dtype, creation_device(call, source)), filled=filling(data))


def from_array(call: Call) -> Value:
    """``torch.from_numpy(array)``: arrays are not followed."""
    array = required(call, 0, "ndarray")
    known = as_tensor(array)
    if known is None:
        raise CannotTell("the shape of a NumPy array is not followed")
    return replace(known, dtype=None, made_by=call.name, place=call.place)


def old_constructor(call: Call) -> Value:
    """``torch.FloatTensor(2, 3)`` takes sizes, ``torch.FloatTensor([2, 3])`` data; ``torch.Size`` counts as sizes."""
    dtype, device = tensor_type(call.name) or (None, None)
    shape = _sizes_or_data(call, call.positional)
    match call.positional:
        case (Tuple(kind="tuple" | "list") | Repeated() as data,):
            return replace(made(call, shape, dtype, device), filled=filling(data))
        case _:
            return made(call, shape, dtype, device)


def new(call: Call) -> Value:
    """``x.new(2, 3)``, ``x.new(sizes)``, ``x.new(data)``, ``x.new()``: as the constructor of x's own type reads it."""
    source = as_tensor(call.positional[0]) or Tensor(Shape())
    return made(call, _sizes_or_data(call, call.positional[1:]), source.dtype, source.device)


def _sizes_or_data(call: Call, values: tuple[Value, ...]) -> Shape:
    match values:
        case ():
            return Shape.of(0)
        case (Unknown() as only,) if (shape := sizes_shape(only)) is not None:
            return shape
        case (Unknown(default=default) as only,) if not isinstance(default, Int):
            raise CannotTell(f"whether {only.name} is a size or data is not known")
        case (Tuple(kind="size") as only,):
            return not_negative(sizes_of(call, only))
        case (Int() | Unknown(), *_):
            return not_negative(sizes(replace(call, positional=values, keywords={}), 0))
        case (only,):
            return literal_shape(call, only) if as_dim(only) is None else Shape((as_dim(only) or Dim.of(0),))
        case _:
            return not_negative(sizes(replace(call, positional=values, keywords={}), 0))


def variable(call: Call) -> Value:
    """``Variable(t)``: t itself, since torch 0.4."""
    data = required(call, 0, "data")
    source = tensor_of(data)
    return replace(source, lineage=None)


def parameter(call: Call) -> Value:
    """``nn.Parameter(t)``: t's shape; made by the parameter, for its values are learned, and moved with its module."""
    if (value := call.argument(0, "data")) is None or isinstance(value, NoneValue):
        return made(call, Shape.of(0), None)
    source = tensor_of(value)
    return replace(source, dtype=None, device=None, made_by=call.name, place=call.place, lineage=None)


def arange(call: Call) -> Value:
    """``arange(end)``, ``arange(start, end, step)``: one axis; its length is known for integers."""
    values = list(call.positional) or [call.keywords[k] for k in ("start", "end") if k in call.keywords]
    if len(call.positional) == 1 and "end" in call.keywords:
        values.append(call.keywords["end"])
    step = call.argument(2, "step", Int(Dim.of(1)))
    if not values or step is None:
        raise ShapeError("arange() needs an end")
    bounds = [as_dim(value) for value in values[:2]]
    start, end = (Dim.of(0), bounds[0]) if len(bounds) == 1 else bounds
    stride = as_dim(step)
    all_ints = all(isinstance(value, Int) for value in (*values[:2], step))
    any_float = any(isinstance(value, Float) for value in (*values[:2], step))
    dtype = creation_dtype(call, "int64" if all_ints else "float32" if any_float else None)
    length = call.fresh_dim("len(arange)", "length")
    if start is not None and end is not None and stride is not None and stride.constant:
        span, count = (end - start, stride.constant) if stride.constant > 0 else (start - end, -stride.constant)
        if span.constant is not None and span.constant < 0:
            raise ShapeError("upper bound and lower bound inconsistent with step sign")
        length = larger(ceil_division(span, count), Dim.of(0))
    return made(call, Shape((length,)), dtype, creation_device(call))


def spaced(call: Call) -> Value:
    """``linspace(start, end, steps)``: (steps,)."""
    return made(call, not_negative(Shape((single(call, 2, "steps"),))), creation_dtype(call, "float32"), creation_device(call))


def eye(call: Call) -> Value:
    """``eye(n)``: (n, n); ``eye(n, m)``: (n, m)."""
    n = single(call, 0, "n")
    m = n if given(call, 1, "m") is None else single(call, 1, "m")
    return made(call, not_negative(Shape((n, m))), creation_dtype(call, "float32"), creation_device(call))


def randint(call: Call) -> Value:
    """``randint(high, size)``, ``randint(low, high, size)``: int64."""
    if "size" in call.keywords:
        size: Value | None = call.keywords["size"]
    else:
        size = call.argument(2, "size") or call.argument(1, "size")
    if size is None or isinstance(size, Int):
        raise ShapeError("randint() needs a size")
    return made(call, not_negative(sizes_of(call, size)), creation_dtype(call, "int64"), creation_device(call))


def randint_like(call: Call) -> Value:
    """``randint_like(x, high)``."""
    return like(call)


def randperm(call: Call) -> Value:
    """``randperm(n)``: (n,), int64."""
    return made(call, not_negative(Shape((single(call, 0, "n"),))), creation_dtype(call, "int64"), creation_device(call))


def normal(call: Call) -> Value:
    """``normal(mean, std, size)``, or with tensors as mean or std, whose shape it takes."""
    size = call.argument(2, "size")
    if size is not None:
        return made(call, not_negative(sizes_of(call, size)), creation_dtype(call, "float32"), creation_device(call))
    for index, name in ((0, "mean"), (1, "std")):
        value = call.argument(index, name)
        if isinstance(value, Tensor):
            other = call.argument(1 - index, "std" if index == 0 else "mean")
            if (isinstance(other, Tensor) and other.shape != value.shape) or isinstance(other, Unknown):
                raise CannotTell("mean and std are both tensors")
            return replace(made(call, value.shape, value.dtype, value.device), why=value.why)
    raise CannotTell("whether mean is a tensor is not known")


def multinomial(call: Call) -> Value:
    """``multinomial(weights, num_samples)``: the last axis becomes num_samples; int64."""
    source = tensor(call)
    if source.shape.rank is not None and source.shape.rank not in (1, 2):
        raise ShapeError("prob_dist must be 1 or 2 dim")
    return made(call, source.shape.replaced(-1, single(call, 1, "num_samples")), "int64", source.device)


def one_hot(call: Call) -> Value:
    """``F.one_hot(x, num_classes)``: a new last axis; int64."""
    source = tensor(call)
    classes = integer(call, 1, "num_classes", -1) if given(call, 1, "num_classes") is None else None
    value = call.argument(1, "num_classes")
    count = as_dim(value) if classes is None and value is not None else None
    if count is None or (count.constant or 0) < 0:
        count = call.fresh_dim("num_classes", "classes")
    return made(call, source.shape.inserted(-1, count), "int64", source.device)


_NEW = "torch.Tensor.new"
ROWS: dict[str, Op] = {
    **prefixed("zeros ones randn rand empty", from_sizes, "torch"),
    "torch.full": full,
    **prefixed("zeros_like ones_like randn_like rand_like empty_like bernoulli", like, "torch"),
    "torch.full_like": full_like,
    "torch.randint_like": randint_like,
    "torch.Tensor.bernoulli": like,
    **prefixed("new_zeros new_ones new_empty", new_from_sizes, "torch.Tensor"),
    "torch.Tensor.new_full": new_full,
    "torch.Tensor.new_tensor": new_tensor,
    _NEW: new,
    **prefixed("tensor as_tensor asarray scalar_tensor", from_data, "torch"),
    "torch.from_numpy": from_array,
    "torch.Tensor": old_constructor,
    **prefixed(" ".join(TENSOR_TYPES), old_constructor, "torch", "torch.cuda"),
    "torch.autograd.Variable": variable,
    "torch.autograd.variable.Variable": variable,
    "torch.nn.Parameter": parameter,
    "torch.nn.parameter.Parameter": parameter,
    "torch.nn.Buffer": variable,
    "torch.arange": arange,
    **prefixed("linspace logspace", spaced, "torch"),
    "torch.eye": eye,
    "torch.randint": randint,
    "torch.randperm": randperm,
    "torch.normal": normal,
    **both("multinomial", multinomial),
    "torch.nn.functional.one_hot": one_hot,
}
OTHER_ROWS: dict[str, Op] = {}
