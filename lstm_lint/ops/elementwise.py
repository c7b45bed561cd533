"""Values changed one by one: activations and mathematics, arithmetic that broadcasts, comparisons, ``where``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import zip_longest

from lstm_lint.dims import Dim
from lstm_lint.ops.arguments import (
    CannotTell,
    Op,
    axis,
    both,
    computed,
    constant,
    given,
    integer,
    prefixed,
    tensor,
)
from lstm_lint.ops.boundary import guarded
from lstm_lint.ops.dtypes import dtype_argument, float_result, is_float, promoted, scalar_dtype, with_scalar
from lstm_lint.ops.extents import at_least
from lstm_lint.ops.transforms import halved
from lstm_lint.shapes import Broadcast, Rest, Shape, ShapeError, broadcast, broadcast_dim
from lstm_lint.values import Bool, Call, Float, Int, NoneValue, OneOf, Tensor, Unknown, Value, as_dim, describe


def unary(call: Call) -> Value:
    """``abs(x)``, ``clamp(x)``: x's shape and dtype."""
    source = tensor(call)
    return computed(call, source, dtype=source.dtype)


def floating(call: Call) -> Value:
    """``exp(x)``, ``tanh(x)``: x's shape; integers become float32."""
    source = tensor(call)
    return computed(call, source, dtype=float_result(source.dtype))


def activation(call: Call) -> Value:
    """``F.relu(x)``, ``F.dropout(x)``: x's shape; the dtype of floats stays."""
    source = tensor(call)
    return computed(call, source, dtype=source.dtype if is_float(source.dtype) else None)


def truth(call: Call) -> Value:
    """``isnan(x)``, ``logical_not(x)``: bool."""
    return computed(call, tensor(call), dtype="bool")


def along(call: Call) -> Value:
    """``softmax(x, dim)``, ``log_softmax``, ``normalize``: x's shape. Raises ShapeError if there is no such axis."""
    source = tensor(call)
    index = {"normalize": 2, "gumbel_softmax": 4}.get(call.name.rpartition(".")[2], 1)
    value = given(call, index, "dim")
    if value is not None:
        axis(source.shape, constant(value, "dim"))
    kept = source.dtype if is_float(source.dtype) else None
    return computed(call, source, dtype=dtype_argument(call.keywords.get("dtype"), kept))


def glu(call: Call) -> Value:
    """``F.glu(x, dim)``: one axis halved."""
    source = tensor(call)
    return computed(call, source, halved(source.shape, integer(call, 1, "dim", -1)), source.dtype)


# -- two operands ----------------------------------------------------------------------------------------------------
COMPARISONS = "eq ne lt le gt ge greater less not_equal greater_equal less_equal logical_and logical_or logical_xor"
ARITHMETIC = "add sub mul multiply subtract remainder fmod maximum minimum fmax fmin bitwise_and bitwise_or bitwise_xor"
DIVISIONS = "div divide true_divide atan2"


def broadcasting(call: Call) -> Value:
    """``torch.add(x, y)``, ``x.mul(2)``: the shapes broadcast, the dtypes are promoted."""
    return binary(call.positional[0], _second(call), call)


def _second(call: Call) -> Value:
    for index, name in ((1, "other"), (1, "exponent"), (1, "input2")):
        if (value := call.argument(index, name)) is not None:
            return value
    raise ShapeError("missing the argument other")


def binary(left: Value, right: Value, call: Call) -> Value:
    """``left op right`` where `call.name` is the function of torch that the operator stands for (``torch.add``).

    At least one of them is a tensor; the other may be a number or unknown.

    Raises:
        ShapeError: they never broadcast. CannotTell: what one of them is is not known.
    """
    operands = [left, right]
    tensors = [value for value in operands if isinstance(value, Tensor)]
    for value in operands:
        if not isinstance(value, Tensor | Int | Bool | Float | Unknown) and not _is_number(value):
            if isinstance(value, NoneValue):
                raise ShapeError("None is no operand")
            raise CannotTell(f"arithmetic with {describe(value)}")
    unknown = [value for value in operands if isinstance(value, Unknown) and scalar_dtype(value.default or value) is None]
    if unknown:
        return _with_unknown(call, tensors, unknown)
    if not tensors:
        raise CannotTell("none of the operands is known to be a tensor")
    dtype = result_dtype(call.name.rpartition(".")[2], operands)
    if len(tensors) == 1:
        return computed(call, tensors[0], dtype=dtype)
    shape = broadcast(tensors[0].shape, tensors[1].shape)
    if shape is None:
        return _partly(call, tensors, dtype)
    why = tensors[0].why or tensors[1].why
    device = tensors[0].device if tensors[0].device == tensors[1].device else None
    return Tensor(shape, dtype, device, place=call.place, why=why)


