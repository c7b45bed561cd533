"""Where ops meet the interpreter: exceptions become values; alternatives among the arguments are tried one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product as cartesian

from lstm_lint.dims import ONE, ZERO, Dim, product
from lstm_lint.ops.arguments import CannotTell, Op, lost
from lstm_lint.ops.tracing import with_origin
from lstm_lint.proofs.conditions import flag_cases
from lstm_lint.shapes import ShapeError
from lstm_lint.values import MAX_ALTERNATIVES, Bool, Call, Int, OneOf, Tuple, Unknown, Value, as_dim

MAX_FLAGS = 2
NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}
WITHOUT = frozenset({"split", "norm", "roll", "tensordot", "unflatten"})  # which are written in Python


def in_torch_names(name: str, keywords: Mapping[str, Value]) -> Mapping[str, Value]:
    """The keywords with NumPy's names, which what torch has in C++ takes too, as torch's: ``torch.stack(xs, axis=1)``."""
    owner, _, word = name.rpartition(".")
    if not keywords.keys() & NUMPY_NAMES.keys() or owner not in ("torch", "torch.Tensor") or word in WITHOUT:
        return keywords
    return {NUMPY_NAMES.get(key, key): value for key, value in keywords.items()}


def guarded(op: Op, one_tensor: bool = True) -> Op:
    """The op as the interpreter calls it: exceptions become values, and alternatives among the arguments are tried one by one.

    `one_tensor`: the result is a single tensor whatever happens, so that even an unknown one is a `Tensor`.
    """

    def row(call: Call) -> Value:
        try:
            calls = alternatives(call)
        except CannotTell as problem:
            return call.unknown(str(problem))
        return joined(call, [(condition, _run(op, case, one_tensor)) for condition, case in calls])

    row.__doc__ = op.__doc__
    return row


def _run(op: Op, call: Call, one_tensor: bool) -> Value:
    try:
        return op(call)
    except ShapeError as problem:
        return call.unknown(f"torch refuses this: {problem}")
    except CannotTell as problem:
        if cases := _flagged(call):
            return joined(call, [(condition, _run(op, case, one_tensor)) for condition, case in cases])
        return with_origin(call, lost(call, str(problem))) if one_tensor else call.unknown(str(problem))
    except ZeroDivisionError:
        return call.unknown("torch refuses this: division by zero")


def _flagged(call: Call) -> list[tuple[Dim, Call]]:
    """The call for each value of its first argument that only conditions decide; empty if there is none."""
    for position, value in enumerate(call.positional):
        if len(cases := by_flags(value)) > 1:
            before, behind = call.positional[:position], call.positional[position + 1 :]
            return [(condition, replace(call, positional=(*before, case, *behind))) for condition, case in cases]
    for name, value in call.keywords.items():
        if len(cases := by_flags(value)) > 1:
            return [(condition, replace(call, keywords={**call.keywords, name: case})) for condition, case in cases]
    return []


def by_flags(value: Value) -> list[tuple[Dim, Value]]:
    """An int that only conditions decide (``0 if batch_first else 1``) as a number under each; anything else as it is."""
    is_number = isinstance(value, Int | Bool) or (isinstance(value, Unknown) and value.is_bool)
    dim = as_dim(value) if is_number else None
    if dim is None or not dim.flags or dim.sizes or len(dim.flags) > MAX_FLAGS:
        return [(ONE, value)]
    cases: list[tuple[Dim, Value]] = []
    for flags in flag_cases(dim.flags, ONE):
        here = product(Dim.of(flag) if on else ONE - Dim.of(flag) for flag, on in flags.items())
        cases.append((here, Int(dim.substitute({flag: Dim.of(on) for flag, on in flags.items()}))))
    return cases


def alternatives(call: Call) -> list[tuple[Dim, Call]]:
    """The call for every combination of alternatives that its arguments allow, each under its condition."""
    values = [*call.positional, *call.keywords.values()]
    if not any(_has_alternatives(value) for value in values):
        return [(ONE, call)]
    found: list[tuple[Dim, Call]] = []
    for choice in cartesian(*(_choices(value) for value in values)):
        condition = ONE
        for part, _ in choice:
            condition = condition * part
        if condition == ZERO:
            continue
        chosen = [value for _, value in choice]
        count = len(call.positional)
        keywords = dict(zip(call.keywords, chosen[count:], strict=True))
        given = call.given * condition
        found.append((condition, replace(call, positional=tuple(chosen[:count]), keywords=keywords, given=given)))
        if len(found) > MAX_ALTERNATIVES:
            raise CannotTell("too many alternatives meet here")
    return found


def _has_alternatives(value: Value) -> bool:
    match value:
        case OneOf():
            return as_dim(value) is None
        case Tuple(items):
            return any(_has_alternatives(item) for item in items)
        case _:
            return False


def _choices(value: Value) -> list[tuple[Dim, Value]]:
    if not _has_alternatives(value):
        return [(ONE, value)]
    if isinstance(value, OneOf):
        return [(condition, item) for condition, item in value.alternatives]
    assert isinstance(value, Tuple)
    if sum(_has_alternatives(item) for item in value.items) > 2:
        raise CannotTell("too many alternatives meet here")
    found: list[tuple[Dim, Value]] = []
    for choice in cartesian(*(_choices(item) for item in value.items)):
        condition = ONE
        for part, _ in choice:
            condition = condition * part
        found.append((condition, replace(value, items=tuple(item for _, item in choice))))
    return [(condition, item) for condition, item in found if condition != ZERO]


def joined(call: Call, cases: Sequence[tuple[Dim, Value]]) -> Value:
    """One value for results under conditions; alternatives inside a result keep theirs."""
    flat: list[tuple[Dim, Value]] = []
    for condition, value in cases:
        inner = value.alternatives if isinstance(value, OneOf) else ((ONE, value),)
        flat.extend((condition * part, item) for part, item in inner if condition * part != ZERO)
    if not flat:
        return call.unknown("no alternative is possible here")
    if all(value == flat[0][1] for _, value in flat):
        return flat[0][1]
    if all(isinstance(value, Int) for _, value in flat) and (dim := as_dim(OneOf(tuple(flat)))) is not None:
        return Int(dim)
    if len(flat) > MAX_ALTERNATIVES:
        return call.unknown("too many alternatives meet here")
    return OneOf(tuple(flat))
