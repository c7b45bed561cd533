"""The op table: what every known call of torch does to shapes, by qualified name; the families put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType

from lstm_lint.ops import (
    attention,
    axes,
    combination,
    conversion,
    convolution,
    creation,
    dense,
    einops,
    elementwise,
    indexing,
    losses,
    modules,
    packing,
    products,
    reduction,
    reshaping,
    stretching,
)  # fmt: skip
from lstm_lint.ops.arguments import Op, sizes_shape, sizes_value
from lstm_lint.ops.boundary import guarded
from lstm_lint.ops.dtypes import device_value
from lstm_lint.ops.elementwise import OPERATORS, operator
from lstm_lint.ops.indexing import index
from lstm_lint.ops.layers import LayerRow
from lstm_lint.ops.packing import PACKED_ATTRIBUTES, PACKED_FIELDS
from lstm_lint.ops.sequence_lengths import numbered
from lstm_lint.ops.tracing import cut_off, moved_by, through_layer, traced
from lstm_lint.values import Call, External, Int, Tensor, Value

__all__ = [
    "ATTRIBUTES", "LAYERS", "OPERATORS", "OPS", "PACKED_ATTRIBUTES", "PACKED_FIELDS", "LayerRow", "Op", "binary", "index",
    "size_of", "sizes_shape", "sizes_value",
]  # fmt: skip

FAMILIES: tuple[ModuleType, ...] = (
    creation, conversion, reshaping, axes, indexing, combination, elementwise, reduction, products, packing, dense, attention,
    convolution, losses, modules, einops, stretching,
)  # fmt: skip


def _collected() -> Mapping[str, Op]:
    rows: dict[str, Op] = {}
    for family in FAMILIES:
        for name, op in family.ROWS.items():
            assert name not in rows, f"two rows for {name}"
            rows[name] = numbered(guarded(traced(op, name)), name)
        for name, op in family.OTHER_ROWS.items():
            assert name not in rows, f"two rows for {name}"
            rows[name] = numbered(guarded(traced(op, name), one_tensor=False), name)
    return rows


def _guarded_layer(row: LayerRow) -> LayerRow:
    forward = row.forward

    def run(config: Mapping[str, Value], call: Call) -> Value:
        return guarded(lambda case: through_layer(case, forward(config, case), config), one_tensor=False)(call)

    return LayerRow(row.signature, run, row.is_open)


def _collected_layers() -> Mapping[str, LayerRow]:
    rows: dict[str, LayerRow] = {}
    for family in FAMILIES:
        for name, row in getattr(family, "LAYER_ROWS", {}).items():
            rows[name] = _guarded_layer(row)
    return rows


OPS: Mapping[str, Op] = _collected()
LAYERS: Mapping[str, LayerRow] = _collected_layers()


def binary(left: Value, right: Value, call: Call) -> Value:
    """``left op right``; `call.name` is the function of torch that the operator stands for, as `OPERATORS` lists them."""
    if call.name == OPERATORS["@"]:
        return OPS["torch.matmul"](Call(call.name, (left, right), {}, call.place, call.number, call.given))
    return _OPERATOR_ROWS[call.name](replace(call, positional=(left, right)))


_OPERATOR_ROWS = {
    name: numbered(traced(lambda case: operator(case.positional[0], case.positional[1], case), name), name)
    for name in OPERATORS.values()
}


def size_of(source: Tensor, position: Value, call: Call) -> Value:
    """``x.shape[i]``, ``x.size(i)``, ``len(x)``: one size as an Int; unknown with a reason where it cannot be told."""
    return OPS["torch.Tensor.size"](Call(call.name, (source, position), {}, call.place, call.number))


# -- attributes of a tensor --------------------------------------------------------------------------------------------
def _shape(source: Tensor) -> Value | None:
    return sizes_value(source)


def _rank(source: Tensor) -> Value | None:
    return Int(source.shape.rank_dim)


def _dtype(source: Tensor) -> Value | None:
    return None if source.dtype is None else External(f"torch.{source.dtype}")


def _itself(source: Tensor) -> Value | None:
    return source


def _turned(attribute: Callable[[Tensor], Value | None]) -> Callable[[Tensor], Value | None]:
    """The attribute with the axes that it moves."""

    def read(source: Tensor) -> Value | None:
        return moved_by(attribute, source)

    return read


ATTRIBUTES: Mapping[str, Callable[[Tensor], Value | None]] = {
    "shape": _shape,
    "data": cut_off,
    "grad": _itself,
    "real": _itself,
    "T": _turned(axes.reversed_axes),
    "mT": _turned(axes.last_two_swapped),
    "ndim": _rank,
    "dtype": _dtype,
    "device": device_value,
}
