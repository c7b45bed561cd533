"""The contract of torch's recurrent layers, stated once: constructor parameters, shapes of input, state, output, weights.

Source: the documentation of torch.nn.LSTM, GRU, RNN and their cells, held against torch 2.13 by tests/test_recurrent.py.
D = 2 if bidirectional else 1, P = proj_size if proj_size > 0 else hidden_size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol, by_cases, where
from lstm_lint.keywords import argument_of
from lstm_lint.values import (
    FALSE,
    NONE,
    TRUE,
    Bool,
    Float,
    Int,
    NoneValue,
    OneOf,
    Str,
    Unknown,
    Value,
    as_dim,
    describe,
    truth_constant,
)

REQUIRED = object()

_SIZES: dict[str, Value | object] = {"input_size": REQUIRED, "hidden_size": REQUIRED}
_LAYERS: dict[str, Value | object] = {"num_layers": Int(ONE)}
_COMMON: dict[str, Value | object] = {
    "bias": TRUE,
    "batch_first": FALSE,
    "dropout": Float(0.0),
    "bidirectional": FALSE,
}
_FACTORY: dict[str, Value | object] = {"proj_size": Int(ZERO), "device": NONE, "dtype": NONE}
_CELL_FACTORY: dict[str, Value | object] = {"device": NONE, "dtype": NONE}

PARAMETERS: Mapping[str, Mapping[str, Value | object]] = {
    "LSTM": {**_SIZES, **_LAYERS, **_COMMON, **_FACTORY},
    "GRU": {**_SIZES, **_LAYERS, **_COMMON, **_FACTORY},
    "RNN": {**_SIZES, **_LAYERS, "nonlinearity": Str("tanh"), **_COMMON, **_FACTORY},
    "LSTMCell": {**_SIZES, "bias": TRUE, **_CELL_FACTORY},
    "GRUCell": {**_SIZES, "bias": TRUE, **_CELL_FACTORY},
    "RNNCell": {**_SIZES, "bias": TRUE, "nonlinearity": Str("tanh"), **_CELL_FACTORY},
}
"""Constructor parameters in their positional order, with torch's defaults. GRU and RNN take `proj_size` by position only."""

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1, "LSTMCell": 4, "GRUCell": 3, "RNNCell": 1}
QUALIFIED = {f"torch.nn.{name}": name for name in PARAMETERS}


@dataclass(frozen=True)
class LayerConfig:
    """One layer's constructor arguments as dims; flags (`bidirectional`, `batch_first`, `bias`) are 0/1 polynomials."""

    layer: str
    input_size: Dim
    hidden_size: Dim
    num_layers: Dim = ONE
    bidirectional: Dim = ZERO
    batch_first: Dim = ZERO
    proj_size: Dim = ZERO
    bias: Dim = ONE

    @property
    def is_cell(self) -> bool:
        return self.layer.endswith("Cell")

    @property
    def has_pair(self) -> bool:
        """Whether the state is a pair (h, c), as for LSTM, or one tensor."""
        return self.layer.startswith("LSTM")

    @property
    def num_directions(self) -> Dim:
        return ONE + self.bidirectional

    @property
    def state_layers(self) -> Dim:
        """num_layers * num_directions: the first dim of every state."""
        return self.num_layers * self.num_directions

    @property
    def output_size(self) -> Dim:
        """P: the last dim of h, and per direction of the output."""
        if self.proj_size == ZERO:
            return self.hidden_size
        if self.proj_size.constant is not None:
            return self.proj_size
        return where(positive(self.proj_size), self.proj_size, self.hidden_size)

    def relied_on(self, size: Dim) -> Dim:
        """The condition that there is a projection, where a size is written in proj_size: who writes it relies on that."""
        own = () if self.proj_size.constant is not None else self.proj_size.symbols
        return positive(self.proj_size) if any(symbol in own for symbol in size.symbols) else ONE

    def state_size(self, which: str) -> Dim:
        """The last dim of ``h`` (P) or ``c`` (H)."""
        return self.hidden_size if which.startswith("c") else self.output_size

    def state_dims(self, which: str, batch: Dim | None) -> tuple[Dim, ...]:
        """h or c: (D*L, N, size), without N if unbatched (`batch` None); a cell's is (N, size)."""
        middle = () if batch is None else (batch,)
        first = () if self.is_cell else (self.state_layers,)
        return (*first, *middle, self.state_size(which))

    def input_dims(self, time: Dim, batch: Dim | None) -> tuple[Dim, ...] | None:
        """(T, N, input_size), (N, T, input_size) or without N; a cell's is (N, input_size). None if the layout is unknown."""
        return self._laid_out(time, batch, self.input_size)

    def output_dims(self, time: Dim, batch: Dim | None) -> tuple[Dim, ...] | None:
        """(T, N, D*P), (N, T, D*P) or without N. None if the layout is not known."""
        return self._laid_out(time, batch, self.num_directions * self.output_size)

    def _laid_out(self, time: Dim, batch: Dim | None, features: Dim) -> tuple[Dim, ...] | None:
        if self.is_cell:
            return (features,) if batch is None else (batch, features)
        if batch is None:
            return (time, features)
        return (where(self.batch_first, batch, time), where(self.batch_first, time, batch), features)

    def weights(self) -> dict[str, tuple[Dim, ...]]:
        """Name -> dims of every parameter torch makes, for as many layers as are known (at least the first)."""
        gates = self.hidden_size * GATES[self.layer]
        if self.is_cell:
            return self._weights_of("", gates, self.input_size)
        result: dict[str, tuple[Dim, ...]] = {}
        count = self.num_layers.constant or 1
        for layer in range(min(count, 64)):
            inner = self.input_size if layer == 0 else self.num_directions * self.output_size
            for suffix in ("", "_reverse") if self.bidirectional == ONE else ("",):
                result.update(self._weights_of(f"_l{layer}{suffix}", gates, inner))
        return result

    def _weights_of(self, suffix: str, gates: Dim, inner: Dim) -> dict[str, tuple[Dim, ...]]:
        weights: dict[str, tuple[Dim, ...]] = {
            f"weight_ih{suffix}": (gates, inner),
            f"weight_hh{suffix}": (gates, self.output_size),
        }
        if self.bias == ONE:
            weights |= {f"bias_ih{suffix}": (gates,), f"bias_hh{suffix}": (gates,)}
        if self.proj_size != ZERO and self.proj_size.constant is not None:
            weights[f"weight_hr{suffix}"] = (self.proj_size, self.hidden_size)
        return weights


