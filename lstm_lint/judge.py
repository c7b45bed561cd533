"""A call against the contract: which state and input the layer wants, which it is given, and how they compare, axis by axis."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from lstm_lint.dims import ONE, Dim, Kind, Opaque, Symbol
from lstm_lint.facts import LstmCall
from lstm_lint.ops.recurrent import LayerConfig
from lstm_lint.proofs.comparison import EQUAL, UNDECIDED, Comparison, Extent, Trust, compare, without_common_sizes
from lstm_lint.shapes import Shape
from lstm_lint.source import Place
from lstm_lint.values import NONE, Packed, Tensor, Tuple, Unknown, Value, as_tensor

FEW_LAYERS = 4
TIME = Symbol(("time",), "T", Kind.RUNTIME)


@dataclass(frozen=True)
class InputView:
    """The input as the layer sees it: `batched`, its dims (None if not known), batch N and time T (None if none or unknown)."""

    batched: bool | None
    dims: tuple[Dim, ...] | None
    batch: Dim | None
    time: Dim | None
    features: Dim | None
    packed: bool = False
    why: Unknown | None = None
    dtype: str | None = None

    def promised(self, config: LayerConfig) -> dict[Symbol, Dim]:
        """What the call itself promises: that the last size of the input is input_size."""
        if self.features is None or len(self.features.sizes) != 1 or self.features != Dim.of(self.features.sizes[0]):
            return {}
        (size,) = self.features.sizes
        return {size: config.input_size} if size.kind is Kind.RUNTIME and size not in self.runtime else {}

    @property
    def runtime(self) -> frozenset[Symbol]:
        """The sizes of this very input: batch and time, as far as they are not the last size too."""
        dims = [d for d in (self.batch, self.time) if d is not None and not any(isinstance(a, Opaque) for a in d.atoms())]
        last = self.features.symbols if self.features is not None else ()
        return frozenset(s for dim in dims for s in dim.symbols if s.kind is Kind.RUNTIME and s not in last)


@dataclass(frozen=True)
class StatePart:
    """``h_0`` or ``c_0``: expected and actual dims (None where unknown) and their comparison, axis by axis.

    `ranks` is set, and `axes` empty, if already the number of dims is wrong: (wanted, given).
    """

    which: str
    expected: tuple[Dim, ...] | None
    actual: tuple[Dim, ...] | None
    axes: tuple[Comparison, ...] = ()
    ranks: tuple[int, int] | None = None
    why: Unknown | None = None
    place: Place | None = None
    tensor: Tensor | None = None

    @property
    def status(self) -> str:
        """``match``, ``mismatch``, ``conditional`` or ``unknown``, as `shapes` prints it."""
        if self.ranks is not None:
            return "mismatch"
        if not self.axes:
            return "unknown"
        extents = {axis.extent for axis in self.axes}
        if extents & {Extent.ALWAYS, Extent.COINCIDENCE, Extent.DEFAULTS}:
            return "mismatch"
        if Extent.SOMETIMES in extents:
            return "conditional"
        return "unknown" if Extent.UNKNOWN in extents else "match"

    @property
    def owed(self) -> tuple[tuple[Dim, Dim], ...]:
        """What callers owe where nothing else is open: (actual, expected) sizes of arguments that have to be equal.

        Empty if the part is right or wrong anyway, or if a size was lost on the way.
        """
        if self.status != "unknown" or not self.axes or self.expected is None or self.actual is None:
            return ()
        pairs = zip(self.axes, self.actual, self.expected, strict=True)
        open_pairs = [(actual, expected) for axis, actual, expected in pairs if axis.extent is Extent.UNKNOWN]
        given = all(is_given(symbol) for pair in open_pairs for dim in pair for symbol in dim.symbols)
        return tuple(open_pairs) if given else ()


def is_given(symbol: Symbol) -> bool:
    """Whether a symbol stands for something that a caller gives: a parameter, or a size, a field or an item of one."""
    key = symbol.key
    while isinstance(key, tuple) and key:
        if key[0] in ("parameter", "argument"):
            return True
        if key[0] == "at" and isinstance(key[1], Shape) and key[1].rest is not None:
            key = key[1].rest.key
        else:
            key = key[1] if key[0] in ("size", "int", "truth") else key[0]
    return False


@dataclass(frozen=True)
class Judged:
    """One call, judged. `structure` says what is wrong with the state as a whole (not a pair, three tensors, ...)."""

    call: LstmCall
    input: InputView
    parts: tuple[StatePart, ...] = ()
    structure: str | None = None
    output: tuple[Dim, ...] | None = None
    trust: Trust = field(default_factory=Trust)


@lru_cache(maxsize=4096)
def judge(call: LstmCall) -> Judged:
    """Compare one call with the contract of its layer (the design's section 2)."""
    config = call.site.config
    if config is None or call.problem is not None:
        return Judged(call, InputView(None, None, None, None, None))
    tensors, structure, why = state_tensors(call.state, config)
    view = input_view(call.input, config, _state_rank(tensors, config))
    known = replace(call, ranks={**call.ranks, **_insisted(tensors, config, view)})
    view = _in_one_spelling(view, known)
    trust = replace(call.site.trust, runtime=view.runtime, rounds=call.rounds)
    names = ("h_0", "c_0") if config.has_pair else ("h_0",)
    parts: tuple[StatePart, ...] = ()
    if call.state is not None and structure is None:
        parts = tuple(_part(name, tensor, config, view, known, trust, why) for name, tensor in zip(names, tensors, strict=True))
        structure = _not_a_pair(call, config, view, parts)
        parts = () if structure is not None else parts
    output = None
    if view.batched is not None:
        time = view.time if view.time is not None else Dim.of(TIME)
        output = config.output_dims(time, view.batch if view.batched else None)
        if view.packed:
            output = None
    return Judged(call, view, parts, structure, output, trust)


# -- the state -------------------------------------------------------------------------------------------------------
def state_tensors(state: Value | None, config: LayerConfig) -> tuple[tuple[Tensor | None, ...], str | None, Unknown | None]:
    """The state's tensors (None where not known), what is wrong with its structure, and why it is not known.

    An LSTM takes a pair, a tuple or a list; GRU and RNN take one tensor. What else an LSTM takes depends on its input, see
    `_not_a_pair`: of more than two items, and of one tensor that can be indexed twice, the first two are the result.
    """
    count = 2 if config.has_pair else 1
    unknown: tuple[Tensor | None, ...] = (None,) * count
    match state:
        case None:
            return unknown, None, None
        case Unknown():
            if not config.has_pair:
                return (as_tensor(state),), None, state
            return unknown, None, state
        case Tuple(items, kind) if config.has_pair:
            if len(items) < 2:
                return unknown, f"{config.layer} takes a pair (h_0, c_0), this is a {kind} of {len(items)}", None
            wrong = [item for item in items[:2] if not isinstance(item, Tensor | Unknown)]
            if any(item == NONE for item in wrong):
                return unknown, f"{config.layer} takes two tensors (h_0, c_0), one of them is None", None
            inner = next((item for item in wrong if isinstance(item, Tuple)), None)
            if inner is not None:
                text = f"{config.layer} takes two tensors (h_0, c_0), one of them is a {inner.kind} of {len(inner.items)}"
                return unknown, text, None
            if wrong:
                return unknown, None, None
            return tuple(as_tensor(item) for item in items[:2]), None, None
        case Tuple(items, kind):
            return unknown, f"{config.layer} takes one tensor h_0, this is a {kind} of {len(items)}", None
        case Tensor() if config.has_pair:
            return _stacked(state, config)
        case Tensor():
            return (state,), None, None
        case _:
            return unknown, None, None


def _stacked(state: Tensor, config: LayerConfig) -> tuple[tuple[Tensor | None, ...], str | None, Unknown | None]:
    """One tensor as an LSTM's state: where torch indexes it, its first axis has to be 2 or more."""
    rank = state.shape.rank
    if rank is None:
        return (None, None), None, state.why
    first = state.shape.front[0].constant if rank else 0
    wanted = {1, 2} if config.is_cell else {2, 3}
    if rank - 1 in wanted and (first is None or first >= 2):
        half = replace(state, shape=Shape(state.shape.front[1:]))
        return (half, half), None, None
    return (None, None), one_tensor(state, config), None


def one_tensor(state: Tensor, config: LayerConfig) -> str:
    return f"{config.layer} takes a pair (h_0, c_0), this is one tensor of shape {state.shape.text}"


def _not_a_pair(call: LstmCall, config: LayerConfig, view: InputView, parts: tuple[StatePart, ...]) -> str | None:
    """What is wrong with a state of more than two items, or with one tensor as the state of an LSTM.

    torch 2.13 indexes the state (so that both pass) of an unbatched input, and of a PackedSequence that it has to sort; for
    every other input it wants exactly two tensors in a tuple or list.
    """
    if not config.has_pair or (isinstance(call.input, Packed) and not call.input.in_order):
        return None
    match call.state:
        case Tuple(items, kind) if len(items) > 2 and view.batched:
            return f"{config.layer} takes a pair (h_0, c_0), this is a {kind} of {len(items)}"
        case Tensor(shape) as state if shape.rank is not None:
            known = isinstance(call.input, Tensor) and call.input.shape.rank is not None
            guessed_wrong = not known and any(part.status != "match" for part in parts)
            return one_tensor(state, config) if view.batched or guessed_wrong else None
        case _:
            return None


def _state_rank(tensors: tuple[Tensor | None, ...], config: LayerConfig) -> int | None:
    ranks = {tensor.shape.rank for tensor in tensors if tensor is not None}
    ranks.discard(None)
    wanted = {1, 2} if config.is_cell else {2, 3}
    return next(iter(ranks)) if len(ranks) == 1 and ranks <= wanted else None


def _part(
    which: str, tensor: Tensor | None, config: LayerConfig, view: InputView, call: LstmCall, trust: Trust, why: Unknown | None
) -> StatePart:
    batched = view.batched
    if batched is None:
        return StatePart(which, None, tensor.shape.dims if tensor else None, why=why or view.why, tensor=tensor)
    batch = view.batch if batched else None
    expected = None if batched and batch is None else config.state_dims(which, batch)
    if tensor is None:
        return StatePart(which, expected, None, why=why or (call.state if isinstance(call.state, Unknown) else None))
    wanted = len(config.state_dims(which, Dim.of(TIME) if batched else None))
    actual = tensor.shape.dims
    if actual is None:
        actual = _spelt_out(tensor.shape, wanted, call)
        if actual is None:
            return StatePart(which, expected, None, why=tensor.why, place=tensor.place, tensor=tensor)
    actual = tuple(call.in_one_spelling(dim).substitute(view.promised(config)) for dim in actual)
    if len(actual) != wanted:
        return StatePart(which, expected, actual, ranks=(wanted, len(actual)), place=tensor.place, tensor=tensor)
    axes = tuple(_compare_axes(which, config, view, actual, call.given, trust))
    return StatePart(which, expected, actual, axes, why=tensor.why, place=tensor.place, tensor=tensor)


def _insisted(tensors: Sequence[Tensor | None], config: LayerConfig, view: InputView) -> dict[Hashable, int]:
    """The ranks that torch insists on for states of unknown rank, by key: both state and input are spelt with them."""
    if view.batched is None:
        return {}
    wanted = len(config.state_dims("h", Dim.of(TIME) if view.batched else None))
    shapes = [tensor.shape for tensor in tensors if tensor is not None]
    return {s.rest.key: wanted - s.minimum_rank + s.rest.skipped for s in shapes if s.rest and s.minimum_rank <= wanted}


def _spelt_out(shape: Shape, wanted: int, call: LstmCall) -> tuple[Dim, ...] | None:
    """The sizes of a state of unknown rank once it has the rank that torch insists on; None where none is known."""
    spelt = shape.with_rank(wanted)
    if spelt is None or spelt.dims is None:
        return None
    return spelt.dims if shape.minimum_rank or tuple(map(call.in_one_spelling, spelt.dims)) != spelt.dims else None


def _compare_axes(
    which: str, config: LayerConfig, view: InputView, actual: tuple[Dim, ...], given: Dim, trust: Trust
) -> Iterator[Comparison]:
    """Layers, batch, size; batch only if the input has one, layers only if it is no cell."""
    remaining = list(actual)
    if not config.is_cell:
        yield compare(config.state_layers, remaining.pop(0), given, trust)
    if view.batched:
        yield compare_batch(view, remaining.pop(0), given, trust)
    size = remaining.pop(0)
    yield compare(config.state_size(which), size, given * config.relied_on(size), trust)


def compare_batch(view: InputView, actual: Dim, given: Dim, trust: Trust) -> Comparison:
    """The state's batch against the input's.

    A constant, alone or as a multiple of what both are, or a foreign size against a batch from outside proves nothing (the
    caller may keep to it); another size of the same input does, and so does a size of the layer's own configuration.
    """
    if view.batch is None:
        return UNDECIDED
    own = {_axis_family(symbol) for symbol in view.batch.sizes} - {None}
    siblings = frozenset(symbol for symbol in actual.sizes if _axis_family(symbol) in own)
    result = compare(view.batch, actual, given, replace(trust, runtime=trust.runtime | siblings))
    if result.extent is not Extent.COINCIDENCE:
        return result
    others = [size for size in actual.sizes if size.kind is Kind.RUNTIME]
    left = without_common_sizes(view.batch - actual, trust).sizes
    is_multiple = all(coefficient > 1 for _, coefficient in actual.terms)  # N*3 against N*M: the caller may keep to M == 3
    if any(size in left or not is_multiple for size in others):
        return result
    return result if actual.sizes and all(s in trust.knobs for s in actual.sizes) else UNDECIDED


def _axis_family(size: Symbol) -> tuple[object, bool] | None:
    """The tensor whose size it is, and from which end: of one family all are free. (x.size(-2) may well be x.size(1).)"""
    match size.key:
        case ("size", key, int() as position):
            return key, position < 0
        case _:
            return None


def _in_one_spelling(view: InputView, call: LstmCall) -> InputView:
    """What the input says, its sizes spelt as those of the state are."""
    batch, time, features = (None if d is None else call.in_one_spelling(d) for d in (view.batch, view.time, view.features))
    dims = None if view.dims is None else tuple(map(call.in_one_spelling, view.dims))
    return replace(view, dims=dims, batch=batch, time=time, features=features)


# -- the input -------------------------------------------------------------------------------------------------------
def input_view(value: Value, config: LayerConfig, state_rank: int | None) -> InputView:
    """What the input says about batch, time and features. An input of unknown rank is taken for what the state is made for."""
    if isinstance(value, Packed):
        features = value.features[0] if value.features is not None and len(value.features) == 1 else None
        return InputView(True, None, value.batch, value.time, features, packed=True, why=value.why, dtype=value.dtype)
    tensor = as_tensor(value)
    if tensor is None:
        return InputView(None, None, None, None, None)
    batched_rank = 2 if config.is_cell else 3
    shape: Shape | None = tensor.shape
    if tensor.shape.rank is None:
        batched = True if state_rank is None else state_rank == (2 if config.is_cell else 3)
        shape = tensor.shape.with_rank(batched_rank if batched else batched_rank - 1)
        if state_rank is None and not tensor.shape.minimum_rank:
            return InputView(None, None, None, None, None, why=tensor.why, dtype=tensor.dtype)
        if shape is None:
            return InputView(None, None, None, None, None, why=tensor.why, dtype=tensor.dtype)
    assert shape is not None
    dims = shape.dims
    if dims is None or len(dims) not in (batched_rank, batched_rank - 1):
        return InputView(None, dims, None, None, None, why=tensor.why, dtype=tensor.dtype)
    return _known_input(dims, len(dims) == batched_rank, config, tensor)


def _known_input(dims: tuple[Dim, ...], batched: bool, config: LayerConfig, tensor: Tensor) -> InputView:
    features = dims[-1]
    if config.is_cell:
        return InputView(batched, dims, dims[0] if batched else None, None, features, why=tensor.why, dtype=tensor.dtype)
    if not batched:
        return InputView(False, dims, None, dims[0], features, why=tensor.why, dtype=tensor.dtype)
    # (N, T, F) where batch_first holds, (T, N, F) where it does not
    laid_out = replace(config, input_size=features).input_dims(dims[0], dims[1])
    assert laid_out is not None
    time, batch = laid_out[0], laid_out[1]
    return InputView(True, dims, batch, time, features, why=tensor.why, dtype=tensor.dtype)


def compare_features(judged: Judged) -> Comparison:
    """The last dim of the input against input_size."""
    config = judged.call.site.config
    if config is None or judged.input.features is None:
        return UNDECIDED
    features = judged.call.in_one_spelling(judged.input.features)
    return compare(config.input_size, features, judged.call.given, judged.trust)


def is_swapped(part: StatePart, config: LayerConfig, view: InputView, given: Dim, trust: Trust) -> bool:
    """Whether the state is laid out (batch, layers, size): wrong as it stands, right with its first two dims swapped."""
    if config.is_cell or part.actual is None or len(part.actual) != 3 or view.batch is None or len(part.axes) != 3:
        return False
    if not (part.axes[0].differs or part.axes[1].differs):
        return False
    batch, layers, _ = part.actual
    if layers == ONE and batch.constant is not None and batch.constant <= FEW_LAYERS and compare(view.batch, batch) != EQUAL:
        return False  # (2, 1, H) has a batch of one
    batch_fits = not compare_batch(view, batch, given, trust).differs
    return batch_fits and compare(config.state_layers, layers, given, trust) == EQUAL
