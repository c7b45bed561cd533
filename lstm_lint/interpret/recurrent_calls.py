"""Calls of recurrent layers: every input and state that they may get is recorded, with what it gives."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Symbol
from lstm_lint.facts import LstmCall, LstmSite
from lstm_lint.interpret.choose import MAX_EXPANDED, choose, conjoin, expand, is_dropped
from lstm_lint.interpret.engine import Interpreter, common
from lstm_lint.interpret.graph import after_call
from lstm_lint.interpret.operators import it_contents
from lstm_lint.interpret.recurrent_results import batch_dims, recurrent_result
from lstm_lint.interpret.sizes import equal_dims
from lstm_lint.interpret.uses import note_use
from lstm_lint.lineage import TRIED, is_tried
from lstm_lint.proofs.conditions import MAX_FLAGS, assumed, flag_cases
from lstm_lint.values import (
    NONE,
    OneOf,
    Repeated,
    Tensor,
    Tuple,
    Unknown,
    Value,
    as_tensor,
)


def call_recurrent(
    it: Interpreter,
    number: int,
    positional: Sequence[Value],
    keywords: Mapping[str, Value],
    rest: Unknown | None,
    node: cst.CSTNode,
) -> Value:
    """A layer or cell called, ``lstm(x, (h_0, c_0))``; `number` is that of its site."""
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
        outcome = _outcome(it, call, value, hx, node)
        result = outcome if result is None else choose(condition, outcome, result)
    note_use(it, it.call(f"torch.nn.{site.layer}", node, (inputs, NONE if state is None else it_contents(it, state)), {}), NONE)
    if alternatives:  # torch takes the call with these ranks only
        it.ranks = {**it.ranks, **common([ranks for *_, ranks in alternatives])}
    return result if result is not None else it.unknown(node, "no value is possible here")


def _outcome(it: Interpreter, call: LstmCall, value: Value, hx: Value, node: cst.CSTNode) -> Value:
    """What one alternative of a call gives; nothing is said of it where it was only tried, for one sample without a batch."""
    site = call.site
    outcome = recurrent_result(it, site, value, hx, call.number, node, tuple(_equal_batches(site, value, hx)))
    outcome = after_call(it, Tuple((value, hx)), outcome)
    unbatched = 1 if site.layer.endswith("Cell") else 2
    return _unnoted(outcome) if call.assumed_rank == unbatched or _rests_on_tried(hx) else outcome


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
    batch, dims = batch_dims(site.config, inputs), state.shape.dims
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


def _rests_on_tried(state: Value) -> bool:
    """Whether a tensor of the state is of what was only tried."""
    tensors = state.items if isinstance(state, Tuple) else (state,)
    return any(isinstance(item, Tensor) and is_tried(item.lineage) for item in tensors)


def _unnoted(value: Value) -> Value:
    """The result of a call that was only tried, for one sample without a batch: what is done with it says nothing."""
    match value:
        case Tensor():
            return replace(value, lineage=TRIED)
        case Tuple(items):
            return replace(value, items=tuple(_unnoted(item) for item in items))
        case _:
            return value


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
