"""`lstm-lint calc`: the shapes of one layer, in numbers or in names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lstm_lint.dims import Dim, symbol
from lstm_lint.ops.recurrent import PARAMETERS, LayerConfig, bind
from lstm_lint.report.lines import Line, line
from lstm_lint.values import FALSE, TRUE, Int, Value

LAYERS = tuple(PARAMETERS)
SIZES = ("input_size", "hidden_size", "num_layers", "proj_size")
FLAGS = ("bidirectional", "batch_first")


class NoLayer(Exception):
    """torch would not build this layer; or a size is neither a number nor a name."""


@dataclass(frozen=True)
class Question:
    """The layer as the command line has it: sizes are texts, a number or a name each."""

    layer: str
    input_size: str
    hidden_size: str
    num_layers: str
    proj_size: str
    bidirectional: bool
    batch_first: bool
    no_bias: bool
    batch: str
    sequence: str
    unbatched: bool


@dataclass(frozen=True)
class Answer:
    """`code` builds the layer; `shapes` are those of input, state, output and weights, by name."""

    code: str
    shapes: Mapping[str, tuple[str, ...]]
    weights: Mapping[str, tuple[str, ...]]


def calculate(question: Question) -> Answer:
    """The shapes of the layer. Raises NoLayer."""
    given = _arguments(question)
    bound = bind(question.layer, (), given, None)
    if bound.problems:
        raise NoLayer("; ".join(problem.message for problem in bound.problems))
    config = bound.config()
    if config is None:
        raise NoLayer("a size is not a number")
    batch = None if question.unbatched else _size("--batch", question.batch)
    spelt = ", ".join(f"{name}={_spelling(value)}" for name, value in given.items())
    weights = {name: _texts(dims) for name, dims in config.weights().items()}
    return Answer(f"nn.{question.layer}({spelt})", _shapes(config, _size("--sequence", question.sequence), batch), weights)


def _arguments(question: Question) -> dict[str, Value]:
    """What the constructor is given: the sizes it has to be, and whatever differs from torch's defaults."""
    defaults = PARAMETERS[question.layer]
    given: dict[str, Value] = {}
    for name in SIZES:
        value = Int(_size(f"--{name.replace('_', '-')}", getattr(question, name)))
        if value != _NOT_GIVEN.get(name):
            given[name] = value
    given |= {name: TRUE for name in FLAGS if getattr(question, name)}
    if question.no_bias:
        given["bias"] = FALSE
    if unknown := [name for name in given if name not in defaults]:
        raise NoLayer(f"{question.layer} has no parameter {unknown[0]}")
    return given


_NOT_GIVEN: Mapping[str, Value] = {"num_layers": Int(Dim.of(1)), "proj_size": Int(Dim.of(0))}


def _shapes(config: LayerConfig, time: Dim, batch: Dim | None) -> dict[str, tuple[str, ...]]:
    """Input, state and output by name; a cell has no output but its new state."""
    states = ("h", "c") if config.has_pair else ("h",)
    before = {f"{name}_0": config.state_dims(name, batch) for name in states}
    if config.is_cell:
        after = {f"{name}_1": config.state_dims(name, batch) for name in states}
    else:
        after = {f"{name}_n": config.state_dims(name, batch) for name in states}
        if (output := config.output_dims(time, batch)) is not None:
            after = {"output": output, **after}
    shown = {**before, **after}
    if (given := config.input_dims(time, batch)) is not None:
        shown = {"input": given, **shown}
    return {name: _texts(dims) for name, dims in shown.items()}


def _size(option: str, text: str) -> Dim:
    if re.fullmatch(r"-?\d{1,18}", text):
        return Dim.of(int(text))
    if text.isidentifier():
        return symbol(text)
    raise NoLayer(f"{option}: expected a number or a name, not {text!r}")


def _spelling(value: Value) -> str:
    return value.dim.text if isinstance(value, Int) else str(value is TRUE)


def _texts(dims: tuple[Dim, ...]) -> tuple[str, ...]:
    return tuple(dim.text for dim in dims)


def text(answer: Answer) -> Iterator[Line]:
    """The layer, then a line for each tensor."""
    yield line((answer.code, "code"))
    width = max(len(name) for name in (*answer.shapes, *answer.weights))
    for name, sizes in (*answer.shapes.items(), *answer.weights.items()):
        yield line(f"  {name:<{width}}  ({', '.join(sizes)})")


def as_json(answer: Answer) -> Iterator[Line]:
    """The same as one object."""
    shapes = {name: list(sizes) for name, sizes in answer.shapes.items()}
    weights = {name: list(sizes) for name, sizes in answer.weights.items()}
    yield line(json.dumps({"version": 1, "layer": answer.code, "shapes": shapes, "weights": weights}, indent=2))
