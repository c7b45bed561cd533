"""Torch layers: their construction, which is where a site is recorded, and their calls."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol, where
from lstm_lint.facts import LstmCall, LstmSite
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.attributes import LAYER
from lstm_lint.interpret.choose import MAX_EXPANDED, alternatives, choose, conjoin, expand, is_dropped
from lstm_lint.interpret.engine import Interpreter, common
from lstm_lint.interpret.graph import after_call
from lstm_lint.interpret.operators import it_contents
from lstm_lint.interpret.sizes import equal_dims
from lstm_lint.interpret.uses import note_use
from lstm_lint.keywords import argument_of
from lstm_lint.lineage import TRIED, Lineage, Role, Source, is_tried
from lstm_lint.ops.axis_roles import feature_axis, output_lineage, state_lineage
from lstm_lint.ops.dtypes import is_float
from lstm_lint.ops.recurrent import QUALIFIED, SIZE_NAMES, Bound, LayerConfig, bind
from lstm_lint.ops.table import LAYERS
from lstm_lint.proofs import MAX_FLAGS, assumed, flag_cases
from lstm_lint.shapes import Shape, ShapeError
from lstm_lint.values import (
    NONE,
    Dict,
    Int,
    Layer,
    OneOf,
    Packed,
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


# -- construction ----------------------------------------------------------------------------------------------------
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


# -- calls -----------------------------------------------------------------------------------------------------------
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
        return _call_recurrent(it, layer.site, positional, keywords, rest, node)
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


def _call_recurrent(
    it: Interpreter,
    number: int,
    positional: Sequence[Value],
    keywords: Mapping[str, Value],
    rest: Unknown | None,
    node: cst.CSTNode,
) -> Value:
    site = it.world.sites[number]
    problem = _signature_problem(site.layer, positional, keywords, rest)
    inputs = positional[0] if positional else keywords.get("input")
    state = positional[1] if len(positional) > 1 else keywords.get("hx")
    if inputs is None:
        inputs = rest if rest is not None else it.unknown(node, "the call has no input")
    elif state is None and rest is not None:
        state = rest
    if isinstance(inputs, Tuple):
        note_use(it, it.call(site.bound.layer, node, (inputs,), {}), it.unknown(node, "torch refuses a tuple as input"))
    state_node = _argument_node(node, positional, keywords)
    evaluation = it.evaluation
    result: Value | None = None
    alternatives = list(_alternatives(it, site, inputs, _as_state(it, state)))
    vague = it.vague or len(alternatives) > MAX_EXPANDED
    vague = vague or any(is_dropped(it.path, here, conjoin(it.path, here)) for here, *_ in alternatives)
    for condition, value, hx, assumed_rank, ranks in alternatives:
        call = LstmCall(
            it.number(),
            site,
            it.place(node),
            value,
            None if hx == NONE else hx,
            it.reached(condition),
            it.frame.grounded and site.grounded,
            bool(it.guarded) or site.guarded or vague,
            it.place(state_node) if state_node is not None else None,
            problem,
            evaluation,
            assumed_rank,
            ranks,
            it.required,
            it.rounds,
            reached_from=it.reached_from,
            usual=it.is_usual,
        )
        if call.given != ZERO:
            it.record_call(call)
        outcome = recurrent_result(it, site, value, hx, call.number, node, tuple(_equal_batches(site, value, hx)))
        outcome = after_call(it, Tuple((value, hx)), outcome)
        if assumed_rank == (1 if site.layer.endswith("Cell") else 2) or rests_on_tried(hx):
            outcome = unnoted(outcome)
        result = outcome if result is None else choose(condition, outcome, result)
    note_use(it, it.call(f"torch.nn.{site.layer}", node, (inputs, NONE if state is None else it_contents(it, state)), {}), NONE)
    if alternatives:  # torch takes the call with these ranks only
        it.ranks = {**it.ranks, **common([ranks for *_, ranks in alternatives])}
    return result if result is not None else it.unknown(node, "no value is possible here")


Alternative = tuple[Dim, Value, Value, int | None, Mapping[Hashable, int]]
"""(condition, input, state, the input's rank if that is an assumption, known ranks by tensor)"""


def _alternatives(it: Interpreter, site: LstmSite, inputs: Value, state: Value) -> Iterator[Alternative]:
    """Every input and state the call may get. An input of unknown rank is tried batched and unbatched."""
    for condition, pair in expand(Tuple((inputs, state)), it.path):
        assert isinstance(pair, Tuple)
        value, hx = it.settled(pair.items[0]), _settled_pair(it, pair.items[1])
        tensor = as_tensor(value)
        rest = tensor.shape.rest if tensor is not None else None
        batched = 2 if site.layer.endswith("Cell") else 3
        if tensor is None or rest is None or tensor.shape.minimum_rank > batched:
            yield condition, value, hx, None, _known_ranks(it)
            continue
        whole = rest.skipped - tensor.shape.minimum_rank
        unbatched = equal_dims(tensor.shape.rank_dim, Dim.of(batched - 1))
        if tensor.shape.minimum_rank >= batched:
            unbatched = ZERO
        elif conjoin(it.path, condition) * equal_dims(tensor.shape.rank_dim, Dim.of(batched)) == ZERO:
            unbatched = ONE
        options = [(batched, ONE - unbatched), (batched - 1, unbatched)]
        state_rank = _state_rank(hx, site.layer)
        open_rank = all(it.path * condition * here != ZERO for _, here in options)
        if state_rank is not None and open_rank:  # torch takes this state with one of the two only
            options = [(batched if state_rank >= batched or _is_h_alone(site, hx, tensor) else batched - 1, ONE)]
        for rank, here in options:
            shape = tensor.shape.with_rank(rank)
            if shape is not None and it.path * condition * here != ZERO:
                known = {**_known_ranks(it), rest.key: rank + whole}
                assumed_rank = rank if state_rank is None else None
                yield condition * here, replace(tensor, shape=shape), _with_ranks(hx, known), assumed_rank, known


def _known_ranks(it: Interpreter) -> dict[Hashable, int]:
    return {key: rank for key, rank in it.ranks.items() if rank is not None}


def _is_h_alone(site: LstmSite, state: Value, value: Tensor) -> bool:
    """Whether one tensor given to an LSTM is just the h_0 of a batch: nothing else than a forgotten c_0 explains that."""
    inputs = value.shape.with_rank(3)
    if (
        site.config is None
        or site.config.is_cell
        or not site.config.has_pair
        or not isinstance(state, Tensor)
        or inputs is None
    ):
        return False
    batch, dims = _batch_dims(site.config, inputs), state.shape.dims
    if batch is None or dims is None or len(dims) != 3:
        return False
    return all(_may_vanish(a - b) for a, b in zip(dims, site.config.state_dims("h", batch.front[0]), strict=True))


def _may_vanish(difference: Dim) -> bool:
    """Whether two sizes are equal for some of their flags."""
    cases = flag_cases(difference.flags, ONE) if len(difference.flags) <= MAX_FLAGS else ()
    return any(difference.substitute({flag: Dim.of(on) for flag, on in case.items()}) == ZERO for case in cases)


def _state_rank(state: Value, layer: str) -> int | None:
    """The rank of a state's tensors, None if it is not known or they do not agree."""
    tensors = state.items if isinstance(state, Tuple) else (state,)
    batched = 2 if layer.endswith("Cell") else 3
    ranks = {_rank_at_least(item, batched) for item in tensors if isinstance(item, Tensor)}
    ranks.discard(None)
    if len(ranks) != 1:
        return None
    rank = ranks.pop()
    return rank - 1 if rank and isinstance(state, Tensor) and layer.startswith("LSTM") else rank


def _rank_at_least(tensor: Tensor, batched: int) -> int | None:
    """The rank, or `batched` where more dims than that are spelt out."""
    if tensor.shape.rank is None and tensor.shape.minimum_rank >= batched:
        return batched
    return tensor.shape.rank


def _with_ranks(state: Value, ranks: Mapping[Hashable, int]) -> Value:
    """The state with its unknown ranks put in."""
    if isinstance(state, Tuple):
        return Tuple(tuple(_with_ranks(item, ranks) for item in state.items), state.kind)
    tensor = as_tensor(state) if isinstance(state, Tensor | Unknown) else None
    rest = tensor.shape.rest if tensor is not None else None
    if tensor is None or rest is None or rest.key not in ranks:
        return state
    shape = tensor.shape.with_rank(ranks[rest.key] - rest.skipped + tensor.shape.minimum_rank)
    return state if shape is None else replace(tensor, shape=shape)


def _as_state(it: Interpreter, state: Value | None) -> Value:
    if state is None:
        return NONE
    if isinstance(state, OneOf):
        return OneOf(tuple((condition, _as_state(it, option)) for condition, option in state.alternatives))
    content = it_contents(it, state)
    if isinstance(content, Repeated):
        if content.length is not None and assumed(content.length, it.path).constant == 2:
            return Tuple((content.item, content.item), content.kind)
        return Unknown(("state", it.number()), "the state", "the number of its items is not known")
    return content


def _settled_pair(it: Interpreter, state: Value) -> Value:
    if isinstance(state, Tuple):
        return Tuple(tuple(it.settled(item) for item in state.items), state.kind)
    return it.settled(state)


def _signature_problem(
    layer: str, positional: Sequence[Value], keywords: Mapping[str, Value], rest: Unknown | None
) -> str | None:
    """What torch's ``forward(input, hx=None)`` says to these arguments, in our words."""
    if len(positional) > 2:
        return f"{layer} takes an input and one state, {len(positional)} arguments are given"
    for name in keywords:
        if name not in ("input", "hx"):
            return f"{layer} has no argument {name!r}: the state is `hx`"
        if len(positional) > ("input", "hx").index(name):
            return f"{layer} gets `{name}` twice"
    if not positional and "input" not in keywords and rest is None:
        return f"{layer} is called without an input"
    return None


def _argument_node(node: cst.CSTNode, positional: Sequence[Value], keywords: Mapping[str, Value]) -> cst.CSTNode | None:
    if not isinstance(node, cst.Call):
        return None
    for argument in node.args:
        if argument.keyword is not None and argument.keyword.value == "hx":
            return argument.value
    plain = [argument for argument in node.args if argument.keyword is None and not argument.star]
    return plain[1].value if len(plain) > 1 else None


def rests_on_tried(state: Value) -> bool:
    """Whether a tensor of the state is of what was only tried."""
    tensors = state.items if isinstance(state, Tuple) else (state,)
    return any(isinstance(item, Tensor) and is_tried(item.lineage) for item in tensors)


def unnoted(value: Value) -> Value:
    """The result of a call that was only tried, for one sample without a batch: what is done with it says nothing."""
    match value:
        case Tensor():
            return replace(value, lineage=TRIED)
        case Tuple(items):
            return replace(value, items=tuple(unnoted(item) for item in items))
        case _:
            return value


# -- results ---------------------------------------------------------------------------------------------------------
def _equal_batches(site: LstmSite, value: Value, hx: Value) -> Iterator[tuple[Symbol, Dim]]:
    """What torch insists on when it takes a state: that its batch is the input's, one of the two put as the other."""
    inputs = value.shape.dims if isinstance(value, Tensor) else None
    first = site.config.batch_first.constant if site.config is not None else None
    if inputs is None or len(inputs) != 3 or first is None or site.layer.endswith("Cell"):
        return
    batch = inputs[1 - first]
    for tensor in hx.items if isinstance(hx, Tuple) else (hx,):
        dims = tensor.shape.dims if isinstance(tensor, Tensor) else None
        if dims is not None and len(dims) == 3:
            for size, other in ((dims[1], batch), (batch, dims[1])):
                if len(size.sizes) == 1 and size == Dim.of(size.sizes[0]) and size.sizes[0] not in other.sizes:
                    yield size.sizes[0], other
                    return


def recurrent_result(
    it: Interpreter,
    site: LstmSite,
    value: Value,
    hx: Value,
    number: int,
    node: cst.CSTNode,
    equal: tuple[tuple[Symbol, Dim], ...] = (),
) -> Value:
    """``(output, (h_n, c_n))`` of an LSTM, ``(output, h_n)`` of GRU and RNN, the state alone of a cell."""
    config = site.built
    if config is None:
        return it.unknown(node, "the layer's sizes are not numbers")
    place = it.place(node)
    names = ("h", "c") if config.has_pair else ("h",)
    given = dict(zip(names, hx.items if isinstance(hx, Tuple) else (hx,), strict=False))
    shapes = [_as_given(config, _state_shape(config, value, name), given.get(name), value) for name in names]
    dtype, device = _kind(value)
    states: list[Value] = []
    for name, shape in zip(names, shapes, strict=True):
        if shape is None:
            lost = value.reason if isinstance(value, Unknown) else "the input's shape is not known"
            states.append(it.unknown(node, lost, key=("final", number, name)))
        else:
            why = value.why if isinstance(value, Tensor | Packed) else value if isinstance(value, Unknown) else None
            lineage = state_lineage(config, Source(site.number, name, place, equal), shape)
            if not config.is_cell and isinstance(value, Tensor) and _runs_over_padding(config, value):
                lineage = replace(lineage, padded=True, overrun=True)
            states.append(Tensor(shape, dtype, device, None, place, why, lineage))
    state: Value = Tuple(tuple(states), given_by=Source(site.number, "state", place)) if config.has_pair else states[0]
    if config.is_cell:
        return state
    return Tuple((_output(it, site, config, value, node, equal), state), given_by=Source(site.number, "result", place))


def _output(
    it: Interpreter,
    site: LstmSite,
    config: LayerConfig,
    value: Value,
    node: cst.CSTNode,
    equal: tuple[tuple[Symbol, Dim], ...],
) -> Value:
    features = config.num_directions * config.output_size
    source = Source(site.number, "output", it.place(node), equal)
    if isinstance(value, Packed):
        lineage = Lineage(frozenset((source,)), (feature_axis(config),))
        dtype = _kind(value)[0]
        return replace(value, features=(features,), dtype=dtype, place=it.place(node), in_order=False, lineage=lineage)
    tensor = as_tensor(value)
    if tensor is None:
        return it.unknown(node, "the input is not a tensor that is followed")
    if tensor.shape.rank is not None and tensor.shape.rank not in (2, 3):
        return it.unknown(node, "the input has neither 2 nor 3 dimensions")
    shape = tensor.shape.replaced(-1, features)
    lineage = output_lineage(config, source, shape)
    if _runs_over_padding(config, tensor):
        lineage = replace(lineage, padded=True, overrun=True)
    return Tensor(shape, *_kind(value), None, it.place(node), tensor.why, lineage)


def _runs_over_padding(config: LayerConfig, given: Tensor) -> bool:
    """Whether the input is padded, laid out as the layer reads it, and not packed."""
    layout = given.lineage.batch_first if given.lineage is not None and _is_padded_behind(given.lineage) else None
    return layout is not None and config.batch_first == (ONE if layout else ZERO)


def _is_padded_behind(lineage: Lineage) -> bool:
    """Whether it is padded, and has not been cut off since, or turned round, so that the padding would stand in front."""
    steps = [factor for axis in lineage.axes or () for factor in axis if factor.role is Role.TIME]
    return lineage.padded and all(factor.whole and not factor.backwards for factor in steps)


def _kind(value: Value) -> tuple[str | None, str | None]:
    """The dtype and device of what a layer gives: those of its input, which torch insists on."""
    match value:
        case Tensor(dtype=dtype, device=device):
            return (dtype if is_float(dtype) else None), device
        case Packed(dtype=dtype):
            return (dtype if is_float(dtype) else None), None
        case _:
            return None, None


def _state_shape(config: LayerConfig, value: Value, which: str) -> Shape | None:
    """The shape of h_n or c_n; an input of unknown rank gives a state of unknown rank."""
    if isinstance(value, Packed):
        return Shape(config.state_dims(which, value.batch)) if value.batch is not None else None
    tensor = as_tensor(value)
    if tensor is None:
        return None
    size = config.state_size(which)
    try:
        batch = _batch_dims(config, tensor.shape)
    except ShapeError:
        return None
    if batch is None:
        return None
    front = () if config.is_cell else (config.state_layers,)
    if batch.rest is None:
        return Shape((*front, *batch.front, size))
    return Shape((*front, *batch.front), batch.rest, (*batch.back, size))


def _as_given(config: LayerConfig, shape: Shape | None, given: Value | None, value: Value) -> Shape | None:
    """The shape of h_n with the batch of the h_0 that was given: torch insists on its being the input's, where it looks.

    So a state that goes round in a loop stays what it was before it.
    """
    batched = 2 if config.is_cell else 3
    if shape is None or shape.rank != batched or isinstance(value, Packed):
        return shape
    if not isinstance(given, Tensor) or given.shape.rank != batched:
        return shape
    batch = given.shape.dim(-2)
    return shape.replaced(-2, batch) if _is_size(batch, other=shape.dim(-2)) else shape


def _is_size(dim: Dim, other: Dim) -> bool:
    """Whether it is one size of a tensor from outside, which another dim has nothing to do with."""
    size = dim.sizes[0] if len(dim.sizes) == 1 else None
    return size is not None and dim == Dim.of(size) and size.kind is Kind.RUNTIME and size not in other.sizes


def _batch_dims(config: LayerConfig, shape: Shape) -> Shape | None:
    """What is left of the input's shape without time and features: (N,) or ()."""
    if config.is_cell:
        return shape.removed(-1) if shape.rank in (1, 2, None) else None
    if shape.rank is not None and shape.rank not in (2, 3):
        return None
    if shape.rank == 2:
        return Shape()
    if shape.rank == 3:
        dims = shape.front
        return Shape((where(config.batch_first, dims[0], dims[1]),))
    if config.batch_first == ONE:
        return shape.removed(-1).removed(-1)
    if config.batch_first == ZERO:
        return shape.removed(-1).removed(0)
    return None
