"""The contract of the recurrent layers, held against torch: parameters, shapes, weights, and what the constructor rejects."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping
from itertools import product as cartesian
from typing import Any

import pytest

from lstm_lint.dims import ONE, Dim, Symbol, symbol
from lstm_lint.ops.recurrent import FLAG_NAMES, PARAMETERS, REQUIRED, SIZE_NAMES, LayerConfig, bind, condition, positive
from lstm_lint.values import FALSE, NONE, TRUE, Bool, Float, Int, NoneValue, Str, Unknown, Value

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

LAYERS = tuple(PARAMETERS)
CELLS = tuple(name for name in LAYERS if name.endswith("Cell"))


def as_value(plain: object) -> Value:
    match plain:
        case bool():
            return TRUE if plain else FALSE
        case int():
            return Int(Dim.of(plain))
        case float():
            return Float(plain)
        case str():
            return Str(plain)
        case _:
            return NONE


def as_config(layer: str, arguments: Mapping[str, Any]) -> LayerConfig:
    bound = bind(layer, (), {name: as_value(value) for name, value in arguments.items()}, None)
    assert not bound.problems
    config = bound.config()
    assert config is not None
    return config


def numbers(dims: tuple[Dim, ...] | None) -> tuple[int | None, ...]:
    assert dims is not None
    return tuple(dim.constant for dim in dims)


def configurations() -> Iterator[tuple[str, dict[str, Any]]]:
    for layer in ("LSTM", "GRU", "RNN"):
        for layers, both, first, projection, bias in cartesian((1, 2, 3), (False, True), (False, True), (0, 2), (False, True)):
            sizes = {"input_size": 7, "hidden_size": 5, "num_layers": layers}
            flags = {"bidirectional": both, "batch_first": first, "bias": bias}
            if layer == "LSTM":
                yield layer, {**sizes, **flags, "proj_size": projection}
            elif not projection:
                yield layer, {**sizes, **flags}
    for layer, bias in cartesian(CELLS, (False, True)):
        yield layer, {"input_size": 7, "hidden_size": 5, "bias": bias}


@pytest.mark.parametrize(("layer", "arguments"), list(configurations()), ids=str)
@pytest.mark.parametrize("batch", [None, 4])
def test_shapes_and_weights(layer: str, arguments: dict[str, Any], batch: int | None) -> None:
    config = as_config(layer, arguments)
    module = getattr(torch.nn, layer)(**arguments)
    weights = {name: tuple(tensor.shape) for name, tensor in module.named_parameters()}
    assert {name: numbers(dims) for name, dims in config.weights().items()} == weights

    time, size = Dim.of(3), None if batch is None else Dim.of(batch)
    given = torch.zeros(numbers(config.input_dims(time, size)))
    states = tuple(torch.zeros(numbers(config.state_dims(which, size))) for which in ("h", "c")[: 1 + config.has_pair])
    result = module(given, states if config.has_pair else states[0])  # torch checks the state
    if config.is_cell:
        final = result if config.has_pair else (result,)
    else:
        output, final = result
        final = final if config.has_pair else (final,)
        assert tuple(output.shape) == numbers(config.output_dims(time, size))
    assert [tuple(f.shape) for f in final] == [tuple(s.shape) for s in states]
    for index, state in enumerate(states):  # and refuses any other
        for axis in range(state.dim()):
            wrong = list(states)
            wrong[index] = torch.zeros([n + (i == axis) for i, n in enumerate(state.shape)])
            with pytest.raises((RuntimeError, ValueError)):
                module(given, tuple(wrong) if config.has_pair else wrong[0])


def test_the_same_by_symbols() -> None:
    """Symbolic dims, evaluated, are those of the concrete layer."""
    names = ("input_size", "hidden_size", "num_layers")
    both, first = Symbol("both", "both"), Symbol("first", "first")
    config = LayerConfig("LSTM", *(symbol(n) for n in names), Dim.of(both), Dim.of(first), symbol("proj_size"))
    for _, arguments in (one for one in configurations() if one[0] == "LSTM"):
        concrete = as_config("LSTM", arguments)
        values = {Symbol(n, n): arguments[n] for n in (*names, "proj_size")}
        values |= {both: int(arguments["bidirectional"]), first: int(arguments["batch_first"])}
        values |= {positive(symbol("proj_size")).symbols[0]: int(arguments["proj_size"] > 0)} if arguments else {}
        for which in ("h", "c"):
            expected = numbers(concrete.state_dims(which, Dim.of(4)))
            assert tuple(dim.evaluate({**values}) for dim in config.state_dims(which, Dim.of(4))) == expected
        output = config.output_dims(Dim.of(3), Dim.of(4))
        assert output is not None
        assert tuple(dim.evaluate(values) for dim in output) == numbers(concrete.output_dims(Dim.of(3), Dim.of(4)))


@pytest.mark.parametrize("layer", LAYERS)
def test_parameters_are_torchs_own(layer: str) -> None:
    """Names, order and defaults. nn.RNN takes `nonlinearity` out of its arguments: the documented order is held by building."""
    owner = getattr(torch.nn, layer)
    if layer in CELLS:
        signature = list(inspect.signature(owner.__init__).parameters.values())[1:]
    else:
        signature = list(inspect.signature(torch.nn.RNNBase.__init__).parameters.values())[2:]  # self, mode
    known = {name: default for name, default in PARAMETERS[layer].items() if layer != "RNN" or name != "nonlinearity"}
    assert list(known) == [parameter.name for parameter in signature]
    for parameter in signature:
        default = known[parameter.name]
        empty = parameter.default is inspect.Parameter.empty
        assert (default is REQUIRED) if empty else default == as_value(parameter.default)


def test_rnn_takes_its_nonlinearity_fourth() -> None:
    module = torch.nn.RNN(3, 4, 2, "relu", False, True, 0.0, True)
    bound = bind("RNN", tuple(map(as_value, (3, 4, 2, "relu", False, True, 0.0, True))), {}, None)
    values = {name: getattr(module, name) for name in ("nonlinearity", "bias", "batch_first", "bidirectional")}
    assert {name: bound.values[name] for name in values} == {name: as_value(value) for name, value in values.items()}


CONSTRUCTIONS: list[tuple[tuple[object, ...], dict[str, object]]] = [
    *[((a, b), {}) for a in (4, 0, -1, 4.0, "4", None, True) for b in (4, 0, -1, 4.0, "4", None)],
    *[((4, 4, n), {}) for n in (1, 2, 0, -1, 1.0, "1", None, True)],
    *[((4, 4, 2, b), {}) for b in (True, False, 1, 0.5, None, "tanh", "relu", "gelu")],
    *[((4, 4, 2, True, b), {}) for b in (True, 1)],
    *[((4, 4), {name: value}) for name in ("bias", "batch_first") for value in (True, False, 0, 1, 1.0, None, "yes")],
    *[((4, 4), {"bidirectional": value}) for value in (True, False, 0, 1, 2, None, "yes")],
    *[((4, 4), {"dropout": value}) for value in (0, 1, 0.0, 0.5, 1.0, 2, -1, -0.1, 1.1, True, False, None, "0.5")],
    *[((4, 4, 2), {"dropout": value}) for value in (0.5, 3)],
    *[((4, 4), {"proj_size": value}) for value in (0, 1, 3, 4, 5, -1, None, "2")],
    *[((4, 4), {"nonlinearity": value}) for value in ("tanh", "relu")],
    *[((4, 4), {name: 2}) for name in ("n_layers", "hidden", "mode2", "num_hidden", "input_dim")],
    ((4, 4, 1, True, False, 0.0, False, 0, None, None), {}),
    ((4, 4, 1, True, False, 0.0, False, 0, None, None, 1), {}),
    ((4, 4, 1, "tanh", True, False, 0.0, False, 0, None, None), {}),
    ((4, 4, 1, "tanh", True, False, 0.0, False, 0, None, None, 1), {}),
    ((4, 4, True, None, None), {}),
    ((4, 4, True, None, None, 1), {}),
    ((4, 4, True, "tanh", None, None), {}),
    ((4, 4, True, "tanh", None, None, 1), {}),
    ((4,), {}),
    ((), {}),
    ((), {"input_size": 4}),
    ((), {"hidden_size": 4}),
    ((4, 4), {"input_size": 4}),
    ((4, 4, 2), {"num_layers": 2}),
    ((), {"hidden_size": 4, "input_size": 3, "num_layers": 2}),
]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("positional", "keywords"), CONSTRUCTIONS, ids=str)
def test_what_is_rejected_is_what_torch_rejects(
    layer: str, positional: tuple[object, ...], keywords: dict[str, object]
) -> None:
    bound = bind(layer, tuple(map(as_value, positional)), {name: as_value(value) for name, value in keywords.items()}, None)
    error: Exception | None = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            getattr(torch.nn, layer)(*positional, **keywords)
    except Exception as raised:
        error = raised
    if bound.problems:
        assert error is not None, bound.problems
    if error is not None and not is_known_miss(layer, positional, keywords):
        assert bound.problems, error


def is_known_miss(layer: str, positional: tuple[object, ...], keywords: Mapping[str, object]) -> bool:
    """Rejections that are not told: nobody writes them, and a wrong error would be worse."""
    if layer in CELLS and len(positional) > 3 - (layer == "RNNCell"):
        return True  # what stands for device and dtype is not looked at
    return layer == "GRU" and len(positional) == 11


@pytest.mark.parametrize(
    ("value", "expected"), [(TRUE, ONE), (FALSE, Dim.of(0)), (Int(Dim.of(2)), ONE), (NoneValue(), Dim.of(0))]
)
def test_conditions(value: Value, expected: Dim) -> None:
    assert condition(value) == expected


def test_unknown_arguments_are_not_defaults() -> None:
    """``nn.LSTM(28, 4, **options)``: nothing is known of the rest, and nothing is rejected."""
    options = Unknown("options", "options")
    bound = bind("LSTM", (Int(Dim.of(28)), Int(Dim.of(4))), {}, options)
    assert not bound.problems and bound.given == ("input_size", "hidden_size")
    config = bound.config()
    assert config is not None
    assert config.input_size == Dim.of(28) and config.num_layers.constant is None and config.bidirectional.constant is None


def test_a_required_argument_may_be_in_the_rest() -> None:
    bound = bind("LSTM", (), {}, Unknown("options", "options"))
    assert not bound.problems and bound.config() is not None


def test_bools_and_ints_of_unknown_value_are_flags() -> None:
    flag = Bool(symbol("b"))
    bound = bind("GRU", (Int(Dim.of(3)), Int(Dim.of(4))), {"bidirectional": flag}, None)
    config = bound.config()
    assert config is not None and config.state_layers == 1 + symbol("b")
    assert set(SIZE_NAMES) | set(FLAG_NAMES) <= set(PARAMETERS["GRU"])
