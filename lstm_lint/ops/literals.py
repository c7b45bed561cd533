"""The shape and dtype of nested Python data, as ``torch.tensor`` and the old constructors read it."""

from __future__ import annotations

from lstm_lint.dims import Dim, Symbol
from lstm_lint.ops.arguments import CannotTell
from lstm_lint.ops.dtypes import promoted, scalar_dtype
from lstm_lint.shapes import Rest, Shape, ShapeError
from lstm_lint.values import (
    Bool,
    Call,
    Float,
    Int,
    NoneValue,
    OneOf,
    Repeated,
    Str,
    Tensor,
    Tuple,
    Unknown,
    Value,
    describe,
)


def literal_shape(call: Call, value: Value) -> Shape:
    """The shape of nested lists of numbers, ``[[1, 2], [3, 4]]`` being (2, 2); what is not known in it becomes a rest.

    Raises:
        ShapeError: the lists are ragged, or hold what is no number. CannotTell: nothing is known of it.
    """
    match value:
        case Tensor(shape):
            return shape
        case _ if is_number(value):
            return Shape()
        case Tuple(()):
            return Shape.of(0)
        case Tuple(items):
            return _nested(call, Dim.of(len(items)), [_item(call, item) for item in items])
        case Repeated(item, length):
            return _nested(call, length or call.fresh_dim(f"len({call.name})", "length"), [_item(call, item)])
        case Unknown(key=key, name=name, default=None):  # a number, a list, an array: its sizes are its own
            return Shape.unknown(key, name)
        case NoneValue() | Str():
            raise ShapeError(f"{describe(value)} is no data for a tensor")
        case _:
            raise CannotTell(f"whether {describe(value)} is a number, a list or an array is not known")


def is_number(value: Value) -> bool:
    """Whether it is known to be one number, and no list or array."""
    match value:
        case Int() | Bool() | Float() | Unknown(default=Int() | Float() | Bool()):
            return True
        case OneOf(alternatives):
            return all(is_number(alternative) for _, alternative in alternatives)
        case _:
            return False


def _item(call: Call, item: Value) -> Shape | None:
    try:
        return literal_shape(call, item)
    except CannotTell:
        return None


def _nested(call: Call, length: Dim, items: list[Shape | None]) -> Shape:
    known = [item for item in items if item is not None and item.dims is not None]
    if not known:
        return Shape((length,), Rest(("call", call.number, "items"), call.place.text or call.name))
    for item in known[1:]:
        if item.rank != known[0].rank or any(_differ(a, b) for a, b in zip(item.front, known[0].front, strict=True)):
            raise ShapeError("expected sequences of equal length")
    return Shape((length, *known[0].front))


def _differ(left: Dim, right: Dim) -> bool:
    return left != right and left.constant is not None and right.constant is not None


def literal_dtype(value: Value) -> str | None:
    """``float32`` if any number in it is a float, ``int64`` for ints, ``bool`` for bools; None if it is not known."""
    match value:
        case Tensor(dtype=dtype):
            return dtype
        case Unknown(default=default) if default is not None:
            return scalar_dtype(default)
        case Tuple(()):
            return "float32"
        case Tuple(items):
            dtypes = [literal_dtype(item) for item in items]
            result = dtypes[0]
            for dtype in dtypes[1:]:
                result = promoted(result, dtype)
            return result
        case Repeated(item):
            return literal_dtype(item)
        case _:
            return scalar_dtype(value)


def filling(value: Value | None) -> Dim | None:
    """The one int that all of it is, however nested: ``[t] * n``, ``torch.full((n,), t)``. None where they may differ."""
    match value:
        case Int(dim):
            return dim
        case Tensor(filled=filled):
            return filled
        case Repeated(item):
            found = filling(item)
            return None if found is None or any(_counts(symbol) for symbol in found.symbols) else found
        case Tuple((first, *others)):
            found = filling(first)
            return found if found is not None and all(filling(item) == found for item in others) else None
        case _:
            return None


def _counts(symbol: Symbol) -> bool:
    """Whether it is the counter of a loop, so that items written in it differ."""
    return isinstance(symbol.key, tuple) and symbol.key[0] == "loop"
