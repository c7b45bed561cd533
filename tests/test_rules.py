"""What rules say of hand-made facts, and how contexts are merged."""

from __future__ import annotations

import ast
import itertools
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace

import pytest
from conftest import ROOT

from lstm_lint.confirm.plan import probe_for, probe_for_call
from lstm_lint.dims import Dim, Kind, Symbol
from lstm_lint.facts import Facts, GaveUp, LstmCall, LstmSite
from lstm_lint.findings import Finding, Severity
from lstm_lint.judge import judge
from lstm_lint.ops.recurrent import bind
from lstm_lint.rules import RULES, check_facts, lst900_unreadable
from lstm_lint.shapes import Shape, size_symbol
from lstm_lint.source import Place, Span
from lstm_lint.values import FALSE, TRUE, Bool, Int, Packed, Tensor, Tuple, Unknown, Value

PATH = "model.py"
LAYERS, HIDDEN = (
    Symbol(name, name, Kind.CONFIG, default, owner="init") for name, default in (("num_layers", 1), ("hidden", 8))
)
BOTH = Symbol("bidirectional", "bidirectional", Kind.FLAG, 0, 0, owner="init")
X = [Dim.of(size_symbol("x", "x", axis)) for axis in range(3)]
numbers = itertools.count(1)


def place(line: int, path: str = PATH) -> Place:
    return Place(path, line, lambda: Span(line, 5, line, 20))


def tensor(*dims: Dim | int, line: int | None = None) -> Tensor:
    return Tensor(Shape.of(*dims), "float32", place=place(line) if line else None)


def integer(value: int | Symbol) -> Value:
    return Int(Dim.of(value))


def site(layer: str = "LSTM", line: int = 1, **arguments: Value) -> LstmSite:
    bound = bind(layer, (), {"input_size": integer(28), "hidden_size": integer(4), **arguments}, None)
    return LstmSite(next(numbers), place(line), bound, bound.config(), "lstm")


def call(of: LstmSite, x: Value, state: Value | None, line: int = 9, **more: object) -> LstmCall:
    return LstmCall(next(numbers), of, place(line), x, state, **more)  # type: ignore[arg-type]


def pair(*items: Value) -> Tuple:
    return Tuple(items)


def check(*calls: LstmCall, sites: tuple[LstmSite, ...] = ()) -> list[Finding]:
    return list(check_facts(Facts(sites, calls), probe_for).findings)


BIDIRECTIONAL: Mapping[str, Value] = {"num_layers": integer(2), "bidirectional": TRUE, "batch_first": TRUE}
BATCH = tensor(10, 3, 28)
FLEXIBLE: Mapping[str, Value] = {
    "hidden_size": Int(Dim.of(HIDDEN)),
    "num_layers": Int(Dim.of(LAYERS)),
    "bidirectional": Bool(Dim.of(BOTH)),
}
INPUT = Tensor(Shape.of(*X[:2], 28))


# -- one finding -------------------------------------------------------------------------------------------------------
def test_a_finding_has_everything() -> None:
    state = pair(tensor(2, 10, 4, line=5), tensor(4, 10, 4, line=6))
    (found,) = check(call(site(**BIDIRECTIONAL), BATCH, state))
    assert (found.code, found.name, found.severity, found.span.line) == ("LST101", "state-layers", Severity.ERROR, 5)
    assert found.message == (
        "h_0 is (2, 10, 4) but this LSTM needs (4, 10, 4): bidirectional=True doubles the first dimension; use 4"
    )
    assert (found.expected, found.actual, found.when) == (("4", "10", "4"), ("2", "10", "4"), None)
    assert [(r.span.line, r.message) for r in found.related] == [(1, "the LSTM is built here"), (9, "and called here")]
    assert found.probe is not None
    assert (found.probe.input, found.probe.hx) == ((10, 3, 28), ((2, 10, 4), (4, 10, 4)))


def test_the_other_half_of_a_probe_is_right() -> None:
    state = pair(tensor(2, 10, 4, line=5), tensor(2, 10, 4, line=6))
    probes = [found.probe for found in check(call(site(**BIDIRECTIONAL), BATCH, state))]
    assert [probe and probe.hx for probe in probes] == [((2, 10, 4), (4, 10, 4)), ((4, 10, 4), (2, 10, 4))]


