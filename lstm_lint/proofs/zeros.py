"""Whether a polynomial can be 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lstm_lint.dims import ZERO, Dim, Kind, Opaque, Symbol

MAX_DIVISOR = 8


def never_zero(dim: Dim, positive: frozenset[Symbol] = frozenset()) -> bool:
    """True only if no assignment (every size at least its minimum, or 1 if `positive`) makes the flag-free polynomial 0."""
    if (value := dim.constant) is not None:
        return value != 0
    quotients = [a for a in dim.atoms() if isinstance(a, Opaque) and a.operator == "//"]
    if quotients:
        quotient = min(quotients, key=lambda a: any(isinstance(inner, Opaque) for inner in a.arguments[0].atoms()))
        return _never_zero_by_remainder(dim, quotient, positive)
    shift: dict[Symbol, Dim] = {}
    for atom in dim.atoms():
        if isinstance(atom, Opaque) or atom.minimum is None or atom.kind is Kind.OPAQUE:
            return False
        shift[atom] = Dim.of(atom) + (max(atom.minimum, 1) if atom in positive else atom.minimum)
    coefficients = dict(dim.substitute(shift).terms)
    constant = coefficients.get((), 0)
    return constant != 0 and all(c * constant > 0 for c in coefficients.values())


def by_rounds(dim: Dim) -> Iterator[Dim]:
    """The dim, and as it is with the counter of a loop put as so many rounds from the first, or from the last."""
    yield dim
    for size in dim.sizes:
        match size.key:
            case ("loop", int() as number, length):
                rounds = Dim.of(Symbol(("rounds", number), size.name, minimum=0))
                yield dim.substitute({size: rounds})
                if isinstance(length, Dim):
                    yield dim.substitute({size: length - 1 - rounds})


def _never_zero_by_remainder(dim: Dim, quotient: Opaque, positive: frozenset[Symbol]) -> bool:
    """`never_zero` of a polynomial with ``n // k``: by cases of the remainder, ``n = k*q + r``, for a symbol n and small k."""
    numerator, divisor = quotient.arguments
    (size, *others), k = numerator.symbols or (None,), divisor.constant
    if size is None or others or numerator != Dim.of(size) or k is None or not 2 <= k <= MAX_DIVISOR or size.minimum is None:
        return False
    for remainder in range(k):
        least = -(-((max(size.minimum, 1) if size in positive else size.minimum) - remainder) // k)
        part = Dim.of(replace(size, key=("part", size.key, least), minimum=max(least, 0)))
        if not never_zero(dim.substitute({size: part * k + remainder}), positive):
            return False
    return True


def equal_if_divisible(difference: Dim) -> bool:
    """Whether a difference vanishes once every floor division in it is exact: ``2*(d//2)`` against ``d``."""
    quotients = [a for a in dict.fromkeys(difference.atoms()) if isinstance(a, Opaque) and a.operator == "//"]
    if not quotients:
        return False
    for quotient in quotients:
        numerator, divisor = quotient.arguments
        # multiply through by the divisor: every q*X becomes numerator*X, every other term gets the divisor
        total = ZERO
        for monomial, coefficient in difference.terms:
            count = sum(atom == quotient for atom in monomial)
            if count > 1:
                return False
            rest = Dim.collect([(tuple(atom for atom in monomial if atom != quotient), coefficient)])
            total = total + rest * (numerator if count else divisor)
        difference = total
    return difference == ZERO
