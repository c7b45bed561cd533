"""What the interpreter found: every construction of a recurrent layer, and every call of one, as data without syntax."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Opaque, Symbol
from lstm_lint.lineage import Lineage, is_noted
from lstm_lint.ops.recurrent import Bound, LayerConfig
from lstm_lint.proofs.comparison import Trust
from lstm_lint.shapes import Broadcast, size_symbol, told
from lstm_lint.source import Place
from lstm_lint.values import Bool, Dict, OneOf, Packed, Repeated, Tensor, Tuple, Unknown, Value


@dataclass(frozen=True, eq=False)
class LstmSite:
    """One construction of nn.LSTM or its kin, as seen in one context.

    `target` is what it is assigned to, in the user's words. `given` is the condition under which the code is reached.
    `grounded`: reached from module-level code, not only because every body is entered. `guarded`: inside a ``try`` or
    ``pytest.raises`` that expects an exception. `directions` are the flags by which it, or a layer before it, is bidirectional.
    `required`: what of `given` has to hold, or something was raised before.
    `reached_from`: what in the analysed file led here, if it stands in another.
    """

    number: int
    place: Place
    bound: Bound
    config: LayerConfig | None
    target: str | None = None
    given: Dim = ONE
    grounded: bool = False
    guarded: bool = False
    why: Unknown | None = field(default=None, compare=False)
    directions: frozenset[Symbol] = frozenset()
    required: Dim = ONE
    reached_from: Place | None = None

    @property
    def layer(self) -> str:
        return self.bound.layer

    @cached_property
    def trust(self) -> Trust:
        """The symbols of its own configuration, which an analysis may vary freely."""
        symbols: set[Symbol] = set()
        for value in (item for given in self.bound.values.values() for item in _possible(given)):
            match value:
                case Unknown(kind=Kind.CONFIG):
                    symbols.update(value.as_dim().symbols)
                    symbols.update(value.as_condition().symbols)
                case _:
                    dim = getattr(value, "dim", None)
                    if isinstance(dim, Dim):
                        symbols.update(s for s in dim.symbols if s.kind in (Kind.CONFIG, Kind.FLAG))
        positive = frozenset(self._positive())
        forwarded = frozenset(self._forwarded())
        return Trust(frozenset(symbols), frozenset(), positive, self._least(), self.directions, forwarded=forwarded)

    def _forwarded(self) -> Iterator[Symbol]:
        """The symbols of what an open ``**kwargs`` may hold."""
        for name, value in self.bound.values.items():
            if self.why is not None and name not in self.bound.given and isinstance(value, Unknown):
                yield from (*value.as_dim().symbols, *value.as_condition().symbols)

    def _positive(self) -> Iterator[Symbol]:
        """The symbols that are at least 1 because torch takes no layer of size 0."""
        if self.config is not None:
            for size in (self.config.input_size, self.config.hidden_size, self.config.num_layers):
                yield from (symbol for symbol in size.sizes if _vanishes(size, symbol))

    def _least(self) -> dict[Symbol, Dim]:
        """The symbols that are at least 2 because torch takes no layer of size 0: ``n`` of a hidden_size ``n // 2``."""
        found: dict[Symbol, Dim] = {}
        sizes = (self.config.input_size, self.config.hidden_size, self.config.num_layers) if self.config is not None else ()
        for size in sizes:
            match size.terms:
                case (((Opaque("//", (Dim(terms=(((Symbol() as symbol,), 1),)), divisor)),), 1),) if divisor.constant:
                    found[symbol] = Dim.of(replace(symbol, minimum=max(symbol.minimum or 0, divisor.constant)))
        return found

    @property
    def built(self) -> LayerConfig | None:
        """The layer's sizes once it is there: its symbols cannot be 0 any more."""
        if self.config is None:
            return None
        known = {s: Dim.of(replace(s, minimum=max(s.minimum or 0, 1))) for s in self._positive()}
        config = self.config
        return replace(
            config,
            input_size=config.input_size.substitute(known),
            hidden_size=config.hidden_size.substitute(known),
            num_layers=config.num_layers.substitute(known),
        )

    @property
    def booleans(self) -> Mapping[Symbol, Dim]:
        """Arguments that are flags here though nothing said so: their int symbol is their flag."""
        found: dict[Symbol, Dim] = {}
        for name in ("bidirectional", "batch_first", "bias"):
            value = self.bound.values.get(name)
            if isinstance(value, Unknown) and not isinstance(value.default, Bool):
                found.update(dict.fromkeys(value.as_dim().symbols, value.as_condition()))
        return found


def _vanishes(size: Dim, symbol: Symbol) -> bool:
    """Whether there is no such size where the symbol is 0: it is 0 then, or a division by 0."""
    put = size.substitute({symbol: ZERO})
    return put == ZERO or put.divides_by_zero


def _possible(value: Value) -> Iterator[Value]:
    """What a value can be, one by one."""
    if isinstance(value, OneOf):
        yield from (item for _, item in value.alternatives)
    else:
        yield value


