"""Every row of the layer table, held against torch: parameters, defaults, and the shapes of outputs."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opchecks.layering import CASES
from opchecks.values import PLACE, call_of, disagreement, is_silent, to_value

from lstm_lint.ops.table import LAYERS
from lstm_lint.values import NONE, Call, Unknown, Value

SETTINGS = settings(
    max_examples=15,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
HELD_ELSEWHERE = {
    "SyncBatchNorm": "needs several GPUs",
    "einops.layers.torch.Rearrange": "einops",
    "einops.layers.torch.Reduce": "einops",
}
SILENT = {"Upsample"}
NAMES = [name.removeprefix("torch.nn.") for name in LAYERS if name.startswith("torch.nn.")]


def test_every_layer_has_a_case() -> None:
    mine = {name.removeprefix("torch.nn.") for name in LAYERS if hasattr(torch.nn, name.rpartition(".")[2]) or "einops" in name}
    recurrent = {"LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"}
    assert mine - recurrent - set(CASES) - set(HELD_ELSEWHERE) == set()
    assert set(CASES) <= mine


@pytest.mark.parametrize("name", sorted(CASES))
def test_parameters(name: str) -> None:
    """Names, order and defaults are torch's own."""
    expected: dict[str, Value | None] = {}
    for parameter in list(inspect.signature(getattr(torch.nn, name).__init__).parameters.values())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        default = parameter.default
        simple = default is None or isinstance(default, bool | int | float | str)
        expected[parameter.name] = None if default is parameter.empty else to_value(default) if simple else NONE
    actual = dict(LAYERS[f"torch.nn.{name}"].parameters)
    assert list(actual) == list(expected)
    assert actual == expected


@pytest.mark.parametrize("name", sorted(CASES))
def test_layer(name: str) -> None:
    row, case = LAYERS[f"torch.nn.{name}"], CASES[name]

    @SETTINGS
    @given(st.data())
    def held(data: st.DataObject) -> None:
        config, inputs, kwargs = case(data.draw)
        values = {key: safe_value(value) for key, value in config.items()}
        bound = row.bound(Call(name, (), values, PLACE, 1))
        assert not isinstance(bound, str), bound
        value = row.forward(bound, call_of(f"torch.nn.{name}", inputs, kwargs, 2))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = getattr(torch.nn, name)(**config)(*inputs, **kwargs)
        except Exception as error:
            assert is_silent(value), f"{value} where torch says {error}"
            return
        assert not (text := disagreement(value, result, name not in SILENT)), f"{text}; {config}; {[i.shape for i in inputs]}"

    held()


def safe_value(thing: Any) -> Value:
    return Unknown("module", "module") if isinstance(thing, torch.nn.Module) else to_value(thing)


def test_wrong_arguments_are_named() -> None:
    row = LAYERS["torch.nn.Linear"]
    assert row.bound(call_of("Linear", (1,))) == "misses the argument 'out_features'"
    assert row.bound(call_of("Linear", (1, 2), {"size": 3})) == "has no parameter 'size'"
    assert row.bound(call_of("Linear", (1, 2), {"in_features": 3})) == "got several values for 'in_features'"
    assert row.bound(call_of("Linear", (1, 2, True, None, None, 6))) == "takes 5 arguments but 6 were given"
