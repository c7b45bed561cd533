"""What a call of a recurrent layer gives: the output and the final state, with what each of their axes is."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol, where
from lstm_lint.facts import LstmSite
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.lineage import Lineage, Role, Source
from lstm_lint.ops.axis_roles import feature_axis, output_lineage, state_lineage
from lstm_lint.ops.dtypes import is_float
from lstm_lint.ops.recurrent import LayerConfig
from lstm_lint.shapes import Shape, ShapeError
from lstm_lint.values import (
    Packed,
    Tensor,
    Tuple,
    Unknown,
    Value,
    as_tensor,
)


def recurrent_result(
    it: Interpreter,
    site: LstmSite,
    value: Value,
    hx: Value,
    number: int,
    node: cst.CSTNode,
    equal: tuple[tuple[Symbol, Dim], ...] = (),
) -> Value:
    """``(output, (h_n, c_n))`` of an LSTM, ``(output, h_n)`` of GRU and RNN, the state alone of a cell."""
    config = site.built
    if config is None:
        return it.unknown(node, "the layer's sizes are not numbers")
    place = it.place(node)
    names = ("h", "c") if config.has_pair else ("h",)
    given = dict(zip(names, hx.items if isinstance(hx, Tuple) else (hx,), strict=False))
    shapes = [_as_given(config, _state_shape(config, value, name), given.get(name), value) for name in names]
    dtype, device = _kind(value)
    states: list[Value] = []
    for name, shape in zip(names, shapes, strict=True):
        if shape is None:
            lost = value.reason if isinstance(value, Unknown) else "the input's shape is not known"
            states.append(it.unknown(node, lost, key=("final", number, name)))
        else:
            why = value.why if isinstance(value, Tensor | Packed) else value if isinstance(value, Unknown) else None
            lineage = state_lineage(config, Source(site.number, name, place, equal), shape)
            if not config.is_cell and isinstance(value, Tensor) and _runs_over_padding(config, value):
                lineage = replace(lineage, padded=True, overrun=True)
            states.append(Tensor(shape, dtype, device, None, place, why, lineage))
    state: Value = Tuple(tuple(states), given_by=Source(site.number, "state", place)) if config.has_pair else states[0]
    if config.is_cell:
        return state
    return Tuple((_output(it, site, config, value, node, equal), state), given_by=Source(site.number, "result", place))


def _output(
    it: Interpreter,
    site: LstmSite,
    config: LayerConfig,
    value: Value,
    node: cst.CSTNode,
    equal: tuple[tuple[Symbol, Dim], ...],
) -> Value:
    features = config.num_directions * config.output_size
    source = Source(site.number, "output", it.place(node), equal)
    if isinstance(value, Packed):
        lineage = Lineage(frozenset((source,)), (feature_axis(config),))
        dtype = _kind(value)[0]
        return replace(value, features=(features,), dtype=dtype, place=it.place(node), in_order=False, lineage=lineage)
    tensor = as_tensor(value)
    if tensor is None:
        return it.unknown(node, "the input is not a tensor that is followed")
    if tensor.shape.rank is not None and tensor.shape.rank not in (2, 3):
        return it.unknown(node, "the input has neither 2 nor 3 dimensions")
    shape = tensor.shape.replaced(-1, features)
    lineage = output_lineage(config, source, shape)
    if _runs_over_padding(config, tensor):
        lineage = replace(lineage, padded=True, overrun=True)
    return Tensor(shape, *_kind(value), None, it.place(node), tensor.why, lineage)


def _runs_over_padding(config: LayerConfig, given: Tensor) -> bool:
    """Whether the input is padded, laid out as the layer reads it, and not packed."""
    layout = given.lineage.batch_first if given.lineage is not None and _is_padded_behind(given.lineage) else None
    return layout is not None and config.batch_first == (ONE if layout else ZERO)


def _is_padded_behind(lineage: Lineage) -> bool:
    """Whether it is padded, and has not been cut off since, or turned round, so that the padding would stand in front."""
    steps = [factor for axis in lineage.axes or () for factor in axis if factor.role is Role.TIME]
    return lineage.padded and all(factor.whole and not factor.backwards for factor in steps)


def _kind(value: Value) -> tuple[str | None, str | None]:
    """The dtype and device of what a layer gives: those of its input, which torch insists on."""
    match value:
        case Tensor(dtype=dtype, device=device):
            return (dtype if is_float(dtype) else None), device
        case Packed(dtype=dtype):
            return (dtype if is_float(dtype) else None), None
        case _:
            return None, None


def _state_shape(config: LayerConfig, value: Value, which: str) -> Shape | None:
    """The shape of h_n or c_n; an input of unknown rank gives a state of unknown rank."""
    if isinstance(value, Packed):
        return Shape(config.state_dims(which, value.batch)) if value.batch is not None else None
    tensor = as_tensor(value)
    if tensor is None:
        return None
    size = config.state_size(which)
    try:
        batch = batch_dims(config, tensor.shape)
    except ShapeError:
        return None
    if batch is None:
        return None
    front = () if config.is_cell else (config.state_layers,)
    if batch.rest is None:
        return Shape((*front, *batch.front, size))
    return Shape((*front, *batch.front), batch.rest, (*batch.back, size))


def _as_given(config: LayerConfig, shape: Shape | None, given: Value | None, value: Value) -> Shape | None:
    """The shape of h_n with the batch of the h_0 that was given: torch insists on its being the input's, where it looks.

    So a state that goes round in a loop stays what it was before it.
    """
    batched = 2 if config.is_cell else 3
    if shape is None or shape.rank != batched or isinstance(value, Packed):
        return shape
    if not isinstance(given, Tensor) or given.shape.rank != batched:
        return shape
    batch = given.shape.dim(-2)
    return shape.replaced(-2, batch) if _is_size(batch, other=shape.dim(-2)) else shape


def _is_size(dim: Dim, other: Dim) -> bool:
    """Whether it is one size of a tensor from outside, which another dim has nothing to do with."""
    size = dim.sizes[0] if len(dim.sizes) == 1 else None
    return size is not None and dim == Dim.of(size) and size.kind is Kind.RUNTIME and size not in other.sizes


def batch_dims(config: LayerConfig, shape: Shape) -> Shape | None:
    """What is left of the input's shape without time and features: (N,) or ()."""
    if config.is_cell:
        return shape.removed(-1) if shape.rank in (1, 2, None) else None
    if shape.rank is not None and shape.rank not in (2, 3):
        return None
    if shape.rank == 2:
        return Shape()
    if shape.rank == 3:
        dims = shape.front
        return Shape((where(config.batch_first, dims[0], dims[1]),))
    if config.batch_first == ONE:
        return shape.removed(-1).removed(-1)
    if config.batch_first == ZERO:
        return shape.removed(-1).removed(0)
    return None
