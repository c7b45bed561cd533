"""The same elements, in the same memory order, over other axes: ``view``, ``reshape``, and the left side of an einops pattern.

An axis of the result is told by the product of the sizes in front of it, and by that of the sizes behind it: it is the batch
exactly if so many elements stood in front of the batch, and so many behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from lstm_lint.dims import ONE, Dim, Symbol, product
from lstm_lint.lineage import Axis, Factor, Role
from lstm_lint.proofs.conditions import assumed
from lstm_lint.proofs.zeros import equal_if_divisible, never_zero


@dataclass(frozen=True)
class Stray:
    """Axes of the result, from `start` to before `end`, that are as many as a factor is, and are not that factor.

    `front` is the product of the sizes in front of them, `wanted` that of the factors in front of the factor.
    """

    start: int
    end: int
    front: Dim
    wanted: Dim


@dataclass(frozen=True)
class Regrouping:
    """Factors in memory order that come to stand over axes of these sizes."""

    factors: tuple[Factor, ...]
    sizes: tuple[Dim, ...]

    @staticmethod
    def of(
        axes: Iterable[Axis], sizes: Iterable[Dim], given: Dim = ONE, equal: Mapping[Symbol, Dim] | None = None
    ) -> Regrouping:
        """`given` is the condition under which it is done, `equal` are sizes that are known to be others: both are put in."""

        def settled(size: Dim) -> Dim:
            return assumed(size.substitute(equal or {}), given)

        factors = [replace(factor, size=settled(factor.size)) for axis in axes for factor in axis]
        return Regrouping(tuple(factor for factor in factors if factor.size != ONE), tuple(map(settled, sizes)))

    @cached_property
    def axes(self) -> tuple[Axis, ...] | None:
        """The factors of each axis; None where one ends within a factor that cannot be taken apart.

        ``[direction 2, feature H]`` over ``(2, H)`` gives one each; over ``(H, 2)`` nothing. A feature that is split stays one.
        """
        left = list(self.factors)
        axes: list[Axis] = []
        for position, size in enumerate(self.sizes):
            count = _whole(left, size, self.sizes[position + 1 :])
            if count is None:
                count = _split(left, size)
            if count is None:
                return None
            axes.append(tuple(left[:count]))
            del left[:count]
        return None if left else tuple(axes)

    @cached_property
    def bounds(self) -> tuple[int | None, ...]:
        """In front of each axis, and behind the last: how many whole factors stand there; None within a factor."""
        return tuple(self._bound(position) for position in range(len(self.sizes) + 1))

    def _bound(self, position: int) -> int | None:
        front, behind = product(self.sizes[:position]), product(self.sizes[position:])
        for count in range(len(self.factors) + 1):
            if same(front, amount(self.factors[:count])) or same(behind, amount(self.factors[count:])):
                return count
        return None

    def place_of(self, role: Role) -> int | None:
        """Which factor a role is; None if it is none, or was taken apart."""
        places = [place for place, factor in enumerate(self.factors) if factor.role is role]
        return places[0] if len(places) == 1 and self.factors[places[0]].whole else None

    def strays(self, role: Role) -> Iterator[Stray]:
        """The axes that are as long as a role without being it; nothing where the role keeps axes of its own."""
        place = self.place_of(role)
        if place is None:
            return
        size = self.factors[place].size
        wanted = amount(self.factors[:place])
        runs = list(self._as_long_as(size, 1 if size.constant is not None else len(self.sizes)))
        if any((self.bounds[start], self.bounds[end]) == (place, place + 1) for start, end in runs):
            return
        for start, end in runs:
            if None in (self.bounds[start], self.bounds[end]) and not self._is_part(start, end):
                yield Stray(start, end, product(self.sizes[:start]), wanted)

    def may_stray(self, role: Role) -> bool:
        """Whether neighbours are as many as a role, which is a number, so that nobody can tell if they are meant to be it."""
        place = self.place_of(role)
        size = self.factors[place].size if place is not None else ONE
        if place is None or size.constant is None:
            return False
        runs = [(self.bounds[start], self.bounds[end]) for start, end in self._as_long_as(size, len(self.sizes))]
        return bool(runs) and (place, place + 1) not in runs

    def _as_long_as(self, size: Dim, most: int) -> Iterator[tuple[int, int]]:
        """At most so many neighbours whose product it is. Of a number only single axes are certain to be meant."""
        for start in range(len(self.sizes)):
            for end in range(start + 1, min(start + most, len(self.sizes)) + 1):
                if ONE not in self.sizes[start:end] and same(product(self.sizes[start:end]), size):
                    yield start, end

    def _is_part(self, start: int, end: int) -> bool:
        """Whether it is a part of the features, such as the heads of an attention, that happens to be as many."""
        axes = self.axes[start:end] if self.axes is not None else ()
        return any(factor.role in (Role.FEATURE, Role.OTHER) for axis in axes for factor in axis)


def amount(factors: Iterable[Factor]) -> Dim:
    """How many elements they are."""
    return product(factor.size for factor in factors)


def same(left: Dim, right: Dim) -> bool:
    """Whether two sizes are one, a division in them being exact: ``2*(d//2)`` is ``d`` where torch takes it."""
    return left == right or equal_if_divisible(left - right)


def _whole(left: Sequence[Factor], size: Dim, behind: Sequence[Dim]) -> int | None:
    """How many whole factors an axis is: by its own size, or by what is left behind it."""
    for count in range(len(left) + 1):
        if same(amount(left[:count]), size):
            return count
    rest = product(behind)
    for count in range(len(left) + 1):
        difference = amount(left[:count]) - size
        if same(amount(left[count:]), rest) and not (not difference.flags and never_zero(difference)):
            return count
    return None


def _split(left: list[Factor], size: Dim) -> int | None:
    """Take the first factor apart so that an axis is its first part."""
    inner = left[0].size.divided_by(size) if left and size.terms else None
    if inner is None:
        return None
    whole = left.pop(0)
    left[:0] = [replace(whole, size=size, whole=False), replace(whole, size=inner, whole=False)]
    return 1