def test_h_and_c_wrong_in_the_same_way_at_one_place_are_one() -> None:
    h = tensor(2, 10, 4, line=5)
    (found,) = check(call(site(**BIDIRECTIONAL), BATCH, pair(h, h)))
    assert found.message.startswith("h_0 and c_0 are (2, 10, 4)")
    assert found.probe is not None and found.probe.hx == ((2, 10, 4), (2, 10, 4))


def test_without_a_place_of_its_own_it_stands_at_the_argument_then_at_the_call() -> None:
    state = pair(tensor(2, 10, 4), tensor(4, 10, 4))
    (found,) = check(call(site(**BIDIRECTIONAL), BATCH, state, state_place=place(7)))
    assert (found.span.line, [r.span.line for r in found.related]) == (7, [1])
    (found,) = check(call(site(**BIDIRECTIONAL), BATCH, state))
    assert (found.span.line, [r.span.line for r in found.related]) == (9, [1])


def test_one_mistake_is_one_finding() -> None:
    """A wrong rank is not a wrong size as well, nor is a swapped state a wrong batch."""
    of = site(**BIDIRECTIONAL)
    codes = {
        (2, 4): ["LST104"],
        (10, 4, 4): ["LST105"],
        (2, 3, 4): ["LST101", "LST102"],
        (4, 10, 28): ["LST103"],
        (4, 10, 4): [],
    }
    for sizes, expected in codes.items():
        state = pair(tensor(*sizes, line=5), tensor(4, 10, 4))
        assert [found.code for found in check(call(of, BATCH, state))] == expected


def test_what_cannot_be_built_is_not_called() -> None:
    of = site(num_layers=integer(0))
    found = check(call(of, BATCH, tensor(3)), sites=(of,))
    assert [one.code for one in found] == ["LST201"]


def test_guarded_code_is_not_reported() -> None:
    state = pair(tensor(2, 10, 4), tensor(4, 10, 4))
    assert (
        check(
            call(site(**BIDIRECTIONAL), BATCH, state, guarded=True), sites=(replace(site(num_layers=integer(0)), guarded=True),)
        )
        == []
    )


# -- some sizes only ---------------------------------------------------------------------------------------------------
def test_a_flag_makes_a_warning_that_says_when() -> None:
    h = tensor(Dim.of(LAYERS), X[1], Dim.of(HIDDEN), line=5)
    (found,) = check(call(site(**FLEXIBLE), INPUT, pair(h, h)))
    assert (found.severity, found.when) == (Severity.WARNING, "bidirectional=True")
    assert "(wrong when bidirectional=True)" in found.message
    assert found.witness["bidirectional"] == 1
    assert found.probe is not None and found.probe.arguments["bidirectional"] is True


def test_a_size_makes_a_warning_that_says_while() -> None:
    h = tensor(1 * (1 + Dim.of(BOTH)), X[1], Dim.of(HIDDEN), line=5)
    (found,) = check(call(site(**FLEXIBLE), INPUT, pair(h, h)))
    assert (found.severity, found.when) == (Severity.WARNING, "num_layers != 1")
    assert "(only right while num_layers == 1)" in found.message


def test_wrong_at_the_defaults_is_an_error() -> None:
    h = tensor(Dim.of(LAYERS) * (1 + Dim.of(BOTH)), X[1], Dim.of(LAYERS), line=5)
    (found,) = check(call(site(**FLEXIBLE), INPUT, pair(h, h)))
    assert (found.code, found.severity) == ("LST103", Severity.ERROR)


def test_the_sequence_length_is_an_error_though_it_may_coincide() -> None:
    h = tensor(Dim.of(LAYERS) * (1 + Dim.of(BOTH)), X[0], Dim.of(HIDDEN), line=5)
    (found,) = check(call(site(**FLEXIBLE), INPUT, pair(h, h)))
    assert (found.code, found.severity, found.when) == ("LST102", Severity.ERROR, None)
    assert "x.size(0) is the sequence length: without batch_first" in found.message


def test_what_is_not_known_is_not_reported() -> None:
    lost = Dim.of(Symbol("lost", "f(x)", Kind.OPAQUE))
    h = tensor(lost, lost, lost)
    assert check(call(site(**FLEXIBLE), INPUT, pair(h, h))) == []
    assert check(call(site(**FLEXIBLE), INPUT, Unknown("state", "state"))) == []