def _is_number(value: Value) -> bool:
    return isinstance(value, OneOf) and as_dim(value) is not None


def _with_unknown(call: Call, tensors: Sequence[Tensor], unknown: Sequence[Unknown]) -> Tensor:
    """A known tensor and something that may be a number or a tensor that broadcasts."""
    if not tensors:
        raise CannotTell(f"whether {unknown[0].name} is a number or a tensor is not known")
    shapes = [tensors[0].shape, *(Shape.unknown(value.key, value.name) for value in unknown)]  # a number: no axes at all
    return _trailing(call, shapes, f"whether {unknown[0].name} is a number or a tensor is not known")


def _partly(call: Call, tensors: Sequence[Tensor], dtype: str | None) -> Tensor:
    """Two tensors whose broadcast is not known: every size that is certain, if both ranks are, else those at the end."""
    reason = "how the two shapes broadcast is not known"
    if any(tensor.shape.rest is not None for tensor in tensors):
        return _trailing(call, [tensor.shape for tensor in tensors], reason, dtype)
    longer, shorter = sorted((tensor.shape.front for tensor in tensors), key=len, reverse=True)
    offset = len(longer) - len(shorter)
    pairs = zip(longer[offset:], shorter, strict=True)
    name = call.place.text or call.name
    sizes = [broadcast_dim(a, b) or call.fresh_dim(f"({name}).size({i + offset})", i) for i, (a, b) in enumerate(pairs)]
    return Tensor(Shape((*longer[:offset], *sizes)), dtype, place=call.place, why=call.unknown(reason))


def _trailing(call: Call, shapes: Sequence[Shape], reason: str, dtype: str | None = None) -> Tensor:
    """The result of broadcasting the shapes, and maybe something unknown.

    The last axes that all of them spell out are known if they are all there is; of the others, one of more than 1 keeps its
    size.
    """
    why = call.unknown(reason)
    tails = [shape.front if shape.rest is None else shape.back for shape in shapes]
    kept: list[Dim] = []
    for column in zip_longest(*map(reversed, tails)):
        sizes = [dim for dim in column if dim is not None]
        size = reduce(broadcast_dim, sizes)
        if len(sizes) < max(len(tails), 2) and not at_least(size, 2):
            break
        kept.insert(0, size)
    counted = any(_is_counted(dim) for shape in shapes for dim in (*shape.front, *shape.back))
    whole = Rest(why.key if counted else Broadcast(why.key, tuple(shapes)), why.name)
    return Tensor(Shape((), whole.without(0, len(kept)), tuple(kept)), dtype, place=call.place, why=why)


def _is_counted(dim: Dim) -> bool:
    """Whether it speaks of a loop's counter, and so is another one in another round."""
    return any(isinstance(symbol.key, tuple) and symbol.key[0] == "loop" for symbol in dim.spoken_of)


def result_dtype(name: str, operands: Sequence[Value]) -> str | None:
    """The dtype of an operator's result. Source: torch.result_type; tensors without axes and numbers give way."""
    if name in COMPARISONS.split():
        return "bool"
    full = [v.dtype for v in operands if isinstance(v, Tensor) and v.shape.rank != 0]
    weak = [v.dtype if isinstance(v, Tensor) else scalar_dtype(_plain(v)) for v in operands]
    weak = [d for v, d in zip(operands, weak, strict=True) if not isinstance(v, Tensor) or v.shape.rank == 0]
    if any(isinstance(v, Tensor) and v.shape.rank is None for v in operands) and len(full) > 1 and full[0] != full[1]:
        return None
    scalars = [v for v in operands if not isinstance(v, Tensor)]
    if not full:
        tensors = [v.dtype for v in operands if isinstance(v, Tensor)]
        result = tensors[0] if len(tensors) == 1 else promoted(tensors[0], tensors[1])
        weak = [scalar_dtype(_plain(v)) for v in scalars]
    else:
        result = full[0] if len(full) == 1 else promoted(full[0], full[1])
    for dtype in weak:
        result = with_scalar(result, dtype)
    return float_result(result) if name in DIVISIONS.split() else result


