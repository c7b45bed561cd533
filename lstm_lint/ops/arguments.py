"""What every op family reads its arguments with: tensors, sizes, axes, flags; and how a result is put together.

Two exceptions say how an op ends without a shape: `ShapeError` (torch refuses it whatever the symbols are) and `CannotTell` (it
depends on something that is not known). `boundary.guarded` turns both into values, so that an op reads like what it computes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from lstm_lint.dims import ONE, ZERO, Dim
from lstm_lint.shapes import Shape, ShapeError
from lstm_lint.values import (
    Bool,
    Call,
    Dict,
    External,
    Float,
    Int,
    Layer,
    NoneValue,
    OneOf,
    Packed,
    Repeated,
    Str,
    Tensor,
    Tuple,
    Unknown,
    Value,
    as_dim,
    as_tensor,
    describe,
)  # fmt: skip

Op = Callable[[Call], Value]
MINUS_ONE = Dim.of(-1)
SIZES_OF = "sizes of"  # first part of the key of an Unknown that is the ``x.shape`` of a tensor of unknown rank


class CannotTell(Exception):
    """The result depends on something that is not known; the message says on what."""


def lost(call: Call, reason: str, dtype: str | None = None, part: object = 0) -> Tensor:
    """A tensor of which nothing is known but who it is, and why."""
    why = call.unknown(reason, part=part)
    return Tensor(Shape.unknown(why.key, why.name), dtype, why=why, place=call.place)


# -- results ---------------------------------------------------------------------------------------------------------
def viewed(source: Tensor, shape: Shape) -> Tensor:
    """The same values in another shape: what made them is kept."""
    return replace(source, shape=shape, lineage=None, numbers=None)


def computed(call: Call, source: Tensor, shape: Shape | None = None, dtype: str | None = None) -> Tensor:
    """New values worked out from `source`."""
    return Tensor(source.shape if shape is None else shape, dtype, source.device, place=call.place, why=source.why)


# -- reading ---------------------------------------------------------------------------------------------------------
def required(call: Call, index: int, name: str) -> Value:
    """The argument at a position or under a name. Raises ShapeError if it is missing."""
    value = call.argument(index, name)
    if value is None:
        raise ShapeError(f"missing the argument {name}")
    return value


def tensor_of(value: Value) -> Tensor:
    """The value as a tensor.

    Raises:
        ShapeError: it is certainly something else. CannotTell: it may be.
    """
    found = as_tensor(value)
    if found is not None:
        return found
    if isinstance(value, Tuple | Packed | NoneValue | Str | Dict | Layer | Int | Bool | Float):
        raise ShapeError(f"{describe(value)} is not a tensor")
    raise CannotTell(f"{describe(value)} where a tensor is wanted")


def tensor(call: Call, index: int = 0, name: str = "input") -> Tensor:
    return tensor_of(required(call, index, name))


def constant(value: Value, name: str) -> int:
    """The value as an integer that is known. Raises CannotTell, or ShapeError for what is no integer."""
    if isinstance(value, Float | Str | NoneValue | Tuple):
        raise ShapeError(f"{name} must be an int, not {describe(value)}")
    dim = as_dim(value)
    if dim is None or dim.constant is None:
        raise CannotTell(f"{name} is not a known number here")
    return dim.constant


def integer(call: Call, index: int, name: str, default: int | None = None) -> int:
    """The integer argument at a position or under a name. Raises CannotTell and ShapeError."""
    value = call.argument(index, name)
    if value is None:
        if default is None:
            raise ShapeError(f"missing the argument {name}")
        return default
    return constant(value, name)


def flag(value: Value | None, default: bool) -> bool:
    """The value as a known truth. Raises CannotTell."""
    if value is None:
        return default
    if isinstance(value, NoneValue):
        return False
    dim = condition(value)
    if dim is None or dim.constant is None:
        raise CannotTell("a flag here is not known")
    return dim.constant != 0


def condition(value: Value | None) -> Dim | None:
    """The value's truth as a 0/1 polynomial: bools and unknowns; None for everything else."""
    match value:
        case Bool(dim):
            return dim
        case Int(dim) if dim.constant is not None:
            return ONE if dim.constant else ZERO
        case Unknown():
            return value.as_condition()
        case OneOf():
            return as_dim(value)
        case _:
            return None


def given(call: Call, index: int, name: str) -> Value | None:
    """The argument, None also if it was passed as None."""
    value = call.argument(index, name)
    return None if isinstance(value, NoneValue) else value


def single(call: Call, index: int, name: str) -> Dim:
    """A size argument as a dim. Raises CannotTell and ShapeError."""
    return size_item(call, required(call, index, name), name)