def test_a_probe_keeps_to_the_condition() -> None:
    """Only reached with more than one layer: so has the probe."""
    many = Dim.of(Symbol(("positive", "many"), "num_layers > 1", Kind.FLAG, minimum=0, test=Dim.of(LAYERS) - 1))
    h = tensor(1, X[1], Dim.of(HIDDEN), line=5)
    found = check(call(site(**FLEXIBLE), INPUT, pair(h, h), given=many))
    assert found and all(one.probe is not None and one.probe.arguments["num_layers"] > 1 for one in found)  # type: ignore[operator]


def test_sizes_nothing_is_known_of_are_right_in_a_probe() -> None:
    """The batch is the caller's promise: torch shall speak of the layers."""
    foreign = Dim.of(Symbol("batch_size", "batch_size", owner="elsewhere"))
    h = tensor(3, foreign, Dim.of(HIDDEN), line=5)
    (found,) = check(call(site(hidden_size=Int(Dim.of(HIDDEN))), INPUT, pair(h, h)))
    assert found.code == "LST101" and found.probe is not None and found.probe.hx is not None and found.probe.input is not None
    assert found.probe.hx[0][1:] == (found.probe.input[1], 8)


# -- contexts ----------------------------------------------------------------------------------------------------------
def symbolic(grounded: bool = False) -> LstmCall:
    h = tensor(1, X[1], Dim.of(HIDDEN), line=5)
    of = site(hidden_size=Int(Dim.of(HIDDEN)), num_layers=Int(Dim.of(LAYERS)))
    return call(of, INPUT, pair(h, h), grounded=grounded)


def driven(layers: int) -> LstmCall:
    h = tensor(1, 3, 8, line=5)
    of = site(hidden_size=integer(8), num_layers=integer(layers))
    return call(of, tensor(5, 3, 28), pair(h, h), grounded=True)


@pytest.mark.parametrize(
    ("calls", "severity"),
    [
        ([symbolic()], Severity.WARNING),
        ([symbolic(), driven(1)], Severity.WARNING),
        ([symbolic(), driven(2)], Severity.ERROR),
        ([driven(2), symbolic()], Severity.ERROR),
        ([symbolic(), driven(1), driven(3)], Severity.ERROR),
    ],
)
def test_an_instantiation_makes_an_error(calls: list[LstmCall], severity: Severity) -> None:
    (found,) = check(*calls)
    assert (found.code, found.severity) == ("LST101", severity)


def test_contexts_known_to_be_right_make_a_symbolic_error_a_warning() -> None:
    """x.size(0) where x.size(1) is the batch: wrong, but every call that there is has as many steps as samples."""
    h = tensor(1, X[0], 4, line=5)
    abstract = call(site(), INPUT, pair(h, h))
    right = call(site(), tensor(3, 3, 28), pair(tensor(1, 3, 4, line=5), tensor(1, 3, 4, line=5)), grounded=True)
    unknown = call(site(), Unknown("data", "data"), Unknown("state", "state"), grounded=True)
    assert [f.severity for f in check(abstract)] == [Severity.ERROR]
    assert [f.severity for f in check(abstract, right)] == [Severity.WARNING]
    assert [f.severity for f in check(abstract, unknown)] == [Severity.ERROR]


def test_what_is_always_wrong_stays_an_error() -> None:
    h = tensor(Dim.of(LAYERS) * 2, X[1], 4, line=5)
    of = site(num_layers=Int(Dim.of(LAYERS)))
    right = call(site(), tensor(5, 3, 28), pair(tensor(1, 3, 4), tensor(1, 3, 4)), grounded=True)
    assert [f.severity for f in check(call(of, INPUT, pair(h, h)), right)] == [Severity.ERROR]


def test_where_the_rank_is_assumed_the_likeliest_counts() -> None:
    """Tried as batch and as one sample: silent if one of them is right, else the one with less to complain of."""
    of = site()

    def tried(sizes: tuple[int, ...]) -> list[str]:
        h = tensor(*sizes, line=5)
        ranks = ((3, INPUT), (2, Tensor(Shape.of(X[0], 28))))
        evaluation = next(numbers)
        return [f.code for f in check(*[call(of, x, pair(h, h), evaluation=evaluation, assumed_rank=r) for r, x in ranks])]

    assert tried((1, 4)) == []
    assert tried((2, 4)) == ["LST101"]
    assert tried((1, 1, 4)) == []
    assert tried((2, 1, 4)) == ["LST101"]
    assert tried((1, 1, 1, 4)) == ["LST104"]


