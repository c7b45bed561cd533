"""Proofs about dims, held against every small assignment: what is proved is so, and what is shown shows it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product as cartesian

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_dims import polynomials

from lstm_lint.dims import ONE, Dim, Kind, Symbol, maximum, symbol, where
from lstm_lint.proofs.comparison import Comparison, Extent, Trust, compare
from lstm_lint.proofs.conditions import consistent, flag_cases, implied
from lstm_lint.proofs.wording import flag_text
from lstm_lint.proofs.zeros import equal_if_divisible, never_zero

L, H = Symbol("L", "L", default=1, owner="init"), Symbol("H", "H", default=8, owner="init")
Z = Symbol("Z", "Z", default=0, minimum=0, owner="init")
N, T = (Symbol(name, name, Kind.RUNTIME, owner="x") for name in "NT")
B, F = Symbol("b", "b", Kind.FLAG, 0, 0, owner="init"), Symbol("f", "f", Kind.FLAG, None, 0)
MANY = Symbol(("positive", "L - 1"), "L > 1", Kind.FLAG, minimum=0, test=Dim.of(L) - 1)
TWO = Symbol(("equals", "L", 2), "L == 2", Kind.FLAG, minimum=0, subject=Dim.of(L), equals=2)
PROJECTED = Symbol(("positive", "Z"), "Z > 0", Kind.FLAG, minimum=0, test=Dim.of(Z))
FOREIGN = Symbol("foreign", "cfg.n", owner="elsewhere")
OPAQUE = Symbol("lost", "f(x)", Kind.OPAQUE)

TRUST = Trust(frozenset({L, H, B}), frozenset({N, T}))
ALL = (L, H, Z, N, T, B, F, MANY, TWO, PROJECTED, FOREIGN)


def grid(*symbols: Symbol) -> Iterator[dict[Symbol, int]]:
    """Every small assignment whose flags say what the sizes are."""
    ranges = [(0, 1) if s.is_flag else range(s.minimum or 0, 5) for s in symbols]
    for values in cartesian(*ranges):
        assignment = dict(zip(symbols, values, strict=True))
        if consistent(assignment):
            yield assignment


def holds(condition: Dim, values: dict[Symbol, int]) -> bool:
    return bool(condition.evaluate(values))


def needed(*dims: Dim) -> tuple[Symbol, ...]:
    """The symbols of the dims and of what their flags speak about."""
    found = {s for dim in dims for s in dim.symbols}
    for flag in list(found):
        found |= set(flag.test.symbols) if flag.test is not None else set()
        found |= set(flag.subject.symbols) if isinstance(flag.subject, Dim) else set()
    return tuple(sorted(found, key=lambda s: s.order))


def small(*symbols: Symbol) -> st.SearchStrategy[Dim]:
    return polynomials(symbols, 3).filter(lambda dim: len(needed(dim)) <= 4)


both, many = Dim.of(B), Dim.of(MANY)
conditions = st.sampled_from([ONE, both, ONE - both, many, ONE - many, Dim.of(TWO), both * many, Dim.of(PROJECTED)])


@settings(max_examples=400)
@given(small(L, H, Z, N))
def test_never_zero_is_sound(dim: Dim) -> None:
    if never_zero(dim):
        assert all(dim.evaluate(values) != 0 for values in grid(*needed(dim)))


@given(small(L, H), st.integers(2, 5))
def test_never_zero_with_a_quotient_is_sound(dim: Dim, divisor: int) -> None:
    dim = dim - Dim.of(L) // divisor
    if never_zero(dim):
        assert all(dim.evaluate({L: n, **values}) != 0 for n in range(1, 24) for values in grid(H))


def test_never_zero_proves_the_usual() -> None:
    assert never_zero(Dim.of(L) * 2 - 1)
    assert never_zero(Dim.of(L)) and not never_zero(Dim.of(L) - 1)
    assert never_zero(Dim.of(H) * Dim.of(L) + Dim.of(Z) + 1)
    assert not never_zero(Dim.of(Z)) and not never_zero(Dim.of(OPAQUE) + 1)
    assert never_zero(Dim.of(H) - Dim.of(H) // 2)


def witness_of(result: Comparison, condition: Dim) -> dict[Symbol, int]:
    """The witness, with what the condition fixes."""
    return {**{s: d.constant for s, d in implied(condition).items() if d.constant is not None}, **result.witness}


@settings(max_examples=600, deadline=None)
@given(small(L, H, B, MANY), small(L, H, N, T, B, TWO, FOREIGN), conditions)
def test_compare_is_sound(expected: Dim, actual: Dim, condition: Dim) -> None:
    result = compare(expected, actual, condition, TRUST)
    symbols = needed(expected, actual, condition)
    cases = [values for values in grid(*symbols) if holds(condition, values)]
    differing = [values for values in cases if expected.evaluate(values) != actual.evaluate(values)]
    match result.extent:
        case Extent.NEVER:
            assert not differing
        case Extent.ALWAYS:
            assert len(differing) == len(cases)
        case Extent.UNKNOWN:
            pass
        case _:
            assert result.differs
    if result.differs:
        assert all(value >= (s.minimum or 0) for s, value in result.witness.items())
        known = witness_of(result, condition)
        whole = [{**rest, **known} for rest in grid(*(s for s in symbols if s not in known))]
        shown = [values for values in whole if consistent(values) and holds(condition, values)]
        assert shown and all(expected.evaluate(values) != actual.evaluate(values) for values in shown)


@settings(max_examples=300, deadline=None)
@given(small(L, H, B), small(L, H, B), conditions)
def test_a_difference_of_trusted_symbols_is_never_missed(expected: Dim, actual: Dim, condition: Dim) -> None:
    """What is wrong at every assignment, or equal at every one, is known to be if only the layer's own symbols occur."""
    result = compare(expected, actual, condition, TRUST)
    cases = [values for values in grid(*needed(expected, actual, condition)) if holds(condition, values)]
    equal = [expected.evaluate(values) == actual.evaluate(values) for values in cases]
    if cases and all(equal) and len(equal) > 8:
        assert not result.differs or any(result.witness[s] > 4 for s in result.witness)
    if cases and not any(equal):
        assert result.differs


