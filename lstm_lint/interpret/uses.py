"""What is done with something that a recurrent layer gave: noted as a fact, for the rules about what torch never says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import libcst as cst

from lstm_lint.dims import ZERO
from lstm_lint.facts import Use
from lstm_lint.interpret.choose import MAX_EXPANDED, expand
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.lineage import is_noted
from lstm_lint.source import Place
from lstm_lint.values import NONE, Call, Dict, OneOf, Repeated, Tensor, Tuple, Value


def note_use(
    it: Interpreter,
    call: Call,
    result: Value,
    config: Mapping[str, Value] | None = None,
    targets: tuple[str, ...] = (),
    built: Place | None = None,
) -> Value:
    """The result; an op or call that gets something with a lineage is recorded, once for each alternative.

    `built` is where the layer that is called is constructed.
    """
    if call.name not in ALWAYS and not any(is_handled(value) for value in (*call.positional, *call.keywords.values())):
        return result
    options = list(expand(Tuple((Tuple(call.positional), Tuple(tuple(call.keywords.values())))), it.path))
    vague = it.vague or len(options) > MAX_EXPANDED
    for condition, option in options:
        assert isinstance(option, Tuple)
        positional, values = option.items
        assert isinstance(positional, Tuple)
        assert isinstance(values, Tuple)
        use = Use(
            call.name,
            positional.items,
            dict(zip(call.keywords, values.items, strict=True)),
            result,
            call.place,
            tuple(it.world.sites[number] for number in sorted(set(_sites(option)))),
            config,
            targets,
            it.reached(condition),
            it.frame.grounded,
            bool(it.guarded or it.excused) or vague,
            it.required,
            it.rounds,
            it.reached_from,
            it.evaluation,
            built,
            it.active[0] if it.active else None,
        )
        if use.given != ZERO and (use.from_layer or call.name in ALWAYS):
            it.record_use(use)
    return result


ALWAYS = frozenset({"torch.nn.utils.rnn.pack_padded_sequence"})
"""What is noted whatever it is done to."""


def note_leaving(it: Interpreter, how: str, value: Value, node: cst.CSTNode) -> None:
    """Something that a layer gave goes where it is not followed: `how` is ``return``, ``keep`` or ``pass``."""
    if is_handled(value):
        note_use(it, it.call(how, node, (value,), {}), NONE)


def _sites(value: Value) -> Iterator[int]:
    """The layers that gave it, or something in it."""
    match value:
        case Tensor(lineage=lineage) if lineage is not None:
            yield from (source.site for source in lineage.sources)
        case Tuple(items, given_by=source):
            yield from (source.site,) if source is not None else ()
            for item in items:
                yield from _sites(item)
        case Repeated(item):
            yield from _sites(item)
        case Dict(items):
            for item in items.values():
                yield from _sites(item)


def is_of_a_round(value: Value) -> bool:
    """Whether it is what a round of a loop took of something that a recurrent layer gave, at the counter."""
    match value:
        case Tensor(lineage=lineage):
            return lineage is not None and any(taken.index is not None for taken in lineage.taken)
        case OneOf(alternatives):
            return any(is_of_a_round(item) for _, item in alternatives)
        case _:
            return False


def is_handled(value: Value) -> bool:
    """Whether a recurrent layer gave it, or something in it."""
    match value:
        case Tensor(lineage=lineage):
            return is_noted(lineage)
        case Tuple(items, given_by=source):
            return source is not None or any(is_handled(item) for item in items)
        case Repeated(item):
            return is_handled(item)
        case Dict(items):
            return any(is_handled(item) for item in items.values())
        case OneOf(alternatives):
            return any(is_handled(item) for _, item in alternatives)
        case _:
            return False
