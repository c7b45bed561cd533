"""Judgements against torch: every state for every input, plain and concrete, must be judged as torch does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from test_rules import BATCH, X, call, integer, pair, site, tensor

from lstm_lint.check import check_file
from lstm_lint.config import Settings
from lstm_lint.dims import Dim
from lstm_lint.facts import Facts, LstmCall
from lstm_lint.judge import judge
from lstm_lint.outline import StateStatus
from lstm_lint.rules import check_facts
from lstm_lint.shapes import Shape
from lstm_lint.source import Source
from lstm_lint.values import FALSE, NONE, TRUE, Packed, Repeated, Tensor, Tuple, Unknown, Value

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

LAYERS = ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell")
STATES: tuple[tuple[int, ...], ...] = (
    (), (4,), (5,), (3, 4), (4, 4), (2, 4), (2, 5), (3, 5), (2, 3, 4), (4, 3, 4), (4, 2, 4), (3, 4, 4), (4, 3, 5), (2, 3, 5),
    (4, 4, 4), (1, 4, 3, 4), (2, 4, 3, 4), (2, 2, 4),
)  # fmt: skip
INPUTS: tuple[tuple[int, ...], ...] = ((), (6,), (3, 6), (2, 3, 6), (3, 2, 6), (2, 3, 7), (3, 7), (1, 2, 3, 6))
CONFIGS: tuple[dict[str, Any], ...] = (
    {"num_layers": 2, "bidirectional": True},
    {"num_layers": 2, "bidirectional": False, "batch_first": True},
    {"num_layers": 1, "bidirectional": True, "proj_size": 2},
    {},
)


def plain(value: Value) -> Any:
    """The value as torch would get it."""
    match value:
        case Tensor(shape):
            return torch.zeros([dim.constant for dim in shape.front], device="meta")
        case Tuple(items, kind):
            made = [plain(item) for item in items]
            return made if kind == "list" else tuple(made)
        case _:
            return None


def states(layer: str) -> Iterator[Value | None]:
    """Every structure there is, over every shape for one tensor, and h and c wrong on their own."""
    yield None
    for sizes in STATES:
        yield tensor(*sizes)
        yield pair(tensor(*sizes), tensor(*sizes))
    for sizes in ((4, 3, 4), (2, 3, 4), (4, 4), (2, 4), (3, 4)):
        right = tensor(*sizes)
        yield Tuple((right, right), "list")
        yield pair(right)
        yield pair(right, right, right)
        yield pair(right, NONE)
        yield pair(NONE, right)
        if layer.startswith("LSTM"):
            for other in STATES[1::2]:
                yield pair(right, tensor(*other))
                yield pair(tensor(*other), right)


def configurations(layer: str) -> Iterator[dict[str, Any]]:
    for config in CONFIGS:
        kept = {name: value for name, value in config.items() if layer == "LSTM" or name != "proj_size"}
        if layer.endswith("Cell") and kept:
            continue
        yield {"input_size": 6, "hidden_size": 4, **kept}


def value_of(plain_value: object) -> Value:
    return (TRUE if plain_value else FALSE) if isinstance(plain_value, bool) else integer(plain_value)  # type: ignore[arg-type]


@pytest.mark.parametrize("layer", LAYERS)
def test_every_state_is_judged_as_torch_does(layer: str) -> None:
    wrong: list[str] = []
    for config in configurations(layer):
        module = getattr(torch.nn, layer)(**config, device="meta")
        of = site(layer, **{name: value_of(value) for name, value in config.items()})
        for sizes, state in itertools.product(INPUTS, states(layer)):
            given = tensor(*sizes)
            try:
                module(plain(given), *([] if state is None else [plain(state)]))
                error = None
            except Exception as raised:
                error = str(raised)
            found = check_facts(Facts((of,), (call(of, given, state),))).findings
            if (error is None) != (not found):
                wrong.append(f"{layer} {config} {sizes} {state}: torch {error!r}, found {[f.message for f in found]}")
    assert wrong == []


# -- what is not concrete ----------------------------------------------------------------------------------------------
def statuses(of: LstmCall) -> list[str]:
    return [part.status for part in judge(of).parts]


def test_statuses() -> None:
    of = site()
    x = Tensor(Shape.of(*X[:2], 28))
    h, wrong = tensor(1, X[1], 4), tensor(2, X[1], 4)
    assert statuses(call(of, x, pair(h, wrong))) == ["match", "mismatch"]
    assert statuses(call(of, x, pair(h, Unknown("c", "c")))) == ["match", "unknown"]
    assert statuses(call(of, x, Unknown("state", "state"))) == ["unknown", "unknown"]
    assert statuses(call(of, x, pair(h, tensor(1, 4)))) == ["match", "mismatch"]
    assert statuses(call(of, x, None)) == []


def test_a_fixed_batch_against_an_input_from_outside_proves_nothing() -> None:
    x = Tensor(Shape.of(*X[:2], 28))
    assert statuses(call(site(), x, pair(tensor(1, 10, 4), tensor(1, X[0], 4)))) == ["unknown", "mismatch"]


def test_the_batch_of_a_packed_input() -> None:
    packed = Packed(X[0], (Dim.of(28),), time=X[1])
    assert statuses(call(site(batch_first=TRUE), packed, pair(tensor(1, X[0], 4), tensor(1, X[1], 4)))) == ["match", "mismatch"]
    unknown = Packed(None, None)
    assert statuses(call(site(), unknown, pair(tensor(1, X[0], 4), tensor(1, X[1], 4)))) == ["unknown", "unknown"]


def test_a_packed_lstm_may_index_its_state() -> None:
    """Three tensors, or one that holds both, pass where torch has to sort the batch: nothing is said."""
    packed = Packed(Dim.of(3), (Dim.of(28),))
    h = tensor(1, 3, 4)
    assert judge(call(site(), packed, pair(h, h, h))).structure is None
    assert judge(call(site(), packed, tensor(2, 1, 3, 4))).structure is None
    assert judge(call(site(), packed, tensor(1, 3, 4))).structure is not None
    assert judge(call(site(), packed, pair(h))).structure is not None
    in_order = Packed(Dim.of(3), (Dim.of(28),), in_order=True)
    assert judge(call(site(), in_order, pair(h, h, h))).structure is not None
    assert judge(call(site(), in_order, tensor(2, 1, 3, 4))).structure is not None
    assert judge(call(site(), in_order, pair(h, h))).structure is None


def test_a_sequence_of_unknown_length_is_not_judged() -> None:
    judged = judge(call(site(), BATCH, Repeated(tensor(1, 3, 4))))
    assert judged.structure is None and [part.status for part in judged.parts] == ["unknown", "unknown"]


def test_the_input_as_the_layer_sees_it() -> None:
    first = judge(call(site(batch_first=TRUE), BATCH, None)).input
    assert (first.batched, first.batch, first.time, first.features) == (True, Dim.of(10), Dim.of(3), Dim.of(28))
    second = judge(call(site(), BATCH, None)).input
    assert (second.batch, second.time) == (Dim.of(3), Dim.of(10))
    sample = judge(call(site(batch_first=TRUE), tensor(3, 28), None)).input
    assert (sample.batched, sample.batch, sample.time) == (False, None, Dim.of(3))
    cell = judge(call(site("GRUCell"), tensor(3, 28), None)).input
    assert (cell.batched, cell.batch, cell.time) == (True, Dim.of(3), None)


def test_output() -> None:
    judged = judge(call(site(batch_first=TRUE, bidirectional=TRUE), Tensor(Shape.of(*X[:2], 28)), None))
    assert judged.output == (X[0], X[1], Dim.of(8))
    assert judge(call(site(), Unknown("x", "x"), None)).output is None


def test_input_and_state_of_unknown_rank_are_spelt_alike() -> None:
    """What broadcasts to a state goes into the input as well: the rank that torch insists on holds for both."""
    code = (
        "import torch\nfrom torch import nn\n"
        "def step(x, gaps):\n"
        "    h = torch.zeros(x.size(0), 6) * nn.Linear(4, 6)(gaps[:, 0, :])\n"
        "    return nn.GRUCell(10, 6)(torch.cat([h, x[:, 0, :]], dim=1), h)\n"
    )
    result = check_file(Source("net.py", code), Settings(".", cache=False, confirm="never"), listing=True)
    assert [(call.h_0.status, call.h_0.actual) for call in result.calls] == [
        (StateStatus.MATCH, ("max(gaps.size(0), x.size(0))", "6"))
    ]
