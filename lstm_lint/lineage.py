"""Where a tensor comes from and what its axes mean, if a recurrent layer gave it: time, batch, layer, direction, feature.

An axis is a product of factors in memory order: the last axis of a bidirectional layer's output is (direction, feature), the
first of its h_n (layer, direction). So ``output.view(T, N, 2, H)`` takes an axis apart, and ``output.view(N, T, -1)`` has
nothing to do with what the axes were.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from lstm_lint.dims import ONE, ZERO, Dim, Symbol, product
from lstm_lint.source import Place


class Role(Enum):
    TIME = "time"
    BATCH = "batch"
    LAYER = "layer"
    DIRECTION = "direction"
    FEATURE = "feature"
    JOINED = "joined"  # features of several tensors, one behind the other
    OTHER = "other"


@dataclass(frozen=True)
class Factor:
    """One meaning within an axis, and how many there are of it. Not `whole`: only a part, the rest stands elsewhere.

    `backwards`: the last of them stands first, as ``flip`` leaves it.
    """

    role: Role
    size: Dim
    whole: bool = True
    backwards: bool = False


Axis = tuple[Factor, ...]


@dataclass(frozen=True)
class Source:
    """Which result of which layer: `site` is its number, `which` is ``output``, ``h`` or ``c``, `place` the call.

    `equal`: what has to hold of sizes, or the call was refused: that the batch of the state is that of the input.
    """

    site: int
    which: str
    place: Place
    equal: tuple[tuple[Symbol, Dim], ...] = field(default=(), compare=False)


COUNTED, LENGTHS, ENDS = "counted", "lengths", "ends"


@dataclass(frozen=True)
class Numbers:
    """What the integers in a tensor are: ``counted`` from 0, the ``lengths`` of sequences, or their ``ends``, one less.

    `of` tells the sequences apart; None for any: those that a mask counts.
    """

    kind: str
    of: Hashable = None


FIRST, LAST, OTHER = "first", "last", "other"


@dataclass(frozen=True)
class Taken:
    """One index of a role, of `size` many, that was taken: ``first``, ``last``, ``ends`` or ``other``. `place` is where.

    Of two directions the first is forward, the last backward. ``ends`` is the last step of each sample's own.
    `index`: which one it is, where that is written in the counter of a loop. `loose`: it is an item of a sequence, or what a
    loop left behind, so that it counts where it is used, and not where it was taken.
    """

    role: Role
    at: str
    size: Dim
    place: Place
    index: Dim | None = None
    loose: bool = False

    def with_index(self, index: Dim) -> Taken:
        """The same, once it is known at which round the counter stands."""
        at = end_of(index, self.size)
        return replace(self, at=at, index=index if at == OTHER else None, loose=self.loose or at != OTHER)


def end_of(index: Dim, size: Dim) -> str:
    """Which of so many an index takes: ``first``, ``last`` or ``other``."""
    return FIRST if index in (ZERO, -size) else LAST if index in (Dim.of(-1), size - ONE) else OTHER


@dataclass(frozen=True)
class Astray:
    """An axis of a view that is as long as one axis of what was viewed, and not that axis: the elements are in other places.

    `before` and `after` are the sizes, `source` and `axis` say which of them are meant.
    """

    place: Place
    name: str
    before: tuple[Dim, ...]
    source: int
    after: tuple[Dim, ...]
    axis: int

    @staticmethod
    def of(place: Place, name: str, before: Sequence[Dim], after: Sequence[Dim]) -> Astray | None:
        """The first size with a name that stands once on both sides, with another number of elements in front of it.

        None where there are not as many elements on both sides, or may not be: torch refuses such a view.
        """
        if product(before) != product(after):
            return None
        for source, size in enumerate(before):
            if size.constant is None and before.count(size) == after.count(size) == 1:
                axis = after.index(size)
                found = Astray(place, name, tuple(before), source, tuple(after), axis)
                return found if found.front != found.wanted else None
        return None

    @property
    def front(self) -> Dim:
        """How many times the elements behind it stand in front of the axis."""
        return product(self.after[: self.axis])

    @property
    def wanted(self) -> Dim:
        """How many times they stood in front of it before."""
        return product(self.before[: self.source])


class Graph(Enum):
    """What is behind a tensor in torch's graph: the ops that made it, the same once ``backward`` has freed them, or nothing."""

    KEPT = "kept"
    FREED = "freed"
    CUT = "cut"