@settings(max_examples=300, deadline=None)
@given(small(L, B), small(L, B))
def test_defaults_means_wrong_at_the_defaults(expected: Dim, actual: Dim) -> None:
    result = compare(expected, actual, ONE, TRUST)
    defaults = {s: s.default or 0 for s in (L, B)}
    differs = expected.evaluate(defaults) != actual.evaluate(defaults)
    if result.extent is Extent.DEFAULTS:
        assert differs
    if result.extent is Extent.SOMETIMES:
        assert not differs


def extent(expected: Dim, actual: Dim, condition: Dim = ONE) -> Extent:
    return compare(expected, actual, condition, TRUST).extent


def test_extents_follow_the_symbols() -> None:
    layers, both, n, t = Dim.of(L), Dim.of(B), Dim.of(N), Dim.of(T)
    assert extent(layers * 2, layers * 2) is Extent.NEVER
    assert extent(layers * 2, layers) is Extent.ALWAYS
    assert extent(layers * (1 + both), layers) is Extent.SOMETIMES
    assert extent(layers, Dim.of(1)) is Extent.SOMETIMES
    assert extent(Dim.of(H), Dim.of(L)) is Extent.DEFAULTS
    assert extent(n, t) is Extent.COINCIDENCE
    assert extent(n, Dim.of(OPAQUE)) is Extent.UNKNOWN
    assert extent(layers, Dim.of(FOREIGN)) is Extent.UNKNOWN
    assert extent(Dim.of(2), Dim.of(FOREIGN)) is Extent.UNKNOWN


