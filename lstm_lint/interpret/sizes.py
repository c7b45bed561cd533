"""Conditions about sizes, as flags in the algebra: ``a == b`` and ``a > 0``, decided where the smallest sizes decide them."""

from __future__ import annotations

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol
from lstm_lint.ops.recurrent import positive
from lstm_lint.proofs.wording import FRESH
from lstm_lint.proofs.zeros import by_rounds, never_zero


def equal_dims(a: Dim, b: Dim) -> Dim:
    """The condition that two dims are equal."""
    difference = a - b
    if difference == ZERO:
        return ONE
    if not difference.flags and any(never_zero(form) for form in by_rounds(difference)):
        return ZERO
    if difference.flags and not difference.sizes:
        return _flags_vanish(difference)
    if difference.terms[-1][1] < 0:
        difference = -difference
    number = -dict(difference.terms).get((), 0)
    subject = difference + number
    default = default_value(subject)
    name = f"{a.text} == {b.text}" if subject not in (a, b) else f"{subject.text} == {number}"
    flag = Symbol(
        ("equals", subject, number),
        name,
        Kind.FLAG,
        None if default is None else int(default == number),
        0,
        _owner(subject),
        subject=subject,
        equals=number,
    )
    return Dim.of(flag)


def _owner(dim: Dim) -> str | None:
    """FRESH for a condition on sizes nobody knows, such as a loop's counter: no warning rests on it alone."""
    return FRESH if any(size.kind is Kind.OPAQUE for size in dim.sizes) else None


def _flags_vanish(difference: Dim) -> Dim:
    """The condition that a polynomial of flags alone is 0, by cases."""
    flag = difference.flags[0]
    total = ZERO
    for value, here in ((ZERO, ONE - Dim.of(flag)), (ONE, Dim.of(flag))):
        rest = difference.substitute({flag: value})
        constant = rest.constant
        total = total + here * (_flags_vanish(rest) if constant is None else ONE if constant == 0 else ZERO)
    return total


def default_value(dim: Dim) -> int | None:
    return dim.evaluate({s: s.default for s in dim.symbols if s.default is not None})


def greater_than_zero(test: Dim, text: str) -> Dim:
    """The condition ``test > 0``, decided where the smallest sizes decide it."""
    if test.constant is not None:
        return positive(test)
    if test.flags and not test.sizes:
        flag = test.flags[0]
        on, off = test.substitute({flag: ONE}), test.substitute({flag: ZERO})
        here = Dim.of(flag)
        return here * greater_than_zero(on, text) + (ONE - here) * greater_than_zero(off, text)
    for form in () if test.flags else by_rounds(test):
        if never_zero(form):
            return ONE if form.terms[-1][1] > 0 else ZERO
        if _never_positive(form):
            return ZERO
    default = default_value(test)
    by_default = None if default is None else int(default > 0)
    flag = Symbol(("positive", test), text, Kind.FLAG, by_default, 0, _owner(test), test=test)
    return Dim.of(flag)


def _never_positive(test: Dim) -> bool:
    """Whether ``1 - test > 0`` always."""
    rest = ONE - test
    return never_zero(rest) and rest.terms[-1][1] > 0
