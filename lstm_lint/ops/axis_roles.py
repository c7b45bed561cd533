"""What the axes of a recurrent layer's output and final state mean: the design's section 2 in factors."""

from __future__ import annotations

from lstm_lint.dims import ONE, ZERO
from lstm_lint.lineage import Axis, Factor, Lineage, Role, Source
from lstm_lint.ops.recurrent import LayerConfig
from lstm_lint.shapes import Shape


def feature_axis(config: LayerConfig) -> Axis:
    """The last axis of the output: (direction, feature)."""
    return _spelt((Factor(Role.DIRECTION, config.num_directions), Factor(Role.FEATURE, config.output_size)))


def output_lineage(config: LayerConfig, source: Source, shape: Shape) -> Lineage:
    """The output's axes; those in front mean nothing where it is not known whether batch_first holds."""
    dims = shape.dims
    if dims is None:
        return Lineage(frozenset((source,)), None)
    roles = [Role.TIME]
    if len(dims) == 3:
        orders = {ONE: [Role.BATCH, Role.TIME], ZERO: [Role.TIME, Role.BATCH]}
        roles = orders.get(config.batch_first, [Role.OTHER, Role.OTHER])
    front = [(Factor(role, size),) for role, size in zip(roles, dims, strict=False)]
    return Lineage(frozenset((source,)), (*front, feature_axis(config)))


def state_lineage(config: LayerConfig, source: Source, shape: Shape) -> Lineage:
    """The axes of h_n or c_n: (layer, direction), batch if there is one, feature; a cell has no first one."""
    dims = shape.dims
    if dims is None:
        return Lineage(frozenset((source,)), None)
    first = (
        ()
        if config.is_cell
        else (_spelt((Factor(Role.LAYER, config.num_layers), Factor(Role.DIRECTION, config.num_directions))),)
    )
    behind = dims[len(first) :]
    batch = [(Factor(Role.BATCH, size),) for size in behind[:-1]]
    return Lineage(frozenset((source,)), (*first, *batch, (Factor(Role.FEATURE, behind[-1]),)))


def _spelt(axis: Axis) -> Axis:
    """The axis without what there is only one of."""
    return tuple(factor for factor in axis if factor.size != ONE)
