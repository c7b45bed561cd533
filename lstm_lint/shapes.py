"""Shapes: known dims, or dims known at both ends of a middle that is not.

``Shape((2, N, H))`` is fully known. A tensor from outside has only a *rest*: ``x.size(0)`` of it is a symbol that belongs to
the rest, so that whatever is derived from ``x`` (an embedding of it, its transpose) speaks of the same symbols.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import product as cartesian

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol, maximum, product

MAX_RANKS_TRIED = 16


class ShapeError(Exception):
    """torch would refuse this operation on these shapes, for every value of the symbols."""


@dataclass(frozen=True)
class Rest:
    """The dims ``[skipped_front : rank - skipped_back]`` of a tensor from outside whose rank is not known, between others.

    `first` and `last` are sizes that stand at its ends if there is room for them: of ``x[:, :5]`` with its last size replaced,
    the 5 is the second if x has three axes, and is what was replaced if it has two. Of ``embedding(x).mean(2)``, the size of
    the embedding is the last if x has three axes, and is what the mean was taken over if it has two.
    """

    key: Hashable
    name: str
    skipped_front: int = 0
    skipped_back: int = 0
    first: tuple[Dim, ...] = ()
    last: tuple[Dim, ...] = ()

    def dim(self, index: int) -> Dim:
        """One of its sizes, counted from the front (>= 0), or the symbol of one counted from the back (< 0)."""
        if 0 <= index < len(self.first):
            return self.first[index]
        position = index - len(self.first) + self.skipped_front if index >= 0 else index - self.skipped_back
        return Dim.of(size_symbol(self.key, self.name, position))

    @property
    def skipped(self) -> int:
        """How many axes less than the whole tensor it has."""
        return self.skipped_front + self.skipped_back - len(self.first) - len(self.last)

    def spelt(self, count: int) -> tuple[Dim, ...]:
        """Its sizes, once it is known how many they are."""
        dims = [self.dim(i) for i in range(count)]
        room = min(count, len(self.last))
        return (*dims[: count - room], *self.last[len(self.last) - room :])

    def own_before(self, dims: Sequence[Dim]) -> int:
        """How many of the dims in front of it are the tensor's own ones that stand there, so that it may begin earlier."""
        count = 0
        for position, dim in zip(range(self.skipped_front - 1, -1, -1), reversed(dims), strict=False):
            if self.first or dim != Dim.of(size_symbol(self.key, self.name, position)):
                break
            count += 1
        return count

    @property
    def whole_rank(self) -> Dim:
        """The rank of the tensor itself, as a symbol."""
        return Dim.of(rank_symbol(self.key, self.name))

    def without(self, front: int, back: int) -> Rest:
        front_taken, back_taken = min(front, len(self.first)), min(back, len(self.last))
        return replace(
            self,
            skipped_front=self.skipped_front + front - front_taken,
            skipped_back=self.skipped_back + back - back_taken,
            first=self.first[front_taken:],
            last=self.last[: len(self.last) - back_taken],
        )

    def behind(self, dims: tuple[Dim, ...]) -> Rest:
        """It and the dims that stood in front of it, should there be room for them."""
        own = self.own_before(dims)
        return replace(self, first=(*dims[: len(dims) - own], *self.first), skipped_front=self.skipped_front - own)

    def before(self, dims: tuple[Dim, ...]) -> Rest:
        """It and the dims that stood behind it, should there be room for them."""
        own = 0
        while own < min(self.skipped_back, len(dims)) and not self.last and dims[own] == self._behind(own):
            own += 1
        return replace(self, last=(*self.last, *dims[own:]), skipped_back=self.skipped_back - own)

    def _behind(self, index: int) -> Dim:
        """The tensor's own size that stands so far behind it."""
        return Dim.of(size_symbol(self.key, self.name, index - self.skipped_back))


def rank_symbol(key: Hashable, name: str) -> Symbol:
    """The symbol for ``name.dim()`` of the tensor `key`."""
    return Symbol(("rank", key), f"{name}.dim()", Kind.RUNTIME)


