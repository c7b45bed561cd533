"""Concrete sizes for symbols: assignments that a condition allows, the declared defaults first, then small distinct primes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from itertools import product as cartesian

from lstm_lint.dims import ONE, ZERO, Dim, Symbol, product
from lstm_lint.proofs.conditions import PRIMES, consistent, implied

MAX_TRIED = 1500
LARGEST_DEFAULT = 100  # a larger one is tried after the primes: torch has to hold what a probe asks for
ONES = 6  # the last variant: every free size is as small as it can be


def assignments(dims: Iterable[Dim], given: Dim, fixed: Mapping[Symbol, int]) -> Iterator[dict[Symbol, int]]:
    """Values for every symbol of the dims and the condition, among which `fixed` stands and `given` holds; best first."""
    symbols = _with_subjects([*dims, given])
    forced = {symbol: dim.constant for symbol, dim in implied(given).items() if dim.constant is not None}
    known = {**forced, **fixed}
    flags = [s for s in symbols if s.is_flag and s not in known]
    sizes = [s for s in symbols if not s.is_flag and s not in known]
    tried = (values for flag_values in _flag_variants(flags) for values in _size_variants(sizes, {**known, **flag_values}))
    for values in islice(tried, MAX_TRIED):
        if allowed(values, given):
            yield values


def allowed(values: Mapping[Symbol, int], given: Dim) -> bool:
    """Whether the condition holds, and the flags agree with the sizes and with each other."""
    on = [symbol for symbol, value in values.items() if symbol.is_flag and value]
    if any(a.excludes(b) for index, a in enumerate(on) for b in on[index + 1 :]):
        return False
    return bool(given.evaluate(values)) and consistent(values)


def _with_subjects(dims: Iterable[Dim]) -> list[Symbol]:
    """Every symbol of the dims, and of what their flags speak about, in a stable order."""
    found: dict[Symbol, None] = {}
    todo = list(dims)
    while todo:
        for symbol in todo.pop().symbols:
            if symbol not in found:
                found[symbol] = None
                todo += [dim for dim in (symbol.test, symbol.subject) if isinstance(dim, Dim)]
    return sorted(found, key=lambda symbol: symbol.order)


def _flag_variants(flags: list[Symbol]) -> Iterator[dict[Symbol, int]]:
    """The defaults (off where there is none), then with one flag turned, and so on."""
    usual = [1 if flag.default else 0 for flag in flags]
    turned = sorted(cartesian((0, 1), repeat=len(flags)), key=sum) if len(flags) <= ONES else [(0,) * len(flags)]
    for turns in turned:
        yield {flag: value ^ turn for flag, value, turn in zip(flags, usual, turns, strict=True)}


def _size_variants(sizes: list[Symbol], known: Mapping[Symbol, int]) -> Iterator[dict[Symbol, int]]:
    condition = product(Dim.of(f) if v else ONE - Dim.of(f) for f, v in known.items() if f.is_flag)
    pinned = {s: d.constant for s, d in (implied(condition) if condition != ZERO else {}).items() if not s.is_flag}
    start = {**{s: v for s, v in pinned.items() if v is not None}, **known}
    free = [s for s in sizes if s not in start]
    taken = set(start.values())
    primes = [p for p in PRIMES if p not in taken] or list(PRIMES)
    for largest in (LARGEST_DEFAULT, 0, 1 << 30):
        for offset in range(ONES + 1):
            yield {**start, **{s: _size(s, index, offset, largest, primes) for index, s in enumerate(free)}}


def _size(symbol: Symbol, index: int, offset: int, largest: int, primes: list[int]) -> int:
    if symbol.default is not None and (symbol.minimum or 0) <= symbol.default <= largest:
        return symbol.default
    smallest = max(symbol.minimum or 0, 1)
    return smallest if offset == ONES else max(smallest, primes[(index + offset) % len(primes)])
