"""What can be proved about dims: equal, never equal, or equal for some assignments only, and for which.

`compare` is the heart: it sorts a difference of two dims by the symbols in it, and severity follows from that (`Extent`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Opaque, Symbol
from lstm_lint.proofs.conditions import (
    MAX_FLAGS,
    assumed,
    consistent,
    consistent_somewhere,
    find_witness,
    flag_cases,
    implied,
    reached_by_default,
    size_from_flag,
)
from lstm_lint.proofs.wording import flag_text, is_about_a_rank, is_riddle
from lstm_lint.proofs.zeros import equal_if_divisible, never_zero

SEARCHED_SIZES = 65


class Extent(Enum):
    """For which assignments of the symbols two dims differ."""

    NEVER = "never"  # equal
    ALWAYS = "always"  # different whatever the sizes are
    COINCIDENCE = "coincidence"  # equal only if sizes of a tensor happen to coincide
    DEFAULTS = "defaults"  # different at the declared defaults
    SOMETIMES = "sometimes"  # different for some configurations
    UNKNOWN = "unknown"  # nothing is proved


@dataclass(frozen=True)
class Comparison:
    """How `actual` relates to `expected`.

    `when` says for which configuration they differ (``bidirectional=True``), `unless` for which they agree
    (``num_layers == 1``); `witness` is an assignment that shows the difference.
    """

    extent: Extent
    when: str | None = None
    unless: str | None = None
    witness: Mapping[Symbol, int] = field(default_factory=dict)

    @property
    def differs(self) -> bool:
        return self.extent not in (Extent.NEVER, Extent.UNKNOWN)


EQUAL = Comparison(Extent.NEVER)
UNDECIDED = Comparison(Extent.UNKNOWN)


@dataclass(frozen=True)
class Trust:
    """Which symbols an analysis may vary freely.

    `knobs`: symbols of the layer's own configuration. `runtime`: sizes of the very input of the call. A difference that
    involves any other symbol proves nothing: its value is somebody else's promise. `positive` are the symbols that the layer's
    construction proves to be at least 1: any other size of a configuration may be 0. `least` are those that it proves to be
    more, each as a symbol that says so: ``n`` where hidden_size is ``n // 2``. `directions` are the flags by which
    layers are bidirectional. `rounds` are the counters of the loops that the call stands in. `forwarded` are the symbols of
    what an open ``**kwargs`` may hold: code that is wrong at their defaults relies on whoever fills it.
    """

    knobs: frozenset[Symbol] = frozenset()
    runtime: frozenset[Symbol] = frozenset()
    positive: frozenset[Symbol] = frozenset()
    least: Mapping[Symbol, Dim] = field(default_factory=dict)
    directions: frozenset[Symbol] = frozenset()
    rounds: frozenset[Symbol] = frozenset()
    forwarded: frozenset[Symbol] = frozenset()

    def __or__(self, other: Trust) -> Trust:
        """What may be varied where both are meant."""
        return Trust(
            self.knobs | other.knobs,
            self.runtime | other.runtime,
            self.positive | other.positive,
            {**self.least, **other.least},
            self.directions | other.directions,
            self.rounds | other.rounds,
            self.forwarded | other.forwarded,
        )

    @property
    def owners(self) -> frozenset[object]:
        return frozenset(s.owner for s in self.knobs if s.owner is not None)

    def covers(self, size: Symbol) -> bool:
        if size.kind is Kind.RUNTIME:
            return size in self.runtime
        return size.kind is Kind.CONFIG and (size in self.knobs or size.owner in self.owners)


def equal_if_directions(difference: Dim, flags: Mapping[Symbol, int], trust: Trust) -> bool:
    """Whether a difference vanishes once an int that a layer is bidirectional by (``n == 2``, ``n > 1``) is 1 or 2."""
    counts = {size: Dim.of(1 + on) for flag, on in flags.items() if flag in trust.directions for size in flag.spoken_of}
    return bool(counts) and difference.substitute(counts) == ZERO


@dataclass(frozen=True)
class _Case:
    """The difference under one assignment of the flags."""

    flags: Mapping[Symbol, int]
    difference: Dim
    extent: Extent
    witness: Mapping[Symbol, int] = field(default_factory=dict)


def compare(expected: Dim, actual: Dim, given: Dim = ONE, trust: Trust = Trust()) -> Comparison:
    """Whether `actual` is `expected` under the condition `given`, and if not, for which assignments it differs."""
    whole = actual - expected
    difference = assumed(whole, given, trust.positive).substitute(trust.least)
    if difference == ZERO:
        return EQUAL
    if len(difference.flags) > MAX_FLAGS:
        return UNDECIDED
    about = _flags_about(difference, given)
    flags_here = (*difference.flags, *about, *_flags_that_may_clash(given, trust, {*difference.flags, *about}))[:MAX_FLAGS]
    every = [_case(flags, difference, trust) for flags in flag_cases(flags_here, given)]
    cases = [case for case in every if case is not None]
    bad = [c for c in cases if c.extent in (Extent.ALWAYS, Extent.COINCIDENCE)]
    conditional = [c for c in cases if c.extent is Extent.SOMETIMES]
    if cases and len(bad) == len(cases):
        extent = Extent.COINCIDENCE if any(c.extent is Extent.COINCIDENCE for c in bad) else Extent.ALWAYS
        return Comparison(extent, witness=_preferred(bad).witness)
    if _relies_on_forwarded(difference, trust):
        return UNDECIDED
    if not bad and conditional and given != ONE and _is_told_apart(whole, implied(given, trust.positive), trust):
        return UNDECIDED
    if not bad and not conditional:
        return _at_defaults(difference, given) if any(c.extent is Extent.UNKNOWN for c in cases) else EQUAL
    return _partly(difference, given, cases, bad, conditional, expected, actual, trust)


def _flags_about(difference: Dim, given: Dim) -> list[Symbol]:
    """The flags of the condition that speak about sizes of the difference (``num_layers > 1``) and do not occur in it."""
    sizes = {*difference.sizes, *(size for flag in difference.flags for size in flag.spoken_of)}
    numbers = {_number_of(size) for size in sizes} - {None}
    asked = [f for f in given.flags if isinstance(f.key, tuple) and f.key[0] == "truth" and f.key[1] in numbers]
    return [f for f in given.flags if f not in difference.flags and (sizes & set(f.spoken_of) or f in asked)]


def _flags_that_may_clash(given: Dim, trust: Trust, others: set[Symbol]) -> list[Symbol]:
    """The other flags of the condition that speak, several of them, of one size of the layer: ``n > 1`` and ``n == 1``."""
    found = [f for f in given.flags if f not in others and not trust.positive.isdisjoint(f.spoken_of)]
    return [f for f in found if any(other is not f and set(f.spoken_of) & set(other.spoken_of) for other in found)]


def _contradict(flags: Mapping[Symbol, int]) -> bool:
    """Whether a number is true by one flag and not above 0 by another: ``proj or hid``, ``proj if proj > 0 else hid``."""
    truths = _asked_for(flags)
    tested = ((size.key, on) for flag, on in flags.items() for size in flag.spoken_of if flag.test == Dim.of(size))
    return any(truths.get(key[1], on) != on for key, on in tested if isinstance(key, tuple) and key[0] == "int")


def _case(flags: Mapping[Symbol, int], difference: Dim, trust: Trust) -> _Case | None:
    if _contradict(flags):
        return None
    sizes = {s: dim for flag, on in flags.items() for s, dim in size_from_flag(flag, bool(on), trust.positive).items()}
    here = difference.substitute({f: Dim.of(v) for f, v in flags.items()}).substitute(sizes)
    if here == ZERO or equal_if_divisible(here) or equal_if_directions(here, flags, trust) or _equal_if_a_bool(here, flags):
        return _Case(flags, here, Extent.NEVER) if consistent_somewhere(flags) else None
    witness = find_witness(here, flags)
    if witness is None:
        return None if here.constant is not None else _Case(flags, here, Extent.UNKNOWN)
    here = without_common_sizes(here, trust)
    if never_zero(here, trust.positive) or never_zero(here.substitute(dict(_above(flags))), trust.positive):
        return _Case(flags, here, Extent.ALWAYS, witness)
    if any(isinstance(atom, Opaque) for atom in here.atoms()) or not all(trust.covers(s) for s in here.sizes):
        return _Case(flags, here, Extent.UNKNOWN)
    if _is_told_apart(difference, sizes, trust):
        return _Case(flags, here, Extent.UNKNOWN)
    runtime = any(s.kind is Kind.RUNTIME for s in here.sizes)
    return _Case(flags, here, Extent.COINCIDENCE if runtime else Extent.SOMETIMES, witness)


def _is_told_apart(difference: Dim, known: Mapping[Symbol, Dim], trust: Trust) -> bool:
    """Whether a size that a caller gives is known by a condition only: who gives it may well know where it fits.

    ``if state.size(0) > 1: ... else: ...`` says of the else not that a layer of any number of layers gets a state of one.
    """
    return any(s in known and s.kind is not Kind.OPAQUE and not trust.covers(s) for s in difference.sizes)


def without_common_sizes(difference: Dim, trust: Trust) -> Dim:
    """The difference without sizes of at least 1 that stand in each of its terms: ``N*L - N`` is 0 where ``L - 1`` is."""
    return _divided(difference, (size for size in difference.sizes if size.kind is Kind.RUNTIME or size in trust.positive))


def _divided(difference: Dim, sizes: Iterable[Symbol]) -> Dim:
    """The difference divided by each of the sizes as often as that can be done."""
    for size in sizes:
        while difference.terms and (rest := difference.divided_by(Dim.of(size))) is not None:
            difference = rest
    return difference


def _above(flags: Mapping[Symbol, int]) -> Iterator[tuple[Symbol, Dim]]:
    """The sizes that flags say are above a number, as that number and something more: ``n > 1``."""
    for flag, on in flags.items():
        if on and flag.test is not None and len(flag.test.sizes) == 1:
            (size,) = flag.test.sizes
            number = (Dim.of(size) - flag.test).constant
            if number is not None:
                yield size, Dim.of(replace(size, key=("above", size.key, number), minimum=1, default=None)) + number


def _equal_if_a_bool(difference: Dim, flags: Mapping[Symbol, int]) -> bool:
    """Whether it vanishes if what a flag asks for is a bool, which the code that counts with it takes it for."""
    asked = _asked_for(flags)
    values = {size: Dim.of(asked[key]) for size in difference.sizes if (key := _number_of(size)) in asked}
    return bool(values) and difference.substitute(values) == ZERO


def _asked_for(flags: Mapping[Symbol, int]) -> Mapping[Hashable, int]:
    """The keys of things from outside that flags ask for as if they were bools, and whether they hold."""
    return {flag.key[1]: on for flag, on in flags.items() if isinstance(flag.key, tuple) and flag.key[0] == "truth"}


def _number_of(size: Symbol) -> Hashable:
    """The key of the thing from outside that a size is; None if it is something else."""
    return size.key[1] if isinstance(size.key, tuple) and size.key[0] == "int" else None


def _at_defaults(difference: Dim, given: Dim) -> Comparison:
    """Different where every symbol has its declared default, or undecided."""
    if not reached_by_default(given):
        return UNDECIDED
    defaults = {s: s.default for s in difference.symbols if s.default is not None}
    if len(defaults) == len(difference.symbols) and (difference.evaluate(defaults) or 0) != 0 and consistent(defaults):
        return Comparison(Extent.DEFAULTS, witness=defaults)
    return UNDECIDED


def _relies_on_forwarded(difference: Dim, trust: Trust) -> bool:
    """Whether it differs at torch's defaults of the keywords that are forwarded, whatever the other flags are."""
    defaults = {s: Dim.of(s.default) for s in difference.symbols if s in trust.forwarded and s.default is not None}
    rest = difference.substitute(defaults)
    return bool(defaults) and all(
        rest.substitute({flag: Dim.of(on) for flag, on in flags.items()}) != ZERO for flags in flag_cases(rest.flags, ONE)
    )