def size_symbol(key: Hashable, name: str, position: int) -> Symbol:
    """The symbol for ``name.size(position)`` of the tensor `key`."""
    return Symbol(("size", key, position), f"{name}.size({position})", Kind.RUNTIME, owner=("sizes", key))


@dataclass(frozen=True)
class Shape:
    """``front + rest + back``; without a rest all dims stand in `front`."""

    front: tuple[Dim, ...] = ()
    rest: Rest | None = None
    back: tuple[Dim, ...] = ()

    @staticmethod
    def of(*dims: Dim | int) -> Shape:
        return Shape(tuple(d if isinstance(d, Dim) else Dim.of(d) for d in dims))

    @staticmethod
    def unknown(key: Hashable, name: str) -> Shape:
        """The shape of a tensor of which nothing is known but who it is."""
        return Shape(rest=Rest(key, name))

    @property
    def dims(self) -> tuple[Dim, ...] | None:
        """All dims, or None if the rank is not known."""
        return self.front if self.rest is None else None

    @property
    def rank(self) -> int | None:
        return len(self.front) if self.rest is None else None

    @property
    def rank_dim(self) -> Dim:
        """The rank as a dim: a number, or a symbol's worth of it."""
        if self.rest is None:
            return Dim.of(len(self.front))
        return self.rest.whole_rank + (self.minimum_rank - self.rest.skipped)

    @property
    def minimum_rank(self) -> int:
        return len(self.front) + len(self.back)

    def dim(self, index: int) -> Dim:
        """The size at `index`, which may be negative.

        Raises:
            ShapeError: the index is out of range for a known rank.
        """
        if self.rest is None:
            if not -len(self.front) <= index < len(self.front):
                raise ShapeError(
                    f"Dimension out of range (expected to be in range of [{-len(self.front)}, "
                    f"{len(self.front) - 1}], but got {index})"
                )
            return self.front[index]
        if index >= 0:
            if index < len(self.front):
                return self.front[index]
            whole = self.rest.before(self.back)
            is_replaced = bool(whole.first) or bool(whole.last and whole.skipped_back)  # so far as there are so many
            return self._size_at(index) if is_replaced else self.rest.dim(index - len(self.front))
        if -index <= len(self.back):
            return self.back[index]
        before = (*self.front, *self.rest.first)
        into = min(-index - len(self.back), len(before))  # counting from behind may run into these, if the rank is small
        own = 0 if self.rest.last else replace(self.rest, first=()).own_before(before)
        return self.rest.dim(index + len(self.back)) if own >= into else self._size_at(index)

    def _size_at(self, index: int) -> Dim:
        """A size of which it depends on the rank which one it is (`told`)."""
        assert self.rest is not None
        return Dim.of(Symbol(("at", self, index), f"{self.rest.name}.size({index})", Kind.OPAQUE))

    def with_rank(self, rank: int) -> Shape | None:
        """The same shape once its rank is known; None if it cannot have that rank."""
        if self.rest is None:
            return self if len(self.front) == rank else None
        missing = rank - self.minimum_rank
        if missing < 0:
            return None
        ranks = {self.rest.key: missing + self.rest.skipped}
        return Shape(tuple(told(dim, ranks) for dim in (*self.front, *self.rest.spelt(missing), *self.back)))

    def opened(self, front: int, back: int = 0) -> Shape:
        """The same shape with at least `front` dims spelt out in front and `back` behind; unchanged if the rank is known.

        A dim in front that is not asked for may be one of those behind, so it gives way, and the other way round.
        """
        if self.rest is None:
            return self
        more_front, more_back = max(front - len(self.front), 0), max(back - len(self.back), 0)
        kept = max(len(self.front) - more_back, min(front, len(self.front)))
        kept_back = max(len(self.back) - more_front, min(back, len(self.back)))
        split = len(self.back) - kept_back
        rest = self.rest.behind(self.front[kept:]).before(self.back[:split])
        return Shape(
            (*self.front[:kept], *(self.dim(i) for i in range(kept, kept + more_front))),
            rest.without(more_front, more_back),
            (*(self.dim(-i) for i in range(len(self.back) + more_back, len(self.back), -1)), *self.back[split:]),
        )

    def replaced(self, index: int, dim: Dim) -> Shape:
        """The shape with one size changed. Raises ShapeError as `dim` does."""
        self.dim(index)
        shape = self.opened(index + 1) if index >= 0 else self.opened(0, -index)
        if index < 0 and shape.rest is not None:
            back = list(shape.back)
            back[index] = dim
            return Shape(shape.front, shape.rest, tuple(back))
        front = list(shape.front)
        front[index] = dim
        return Shape(tuple(front), shape.rest, shape.back)

    def removed(self, index: int) -> Shape:
        """The shape without one dim. Raises ShapeError as `dim` does."""
        self.dim(index)
        shape = self.opened(index + 1) if index >= 0 else self.opened(0, -index)
        if index < 0 and shape.rest is not None:
            position = len(shape.back) + index
            return Shape(shape.front, shape.rest, shape.back[:position] + shape.back[position + 1 :])
        position = index % len(shape.front) if shape.rest is None else index
        return Shape(shape.front[:position] + shape.front[position + 1 :], shape.rest, shape.back)

    def inserted(self, index: int, dim: Dim = ONE) -> Shape:
        """The shape with a dim put in before `index` (negative as `unsqueeze` counts). Raises ShapeError."""
        if self.rest is None:
            size = len(self.front) + 1
            if not -size <= index < size:
                raise ShapeError(f"Dimension out of range (expected to be in range of [{-size}, {size - 1}], but got {index})")
            position = index % size
            return Shape((*self.front[:position], dim, *self.front[position:]))
        if index >= 0:
            shape = self.opened(index)
            return Shape((*shape.front[:index], dim, *shape.front[index:]), shape.rest, shape.back)
        shape = self.opened(0, -index - 1)
        position = len(shape.back) + index + 1
        return Shape(shape.front, shape.rest, (*shape.back[:position], dim, *shape.back[position:]))

    @property
    def text(self) -> str:
        middle = ["..."] if self.rest is not None else []
        return "(" + ", ".join([*(d.text for d in self.front), *middle, *(d.text for d in self.back)]) + ")"

    def numel(self) -> Dim | None:
        """The number of elements, or None if the rank is not known."""
        return None if self.rest is not None else product(self.front)


