"""What a method makes, held against the class's own layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lstm_lint.dims import ONE, ZERO, Kind
from lstm_lint.facts import LstmCall
from lstm_lint.interpret.choose import expand
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.judge import judge
from lstm_lint.proofs.comparison import EQUAL
from lstm_lint.values import Layer, Ref, Tensor, Tuple, Unknown, Value, as_tensor


def check_makers(it: Interpreter, instance: Ref, results: Sequence[Value], calls: Sequence[LstmCall]) -> None:
    """Hold what a method makes against the class's own layer, though only code outside brings the two together.

    Only where the class has one recurrent layer, that layer gets its state from outside, and a method returns fresh tensors
    that have at least one size of that state in its place.
    """
    waiting = [call for call in calls if isinstance(call.state, Unknown) and call.state.kind is Kind.CONFIG]
    if len({call.site.number for call in waiting}) != 1 or len(_own_layers(it, instance)) != 1:
        return
    for state in results:
        evaluation = it.number()
        for condition, value in expand(state, ONE):
            rank = _made_state_rank(value, waiting[0].site.layer)
            for call in waiting:
                tensor = as_tensor(call.input) if isinstance(call.input, Tensor | Unknown) else None
                fits = rank is not None and (tensor is None or tensor.shape.rank in (None, rank))
                if fits and call.given * condition != ZERO and _is_meant(call, value):
                    made = replace(call, state=value, given=call.given * condition, state_place=None, assumed_rank=None)
                    it.record_call(replace(made, evaluation=evaluation))


def _own_layers(it: Interpreter, instance: Ref) -> list[Layer]:
    values = (it.read((instance.number, name)) for name in it.store.names(instance.number))
    return [value for value in values if isinstance(value, Layer) and value.site is not None]


def _made_state_rank(value: Value, layer: str) -> int | None:
    """The rank of freshly made tensors with the structure of this layer's state, None for anything else."""
    tensors = value.items if layer.startswith("LSTM") and isinstance(value, Tuple) and len(value.items) == 2 else (value,)
    if layer.startswith("LSTM") and tensors == (value,):
        return None
    ranks = {item.shape.rank if isinstance(item, Tensor) and item.made_by is not None else None for item in tensors}
    return ranks.pop() if len(ranks) == 1 else None


def _is_meant(call: LstmCall, value: Value) -> bool:
    """Whether some size of the tensors is that of the layer's state."""
    judged = judge(replace(call, state=value))
    return any(axis == EQUAL for part in judged.parts for axis in part.axes)