def test_a_condition_decides() -> None:
    layers, both, many = Dim.of(L), Dim.of(B), Dim.of(MANY)
    assert extent(layers * (1 + both), layers, ONE - both) is Extent.NEVER
    assert extent(layers * (1 + both), layers, both) is Extent.ALWAYS
    assert extent(layers, ONE, ONE - many) is Extent.NEVER
    assert extent(layers, where(many, layers, ONE)) is Extent.NEVER
    assert extent(layers, Dim.of(2), Dim.of(TWO)) is Extent.NEVER


def test_words() -> None:
    layers, both = Dim.of(L), Dim.of(B)
    doubled = compare(layers * (1 + both), layers, ONE, TRUST)
    assert (doubled.when, doubled.unless, doubled.witness) == ("b=True", None, {B: 1, L: 1})
    single = compare(layers, ONE, ONE, TRUST)
    assert (single.when, single.unless) == ("L != 1", "L == 1")
    swapped = compare(Dim.of(H), layers, ONE, TRUST)
    assert swapped.when == "L != H"


@pytest.mark.parametrize(
    ("condition", "opposite"),
    [
        ("self.num_layers > 1", "self.num_layers <= 1"),
        ("kind == 'lstm'", "kind != 'lstm'"),
        ('"lstm" not in self.kind', "'lstm' in self.kind"),
        ("state is None", "state is not None"),
        ("(a or b) == c", "(a or b) != c"),
        ("not args.bi", "args.bi"),
        ("0 < n < 5", "not 0 < n < 5"),
        ("a and b > 1", "not (a and b > 1)"),
        ("cfg['bi']", "not cfg['bi']"),
        ("`x` is given", "not (`x` is given)"),
    ],
)
def test_the_opposite_of_a_condition(condition: str, opposite: str) -> None:
    flag = Symbol(condition, condition, Kind.FLAG)
    assert (flag_text(flag, 1), flag_text(flag, 0)) == (condition, opposite)


def test_divisibility_is_given_the_benefit_of_the_doubt() -> None:
    d = symbol("d")
    assert equal_if_divisible(2 * (d // 2) - d)
    assert equal_if_divisible((d // 4) * 4 - d) and not equal_if_divisible(2 * (d // 2) - d - 1)
    assert not equal_if_divisible(d - 1)
    assert compare(d, 2 * (d // 2), ONE, Trust(frozenset(d.symbols))).extent is Extent.NEVER


def test_opaque_sizes_prove_nothing_but_themselves() -> None:
    size = maximum(Dim.of(L), Dim.of(FOREIGN))
    assert extent(size, size) is Extent.NEVER
    assert extent(size, Dim.of(L)) is Extent.UNKNOWN
    assert extent(maximum(Dim.of(L), Dim.of(H)), Dim.of(L)) is Extent.DEFAULTS


def test_defaults_count_only_where_they_lead() -> None:
    """Behind ``if num_layers > 1`` nothing is wrong at the default of 1."""
    assert extent(Dim.of(H), Dim.of(L)) is Extent.DEFAULTS
    assert extent(Dim.of(H), Dim.of(L), Dim.of(MANY)) is Extent.SOMETIMES
    assert extent(Dim.of(H), Dim.of(L), Dim.of(TWO)) is Extent.SOMETIMES


@given(st.lists(st.sampled_from((B, F)), max_size=2, unique=True), conditions)
def test_flag_cases_are_those_the_condition_allows(flags: list[Symbol], condition: Dim) -> None:
    cases = list(flag_cases(flags, condition))
    possible = {tuple(values[f] for f in flags) for values in grid(*{*needed(condition), *flags}) if holds(condition, values)}
    assert {tuple(case[f] for f in flags) for case in cases} == possible


@given(conditions)
def test_what_is_implied_follows(condition: Dim) -> None:
    for values in grid(*needed(condition)):
        if holds(condition, values):
            assert all(dim.evaluate(values) == values[s] for s, dim in implied(condition).items())