def positive(dim: Dim) -> Dim:
    """The condition that ``dim > 0``, by cases of the flags in it."""
    return by_cases([dim], lambda dims: _positive(dims[0]))


def _positive(dim: Dim) -> Dim:
    if dim.constant is not None:
        return ONE if dim.constant > 0 else ZERO
    return Dim.of(Symbol(("positive", dim), f"{dim.text} > 0", Kind.FLAG, test=dim))


@dataclass(frozen=True)
class Problem:
    """A constructor argument that torch rejects: `kind` is ``value`` or ``argument``, `message` in torch's or our words."""

    kind: str
    argument: str
    message: str


@dataclass(frozen=True)
class Bound:
    """A constructor call's arguments by name, torch's defaults filled in, with what torch would reject.

    `exact` is False if some arguments are not known (``**kwargs`` of unknown content): defaults are then not to be trusted.
    """

    layer: str
    values: Mapping[str, Value]
    problems: tuple[Problem, ...] = ()
    given: tuple[str, ...] = ()
    positional: int = 0

    def config(self) -> LayerConfig | None:
        """The arguments as dims, or None if a size is something that is not a number."""
        sizes = {name: as_dim(self.values[name]) for name in SIZE_NAMES if name in self.values}
        if any(size is None for size in sizes.values()):
            return None
        flags = {name: condition(self.values[name]) for name in FLAG_NAMES if name in self.values}
        known_sizes = {name: size for name, size in sizes.items() if size is not None}
        return LayerConfig(self.layer, **known_sizes, **flags)


SIZE_NAMES = ("input_size", "hidden_size", "num_layers", "proj_size")
FLAG_NAMES = ("bidirectional", "batch_first", "bias")


def condition(value: Value) -> Dim:
    """A value as a condition; 0/1 constants where the truth is known."""
    match value:
        case Bool(dim):
            return dim
        case Unknown():
            return value.as_condition()
        case Int(dim) if dim.constant is None:
            return positive(dim)
        case OneOf(alternatives):
            return sum((here * condition(item) for here, item in alternatives), ZERO)
        case _:
            known = truth_constant(value)
            return Dim.of(known) if known is not None else Dim.of(Symbol(("truth", value), "?", Kind.FLAG, owner="fresh"))


def bind(layer: str, positional: tuple[Value, ...], keywords: Mapping[str, Value], rest: Unknown | None) -> Bound:
    """The constructor's arguments by name. `rest`: a ``*args``/``**kwargs`` of unknown content stands among them."""
    parameters = PARAMETERS[layer]
    names = list(parameters)
    problems: list[Problem] = []
    values: dict[str, Value] = dict(zip(names, positional, strict=False))
    if len(positional) > len(names):
        problems.append(
            Problem("argument", names[-1], f"{layer} takes at most {len(names)} arguments, {len(positional)} are given")
        )
    for name, value in keywords.items():
        if name not in parameters or (name == "proj_size" and layer != "LSTM"):
            problems.append(Problem("argument", name, unknown_keyword(layer, name)))
        elif name in values:
            problems.append(Problem("argument", name, f"{layer} gets {name} twice: by position and by name"))
        else:
            values[name] = value
    given = tuple(values)
    for name, default in parameters.items():
        if name not in values:
            values[name] = _default(name, default, rest, layer, problems)
    ordered = {name: values[name] for name in names}
    return Bound(layer, ordered, (*problems, *_value_problems(layer, ordered)), given, len(positional))