def _preferred(cases: list[_Case]) -> _Case:
    """The case nearest to the declared defaults (no default counts as off)."""
    return min(cases, key=lambda c: [int(v != (f.default or 0)) for f, v in c.flags.items()])


def _partly(
    difference: Dim,
    given: Dim,
    cases: list[_Case],
    bad: list[_Case],
    conditional: list[_Case],
    expected: Dim,
    actual: Dim,
    trust: Trust,
) -> Comparison:
    at_defaults = difference.substitute({s: Dim.of(s.default) for s in difference.symbols if s.default is not None})
    left = [{flag: Dim.of(on) for flag, on in flags.items()} for flags in flag_cases(at_defaults.flags, ONE)]
    if all(never_zero(at_defaults.substitute(flags), trust.positive) for flags in left) and reached_by_default(given):
        extent = Extent.DEFAULTS
    else:
        extent = Extent.SOMETIMES
    chosen = _preferred(bad or conditional)
    if any(is_riddle(f, trust.rounds) for f in chosen.flags) and extent is Extent.SOMETIMES:
        return UNDECIDED
    words = _flag_words(chosen, cases) if bad or len(conditional) < len(cases) else []
    unless = None
    if not bad:
        said = {_size_words(case, expected, actual) for case in conditional}
        wrong, right = said.pop() if len(said) == 1 else _sides(actual, expected)
        unless = right if not words else None
        words.append(wrong)
    return Comparison(extent, " and ".join(words) or None, unless, chosen.witness)


