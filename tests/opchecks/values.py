"""Torch's objects as the tool's values, and whether a value agrees with what torch returned."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence

from lstm_lint.dims import Dim
from lstm_lint.shapes import Shape
from lstm_lint.source import Place, Span
from lstm_lint.values import (
    FALSE,
    NONE,
    TRUE,
    Bool,
    Call,
    EllipsisValue,
    External,
    Float,
    Int,
    NoneValue,
    Packed,
    Repeated,
    Slice,
    Str,
    Tensor,
    Tuple,
    Unknown,
    Value,
)  # fmt: skip

PLACE = Place("test.py", 1, lambda: Span(1, 1, 1, 2), lambda: "x")


def to_value(thing: Any) -> Value:
    """A Python or torch object as the interpreter would know it if it knew all."""
    match thing:
        case bool():
            return TRUE if thing else FALSE
        case int():
            return Int(Dim.of(thing))
        case float():
            return Float(thing)
        case str():
            return Str(thing)
        case None:
            return NONE
        case torch.Size():
            return Tuple(tuple(to_value(item) for item in thing), "size")
        case PackedSequence():
            batch = Dim.of(int(thing.batch_sizes[0]))
            features = tuple(Dim.of(n) for n in thing.data.shape[1:])
            return Packed(batch, features, dtype_name(thing.data.dtype), place=PLACE)
        case tuple() | list():
            return Tuple(tuple(to_value(item) for item in thing), "list" if isinstance(thing, list) else "tuple")
        case slice():
            return Slice(to_value(thing.start), to_value(thing.stop), to_value(thing.step))
        case torch.Tensor():
            return Tensor(Shape.of(*thing.shape), dtype_name(thing.dtype), "cpu", place=PLACE)
        case torch.dtype():
            return External(f"torch.{dtype_name(thing)}")
        case torch.device():
            return Str(str(thing))
    if thing is Ellipsis:
        return EllipsisValue()
    raise TypeError(type(thing))


def dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def call_of(name: str, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None, number: int = 1) -> Call:
    keywords = {key: to_value(value) for key, value in (kwargs or {}).items()}
    return Call(name, tuple(to_value(arg) for arg in args), keywords, PLACE, number)


def is_silent(value: Value) -> bool:
    """The op claims nothing."""
    return isinstance(value, Unknown) or (isinstance(value, Tensor) and value.shape.rest is not None)


def disagreement(value: Value, result: Any, exact: bool = True) -> str | None:
    """What the value says that torch's result is not; None if they agree. `exact` forbids sizes that are not numbers."""
    match result:
        case torch.Tensor():
            return _tensor_disagreement(value, result, exact)
        case PackedSequence():
            expected = to_value(result)
            ok = isinstance(value, Packed) and isinstance(expected, Packed)
            return None if ok and _packed_agrees(value, expected, exact) else f"{value} for {expected}"  # type: ignore[arg-type]
        case torch.Size():
            return None if value == to_value(result) else f"{value} for {result}"
        case tuple() | list():
            return _items_disagreement(value, result, exact)
        case bool():
            return None if value == Bool(Dim.of(int(result))) else f"{value} for {result}"
        case int():
            return None if value == Int(Dim.of(result)) or isinstance(value, Unknown) else f"{value} for {result}"
        case None:
            return None if isinstance(value, NoneValue) else f"{value} for None"
        case _:
            return None if isinstance(value, Unknown) else f"{value} for {result!r}"


def _packed_agrees(value: Packed, expected: Packed, exact: bool) -> bool:
    return (value.batch == expected.batch or (not exact and value.batch is None)) and value.features == expected.features


def _tensor_disagreement(value: Value, result: torch.Tensor, exact: bool) -> str | None:
    if is_silent(value):
        return f"nothing ({value}) for {tuple(result.shape)}" if exact else None
    if not isinstance(value, Tensor):
        return f"{value} for a tensor"
    dims = value.shape.dims
    assert dims is not None
    actual = tuple(result.shape)
    if len(dims) != len(actual):
        return f"{value.shape.text} for {actual}"
    for dim, size in zip(dims, actual, strict=True):
        if dim.constant != size and (exact or dim.constant is not None):
            return f"{value.shape.text} for {actual}"
    if value.dtype is not None and value.dtype != dtype_name(result.dtype):
        return f"{value.dtype} for {result.dtype}"
    if value.device is not None and value.device != result.device.type:
        return f"{value.device} for {result.device}"
    return None


def _items_disagreement(value: Value, result: tuple[Any, ...] | list[Any], exact: bool) -> str | None:
    if isinstance(value, Repeated):
        return next((text for item in result if (text := disagreement(value.item, item, False))), None)
    if isinstance(value, Unknown) and not exact:
        return None
    if not isinstance(value, Tuple) or len(value.items) != len(result):
        return f"{value} for {len(result)} items"
    pairs = zip(value.items, result, strict=True)
    return next((text for item, one in pairs if (text := disagreement(item, one, exact))), None)