@dataclass(frozen=True, eq=False)
class LstmCall:
    """One call of a recurrent layer in one context. `state` is None if none (or None) was passed.

    `place` is the call, `state_place` the argument. `problem`: the call does not fit the layer's signature. Facts with one
    `evaluation` are alternatives of one call; `assumed_rank` is the input's rank where it is not known and each was tried.
    `ranks` are the ranks of tensors from outside, by their key, `rounds` the counters of the loops that it stands in.
    `reached_from` as for the construction. `usual`: the code that leads here leaves torch's default dtype and device alone.
    """

    number: int
    site: LstmSite
    place: Place
    input: Value
    state: Value | None
    given: Dim = ONE
    grounded: bool = False
    guarded: bool = False
    state_place: Place | None = field(default=None, compare=False)
    problem: str | None = None
    evaluation: int = 0
    assumed_rank: int | None = None
    ranks: Mapping[Hashable, int] = field(default_factory=dict)
    required: Dim = ONE
    rounds: frozenset[Symbol] = frozenset()
    reached_from: Place | None = None
    usual: bool = False

    def in_one_spelling(self, dim: Dim, ranks: Mapping[Hashable, int] | None = None) -> Dim:
        """The dim with flags as flags, and with ``x.size(-1)`` as ``x.size(2)`` where x is known to have three dims.

        A size of what several tensors broadcast to is theirs where that is certain. `ranks`: more of them than the call knows.
        """
        ranks = self.ranks if ranks is None else {**self.ranks, **ranks}
        values = dict(self.site.booleans)
        dim = told(dim, ranks)
        for symbol in dim.symbols:
            match symbol.key:
                case ("size", Broadcast() as key, int() as position) if 0 <= position < ranks.get(key, 0):
                    size = key.sizes(ranks[key], ranks)[position]
                    if size is not None:
                        values[symbol] = self.in_one_spelling(size, ranks)
                case ("size", key, int() as position) if position < 0 and key in ranks:
                    name = symbol.name.rsplit(".size(", 1)[0]
                    whole = Dim.of(size_symbol(key, name, position + ranks[key]))
                    values[symbol] = self.in_one_spelling(whole, ranks) if isinstance(key, Broadcast) else whole
        return dim.substitute(values)


@dataclass(frozen=True, eq=False)
class Use:
    """What the code does with something that a recurrent layer gave, in one context: an op, or the call of another layer.

    `name` is the qualified name of the op or layer, ``index`` for ``x[...]``, ``unpack`` where it is taken apart into names;
    `config` the layer's arguments by name. `arguments` are as the op got them, the receiver of a method first. `targets` are
    the names that it is unpacked into, `sites` the layers that gave what it gets, `built` where the layer that is called is
    constructed. What is done with a weight of a recurrent layer is a use too; so are ``return``, ``keep`` (as an attribute) and
    ``pass`` (to code that is not followed). `entry` is the function from which the code was entered. The rest is as for a call.
    """

    name: str
    arguments: tuple[Value, ...]
    keywords: Mapping[str, Value]
    result: Value
    place: Place
    sites: tuple[LstmSite, ...] = ()
    config: Mapping[str, Value] | None = None
    targets: tuple[str, ...] = ()
    given: Dim = ONE
    grounded: bool = False
    guarded: bool = False
    required: Dim = ONE
    rounds: frozenset[Symbol] = frozenset()
    reached_from: Place | None = None
    evaluation: int = 0
    built: Place | None = None
    entry: Hashable = None

    @property
    def lineages(self) -> Iterator[Lineage]:
        """Those of everything that it gets."""
        for value in (*self.arguments, *self.keywords.values()):
            yield from _lineages(value)

    @property
    def from_layer(self) -> bool:
        """Whether one of the arguments is something that a recurrent layer gave."""
        return any(_is_given(value) for value in (*self.arguments, *self.keywords.values()))

    @property
    def source(self) -> Tensor | None:
        """The tensor that it is done to, if that has a lineage."""
        first = self.arguments[0] if self.arguments else self.keywords.get("input")
        return first if isinstance(first, Tensor) and is_noted(first.lineage) else None

    def argument(self, index: int, name: str) -> Value | None:
        """The argument at a position or under a name."""
        return self.arguments[index] if index < len(self.arguments) else self.keywords.get(name)


def _lineages(value: Value) -> Iterator[Lineage]:
    match value:
        case Tensor(lineage=Lineage() as lineage) | Packed(lineage=Lineage() as lineage):
            yield lineage
        case Tuple(items):
            for item in items:
                yield from _lineages(item)
        case Dict(items):
            for item in items.values():
                yield from _lineages(item)
        case Repeated(item):
            yield from _lineages(item)
        case OneOf(alternatives):
            for _, item in alternatives:
                yield from _lineages(item)


def _is_given(value: Value) -> bool:
    match value:
        case Tensor(lineage=lineage):
            return is_noted(lineage)
        case Tuple(items, given_by=source):
            return source is not None or any(_is_given(item) for item in items)
        case Repeated(item):
            return _is_given(item)
        case Dict(items):
            return any(_is_given(item) for item in items.values())
        case _:
            return False


@dataclass(frozen=True)
class GaveUp:
    """A place where the analysis budget ran out, and what was not looked at."""

    place: Place
    message: str


@dataclass(frozen=True)
class Reveal:
    """What a ``reveal_shape(x)`` shows in one context: the shape in the user's own names, or ``?`` and the reason."""

    place: Place
    text: str
    why: str = ""
    grounded: bool = False


@dataclass(frozen=True)
class Facts:
    """Everything that the analysis of one file gave; what stands in files that it imports is there too.

    `wrappers` are the plain calls of ``Variable(x)``. `cut_short`: the time was up before the budget was.
    """

    sites: tuple[LstmSite, ...] = ()
    calls: tuple[LstmCall, ...] = ()
    gave_up: tuple[GaveUp, ...] = ()
    path: str = ""
    reveals: tuple[Reveal, ...] = ()
    uses: tuple[Use, ...] = ()
    wrappers: tuple[Place, ...] = ()
    cut_short: bool = False