def told(dim: Dim, ranks: Mapping[Hashable, int]) -> Dim:
    """The dim with those sizes in it of which the ranks say which they are. `ranks`: those of tensors, by key."""
    values: dict[Symbol, Dim] = {}
    for symbol in dim.symbols:
        match symbol.key:
            case ("at", Shape(rest=Rest() as rest) as shape, int() as index) if rest.key in ranks:
                whole = shape.with_rank(ranks[rest.key] - rest.skipped + shape.minimum_rank)
                if whole is not None and -len(whole.front) <= index < len(whole.front):
                    values[symbol] = whole.front[index]
    return dim.substitute(values) if values else dim


def broadcast(left: Shape, right: Shape) -> Shape | None:
    """The shape of ``left + right``; None where it cannot be told.

    Raises:
        ShapeError: two sizes are different constants and neither is 1.
    """
    if left == right:
        return left
    if left.rest is not None or right.rest is not None:
        return _broadcast_unknown(left, right)
    return Shape(_known_broadcast(left.front, right.front))


@dataclass(frozen=True)
class Broadcast:
    """The key of what tensors broadcast to where not all ranks are known: its sizes can be told once its own rank is.

    `number` tells it from others. Of the `shapes` one has that rank, and the others have no more.
    """

    number: Hashable
    shapes: tuple[Shape, ...] = field(compare=False)

    def sizes(self, rank: int, ranks: Mapping[Hashable, int]) -> tuple[Dim | None, ...]:
        """Its sizes if it has `rank` axes, None for those that are not certain. `ranks`: those of other tensors, by key."""
        found = list(self._possible(rank, ranks))
        columns = zip(*found, strict=True) if found else ()
        return tuple(column[0] if all(size == column[0] for size in column) else None for column in columns) or (None,) * rank

    def _possible(self, rank: int, ranks: Mapping[Hashable, int]) -> Iterator[tuple[Dim, ...]]:
        """The sizes for each way to give the shapes as many axes."""
        options = [_ranks_of(shape, rank, ranks) for shape in self.shapes]
        if product(Dim.of(len(option)) for option in options).constant not in range(MAX_RANKS_TRIED + 1):
            return
        for chosen in cartesian(*options):
            spelt = [shape.with_rank(own) for shape, own in zip(self.shapes, chosen, strict=True)]
            if max(chosen) == rank and all(spelt):
                try:
                    yield reduce(_known_broadcast, (shape.front for shape in spelt if shape is not None))
                except ShapeError:
                    continue