def _plain(value: Value) -> Value:
    return value.default if isinstance(value, Unknown) and value.default is not None else value


def operator(left: Value, right: Value, call: Call) -> Value:
    """`binary` as the interpreter calls it: exceptions become values."""
    return guarded(lambda case: binary(case.positional[0], case.positional[1], case))(
        Call(call.name, (left, right), {}, call.place, call.number)
    )


def where_op(call: Call) -> Value:
    """``torch.where(condition, x, y)``, ``x.where(condition, y)``: all three broadcast."""
    order = (1, 0, 2) if call.name.startswith("torch.Tensor.") else (0, 1, 2)
    names = ("condition", "input", "other")
    chosen, source, other = (call.argument(i, name) for i, name in zip(order, names, strict=True))
    if source is None or other is None or chosen is None:
        raise CannotTell("where() with a condition alone gives indices")
    if not isinstance(source, Tensor) and not isinstance(other, Tensor):
        if isinstance(chosen, Tensor) and not isinstance(source, Unknown) and not isinstance(other, Unknown):
            return computed(call, chosen)
        raise CannotTell("whether the choices are numbers or tensors is not known")
    choices = binary(source, other, call)
    result = binary(choices, chosen, call)
    if isinstance(result, Tensor) and isinstance(choices, Tensor):
        return Tensor(result.shape, choices.dtype, place=call.place, why=result.why)
    return result


UNARY = "abs absolute neg negative clamp clip clamp_min clamp_max sign square nan_to_num round floor ceil trunc positive"
FLOATING = (
    "exp log log2 log10 log1p expm1 sqrt rsqrt sin cos tan tanh sigmoid erf reciprocal asin acos atan sinh cosh logit deg2rad "
    "rad2deg erfinv lgamma digamma"
)
ACTIVATIONS = (
    "relu relu6 elu selu celu gelu silu mish leaky_relu rrelu softplus softsign softshrink hardshrink tanhshrink hardtanh "
    "hardsigmoid hardswish logsigmoid threshold dropout alpha_dropout feature_alpha_dropout sigmoid tanh"
)
ROWS: dict[str, Op] = {
    **both(UNARY, unary),
    **both(FLOATING, floating),
    **prefixed("relu", activation, "torch", "torch.Tensor"),
    **prefixed("selu celu dropout alpha_dropout rrelu", activation, "torch"),
    **prefixed(ACTIVATIONS, activation, "torch.nn.functional"),
    **both("isnan isinf isfinite logical_not", truth),
    "torch.Tensor.logical_not_": truth,
    **both("softmax log_softmax", along),
    **prefixed("softmax log_softmax softmin normalize gumbel_softmax", along, "torch.nn.functional"),
    "torch.nn.functional.glu": glu,
    **both(f"{COMPARISONS} {ARITHMETIC} {DIVISIONS} floor_divide pow", broadcasting),
    **both("where", where_op),
}
OTHER_ROWS: dict[str, Op] = {}
# the operators of Python -> the function of torch that `binary` reads from Call.name
OPERATORS = {
    "+": "torch.add", "-": "torch.sub", "*": "torch.mul", "/": "torch.div", "//": "torch.floor_divide", "%": "torch.remainder",
    "**": "torch.pow", "@": "torch.matmul", "==": "torch.eq", "!=": "torch.ne", "<": "torch.lt", "<=": "torch.le",
    ">": "torch.gt", ">=": "torch.ge", "&": "torch.bitwise_and", "|": "torch.bitwise_or", "^": "torch.bitwise_xor",
}  # fmt: skip