# -- sizes -----------------------------------------------------------------------------------------------------------
def sizes_value(tensor: Tensor) -> Value:
    """``x.shape``: a Tuple of kind ``size``; of a tensor of unknown rank an Unknown that `sizes_shape` can read back."""
    if (dims := tensor.shape.dims) is not None:
        return Tuple(tuple(Int(dim) for dim in dims), "size")
    name = f"{tensor.shape.rest.name}.shape" if tensor.shape.rest is not None else "shape"
    return Unknown((SIZES_OF, tensor.shape), name, "the number of axes is not known here", tensor.place)


def sizes_shape(value: Value) -> Shape | None:
    """The shape that a value made by `sizes_value` speaks of; None for any other value."""
    match value:
        case Unknown(key=(word, Shape() as shape)) if word == SIZES_OF:
            return shape
        case Tuple(items, "size"):
            dims = [as_dim(item) for item in items]
            return Shape(tuple(d for d in dims if d is not None)) if None not in dims else None
        case _:
            return None


def size_item(call: Call, value: Value, name: str = "size", part: object = 0) -> Dim:
    """One size as a dim; a tensor of one integer is a new unknown. Raises ShapeError for floats and the like, CannotTell."""
    if isinstance(value, Unknown) and value.ratio is not None:
        raise ShapeError(f"{name} must be an int, not the float {value.name}")
    if (dim := as_dim(value)) is not None:
        return dim
    match value:
        case Tensor():
            return call.fresh_dim(f"int({name})", ("size", part))
        case Float() | Str() | NoneValue() | Tuple():
            raise ShapeError(f"{name} must be an int, not {describe(value)}")
        case External(qualified):
            raise CannotTell(f"`{qualified}` belongs to a library, whose code is not read")
        case _:
            raise CannotTell(f"{name} is not known here")


def sizes_of(call: Call, value: Value) -> Shape:
    """The sizes in a tuple, list or ``torch.Size`` (or one int, as most functions allow). Raises ShapeError and CannotTell."""
    if (shape := sizes_shape(value)) is not None:
        return shape
    match value:
        case Tuple(items):
            return Shape(tuple(size_item(call, item, part=i) for i, item in enumerate(items)))
        case Unknown(default=default) if not isinstance(default, Int):
            raise CannotTell(f"{value.name} may be one size or several")
        case OneOf(alternatives) if any(isinstance(v, Unknown) and not isinstance(v.default, Int) for _, v in alternatives):
            raise CannotTell("what is given here may be one size or several")
        case Repeated(item, length) if length is not None and length.constant is not None:
            return Shape((size_item(call, item),) * length.constant)
        case Repeated():
            raise CannotTell("how many sizes there are is not known")
        case _:
            return Shape((size_item(call, value),))


def sizes(call: Call, start: int, name: str = "size", *more_names: str) -> Shape:
    """The sizes given as separate arguments, as one sequence, or under a keyword; -1 stays -1.

    Raises:
        ShapeError: one of them is no integer. CannotTell: their number is not known.
    """
    values = call.positional[start:]
    for keyword in (name, *more_names):
        if keyword in call.keywords and not values:
            return sizes_of(call, call.keywords[keyword])
    if len(values) == 1:
        return sizes_of(call, values[0])
    return Shape(tuple(size_item(call, value, part=i) for i, value in enumerate(values)))


def not_negative(shape: Shape) -> Shape:
    """The shape; ShapeError if a size is a negative constant."""
    for dim in (*shape.front, *shape.back):
        if dim.constant is not None and dim.constant < 0:
            raise ShapeError(f"Trying to create tensor with negative dimension {dim.constant}")
    return shape


# -- axes ------------------------------------------------------------------------------------------------------------
def axis(shape: Shape, index: int) -> int:
    """The axis counted from the front where the rank is known. Raises ShapeError if it is out of range."""
    if shape.rank is None:
        return index
    size = max(shape.rank, 1)  # torch lets -1 and 0 name the axis of a scalar
    if not -size <= index < size:
        raise ShapeError(f"Dimension out of range (expected to be in range of [{-size}, {size - 1}], but got {index})")
    return index % size


def axes(call: Call, value: Value, name: str = "dim") -> list[int]:
    """One axis or a sequence of them, as known numbers. Raises CannotTell and ShapeError."""
    match value:
        case Tuple(items):
            return [constant(item, name) for item in items]
        case Repeated():
            raise CannotTell(f"{name} is not known")
        case _:
            return [constant(value, name)]


def same_axis(left: int, right: int, shape: Shape) -> bool:
    """Whether two axes are one. Raises CannotTell where the rank, not being known, decides."""
    if shape.rank is not None:
        return axis(shape, left) == axis(shape, right)
    if (left < 0) != (right < 0):
        raise CannotTell("the number of axes is not known")
    return left == right


def prefixed(names: str, op: Op, *prefixes: str) -> Mapping[str, Op]:
    """One row for each of the words, under each of the prefixes."""
    return {f"{prefix}.{name}": op for name in names.split() for prefix in prefixes}


def both(names: str, op: Op) -> Mapping[str, Op]:
    """Rows for a function of torch that is a method of tensors too."""
    return prefixed(names, op, "torch", "torch.Tensor")