@dataclass(frozen=True)
class Lineage:
    """What a tensor is of what recurrent layers gave: `axes` as far as they are known, and what was taken of those that went.

    Without `sources` it is data whose layout is known all the same, as `pad_sequence` gives it.
    `padded`: steps behind the end of the shorter sequences were filled in; `overrun`: and a layer has run on over them,
    since they were not packed. `lengths`: of which sequences, as `Numbers.of` says it. `turned`: time and batch have changed
    places since it was laid out. `front`: where the number of axes is not known, what the first two are. `graph`: what
    ``backward`` finds behind it. `astray`: what a view did to an axis whose meaning is not known.
    """

    sources: frozenset[Source]
    axes: tuple[Axis, ...] | None
    taken: tuple[Taken, ...] = ()
    padded: bool = False
    overrun: bool = False
    lengths: Hashable = None
    turned: bool = False
    front: tuple[Axis, ...] = ()
    graph: Graph = Graph.KEPT
    astray: Astray | None = None

    def roles(self, axis: int) -> tuple[Role, ...]:
        """The roles in an axis, which may be counted from behind; none if its meaning is not known."""
        if self.axes is None or not -len(self.axes) <= axis < len(self.axes):
            return ()
        return tuple(factor.role for factor in self.axes[axis])

    def holds_features(self, axis: int) -> bool:
        """Whether an axis is the features that a layer gave: of one direction or both, of one layer or all, joined or not."""
        roles = frozenset(self.roles(axis))
        return roles <= {Role.FEATURE, Role.DIRECTION, Role.LAYER, Role.JOINED} and bool(roles & {Role.FEATURE, Role.JOINED})

    def axis_of(self, role: Role) -> int | None:
        """The axis in which a role is, None if in none, or in several."""
        places = [i for i, axis in enumerate(self.axes or ()) if any(factor.role is role for factor in axis)]
        return places[0] if len(places) == 1 else None

    def factor(self, role: Role) -> Factor | None:
        """The whole of a role, if it was not taken apart."""
        found = [factor for axis in self.axes or () for factor in axis if factor.role is role]
        return found[0] if len(found) == 1 and found[0].whole else None

    @property
    def batch_first(self) -> bool | None:
        """Whether the first two axes are (batch, time), or (time, batch); None where they are neither."""
        axes = self.front if self.axes is None else self.axes[:2]
        match [tuple(factor.role for factor in axis) for axis in axes]:
            case [(Role.BATCH,), (Role.TIME,)]:
                return True
            case [(Role.TIME,), (Role.BATCH,)]:
                return False
            case _:
                return None

    @property
    def batch_before_time(self) -> bool | None:
        """Whether the batch stands somewhere before the time; None where one of them is not known."""
        if self.axes is None:
            return self.batch_first
        batch, time = self.axis_of(Role.BATCH), self.axis_of(Role.TIME)
        return None if batch is None or time is None else batch < time

    def took(self, role: Role) -> Taken | None:
        """What was taken of a role last."""
        return next((taken for taken in reversed(self.taken) if taken.role is role), None)

    @property
    def equal(self) -> Mapping[Symbol, Dim]:
        """Sizes by what they have to be."""
        return {size: dim for source in sorted(self.sources, key=lambda one: one.site) for size, dim in source.equal}

    def with_axes(self, axes: Iterable[Axis] | None) -> Lineage:
        return replace(self, axes=None if axes is None else tuple(axes), front=(), astray=None)

    def taking(self, taken: Sequence[Taken]) -> Lineage:
        return replace(self, taken=(*self.taken, *taken))


TRIED = Lineage(frozenset(), None, graph=Graph.CUT)
"""Of what a call gave that was only tried, for one sample without a batch: nothing that is done with it is noted."""


WORKED_OUT = Lineage(frozenset(), None)
"""Of what a layer that is not recurrent gave: it rests on data."""


def is_noted(lineage: Lineage | None) -> bool:
    """Whether a layer gave it, or its layout is known, and what is done with it counts."""
    return lineage is not None and (bool(lineage.sources) or lineage.batch_first is not None)


def is_tried(lineage: Lineage | None) -> bool:
    return lineage is not None and replace(lineage, taken=()) == TRIED


def merged(left: Lineage | None, right: Lineage | None) -> Lineage | None:
    """What holds of a tensor that is the one or the other: None if they do not mean the same."""
    for one, other_one in ((left, right), (right, left)):
        if is_tried(one) and other_one is not None:
            return other_one
    if left is None or right is None or replace(left, sources=right.sources, axes=right.axes, graph=right.graph) != right:
        return None
    axes = left.axes if left.axes == right.axes else None
    graph = left.graph if left.graph is right.graph else Graph.KEPT
    return replace(left, sources=left.sources | right.sources, axes=axes, graph=graph)


def loosened(lineage: Lineage, since: int) -> Lineage:
    """The lineage, in which what was taken behind the first `since` is an item of a sequence."""
    kept, items = lineage.taken[:since], lineage.taken[since:]
    return replace(lineage, taken=(*kept, *(replace(one, loose=True) for one in items)))


def size_of(axis: Axis) -> Dim:
    return product(factor.size for factor in axis)


def fitted(axis: Axis, size: Dim) -> Axis:
    """The axis if its factors are as many as `size` says, else one of unknown meaning."""
    return axis if size_of(axis) == size else other(size)


def other(size: Dim) -> Axis:
    """An axis of unknown meaning."""
    return () if size == ONE else (Factor(Role.OTHER, size),)
