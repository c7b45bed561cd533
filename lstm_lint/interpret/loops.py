"""Loops: bodies run until nothing they write changes any more; what a round finds is what the round before left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Symbol, interned
from lstm_lint.interpret.assign import assign, iterate
from lstm_lint.interpret.choose import alternatives, choose, conjoin, fresh_flag, merge, one_shape, same
from lstm_lint.interpret.engine import Interpreter, OutOfBudget
from lstm_lint.interpret.rounds import at, behind, counter, done_rounds, item_at, length_of, running
from lstm_lint.interpret.sizes import equal_dims
from lstm_lint.interpret.store import Jump, Location, Round, Store
from lstm_lint.syntax.tree import inner_nodes
from lstm_lint.values import Int, OneOf, Repeated, Tuple, Unknown, Value

LOOP_ROUNDS = 4


def execute_for(it: Interpreter, node: cst.For) -> None:
    source = iterate(it, it.eval(node.iter), node.iter)
    path = it.path
    if isinstance(source, Tuple):
        outer, it.unrolled = it.unrolled, it.unrolled * max(1, len(source.items))
        if _may_jump(node, (cst.Continue, cst.Break)):
            _unrolled_with_jumps(it, node, source)
        else:
            for item in source.items:
                assign(it, node.target, item)
                it.execute(node.body.body)
                it.path, it.broken = path, False
        it.unrolled = outer
    else:
        repeat(it, node, lambda: _round(it, node, source), source.index)
    if node.orelse is not None:
        it.execute(node.orelse.body.body)


def _unrolled_with_jumps(it: Interpreter, node: cst.For, source: Tuple) -> None:
    """Item by item; what was not written yet at a ``continue`` may be left out of that round, at a ``break`` of all others."""
    base, path = it.store, it.path
    it.store = loop = base.overlay()
    with skipping(it) as jumps:
        for item in source.items:
            it.store = loop.overlay()
            assign(it, node.target, item)
            it.execute(node.body.body)
            _left_out(it, node, base, it.store, [jump for jump in jumps if not jump.ends])
            jumps[:] = [jump for jump in jumps if jump.ends]
            loop.take(it.store)
            it.path, it.broken = path, False
    _left_out(it, node, base, loop, jumps)
    it.store = base
    base.take(loop)


def _left_out(it: Interpreter, node: cst.For, base: Store, store: Store, jumps: Sequence[Jump]) -> None:
    """Join what was written with what was there at each jump."""
    for location, value in store.assigned().items() if jumps else ():
        for jump in jumps:
            before = jump.written.get(location, base.read(location))
            if before is not None and not same(before, value):
                value = choose(it.flag(node), before, value, it.place(node))
        store.write(location, value)


def _round(it: Interpreter, node: cst.For, source: Repeated) -> None:
    assign(it, node.target, source.item)
    it.execute(node.body.body)


def execute_while(it: Interpreter, node: cst.While) -> None:
    def body() -> None:
        condition, vague = it.truth(it.eval(node.test), node.test), it.vague
        if condition != ZERO:
            it.path = it.narrowed(it.path, condition)
            it.execute(node.body.body)
            it.vague = vague

    repeat(it, node, body)


def repeat(it: Interpreter, node: cst.CSTNode, body: Callable[[], None], index: Symbol | None = None) -> None:
    """Run a loop's body until nothing it writes changes any more; values that keep changing are given up (widened).

    Where there is no room to follow calls any more, every value that a round changes is given up at once.

    What a round finds is what was before the loop, or what the round before left: with a counter (`index`) that is known to
    be the first round and any later one, and the last round's is what the loop leaves. Between rounds it counts those that are
    done (`_Loop.done`), which after the last one are as many as there are.
    """
    base, path, vague = it.store, it.path, it.vague
    looped = fresh_flag(it.place(node).text, ("round", it.number()))
    done = done_rounds(it, index) if index is not None else None
    loop = _Loop(node, ONE - equal_dims(Dim.of(done), ZERO) if done is not None else looped, index, done)
    touched: dict[Location, None] = {}
    for count in range(LOOP_ROUNDS):
        seen, made_before = it.recorded(), it.world.numbers
        it.store = _entered(it, loop, touched).overlay()
        with running(it, index), skipping(it) as jumps:
            try:
                body()
            except OutOfBudget:
                if index is not None:
                    it.take_back(seen)
                raise
            written = it.store.assigned()
            it.store, it.path, it.broken = base, path, False
            found = it.take_back(seen) if index is not None else ([], [], [], [])
            if count == 0 and any(found[:3]):
                _first_round(it, loop, body, vague)
        changed = _written_back(it, loop, written, jumps, count)
        touched.update(dict.fromkeys(changed))
        is_settled = all(_is_newer(location, made_before) for location in changed)
        if not is_settled and it.room <= 0:
            for location in changed:
                it.store.write(location, _lost(it, loop, location))
            break
        if is_settled or count == LOOP_ROUNDS - 1:
            it.put_back(found)
            break
    if index is not None:
        _finish(it, loop, touched, looped)


def _is_newer(location: Location, number: int) -> bool:
    """Whether it is a variable of a call, or an attribute of an object, that was made behind a number: a round has its own."""
    return isinstance(location[0], int) and location[0] > number


@contextmanager
def skipping(it: Interpreter) -> Iterator[list[Jump]]:
    """While a round runs: each ``continue`` and ``break`` in it."""
    outer = it.round
    it.round = Round(it.store)
    try:
        yield it.round.jumps
    finally:
        it.round = outer


@dataclass(frozen=True)
class _Loop:
    """One loop: the condition that a round has been, the counter in a round, and that of the rounds that are done."""

    node: cst.CSTNode
    later: Dim
    index: Symbol | None
    done: Symbol | None

    @property
    def first(self) -> Dim:
        """The condition of a round that it is the first."""
        return ONE - self.later if self.index is None else equal_dims(Dim.of(self.index), ZERO)


def _entered(it: Interpreter, loop: _Loop, touched: Iterable[Location]) -> Store:
    """The memory that a round finds: as many rounds are done as its counter says."""
    if loop.index is None or loop.done is None:
        return it.store
    entered = it.store.overlay()
    for location in touched:
        value = it.store.read(location)
        if value is not None:
            entered.write(location, at(it, value, loop.done, Dim.of(loop.index)))
    return entered


def _first_round(it: Interpreter, loop: _Loop, body: Callable[[], None], vague: bool) -> None:
    """What is called in the first round, with what was before the loop; nothing that it writes is kept.

    `vague`: whether the path was so before the loop.
    """
    base, path, behind_body = it.store, it.path, it.vague
    it.store, it.path, it.vague = base.overlay(), conjoin(path, loop.first), vague
    with skipping(it):
        body()
    it.store, it.path, it.broken, it.vague = base, path, False, behind_body


def _written_back(
    it: Interpreter, loop: _Loop, written: Mapping[Location, Value], jumps: Sequence[Jump], count: int
) -> list[Location]:
    """Join what a round wrote with what it found; the locations that are changed by that."""
    changed: list[Location] = []
    for location, value in written.items():
        old = it.store.read(location)
        left = value if loop.index is None or loop.done is None else at(it, value, loop.index, Dim.of(loop.done) - 1)
        skips = [jump.written for jump in jumps if not jump.ends]
        always = all(location in skip and same(skip[location], value) for skip in skips)
        new = left if old is None else _widened(it, loop, old, left, location, count, always)
        if new is not old:
            it.store.write(location, new)
        if old is None or not same(old, new):
            changed.append(location)
    return changed


def _finish(it: Interpreter, loop: _Loop, touched: Iterable[Location], looped: Dim) -> None:
    """What the loop leaves: the counter has come to its end, and whether there was a round at all nobody knows."""
    assert loop.index is not None and loop.done is not None
    length = length_of(loop.index)
    end = length if length is not None and not _may_jump(loop.node) else Dim.of(loop.done)
    for location in touched:
        value = it.store.read(location)
        if value is not None:
            first = dict.fromkeys(loop.later.flags, ONE - looped)
            it.store.write(location, at(it, value, loop.done, end, first))


def _may_jump(node: cst.CSTNode, jumps: tuple[type[cst.CSTNode], ...] = (cst.Break,)) -> bool:
    """Whether a ``break`` (or ``continue``) of this loop stands in it."""
    inner = (cst.For, cst.While, cst.FunctionDef, cst.ClassDef, cst.BaseExpression)
    return any(isinstance(c, jumps) or (not isinstance(c, inner) and _may_jump(c, jumps)) for c in inner_nodes(node))


def _widened(
    it: Interpreter, loop: _Loop, old: Value, new: Value, location: Location, count: int, always: bool = True
) -> Value:
    """What both are. `always`: no ``continue`` left it out."""
    if same(old, new):
        return merge(old, new)
    if count == 0 and always and loop.done is not None and (filled := _filled(it, loop.done, old, new)) is not None:
        return filled
    if isinstance(old, Tuple | Repeated) and isinstance(new, Tuple | Repeated) and old.kind == new.kind == "list":
        return _grown(it, loop.node, old, new)
    if count == 0 and not isinstance(old, Int):
        return choose(loop.later, new, old, it.place(loop.node))
    joined = choose(loop.later, new, old) if isinstance(old, OneOf) else old
    if isinstance(joined, OneOf) and (count < 2 or same(joined, old)):
        return joined
    lost = _lost(it, loop, location)
    values = [value for one in (old, new) for _, value in alternatives(one)]
    if (merged := one_shape(values, lost)) is not None:
        return merged
    if isinstance(old, Tuple) and isinstance(new, Tuple) and len(old.items) == len(new.items):
        pairs = zip(old.items, new.items, strict=True)
        items = [_widened(it, loop, a, b, (location, str(i)), count) for i, (a, b) in enumerate(pairs)]
        return Tuple(tuple(items), old.kind)
    return lost


def _lost(it: Interpreter, loop: _Loop, location: Location) -> Unknown:
    """What nobody knows behind a round."""
    reason = f"`{location[1]}` changes from round to round of a loop"
    return Unknown(("loop", interned((id(loop.node), location))), location[1], reason, it.place(loop.node))


def _filled(it: Interpreter, done: Symbol, old: Value, new: Value) -> Repeated | None:
    """A list that gets one item a round, behind what it held before: as many as rounds, each written in its own place."""
    match old, new:
        case Tuple(head, "list"), Tuple((*before, item), "list") if len(before) == len(head) and all(map(same, before, head)):
            place = counter(it, done.name)
            made = Repeated(at(it, item, done, Dim.of(place) + 1), Dim.of(done), "list", place)
            return behind(it, head, made) if head else made
        case _:
            return None


def _grown(it: Interpreter, node: cst.CSTNode, old: Tuple | Repeated, new: Tuple | Repeated) -> Value:
    """A list that a loop appends to: any number of what it was seen to hold; as many as before where only items changed."""
    if isinstance(old, Repeated) and isinstance(new, Repeated) and old.length == new.length:
        index = new.index or old.index
        before = item_at(it, old, Dim.of(index) if index is not None else None)
        if same(before, new.item):
            return replace(new, item=merge(before, new.item), index=index)
        flag = Unknown(("grown", id(node), 0), "an item").as_condition()
        return replace(new, item=choose(flag, new.item, before, it.place(node)), index=index)
    items = [*(old.items if isinstance(old, Tuple) else (old.item,)), *(new.items if isinstance(new, Tuple) else (new.item,))]
    distinct: list[Value] = []
    for item in items:
        if not any(same(item, known) for known in distinct):
            distinct.append(item)
    if not distinct:
        return old
    result = distinct[0]
    for position, item in enumerate(distinct[1:]):
        flag = Unknown(("grown", id(node), position), "an item").as_condition()
        result = choose(flag, item, result, it.place(node))
    return Repeated(result, None, "list")
