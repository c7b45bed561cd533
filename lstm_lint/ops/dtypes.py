"""Names of dtypes and devices: reading them from arguments, and how torch promotes them."""

from __future__ import annotations

from collections.abc import Sequence

from lstm_lint.values import Bool, Call, External, Float, Int, NoneValue, Str, Tensor, Unknown, Value

FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
NUMBERS = (*FLOATS, *INTEGERS, "bool", "complex64", "complex128")
ALIASES = {
    "float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32", "short": "int16",
    "char": "int8", "byte": "uint8", "cfloat": "complex64", "cdouble": "complex128",
}  # fmt: skip
PYTHON_TYPES = {"float": "float64", "int": "int64", "bool": "bool", "complex": "complex128"}
# torch.FloatTensor, torch.cuda.LongTensor, the strings of Tensor.type(...)
TENSOR_TYPES = {
    "FloatTensor": "float32", "DoubleTensor": "float64", "HalfTensor": "float16", "BFloat16Tensor": "bfloat16",
    "LongTensor": "int64", "IntTensor": "int32", "ShortTensor": "int16", "CharTensor": "int8", "ByteTensor": "uint8",
    "BoolTensor": "bool",
}  # fmt: skip
DEVICE = "device"  # first part of the key of an Unknown that is certainly a device


def named_dtype(name: str) -> str | None:
    """The dtype a qualified name stands for: ``torch.double`` is ``float64``; None if it is no dtype."""
    head, _, last = name.rpartition(".")
    if head in ("", "builtins"):
        return PYTHON_TYPES.get(last)
    if head != "torch":
        return None
    last = ALIASES.get(last, last)
    return last if last in NUMBERS else None


def tensor_type(name: str) -> tuple[str, str] | None:
    """The (dtype, device) of a tensor type's name: ``torch.cuda.FloatTensor``; None if it is not one."""
    head, _, last = name.rpartition(".")
    if last == "Tensor" and head == "torch":
        return "float32", "cpu"
    if head not in ("torch", "torch.cuda") or last not in TENSOR_TYPES:
        return None
    return TENSOR_TYPES[last], "cuda" if head == "torch.cuda" else "cpu"


def is_given(value: Value | None) -> bool:
    return value is not None and not isinstance(value, NoneValue)


def dtype_argument(value: Value | None, default: str | None) -> str | None:
    """The dtype in a ``dtype=`` argument; `default` if there is none; None if it is not known."""
    if not is_given(value):
        return default
    return named_dtype(value.qualified_name) if isinstance(value, External) else None


def device_argument(value: Value | None, default: str | None) -> str | None:
    """The device in a ``device=`` argument, without its number; `default` if there is none; None if it is not known."""
    if not is_given(value):
        return default
    match value:
        case Str(text):
            return text.partition(":")[0]
        case Int():
            return "cuda"
        case _:
            return None


def either_device(left: str | None, right: str | None) -> str | None:
    """The device of what is on the one or the other: ``cpu or cuda``, where the machine decides. None if one is not known."""
    if left is None or right is None:
        return None
    return " or ".join(sorted({*left.split(" or "), *right.split(" or ")}))


def is_device(value: Value) -> bool:
    """Whether the value is certainly a device (and so neither a dtype nor a tensor)."""
    match value:
        case Str() | Int():
            return True
        case Unknown(key=(word, _)):
            return word == DEVICE
        case _:
            return False


def device_value(tensor: Tensor) -> Value:
    """``x.device``."""
    if tensor.device is not None:
        return Str(tensor.device)
    return Unknown((DEVICE, tensor.shape), "device", "the device is not known", tensor.place)


def scalar_dtype(value: Value) -> str | None:
    """What torch makes of a Python number: ``2.0`` is ``float32``, ``2`` is ``int64``."""
    match value:
        case Bool():
            return "bool"
        case Int():
            return "int64"
        case Float():
            return "float32"
        case _:
            return None


def is_float(dtype: str | None) -> bool:
    return dtype in FLOATS


def is_integer(dtype: str | None) -> bool:
    """Integers and bools: what torch counts with."""
    return dtype in INTEGERS or dtype == "bool"


def float_result(dtype: str | None) -> str | None:
    """The dtype of ``exp`` and its kin: floats stay, integers become float32."""
    return dtype if is_float(dtype) else ("float32" if is_integer(dtype) else None)


def sum_result(dtype: str | None) -> str | None:
    """The dtype of ``sum``, ``prod`` and ``cumsum``: floats stay, integers become int64."""
    return dtype if is_float(dtype) else ("int64" if is_integer(dtype) else None)


def promoted(left: str | None, right: str | None) -> str | None:
    """The dtype of ``left + right`` for tensors of equal standing; None where it is not known."""
    if left == right:
        return left
    if left not in NUMBERS or right not in NUMBERS or "complex" in f"{left}{right}":
        return None
    low, high = sorted((left, right), key=_category)
    if _category(low) != _category(high):
        return high
    if is_float(low):
        return "float32" if {low, high} == {"float16", "bfloat16"} else max(low, high, key=FLOATS.index)
    return "int16" if {low, high} == {"uint8", "int8"} else max(low, high, key=INTEGERS.index)


def _category(dtype: str) -> int:
    return 2 if dtype in FLOATS else 1 if dtype in INTEGERS else 0


def with_scalar(dtype: str | None, scalar: str | None) -> str | None:
    """The dtype of a tensor of `dtype` with a Python number, or a tensor without axes, of dtype `scalar`."""
    if dtype is None or scalar is None:
        return dtype if is_float(dtype) else None
    if dtype not in NUMBERS or scalar not in NUMBERS or "complex" in f"{dtype}{scalar}":
        return None
    return dtype if _category(scalar) <= _category(dtype) else scalar


def creation_dtype(call: Call, default: str | None) -> str | None:
    return dtype_argument(call.keywords.get("dtype"), default)


def creation_device(call: Call, default: str | None = "cpu") -> str | None:
    return device_argument(call.keywords.get("device"), default)


def common_dtype(tensors: Sequence[Tensor]) -> str | None:
    """What torch promotes the dtypes of several tensors to."""
    result = tensors[0].dtype
    for other in tensors[1:]:
        result = promoted(result, other.dtype)
    return result
