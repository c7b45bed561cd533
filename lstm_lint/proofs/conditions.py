"""What follows from a condition: which symbols it fixes, which assignments it allows, and one that shows a difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import product as cartesian

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Opaque, Symbol

MAX_FLAGS = 6
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71)


@lru_cache(maxsize=1 << 12)
def implied(given: Dim, positive: frozenset[Symbol] = frozenset()) -> Mapping[Symbol, Dim]:
    """The symbols whose value follows from the condition: flags it fixes, and sizes that those flags fix."""
    values: dict[Symbol, Dim] = {}
    for flag in given.flags:
        if given * Dim.of(flag) == ZERO:
            values[flag] = ZERO
            values.update(size_from_flag(flag, False, positive))
        elif not any(isinstance(atom, Opaque) for atom in given.atoms()) and given.where_flag(flag, 0) == ZERO:
            values[flag] = ONE
            values.update(size_from_flag(flag, True, positive))
    return values


def size_from_flag(flag: Symbol, holds: bool, positive: frozenset[Symbol]) -> dict[Symbol, Dim]:
    if flag.test is None:
        subject = flag.subject
        if holds and isinstance(subject, Dim) and isinstance(flag.equals, int):
            return _solved(subject, Dim.of(flag.equals))
        return {}
    if not holds and len(flag.test.sizes) == 1 and not flag.test.flags:  # test <= 0 pins a size that starts there
        (size,) = flag.test.sizes
        least = 1 if size in positive and size.minimum == 0 else size.minimum
        if least is not None and flag.test.evaluate({size: least}) == 0:
            if (flag.test.evaluate({size: least + 1}) or 0) > 0:
                return {size: Dim.of(least)}
    return {}


def _solved(subject: Dim, value: Dim) -> dict[Symbol, Dim]:
    """``subject == value`` as a substitution: a symbol that stands alone in it, by what it then is."""
    difference = subject - value
    for monomial, coefficient in difference.terms:
        if len(monomial) == 1 and isinstance(monomial[0], Symbol) and not monomial[0].is_flag and coefficient in (1, -1):
            alone = Dim(((monomial, coefficient),))
            rest = difference - alone
            if monomial[0] not in rest.symbols:
                return {monomial[0]: -rest * coefficient}
    return {}


def assumed(dim: Dim, given: Dim, positive: frozenset[Symbol] = frozenset()) -> Dim:
    """`dim` with what the condition fixes put in."""
    return dim if given.spoken_of.isdisjoint(dim.symbols) else dim.substitute(implied(given, positive))


def flag_cases(flags: Iterable[Symbol], given: Dim) -> Iterator[dict[Symbol, int]]:
    """Every assignment of the flags that the condition allows."""
    flags = tuple(flags)
    for values in cartesian((0, 1), repeat=len(flags)):
        condition = given
        for flag, value in zip(flags, values, strict=True):
            condition = condition * (Dim.of(flag) if value else ONE - Dim.of(flag))
        if condition != ZERO:
            yield dict(zip(flags, values, strict=True))


def consistent(values: Mapping[Symbol, int]) -> bool:
    """Whether flags that speak about sizes say what the sizes are."""
    for flag, value in values.items():
        if flag.test is not None:
            actual = flag.test.evaluate(values)
            if actual is not None and (actual > 0) != bool(value):
                return False
        elif isinstance(flag.subject, Dim) and isinstance(flag.equals, int):
            actual = flag.subject.evaluate(values)
            if actual is not None and (actual == flag.equals) != bool(value):
                return False
    return True


def find_witness(difference: Dim, flags: Mapping[Symbol, int]) -> dict[Symbol, int] | None:
    """The first assignment of the sizes, defaults first, then distinct primes, that shows a difference."""
    sizes = set(difference.sizes)
    sizes.update(size for flag in flags for size in flag.spoken_of)
    pinned = {s: dim for flag, on in flags.items() for s, dim in size_from_flag(flag, bool(on), frozenset()).items()}
    solved = {s: dim for s, dim in pinned.items() if dim.constant is None and s.kind is Kind.OPAQUE}
    known = {**flags, **{s: dim.constant for s, dim in pinned.items() if dim.constant is not None}}
    ordered = sorted(sizes - set(known), key=lambda s: s.order)
    for use_defaults in (True, False):
        for offset in range(6):
            values = dict(known)
            for index, size in enumerate(ordered):
                fixed = use_defaults and size.default is not None and size.default >= 1
                values[size] = (size.default or 1) if fixed else _candidate(index, offset)
            values.update((size, number) for size, dim in solved.items() if (number := dim.evaluate(values)) is not None)
            if (difference.evaluate(values) or 0) != 0 and consistent(values):
                return values
    return None


def _candidate(index: int, offset: int) -> int:
    return 1 if offset == 5 else PRIMES[(index + offset) % len(PRIMES)]


def consistent_somewhere(flags: Mapping[Symbol, int]) -> bool:
    """Whether some small sizes agree with the flags that speak about them."""
    if all(f.test is None and not isinstance(f.subject, Dim) for f in flags):
        return True
    marker = Dim.of(Symbol(("marker",), "marker"))  # never 0 at a witness, so only consistency is asked
    return find_witness(marker, flags) is not None


def contradicts_itself(given: Dim) -> bool:
    """Whether a condition says of a size what cannot hold together: ``n == 1 and n > 1``."""
    values = {symbol: dim.constant for symbol, dim in implied(given).items() if dim.constant is not None}
    return not consistent(values)


def reached_by_default(given: Dim) -> bool:
    """Whether the condition can hold while everything has its declared default."""
    symbols = (*given.symbols, *(size for flag in given.flags for size in flag.spoken_of))
    defaults = {symbol: symbol.default for symbol in symbols if symbol.default is not None}
    for flag in given.flags:
        if flag.test is not None and (number := flag.test.evaluate(defaults)) is not None:
            defaults[flag] = int(number > 0)
        elif isinstance(flag.subject, Dim) and (number := flag.subject.evaluate(defaults)) is not None:
            defaults[flag] = int(number == flag.equals)
    return given.substitute({s: Dim.of(value) for s, value in defaults.items()}) != ZERO
