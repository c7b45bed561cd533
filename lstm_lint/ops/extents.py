"""Arithmetic of sizes that ops share: provable minima, rounded divisions, the length of a slice."""

from __future__ import annotations

from collections.abc import Callable

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Opaque, Symbol, by_cases, maximum, minimum
from lstm_lint.proofs.zeros import by_rounds
from lstm_lint.shapes import ShapeError


def lower_bound(dim: Dim) -> int | None:
    """A number the dim is never below, if every size is at least its minimum; None where that cannot be shown."""
    if (value := dim.constant) is not None:
        return value
    shift: dict[Symbol, Dim] = {}
    for atom in dim.atoms():
        if isinstance(atom, Opaque):
            if not _never_negative(atom):
                return None
        elif atom.minimum is None:
            return None
        elif atom.kind not in (Kind.OPAQUE, Kind.FLAG):
            shift[atom] = Dim.of(atom) + atom.minimum
    shifted = dict(dim.substitute(shift).terms)
    constant = shifted.pop((), 0)
    return constant if all(coefficient >= 0 for coefficient in shifted.values()) else None


def _never_negative(atom: Opaque) -> bool:
    if atom.operator == "max":
        return any(at_least(argument, 0) for argument in atom.arguments)
    return all(at_least(argument, 0) for argument in atom.arguments)


def at_least(dim: Dim, value: int) -> bool:
    """True only if the dim is never below the value."""
    bounds = map(lower_bound, by_rounds(dim))
    return any(bound is not None and bound >= value for bound in bounds)


def smaller(left: Dim, right: Dim) -> Dim:
    """``min(left, right)``, exact where one of them is provably the smaller."""
    return by_cases([left, right], lambda d: _ordered(d[0], d[1], minimum))


def larger(left: Dim, right: Dim) -> Dim:
    """``max(left, right)``, exact where one of them is provably the larger."""
    return by_cases([left, right], lambda d: _ordered(d[0], d[1], maximum))


def _ordered(left: Dim, right: Dim, extreme: Callable[..., Dim]) -> Dim:
    low, high = (left, right) if at_least(right - left, 0) else (right, left)
    if at_least(high - low, 0):
        return low if extreme is minimum else high
    return extreme(left, right)


def floor_division(dim: Dim, divisor: int) -> Dim:
    """``dim // divisor`` for a positive constant, exact wherever the symbols' part divides: ``(2*L + 1) // 2`` is ``L``."""
    return by_cases([dim], lambda d: _floor(d[0], divisor))


def _floor(dim: Dim, divisor: int) -> Dim:
    rest = dict(dim.terms)
    constant = rest.pop((), 0)
    if all(coefficient % divisor == 0 for coefficient in rest.values()):
        return Dim.collect([(m, c // divisor) for m, c in rest.items()]) + constant // divisor
    return dim // divisor


def ceil_division(dim: Dim, divisor: int) -> Dim:
    """``dim / divisor`` rounded up, for a positive constant."""
    return floor_division(dim + (divisor - 1), divisor)


def quotient(total: Dim, known: Dim) -> Dim:
    """``total // known`` where torch insists that it divides; common factors are cancelled first."""
    if known == ZERO:
        raise ShapeError("cannot reshape into 0 elements with an inferred dimension")
    exact = total.divided_by(known)
    if exact is not None:
        return exact
    return by_cases([total, known], lambda d: _cancelled(d[0], d[1]))


def _cancelled(total: Dim, known: Dim) -> Dim:
    for atom in list(known.terms[0][0]) if len(known.terms) == 1 else []:
        factor = Dim.of(atom)
        less, part = total.divided_by(factor), known.divided_by(factor)
        if less is not None and part is not None:
            total, known = less, part
    return total // known


def slice_length(size: Dim, start: Dim | None, stop: Dim | None, step: Dim | None) -> Dim | None:
    """How many items ``[start:stop:step]`` of an axis has, as Python counts (clamped); None where it cannot be told.

    Raises:
        ShapeError: the step is a constant below 1, which torch refuses.
    """
    stride = 1 if step is None else step.constant
    if stride is None:
        return None
    if stride < 1:
        raise ShapeError("step must be greater than zero")
    first = ZERO if start is None else _clamped(size, start)
    last = size if stop is None else _clamped(size, stop)
    if first is None or last is None:
        return None
    return ceil_division(larger(last - first, ZERO), stride)


def _clamped(size: Dim, position: Dim) -> Dim | None:
    if at_least(position, 0):
        return smaller(position, size)
    if at_least(-position, 1):
        return larger(size + position, ZERO)
    return None


def window_count(size: Dim, kernel: Dim, stride: Dim, padding: Dim, dilation: Dim) -> Dim:
    """How many windows a convolution or pooling makes: ``(size + 2*padding - dilation*(kernel - 1) - 1) // stride + 1``.

    Source: the formula of torch.nn.Conv1d's page.

    Raises:
        ShapeError: not even one window fits.
    """
    span = size + padding * 2 - dilation * (kernel - 1) - 1
    if span.constant is not None and span.constant < 0:
        raise ShapeError("Kernel size can't be greater than actual input size")
    step = stride.constant
    if step is not None and step < 1:
        raise ShapeError("stride should be greater than zero")
    return (floor_division(span, step) if step is not None else span // stride) + ONE