def test_findings_are_in_order_and_the_same_in_every_run() -> None:
    program = (
        "import sys; sys.path.insert(0, 'tests'); from test_rules import *;"
        "h, c = tensor(2, 3, 5, line=6), tensor(9, 3, 4, line=5);"
        "found = check(call(site(**BIDIRECTIONAL), BATCH, pair(h, c)), symbolic());"
        "print([(f.code, f.span.line, f.message) for f in found])"
    )
    command = [sys.executable, "-c", program]
    environments = [{"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)} for seed in ("0", "1", "2")]
    runs = {
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment).stdout
        for environment in environments
    }
    assert len(runs) == 1
    found = ast.literal_eval(runs.pop())
    assert [line for _, line, _ in found] == sorted(line for _, line, _ in found) and len(found) == 5


# -- packed ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("layer", ["LSTM", "GRU", "RNN"])
def test_packed_calls_are_checked_and_say_what_torch_does(layer: str) -> None:
    packed = Packed(X[1], (Dim.of(28),), time=X[0])
    h = tensor(2, X[1], 4, line=5)
    (found,) = check(call(site(layer), packed, pair(h, h) if layer == "LSTM" else h))
    assert found.packed and found.probe is not None and found.probe.packed
    assert ("torch does not check" in found.message) == (layer == "LSTM")


# -- the rest ----------------------------------------------------------------------------------------------------------
def test_a_budget_that_ran_out_is_told() -> None:
    (found,) = check_facts(Facts(gave_up=(GaveUp(place(3), "`forward` took more than 20000 steps"),))).findings
    assert (found.code, found.severity, found.span.line) == ("LST901", Severity.INFO, 3)
    assert not RULES["LST901"].default


def test_an_unreadable_file_is_a_finding() -> None:
    found = lst900_unreadable.unreadable(PATH, Span(2, 1, 2, 2), "unexpected indent")
    assert (found.code, found.severity, found.message) == ("LST900", Severity.ERROR, "unexpected indent")


def test_a_call_judged_right_is_replayed_with_the_shapes_to_expect() -> None:
    h = tensor(Dim.of(LAYERS) * (1 + Dim.of(BOTH)), X[1], Dim.of(HIDDEN))
    probe = probe_for_call(judge(call(site(**FLEXIBLE), INPUT, pair(h, h))))
    assert probe is not None and probe.input is not None
    time, batch, _ = probe.input
    assert probe.expect == {"output": (time, batch, 8), "h_n": (1, batch, 8), "c_n": (1, batch, 8)}
    assert probe_for_call(judge(call(site(), INPUT, pair(tensor(2, X[1], 4), tensor(1, X[1], 4))))) is None
    assert probe_for_call(judge(call(site(), Unknown("x", "x"), None))) is None


def test_a_projection_is_smaller_than_the_hidden_size_in_every_probe() -> None:
    projection = Symbol("proj", "proj", Kind.CONFIG, None, owner="init")
    of = site(hidden_size=Int(Dim.of(HIDDEN)), proj_size=Int(Dim.of(projection)))
    h = tensor(1, X[1], Dim.of(HIDDEN), line=5)
    for found in check(call(of, INPUT, pair(h, h))):
        assert found.probe is not None
        assert found.probe.arguments["proj_size"] < found.probe.arguments["hidden_size"]  # type: ignore[operator]


def test_constructor_probes_are_as_given() -> None:
    bound = bind("LSTM", (integer(28), integer(4), integer(2), TRUE), {}, None)
    of = LstmSite(1, place(1), bound, bound.config())
    (found,) = check(sites=(of,))
    assert found.code == "LST203" and found.probe is not None
    assert (found.probe.positional, dict(found.probe.arguments)) == ((28, 4, 2, True), {})
    bound = bind("LSTM", (integer(28), integer(4)), {"n_layers": integer(2)}, None)
    (found,) = check(sites=(LstmSite(1, place(1), bound, bound.config()),))
    assert found.code == "LST202" and found.probe is not None and "n_layers" in found.probe.arguments
    assert check(sites=(site(bias=FALSE), LstmSite(2, place(2), bind("GRU", (integer(1), integer(2)), {}, None), None))) == []
