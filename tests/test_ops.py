"""Every row of the op table, held against torch over random shapes: what torch refuses has no shape either."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opchecks import computing, creating, packed, shaping
from opchecks.draws import Case
from opchecks.values import call_of, disagreement, is_silent

from lstm_lint.ops.table import OPS

CASES: dict[str, Case] = {**creating.CASES, **shaping.CASES, **computing.CASES, **packed.CASES}
# rows that say nothing, or not the number, even of concrete tensors
PARTIAL = {
    "torch.nn.functional.interpolate", "torch.masked_select", "torch.Tensor.masked_select", "torch.nonzero",
    "torch.Tensor.nonzero",
    "torch.nn.utils.rnn.pad_packed_sequence", "torch.nn.utils.rnn.unpack_sequence", "torch.nn.utils.rnn.unpad_sequence",
    "torch.nn.utils.rnn.PackedSequence", "torch.meshgrid", "torch.Tensor.item", "torch.Tensor.tolist", "torch.Tensor.numpy",
    "torch.argsort", "torch.Tensor.argsort",
}  # fmt: skip
# rows held elsewhere: in this suite by hand (einops is not installed), or what a CPU cannot run
BY_HAND = ("einops.", "torch.nn.utils.parametrizations.", "torch.nn.utils.spectral_norm", "torch.nn.utils.weight_norm",
           "torch.nn.utils.remove_", "torch.nn.utils.parametrize.", "torch.compile", "torch.jit.script", "torch.device",
           "torch.from_numpy", "torch.Tensor.pin_memory", "torch.Tensor.to_dense", "torch.nn.utils.rnn.PackedSequence.cuda",
           "torch.nn.utils.rnn.PackedSequence.pin_memory")  # fmt: skip


SETTINGS = settings(
    max_examples=15,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


def torch_function(name: str) -> Any:
    """What the name means; on a machine without a GPU the CPU's counterpart."""
    name = name.replace("torch.cuda.", "torch.").replace("torch.Tensor.cuda", "torch.Tensor.cpu")
    return functools.reduce(getattr, name.split(".")[1:], torch)


def test_every_row_has_a_case() -> None:
    missing = [name for name in OPS if name not in CASES and not name.startswith(BY_HAND)]
    assert not missing
    assert not [name for name in CASES if name not in OPS]


@pytest.mark.parametrize("name", sorted(CASES))
def test_row(name: str) -> None:
    function, case = torch_function(name), CASES[name]

    @SETTINGS
    @given(st.data())
    def held(data: st.DataObject) -> None:
        args, kwargs = case(data.draw)
        value = OPS[name](call_of(name, args, kwargs))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = function(*args, **kwargs)
        except Exception as error:
            assert is_silent(value), f"{value} where torch says {error}"
            return
        if "cuda" in name and hasattr(value, "device"):
            assert value.device == "cuda"
            object.__setattr__(value, "device", None)
        assert not (text := disagreement(value, result, name not in PARTIAL)), f"{text}; {value}"

    held()
