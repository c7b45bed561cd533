"""Rounds of a loop: its counter is a symbol, and what a round computes is written in it and can be had at another count.

A sequence built in rounds (``[nn.LSTM(8 if i == 0 else 4, 4) for i in range(n)]``) keeps its item written in its `index`.
Inside a running loop a condition on the counter is no riddle: there is a first round, and a last one (`Interpreter.rounds`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import is_

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol, interned
from lstm_lint.interpret.choose import choose, same, under
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.sizes import equal_dims, greater_than_zero
from lstm_lint.lineage import Lineage
from lstm_lint.proofs.conditions import assumed
from lstm_lint.shapes import Shape
from lstm_lint.values import (
    Bool,
    Dict,
    Float,
    Int,
    Layer,
    OneOf,
    Packed,
    Repeated,
    Tensor,
    Tuple,
    Unknown,
    Value,
)

MAX_HEAD = 2
"""So many items before what rounds made are told apart by their index."""


def counter(it: Interpreter, name: str, length: Dim | None = None) -> Symbol:
    """An int of at least 0, and less than `length`, that differs from round to round."""
    return Symbol(("loop", it.number(), length), name, Kind.OPAQUE, None, 0)


def length_of(index: Symbol) -> Dim | None:
    """How many rounds a counter counts."""
    match index.key:
        case ("loop", _, Dim() as length):
            return length
        case _:
            return None


def done_rounds(it: Interpreter, index: Symbol) -> Symbol:
    """The counter of the rounds that are done: in the end as many as there are, where that of a round stays below."""
    length = length_of(index)
    return counter(it, index.name, None if length is None else length + 1)


@contextmanager
def running(it: Interpreter, index: Symbol | None) -> Iterator[None]:
    """While a loop with this counter runs."""
    outer = it.rounds
    it.rounds = outer if index is None else outer | {index}
    try:
        yield
    finally:
        it.rounds = outer


def item_at(it: Interpreter, sequence: Repeated, index: Dim | None) -> Value:
    """The item at an index (None: at one that is not known)."""
    if sequence.index is None or index is None:
        return sequence.item
    if (index.constant or 0) < 0 and sequence.length is not None:
        index = sequence.length + index
    return at(it, sequence.item, sequence.index, index)


def behind(it: Interpreter, head: tuple[Value, ...], tail: Repeated) -> Repeated | None:
    """``[first] + [more for i in range(n)]``: what rounds made, behind a few items, in one index; None if too many."""
    if not 0 < len(head) <= MAX_HEAD:
        return None
    length = None if tail.length is None else tail.length + len(head)
    index = counter(it, "i", length)
    item = item_at(it, tail, Dim.of(index) - len(head))
    for position, first in enumerate(head):
        item = choose(equal_dims(Dim.of(index), Dim.of(position)), first, item)
    return Repeated(item, length, "list", index)


def longer(it: Interpreter, sequence: Repeated, added: tuple[Value, ...]) -> Repeated | None:
    """The sequence with items at its end that are what its rounds make there, on this path; None if they are others."""
    length = sequence.length
    if sequence.index is None or length is None:
        return None
    made = (under(item_at(it, sequence, length + position), it.path) for position in range(len(added)))
    if not all(map(same, made, added)):
        return None
    return replace(sequence, length=length + len(added))


def restarted(it: Interpreter, sequence: Repeated, name: str) -> Repeated:
    """The same sequence, written in a counter of its own for one loop over it."""
    if sequence.index is None:
        return sequence
    index = counter(it, name, sequence.length)
    return replace(sequence, item=at(it, sequence.item, sequence.index, Dim.of(index)), index=index)


def at(it: Interpreter, value: Value, index: Symbol, count: Dim, others: Mapping[Symbol, Dim] | None = None) -> Value:
    """A value that a round computed, at another count."""
    return _Count(it, index, count, others or {}).value(value)


def _are_the_same(left: Sequence[object], right: Sequence[object]) -> bool:
    return all(map(is_, left, right))


@dataclass(frozen=True)
class _Count:
    """A counter and what is put in for it; `others`: flags that are replaced too."""

    it: Interpreter
    index: Symbol
    count: Dim
    others: Mapping[Symbol, Dim]

    def dim(self, dim: Dim) -> Dim:
        if self.index not in dim.spoken_of and dim.spoken_of.isdisjoint(self.others):
            return dim
        values = {symbol: new for symbol in dim.symbols if (new := self._symbol(symbol)) is not None}
        return dim.substitute(values)

    def _symbol(self, symbol: Symbol) -> Dim | None:
        if symbol == self.index:
            return self.count
        if symbol in self.others:
            return self.others[symbol]
        if self.index not in symbol.spoken_of:
            return None
        if symbol.test is not None:
            return greater_than_zero(self.dim(symbol.test), symbol.name)
        assert isinstance(symbol.subject, Dim) and isinstance(symbol.equals, int)
        return equal_dims(self.dim(symbol.subject), Dim.of(symbol.equals))

    def dims(self, dims: tuple[Dim, ...]) -> tuple[Dim, ...]:
        put = tuple(map(self.dim, dims))
        return dims if _are_the_same(put, dims) else put

    def shape(self, shape: Shape) -> Shape:
        front, rest, back = self.dims(shape.front), shape.rest, self.dims(shape.back)
        if rest is not None and (rest.first or rest.last):
            rest = replace(rest, first=self.dims(rest.first), last=self.dims(rest.last))
        return shape if front is shape.front and back is shape.back and rest is shape.rest else Shape(front, rest, back)

    def value(self, value: Value) -> Value:
        """The value, itself where nothing in it speaks of the counter."""
        match value:
            case Int(dim):
                return value if (put := self.dim(dim)) is dim else Int(put)
            case Bool(dim):
                return value if (put := self.dim(dim)) is dim else Bool(put)
            case Float(ratio=(a, b)):
                return replace(value, ratio=(self.dim(a), self.dim(b)))
            case Tensor(shape, lineage=lineage):
                made, kept = self.shape(shape), self.lineage(lineage)
                return value if made is shape and kept is lineage else replace(value, shape=made, lineage=kept)
            case Packed(batch, features, time=time):
                parts = [None if part is None else self.dim(part) for part in (batch, time)]
                features = None if features is None else self.dims(features)
                return replace(value, batch=parts[0], features=features, time=parts[1])
            case Unknown(dim=Dim() as dim) if (put := self.dim(dim)) != dim:
                return replace(value, key=("at", value.key, interned(put)), dim=put, ratio=None, like=None)
            case Tuple(items):
                values = tuple(map(self.value, items))
                return value if _are_the_same(values, items) else replace(value, items=values, pieces=None)
            case Dict(items):
                return replace(value, items={key: self.value(item) for key, item in items.items()})
            case Repeated(item, length):
                length = None if length is None else self.dim(length)
                return replace(value, item=self.value(item), length=length, pieces=None)
            case OneOf(alternatives):
                return self._one_of(alternatives)
            case Layer():
                return self._layer(value)
            case _:
                return value

    def lineage(self, lineage: Lineage | None) -> Lineage | None:
        """What was taken of an axis by the counter: what the last round took is the last of it."""
        counted = [one.index for one in lineage.taken if one.index is not None] if lineage is not None else []
        if lineage is None or all(self.dim(index) == index for index in counted):
            return lineage
        taken = [one if one.index is None else one.with_index(self.dim(one.index)) for one in lineage.taken]
        return replace(lineage, taken=tuple(taken))

    def _one_of(self, alternatives: tuple[tuple[Dim, Value], ...]) -> Value:
        possible = [(here, item) for condition, item in alternatives if (here := self.dim(condition)) != ZERO]
        kept = [(condition, self._under(condition, item).value(item)) for condition, item in possible]
        certain = [item for condition, item in kept if condition == ONE]
        return certain[0] if certain else OneOf(tuple(kept))

    def _under(self, condition: Dim, item: Value) -> _Count:
        """The same, where what a condition fixes is put into the count, for what the counter took of a layer's output."""
        lineage = item.lineage if isinstance(item, Tensor) else None
        is_taken = lineage is not None and any(taken.index is not None for taken in lineage.taken)
        return replace(self, count=assumed(self.count, condition)) if is_taken and condition != ONE else self

    def _layer(self, layer: Layer) -> Layer:
        """The layer with its sizes at that count: a site of its own, if they differ."""
        config = {name: self.value(value) for name, value in layer.config.items()}
        if config == layer.config:
            return layer
        if layer.site is None:
            return replace(layer, config=config)
        site = self.it.world.sites[layer.site]
        number = self.it.number()
        bound = replace(site.bound, values=config)
        self.it.world.sites[number] = replace(site, number=number, bound=bound, config=bound.config())
        return replace(layer, config=config, site=number)