def _flag_words(chosen: _Case, cases: list[_Case]) -> list[str]:
    """The fewest flags of the chosen case that already tell the wrong cases from the right ones."""
    wrong = [Extent.ALWAYS, Extent.COINCIDENCE]
    if chosen.extent is Extent.SOMETIMES:
        wrong.append(Extent.SOMETIMES)
    needed = dict(chosen.flags)
    for flag in list(needed):
        fewer = {f: v for f, v in needed.items() if f != flag}
        matching = [c for c in cases if all(c.flags[f] == v for f, v in fewer.items())]
        if all(c.extent in wrong for c in matching):
            needed = fewer
    return [flag_text(flag, value) for flag, value in needed.items() if not is_about_a_rank(flag)]


def _size_words(case: _Case, expected: Dim, actual: Dim) -> tuple[str, str]:
    """For which sizes they differ in one case, and for which they agree.

    ``n*a - a`` is 0 where ``n == 1``: that says more than the two sides do, if no condition of the case asks for ``n``.
    """
    difference = _divided(case.difference, case.difference.sizes)
    for whole in (case.difference, difference):
        if len(whole.sizes) == 1 and _number_of(whole.sizes[0]) not in _asked_for(case.flags):
            (size,) = whole.sizes
            roots = [n for n in range(size.minimum or 0, SEARCHED_SIZES) if whole.evaluate({size: n}) == 0]
            if len(roots) == 1:
                return f"{size.name} != {roots[0]}", f"{size.name} == {roots[0]}"
    here = {flag: Dim.of(on) for flag, on in case.flags.items()}
    return _sides(actual.substitute(here), expected.substitute(here))


def _sides(actual: Dim, expected: Dim) -> tuple[str, str]:
    """That they differ and that they agree, a number on the right."""
    left, right = (expected.text, actual.text) if actual.constant is not None else (actual.text, expected.text)
    return f"{left} != {right}", f"{left} == {right}"
