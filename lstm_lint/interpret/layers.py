"""Torch layers: their construction, which is where a site is recorded, and their calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import libcst as cst

from lstm_lint.facts import LstmSite
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.attributes import LAYER
from lstm_lint.interpret.choose import alternatives
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.operators import it_contents
from lstm_lint.interpret.recurrent_calls import call_recurrent
from lstm_lint.interpret.uses import note_use
from lstm_lint.keywords import argument_of
from lstm_lint.ops.recurrent import QUALIFIED, SIZE_NAMES, Bound, bind
from lstm_lint.ops.table import LAYERS
from lstm_lint.shapes import Shape
from lstm_lint.values import (
    Dict,
    Int,
    Layer,
    OneOf,
    Ref,
    Repeated,
    Tensor,
    Tuple,
    Unknown,
    Value,
    as_tensor,
)

KINDS = {
    "torch.nn.Sequential": "sequential",
    "torch.nn.ModuleList": "module_list",
    "torch.nn.ModuleDict": "module_dict",
    "torch.nn.ParameterList": "module_list",
}


def construct(
    it: Interpreter,
    name: str,
    positional: Sequence[Value],
    keywords: Mapping[str, Value],
    rest: Unknown | None,
    node: cst.CSTNode,
) -> Value:
    """``nn.LSTM(...)``, ``nn.Linear(...)``, ``nn.Sequential(...)``."""
    if name in QUALIFIED:
        return recurrent_layer(it, name, positional, keywords, rest, node)
    if name in KINDS:
        return _container(it, KINDS[name], positional, rest, node)
    row = LAYERS[name]
    if rest is None:
        bound = row.bound(it.call(name, node, positional, keywords))
        if isinstance(bound, str):
            return it.unknown(node, f"`{name}` {bound}")
        return Layer(name, bound, it.place(node))
    values = dict(zip(row.parameters, positional, strict=False)) | dict(keywords)
    for parameter, default in row.parameters.items():
        if parameter not in values:
            given = argument_of(rest, parameter, default)
            values[parameter] = given if given is not None else it.unknown(node, f"`{parameter}` is not given in this call")
    return Layer(name, values, it.place(node))


def recurrent_layer(
    it: Interpreter,
    name: str,
    positional: Sequence[Value],
    keywords: Mapping[str, Value],
    rest: Unknown | None,
    node: cst.CSTNode,
) -> Layer:
    """A recurrent layer: the site is recorded."""
    bound = _with_sizes(it, bind(QUALIFIED[name], tuple(positional), keywords, rest))
    number = it.number()
    place = it.place(node)
    config = bound.config()
    it.directions |= frozenset(config.bidirectional.flags) if config is not None else frozenset()
    guarded, grounded = bool(it.guarded) or it.vague, it.frame.grounded
    site = LstmSite(
        number, place, bound, config, it.target, it.path, grounded, guarded, rest, it.directions, it.required, it.reached_from
    )
    it.record_site(site)
    return Layer(name, bound.values, place, number)


def _with_sizes(it: Interpreter, bound: Bound) -> Bound:
    """The arguments with a size of its own where one is the item of a tensor (``torch.prod(torch.tensor(shape))``)."""

    def sized(name: str, value: Value) -> Value:
        match value:
            case Tensor(place=place, why=why):
                reason = why.reason if why is not None else "what a tensor holds is not followed"
                return Unknown(("held", it.number()), f"int({name})", reason, place)
            case OneOf(alternatives):
                return OneOf(tuple((condition, sized(name, item)) for condition, item in alternatives))
            case _:
                return value

    values = {name: sized(name, value) if name in SIZE_NAMES else value for name, value in bound.values.items()}
    return replace(bound, values=values)


def construct_into(
    it: Interpreter,
    instance: Ref,
    name: str,
    positional: Sequence[Value],
    keywords: Mapping[str, Value],
    rest: Unknown | None,
    node: cst.CSTNode,
) -> None:
    """``super().__init__(...)`` in a subclass of a recurrent layer."""
    it.write((instance.number, LAYER), recurrent_layer(it, name, positional, keywords, rest, node))


def _container(it: Interpreter, kind: str, positional: Sequence[Value], rest: Unknown | None, node: cst.CSTNode) -> Ref:
    ref = it.new_object(kind)
    content: Value = Tuple(tuple(positional), "list") if rest is None else rest
    if len(positional) == 1 and (kind != "sequential" or not isinstance(positional[0], Layer)):
        options = [(condition, it_contents(it, option)) for condition, option in alternatives(positional[0])]
        if all(isinstance(inner, Tuple | Repeated | Dict) for _, inner in options):
            content = options[0][1] if len(options) == 1 else OneOf(tuple(options))
        elif len(options) > 1:
            content = it.unknown(node, "one of several values where a list of layers is wanted")
    if kind == "module_dict" and not positional:
        content = Dict({})
    it.write((ref.number, "items"), content)
    return ref


def call_sequential(
    it: Interpreter,
    container: Ref,
    arguments: Arguments,
    node: cst.CSTNode,
    call: Callable[[Interpreter, Value, Arguments, cst.CSTNode], Value],
) -> Value:
    """Each layer gets what the one before it gave."""
    content = it.read((container.number, "items"))
    layers: Sequence[Value] | None = content.items if isinstance(content, Tuple) else None
    if isinstance(content, Dict) and content.others is None:
        layers = tuple(content.items.values())
    if layers is None or not arguments.positional:
        return it.unknown(node, "the layers of this Sequential are not known")
    for layer in layers:
        value = call(it, layer, arguments, node)
        arguments = Arguments((value,))
    return arguments.positional[0]


RETIED = {"torch.nn.Linear": ("in_features", "out_features"), "torch.nn.Embedding": (None, "embedding_dim")}
"""Layers that share weights with others: the argument that is the last size of the input, and that of the output."""


def _retied(
    it: Interpreter, layer: Layer, names: tuple[str | None, str], shape: Shape, node: cst.CSTNode, reason: str
) -> dict[str, Value]:
    """What a layer is built with, but for the sizes of its weight, which is another one by now: any input fits."""
    given, made = names
    config = {**layer.config, made: it.unknown(node, reason)}
    if given is not None:
        known = shape.back or (shape.front if shape.rest is None else ())
        config[given] = Int(known[-1]) if known else it.unknown(node, reason)
    return config


def call_layer(
    it: Interpreter,
    layer: Layer,
    positional: Sequence[Value],
    keywords: Mapping[str, Value],
    rest: Unknown | None,
    node: cst.CSTNode,
) -> Value:
    """A layer applied to its input."""
    if layer.site is not None:
        if not it.is_changed(layer.place):
            return call_recurrent(it, layer.site, positional, keywords, rest, node)
        lost = it.unknown(node, "the layer was changed after it was built")
        call_recurrent(it, layer.site, [lost for _ in positional], dict.fromkeys(keywords, lost), rest, node)
        return lost
    row = LAYERS[layer.qualified_name]
    if layer.place in it.retied:
        reason = "its weight was replaced after it was built, so that its sizes are not known"
        names, tensor = RETIED.get(layer.qualified_name), as_tensor(positional[0]) if positional else None
        if names is None or tensor is None:
            return it.unknown(node, reason)
        layer = replace(layer, config=_retied(it, layer, names, tensor.shape, node, reason))
    if rest is not None or not positional:
        return it.unknown(node, "the arguments of this call are not known")
    value = it.settled(positional[0])
    if isinstance(value, OneOf):
        others = positional[1:]
        arms = [(c, lambda v=v: call_layer(it, layer, (v, *others), keywords, rest, node)) for c, v in value.alternatives]
        return it.options(node, arms)
    call = it.call(layer.qualified_name, node, (value, *positional[1:]), keywords)
    return note_use(it, call, row.forward(layer.config, call), layer.config, built=layer.place)
