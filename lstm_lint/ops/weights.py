"""The weights of a recurrent layer by name: whether it has such a one, and its sizes, as `LayerConfig.weights` has them.

``weight_ih_l{k}``, ``weight_hh_l{k}``, ``bias_ih_l{k}``, ``bias_hh_l{k}`` for every layer k, ``weight_hr_l{k}`` where there is
a projection, each again with ``_reverse`` where the layer is bidirectional; a cell's have no suffix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from lstm_lint.dims import ONE, ZERO, Dim
from lstm_lint.ops.recurrent import LayerConfig, positive

_NAME = re.compile(r"(weight_(?:ih|hh|hr)|bias_(?:ih|hh))(?:_l(\d{1,4})(_reverse)?)?")


@dataclass(frozen=True)
class WeightName:
    """``weight_ih_l2_reverse``: its `kind`, its layer (None for a cell's), and whether it is the backward direction's."""

    kind: str
    layer: int | None
    is_reverse: bool


@lru_cache(maxsize=1 << 10)
def parsed(name: str) -> WeightName | None:
    """The parts of a weight's name; None if it is none."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    kind, layer, reverse = found.groups()
    return WeightName(kind, None if layer is None else int(layer), reverse is not None)


def existence(config: LayerConfig, name: str) -> Dim:
    """The condition that a layer of this configuration has the weight of that name."""
    weight = parsed(name)
    if weight is None or config.is_cell != (weight.layer is None):
        return ZERO
    exists = _more_layers(config.num_layers, weight.layer) if weight.layer else ONE
    if weight.is_reverse:
        exists = exists * config.bidirectional
    if weight.kind.startswith("bias"):
        return exists if config.is_cell else exists * config.bias  # a cell without has None there
    if weight.kind == "weight_hr":
        return exists * positive(config.proj_size) if config.layer == "LSTM" else ZERO
    return exists


def _more_layers(num_layers: Dim, layer: int) -> Dim:
    """The condition that ``num_layers > layer``, called so."""
    condition = positive(num_layers - layer)
    flag = next(iter(condition.flags), None)
    return condition if flag is None or num_layers.flags else Dim.of(replace(flag, name=f"{num_layers.text} > {layer}"))


def weight_dims(config: LayerConfig, name: str) -> tuple[Dim, ...] | None:
    """The sizes of the weight of that name, if the layer has it; None for what is no weight's name."""
    weight = parsed(name)
    if weight is None:
        return None
    if weight.kind == "weight_hr":
        return config.proj_size, config.hidden_size
    layers = Dim.of((weight.layer or 0) + 1)
    known = replace(config, num_layers=layers if not config.is_cell else config.num_layers, bias=ONE)
    return known.weights().get(weight.kind if config.is_cell else f"{weight.kind}_l{weight.layer or 0}")


def names(config: LayerConfig) -> list[str] | None:
    """Every name in torch's order; None where it depends on what is not known which there are."""
    if any(dim.constant is None for dim in (config.num_layers, config.bidirectional, config.bias, config.proj_size)):
        return None
    return list(config.weights()) if (config.num_layers.constant or 0) <= MAX_LAYERS else None


MAX_LAYERS = 16