def _ranks_of(shape: Shape, most: int, ranks: Mapping[Hashable, int]) -> Sequence[int]:
    """How many axes a shape may have, up to so many."""
    if shape.rest is None:
        return [len(shape.front)]
    if shape.rest.key in ranks:
        return [ranks[shape.rest.key] - shape.rest.skipped + shape.minimum_rank]
    return range(shape.minimum_rank, most + 1)


def _known_broadcast(left: Sequence[Dim], right: Sequence[Dim]) -> tuple[Dim, ...]:
    longer, shorter = (left, right) if len(left) >= len(right) else (right, left)
    offset = len(longer) - len(shorter)
    return (*longer[:offset], *_pairwise(longer[offset:], shorter))


def _broadcast_unknown(left: Shape, right: Shape) -> Shape | None:
    known, other = (left, right) if left.rest is None else (right, left)
    if known.rest is None and all(dim == ONE for dim in known.front) and len(known.front) <= max(1, other.minimum_rank):
        return other
    if left.rest is None or right.rest is None or left.rest.key != right.rest.key or left.rank_dim != right.rank_dim:
        return None
    front, back = (max(map(len, parts)) for parts in ((left.front, right.front), (left.back, right.back)))
    if front + back > max(left.minimum_rank, right.minimum_rank):
        return None
    left, right = left.opened(front, back), right.opened(front, back)  # of one tensor, and so of one rank
    if left.rest != right.rest:
        return None
    return Shape(_pairwise(left.front, right.front), left.rest, _pairwise(left.back, right.back))


def _pairwise(left: Sequence[Dim], right: Sequence[Dim]) -> tuple[Dim, ...]:
    return tuple(broadcast_dim(a, b) for a, b in zip(left, right, strict=True))


def broadcast_dim(a: Dim, b: Dim) -> Dim:
    """The size that two sizes broadcast to, the larger one where both are names. Raises ShapeError where torch would."""
    if a == b or b == ONE:
        return a
    if a == ONE:
        return b
    if a.constant is not None and b.constant is not None:
        raise ShapeError(f"The size of tensor a ({a.text}) must match the size of tensor b ({b.text})")
    if a.constant is not None:  # the other one is this size or 1
        return a
    if b.constant is not None:
        return b
    return maximum(a, b)  # equal, or one of them is 1: torch insists


def reshape(shape: Shape, sizes: Sequence[Dim | None]) -> Shape | None:
    """The shape after ``view(*sizes)``, a None standing for -1; None where the -1 cannot be worked out.

    Raises:
        ShapeError: more than one -1, or the element counts are different constants.
    """
    if sum(size is None for size in sizes) > 1:
        raise ShapeError("only one dimension can be inferred")
    known = product(size for size in sizes if size is not None)
    total = shape.numel()
    if total is None:
        return None if any(size is None for size in sizes) else Shape(tuple(s for s in sizes if s is not None))
    if all(size is not None for size in sizes):
        if known.constant is not None and total.constant is not None and known != total:
            raise ShapeError(f"shape {_sizes_text(sizes)} is invalid for input of size {total.text}")
        return Shape(tuple(size for size in sizes if size is not None))
    if known == ZERO:
        return None
    missing = total.divided_by(known)
    if missing is None and known.constant is not None and total.constant is not None:
        raise ShapeError(f"shape {_sizes_text(sizes)} is invalid for input of size {total.text}")
    if missing is None:
        return None
    return Shape(tuple(missing if size is None else size for size in sizes))


def _sizes_text(sizes: Sequence[Dim | None]) -> str:
    return "[" + ", ".join("-1" if size is None else size.text for size in sizes) + "]"
