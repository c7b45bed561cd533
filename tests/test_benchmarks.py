"""What the benchmark scripts count, and that what mutate.py calls a break is one: torch refuses every one of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from conftest import ROOT

from lstm_lint.outline import CallReport, SiteReport, StateReport, StateStatus, Why
from lstm_lint.source import Source

pytest.importorskip("tomllib")
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("the benchmarks are not part of this distribution", allow_module_level=True)
sys.path.insert(0, str(ROOT / "benchmarks"))

import breaks
import ledger
import mutate

MODEL = """\
import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self, features=5, hidden=6, layers=3):
        super().__init__()
        self.features, self.hidden, self.layers = features, hidden, layers
        self.{layer} = nn.{layer}(features, hidden, layers, bidirectional=True, batch_first=True)

    def forward(self, x):
        n = x.size(0)
        h_0 = torch.zeros(self.layers * 2, n, self.hidden)
        c_0 = x.new_zeros((2 * self.layers, x.shape[0], self.hidden))
        return self.{layer}(x, {state})


Tagger()(torch.randn(4, 7, 5))
"""


def report(h_0: StateStatus, c_0: StateStatus | None, line: int = 1, why: str = "", given: bool = True) -> CallReport:
    parts = [None if s is None else StateReport(given, None, None, s, Why(1, 1, why) if why else None) for s in (h_0, c_0)]
    assert parts[0] is not None
    return CallReport("a.py", line, 1, None, 0, False, None, parts[0], parts[1], None, None, None)


def site(layer: str = "LSTM", line: int = 1, **config: str) -> SiteReport:
    return SiteReport("a.py", line, 1, None, layer, "self.rnn", config, {})


def test_a_call_is_as_good_as_its_worst_tensor_in_its_worst_context() -> None:
    match, unknown, mismatch = StateStatus.MATCH, StateStatus.UNKNOWN, StateStatus.MISMATCH
    assert ledger.status([report(match, match)]) is match
    assert ledger.status([report(match, unknown)]) is unknown
    assert ledger.status([report(match, None), report(unknown, None), report(mismatch, None)]) is mismatch


def test_calls_without_a_state_are_not_counted_and_contexts_are_one_call() -> None:
    match = StateStatus.MATCH
    calls = [report(match, None, 1), report(match, None, 1), report(match, None, 2), report(match, None, 3, given=False)]
    assert [len(contexts) for contexts in ledger.explicit_calls(calls).values()] == [2, 1]


def test_reasons_are_counted_without_the_names_in_them() -> None:
    one, other = (report(StateStatus.UNKNOWN, None, why=f"`{name}` is a parameter of `f`") for name in "ab")
    assert ledger.reason([one]) == ledger.reason([other]) == "`_` is a parameter of `_`"


def test_a_construction_is_known_if_all_its_sizes_are_in_every_context() -> None:
    known = site(hidden_size="H", num_layers="2", bidirectional="b")
    assert ledger.is_known(known)
    assert not ledger.is_known(site(hidden_size="H", num_layers="?", bidirectional="False"))
    assert not ledger.is_known(site(hidden_size="H"))
    assert ledger.is_known(site("LSTMCell", hidden_size="H"))
    unknown = site(hidden_size="?", num_layers="1", bidirectional="False")
    assert ledger.known_sites([known, unknown]) == {("a.py", None, 1, 1): False}


def test_a_comparison_names_every_reason_of_either_side() -> None:
    assert ledger.comparison({"gone": 3, "less": 4}, {"less": 1, "new": 2}).splitlines()[2:] == [
        "| less | 4 | 1 |",
        "| gone | 3 | 0 |",
        "| new | 0 | 2 |",
        "| all | 7 | 3 |",
    ]


@pytest.mark.torch
@pytest.mark.parametrize(("layer", "state"), [("LSTM", "(h_0, c_0)"), ("GRU", "h_0")])
def test_torch_refuses_every_break(layer: str, state: str) -> None:
    text = MODEL.format(layer=layer, state=state)
    run(text)
    mutants = list(breaks.mutants(breaks.Workshop.of(Source("model.py", text))))
    kinds = {mutant.kind for mutant in mutants}
    families = {"layers", "batch", "size", "layout", "rank", "structure", "construction"}
    assert families == {kind.split(":")[0] for kind in kinds}
    assert {"layers: direction factor dropped", "layers: num_layers dropped"} <= kinds
    assert len({mutant.after.text for mutant in mutants} | {text}) == len(mutants) + 1
    for mutant in mutants:
        with pytest.raises((RuntimeError, AttributeError, TypeError, IndexError)):
            run(mutant.after.text)
            pytest.fail(f"torch runs {mutant.kind}:\n{mutate.difference(text, mutant.after.text)}")


def run(text: str) -> None:
    exec(compile(text, "model.py", "exec"), {"__name__": "model"})


def kinds_of(text: str) -> set[str]:
    return {mutant.kind for mutant in breaks.mutants(breaks.Workshop.of(Source("model.py", text)))}


def test_a_size_of_one_is_not_dropped() -> None:
    text = MODEL.format(layer="GRU", state="h_0").replace("= features, hidden, layers", "= features, hidden, 1")
    kinds = kinds_of(text.replace("(features, hidden, layers", "(features, hidden, 1"))
    assert "layers: direction factor dropped" in kinds
    assert "layers: num_layers dropped" not in kinds


def test_what_is_read_off_the_layer_follows_its_construction() -> None:
    text = MODEL.format(layer="GRU", state="h_0").replace("zeros(self.layers", "zeros(self.GRU.num_layers")
    kinds = kinds_of(text)
    assert "construction: hidden_size + 1" in kinds
    assert "construction: one layer more" not in kinds


def test_a_state_from_another_file_is_broken_there(tmp_path: Path) -> None:
    (tmp_path / "states.py").write_text(
        "import torch\n\n\ndef fresh(layers, batch, hidden):\n    return torch.zeros(layers * 2, batch, hidden)\n"
    )
    main = Source(
        str(tmp_path / "main.py"),
        "from torch import nn\nfrom states import fresh\n\n\ndef run(x, features, hidden, layers):\n"
        "    rnn = nn.GRU(features, hidden, layers, bidirectional=True)\n"
        "    return rnn(x, fresh(layers, x.size(1), hidden))\n",
    )
    found: dict[tuple[str, str], mutate.Tried] = {}
    mutate.tried(main, None, found)
    kinds = {one.mutant.kind for one in found.values() if one.mutant.before.path.endswith("states.py")}
    assert {"layers: direction factor dropped", "layers: num_layers dropped"} <= kinds
    assert all(one.found for one in found.values()), [one.diff for one in found.values() if not one.found]
