"""The budget of an analysis: what is run within it, and what is noted where it ends."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from lstm_lint.dims import ONE, Effort
from lstm_lint.facts import GaveUp
from lstm_lint.interpret.engine import Interpreter, OutOfBudget
from lstm_lint.interpret.limits import (
    EFFORT_BEYOND,
    EFFORT_PER_ENTRY,
    EFFORT_PER_FILE,
    EFFORT_PER_MODULE,
    EFFORT_WITHOUT_CALLS,
    EFFORT_WITHOUT_LAYERS,
    KEPT_FOR_CALL,
    KEPT_FOR_ENTRY,
    KEPT_FOR_MODULE,
    SHARE,
)
from lstm_lint.interpret.store import Frame
from lstm_lint.values import Value

POSITION = (
    "store", "path", "frame", "muted", "guarded", "excused", "without_graph", "vague", "broken", "unrolled", "rounds", "target",
    "active", "evaluation", "nesting", "limit", "kept", "ranks", "is_aside", "required", "reached_from", "resolving",
)  # fmt: skip
"""What tells where an analysis stands: it comes back there after a module was loaded."""


def bounded(
    it: Interpreter, node: cst.CSTNode, what: str, run: Callable[[], object], noted: bool = True, effort: int = EFFORT_PER_ENTRY
) -> bool:
    """Run one entry within its budget; whether it came to its end. Where not it is noted, once for a file without budget.

    `noted`: not what is inherited from another file, which is looked at there, nor what has nothing to do with layers.
    """
    left = _most_effort(it) - it.effort
    if left <= 0 or it.is_late:
        _note_end(it, node, what, noted)
        return False
    frame, store, path, muted, required = it.frame, it.store, it.path, it.muted, it.required
    ranks = it.ranks
    it.without_graph = 0
    active, excused = list(it.active), it.excused
    state = (it.guarded, it.vague, it.unrolled, it.rounds, it.target, it.nesting)
    before, aside, uses = Effort.spent, it.uncharged, len(it.uses)
    it.kept = KEPT_FOR_ENTRY
    for_calls = min((it.effort_for_calls - it.effort) // SHARE, left - it.kept)
    it.limit = before + min(effort, max(0, for_calls)) + it.kept
    try:
        run()
        return True
    except (OutOfBudget, RecursionError):
        del it.uses[uses:]  # what else is done with these values stands behind
        if it.is_late:
            _note_end(it, node, what, noted)
        elif noted:
            _note(it, node, f"{what} takes too many steps to follow; what is behind was not looked at")
        return False
    finally:
        it.effort += Effort.spent - before - (it.uncharged - aside)
        it.frame, it.store, it.path, it.muted = frame, store, path, muted
        it.required, it.ranks = required, ranks
        it.active, it.excused = active, excused
        it.guarded, it.vague, it.unrolled, it.rounds, it.target, it.nesting = state


def _note_end(it: Interpreter, node: cst.CSTNode, what: str, noted: bool) -> None:
    """Note, once, that nothing more of the file is looked at."""
    if noted and not it.is_spent:
        long = "too long" if it.is_late else "too many steps"
        _note(it, node, f"this file takes {long} to follow; {what} and what is behind was not looked at")
        it.is_spent = True


def _note(it: Interpreter, node: cst.CSTNode, message: str) -> None:
    if all(known.place != it.place(node) for known in it.gave_up):
        it.gave_up.append(GaveUp(it.place(node), message))


def aside(it: Interpreter, frame: Frame, run: Callable[[], object]) -> bool:
    """Run the statements of another module in its frame: outside of the current path, unreported, with its own budget.

    Whether there was time for them: where there was not, another analysis has to run them anew.
    """
    saved = {name: getattr(it, name) for name in POSITION}
    before, uncharged = Effort.spent, it.uncharged
    it.store, it.path, it.frame, it.muted, it.is_aside = it.world.store, ONE, frame, it.muted + 1, True
    it.guarded, it.vague, it.broken, it.unrolled, it.target, it.active = 0, False, False, 1, None, []
    it.excused = 0
    it.required = ONE
    it.rounds = frozenset()
    it.reached_from, it.resolving = None, set()
    it.limit, it.kept = before + EFFORT_PER_MODULE, KEPT_FOR_MODULE
    try:
        run()
    except (OutOfBudget, RecursionError):
        pass  # what the rest of the module defines is not known, and is reported so where it is asked for
    finally:
        for name, value in saved.items():
            setattr(it, name, value)
        it.limit += Effort.spent - before
        it.uncharged = uncharged + Effort.spent - before
    return not it.is_late


def attempt(it: Interpreter, effort: int, run: Callable[[], Value]) -> Value | None:
    """What `run` gives; None, and nothing that it wrote, if that takes more effort than this."""
    saved = {name: getattr(it, name) for name in POSITION}
    base, uses, uncharged = it.store, len(it.uses), it.uncharged
    it.store = base.overlay()
    it.limit, it.kept = min(it.limit, Effort.spent + effort), KEPT_FOR_CALL
    value: Value | None = None
    try:
        value = run()
    except OutOfBudget:
        if Effort.spent > saved["limit"] + it.uncharged - uncharged or it.is_late:
            raise
    saved["limit"] += it.uncharged - uncharged
    if value is not None:
        base.take(it.store)
        it.store, it.limit, it.kept = base, saved["limit"], saved["kept"]
        return value
    for name, old in saved.items():
        setattr(it, name, old)
    del it.uses[uses:]  # as above
    return None


def _most_effort(it: Interpreter) -> int:
    """What the file may take in all: less where it is small, or where no layer, or no call of one, was met so far."""
    most = EFFORT_PER_FILE if it.has_met_calls else EFFORT_WITHOUT_CALLS if it.has_met_layers else EFFORT_WITHOUT_LAYERS
    return min(most, it.effort_for_calls + EFFORT_BEYOND)