def uncallable(bound: Bound) -> str | None:
    """Why torch 2.13 builds the layer and refuses every call of it: ``bidirectional=1``. None if it does not."""
    value = bound.values.get("bidirectional")
    if isinstance(value, Int | Float | Str | NoneValue):
        return f"bidirectional must be a bool, not {describe(value)}"
    return None


def _default(name: str, default: Value | object, rest: Unknown | None, layer: str, problems: list[Problem]) -> Value:
    known = None if default is REQUIRED else default
    if rest is not None and (name != "proj_size" or layer == "LSTM"):  # torch refuses it for the others
        known = argument_of(rest, name, known)  # type: ignore[arg-type]
        if name == "proj_size" and isinstance(known, Unknown):  # nobody who speaks of it nowhere means it
            known = replace(known, kind=Kind.OPAQUE)
    if known is None:
        problems.append(Problem("argument", name, f"{layer} needs {name}"))
        return Unknown(("missing", name), name, f"{layer} is built without {name}")
    return known  # type: ignore[return-value]


def unknown_keyword(layer: str, name: str) -> str:
    """A message that names the parameter that was probably meant."""
    if name == "proj_size":
        return f"proj_size is only supported for LSTM, not for {layer}"
    common = {"num_hidden": "hidden_size", "hidden_dim": "hidden_size", "input_dim": "input_size", "n_layers": "num_layers"}
    guess = common.get(name) or next(iter(get_close_matches(name, PARAMETERS[layer], 1)), None)
    hint = f"; did you mean {guess}?" if guess in PARAMETERS[layer] else ""
    return f"{layer} has no parameter {name!r}{hint}"


def _value_problems(layer: str, values: Mapping[str, Value]) -> list[Problem]:
    problems: list[Problem] = []
    for name in ("input_size", "hidden_size", "num_layers", "proj_size"):
        if name in values and (message := _size_problem(layer, name, values)):
            problems.append(Problem("value", name, message))
    for name in ("bias", "batch_first"):
        if name in values and not layer.endswith("Cell") and _certainly_not_bool(values[name]):
            problems.append(Problem("value", name, f"{name} must be a bool"))
    if "dropout" in values and (message := _dropout_problem(values["dropout"])):
        problems.append(Problem("value", "dropout", message))
    if layer == "RNN" and (message := _nonlinearity_problem(values["nonlinearity"])):
        problems.append(Problem("value", "nonlinearity", message))
    return problems


def _nonlinearity_problem(value: Value) -> str | None:
    match value:
        case Str("tanh" | "relu"):
            return None
        case Str() | Bool() | Int() | Float() | NoneValue():
            return f"nonlinearity must be 'tanh' or 'relu', not {describe(value)}"
        case _:
            return None


def _size_problem(layer: str, name: str, values: Mapping[str, Value]) -> str | None:
    value = values[name]
    if isinstance(value, Float):
        return _float_size(layer, name, value)
    if isinstance(value, Unknown) and value.ratio is not None:
        return _float_size(layer, name, Float(ratio=value.ratio))
    if isinstance(value, Str) or value == NONE:
        return f"{name} must be an int"
    dim = as_dim(value)
    if name == "proj_size" and dim is not None and dim.constant is None and dim == as_dim(values["hidden_size"]):
        return f"proj_size has to be smaller than hidden_size, both are {dim.text}"
    number = dim.constant if dim is not None and not isinstance(value, Unknown) else None
    if number is None:
        return None
    if name == "proj_size":
        hidden = as_dim(values["hidden_size"])
        if number < 0:
            return "proj_size must be 0 (no projection) or a positive int smaller than hidden_size"
        if number > 0 and hidden is not None and hidden.constant is not None and number >= hidden.constant:
            return f"proj_size ({number}) has to be smaller than hidden_size ({hidden.constant})"
        return None
    smallest = SMALLEST[layer.endswith("Cell")].get(name)
    return f"{name} must be greater than zero" if smallest is not None and number < smallest else None


SMALLEST = {False: {"input_size": 1, "hidden_size": 1, "num_layers": 1}, True: {"input_size": 0, "hidden_size": 0}}
"""The smallest value torch takes, for layers and for cells (a cell of size 0 is built)."""


def _float_size(layer: str, name: str, value: Float) -> str | None:
    if value.ratio is not None:
        return f"{name} is a float: `/` always gives one, use `//`"
    return f"{name} must be an int, not {value.value}" if value.value is not None else f"{name} must be an int, not a float"


def _certainly_not_bool(value: Value) -> bool:
    return isinstance(value, Int | Float | Str | NoneValue)


def _dropout_problem(value: Value) -> str | None:
    if isinstance(value, Bool):
        return "dropout must be a number, not a bool"
    number = value.value if isinstance(value, Float) else value.dim.constant if isinstance(value, Int) else None
    if isinstance(value, Str) or value == NONE or (number is not None and not 0 <= number <= 1):
        return "dropout must be a number in range [0, 1]"
    return None
