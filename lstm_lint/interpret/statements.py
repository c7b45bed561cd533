"""Statements: one small function a node type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Symbol, interned
from lstm_lint.interpret.assign import assign, iterate
from lstm_lint.interpret.choose import alternatives, choose, conjoin, merge, one_shape, same
from lstm_lint.interpret.classes import define_class
from lstm_lint.interpret.conditions import compare_values, equal_dims
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.names import assign_name, dotted
from lstm_lint.interpret.operators import SYMBOLS, it_contents, operate
from lstm_lint.interpret.rounds import at, counter, item_at, running
from lstm_lint.interpret.store import Location
from lstm_lint.values import (
    NONE,
    Bool,
    External,
    Function,
    Int,
    OneOf,
    Ref,
    Repeated,
    Str,
    Tuple,
    Unknown,
    Value,
)

LOOP_ROUNDS = 4
RAISES = frozenset({"raises", "assertRaises", "assertRaisesRegex", "assertRaisesRegexp", "suppress"})
NEUTRAL_HANDLERS = frozenset({"ImportError", "ModuleNotFoundError", "KeyboardInterrupt", "AttributeError", "StopIteration"})


# -- simple statements -----------------------------------------------------------------------------------------------
def execute_line(it: Interpreter, node: cst.SimpleStatementLine | cst.SimpleStatementSuite) -> None:
    it.execute(node.body)


def execute_expression(it: Interpreter, node: cst.Expr) -> None:
    it.eval(node.value)


def execute_assign(it: Interpreter, node: cst.Assign) -> None:
    value = _assigned(it, node.value, node.targets[0].target)
    for target in node.targets:
        assign(it, target.target, value)


def _assigned(it: Interpreter, value: cst.BaseExpression, target: cst.BaseExpression) -> Value:
    outer, it.target = it.target, dotted(target) or it.place(target).text
    try:
        return it.eval(value)
    finally:
        it.target = outer


def execute_annotated(it: Interpreter, node: cst.AnnAssign) -> None:
    if node.value is not None:
        assign(it, node.target, _assigned(it, node.value, node.target))


def execute_augmented(it: Interpreter, node: cst.AugAssign) -> None:
    old, new = it.eval(node.target), it.eval(node.value)
    content = it_contents(it, old)
    if isinstance(old, Ref) and old.kind == "list" and isinstance(node.operator, cst.AddAssign):
        joined = operate(it, "+", content, it_contents(it, new), node)
        it.write((old.number, "items"), joined)
        return
    assign(it, node.target, operate(it, SYMBOLS[type(node.operator)], old, new, node))


def execute_return(it: Interpreter, node: cst.Return) -> None:
    value = NONE if node.value is None else it.eval(node.value)
    it.frame.returns.append((it.path, value))
    it.path = ZERO


def execute_raise(it: Interpreter, node: cst.Raise) -> None:
    it.path = ZERO


def execute_jump(it: Interpreter, node: cst.Break | cst.Continue) -> None:
    it.path, it.broken = ZERO, True


def execute_nothing(it: Interpreter, node: cst.CSTNode) -> None:
    """``pass``, ``del x`` and their like change nothing that is followed."""


def execute_global(it: Interpreter, node: cst.Global) -> None:
    for item in node.names:
        it.frame.redirected[item.name.value] = it.frame.module


def execute_nonlocal(it: Interpreter, node: cst.Nonlocal) -> None:
    for item in node.names:
        frame = it.frame.enclosing()
        while frame is not None and it.read((frame.number, item.name.value)) is None:
            frame = frame.enclosing()
        if frame is not None:
            it.frame.redirected[item.name.value] = frame


def execute_assert(it: Interpreter, node: cst.Assert) -> None:
    """What is asserted holds behind it."""
    condition = it.truth(it.eval(node.test), node.test)
    if condition == ZERO:
        it.path = ZERO
        return
    it.path = conjoin(it.path, condition)
    refine(it, node.test, True)


# -- branches --------------------------------------------------------------------------------------------------------
def execute_if(it: Interpreter, node: cst.If) -> None:
    condition = it.truth(it.eval(node.test), node.test)

    def yes() -> Value:
        refine(it, node.test, True)
        it.execute(node.body.body)
        return NONE

    def no() -> Value:
        refine(it, node.test, False)
        if isinstance(node.orelse, cst.If):
            execute_if(it, node.orelse)
        elif node.orelse is not None:
            it.execute(node.orelse.body.body)
        return NONE

    if condition == ONE:
        yes()
    elif condition == ZERO:
        no()
    else:
        it.branch([(condition, yes), (ONE - condition, no)])


def refine(it: Interpreter, test: cst.BaseExpression, holds: bool) -> None:
    """Put in what a test says of a variable: behind ``if h is None`` it is None."""
    match test:
        case cst.UnaryOperation(operator=cst.Not(), expression=inner):
            refine(it, inner, not holds)
        case cst.BooleanOperation(left=left, operator=cst.And(), right=right) if holds:
            refine(it, left, True)
            refine(it, right, True)
        case cst.BooleanOperation(left=left, operator=cst.Or(), right=right) if not holds:
            refine(it, left, False)
            refine(it, right, False)
        case cst.Comparison(left=cst.Name() | cst.Attribute() as subject, comparisons=[part]):
            operator = SYMBOLS.get(type(part.operator), "?")
            if (operator in ("is", "==") and holds) or (operator in ("is not", "!=") and not holds):
                constant = it.eval(part.comparator)
                if isinstance(it.eval(subject), Unknown) and (constant == NONE or isinstance(constant, Str)):
                    assign(it, subject, constant)


def execute_match(it: Interpreter, node: cst.Match) -> None:
    subject = it.eval(node.subject)
    rest = ONE
    arms: list[tuple[Dim, Callable[[], Value]]] = []
    for case in node.cases:
        here = _pattern(it, subject, case.pattern)
        if case.guard is not None:
            here = here * it.flag(case.guard)
        arms.append((rest * here, lambda body=case.body: _run(it, body.body)))  # type: ignore[misc]
        rest = rest * (ONE - here)
    it.branch([*arms, (rest, lambda: NONE)])


def _run(it: Interpreter, body: Sequence[cst.CSTNode]) -> Value:
    it.execute(body)
    return NONE


def _pattern(it: Interpreter, subject: Value, pattern: cst.MatchPattern) -> Dim:
    match pattern:
        case cst.MatchValue(value=value):
            result = compare_values(it, "==", subject, it.eval(value), pattern)
            return result.dim if isinstance(result, Bool) else it.flag(pattern)
        case cst.MatchAs(pattern=None, name=name):
            if name is not None:
                assign_name(it, name.value, subject)
            return ONE
        case cst.MatchOr(patterns=patterns):
            nothing = ONE
            for element in patterns:
                nothing = nothing * (ONE - _pattern(it, subject, element.pattern))
            return ONE - nothing
        case _:
            _capture(it, pattern)
            return it.flag(pattern)


def _capture(it: Interpreter, pattern: cst.CSTNode) -> None:
    """Bind the names of a pattern that is not followed to what is not known."""
    if isinstance(pattern, cst.MatchAs | cst.MatchStar) and pattern.name is not None:
        assign_name(it, pattern.name.value, it.unknown(pattern, "what this pattern captures is not known"))
    for child in pattern.children:
        _capture(it, child)


# -- loops -----------------------------------------------------------------------------------------------------------
def execute_for(it: Interpreter, node: cst.For) -> None:
    source = iterate(it, it.eval(node.iter), node.iter)
    path = it.path
    if isinstance(source, Tuple):
        outer, it.unrolled = it.unrolled, it.unrolled * max(1, len(source.items))
        for item in source.items:
            assign(it, node.target, item)
            it.execute(node.body.body)
            it.path, it.broken = path, False
        it.unrolled = outer
    else:
        repeat(it, node, lambda: _round(it, node, source), source.index)
    if node.orelse is not None:
        it.execute(node.orelse.body.body)


def _round(it: Interpreter, node: cst.For, source: Repeated) -> None:
    assign(it, node.target, source.item)
    it.execute(node.body.body)


def execute_while(it: Interpreter, node: cst.While) -> None:
    def body() -> None:
        condition = it.truth(it.eval(node.test), node.test)
        if condition != ZERO:
            it.execute(node.body.body)

    repeat(it, node, body)


def repeat(it: Interpreter, node: cst.CSTNode, body: Callable[[], None], index: Symbol | None = None) -> None:
    """Run a loop's body until nothing it writes changes any more; values that keep changing are given up (widened).

    What a round finds is what was before the loop, or what the round before left: with a counter (`index`) that is known to
    be the first round and any later one, and the last round's is what the loop leaves.
    """
    base, path = it.store, it.path
    looped = it.flag(node)
    loop = _Loop(node, ONE - equal_dims(Dim.of(index), ZERO) if index is not None else looped, index)
    touched: dict[Location, None] = {}
    for count in range(LOOP_ROUNDS):
        seen = it.recorded()
        it.store = base.overlay()
        with running(it, index):
            body()
            written = it.store.written
            it.store, it.path, it.broken = base, path, False
            found = it.take_back(seen) if index is not None else ([], [], [])
            if count == 0 and any(found):
                _first_round(it, loop, body)
        changed = _written_back(it, loop, written, count)
        touched.update(dict.fromkeys(changed))
        if not changed or count == LOOP_ROUNDS - 1:
            it.put_back(found)
            break
    if index is not None:
        _finish(it, loop, touched, looped)


@dataclass(frozen=True)
class _Loop:
    """One loop: the condition that a round is not the first, and its counter."""

    node: cst.CSTNode
    later: Dim
    index: Symbol | None


def _first_round(it: Interpreter, loop: _Loop, body: Callable[[], None]) -> None:
    """What is called in the first round, with what was before the loop; nothing that it writes is kept."""
    base, path = it.store, it.path
    it.store, it.path = base.overlay(), conjoin(path, ONE - loop.later)
    body()
    it.store, it.path, it.broken = base, path, False


def _written_back(it: Interpreter, loop: _Loop, written: Mapping[Location, Value], count: int) -> list[Location]:
    """Join what a round wrote with what it found; the locations that are changed by that."""
    changed: list[Location] = []
    for location, value in written.items():
        old = it.store.read(location)
        left = value if loop.index is None else at(it, value, loop.index, Dim.of(loop.index) - 1)
        new = left if old is None else _widened(it, loop, old, left, location, count)
        if new is not old:
            it.store.write(location, new)
        if old is None or not same(old, new):
            changed.append(location)
    return changed


def _finish(it: Interpreter, loop: _Loop, touched: Iterable[Location], looped: Dim) -> None:
    """What the loop leaves: the counter has come to its end, and whether there was a round at all nobody knows."""
    assert loop.index is not None
    length = loop.index.key[2] if isinstance(loop.index.key, tuple) else None
    end = length if isinstance(length, Dim) and not _may_break(loop.node) else Dim.of(loop.index)
    for location in touched:
        value = it.store.read(location)
        if value is not None:
            first = dict.fromkeys(loop.later.flags, ONE - looped)
            it.store.write(location, at(it, value, loop.index, end, first))


def _may_break(node: cst.CSTNode) -> bool:
    """Whether a ``break`` of this loop stands in it."""
    inner = (cst.For, cst.While, cst.FunctionDef, cst.ClassDef, cst.BaseExpression)
    return any(isinstance(c, cst.Break) or (not isinstance(c, inner) and _may_break(c)) for c in node.children)


def _widened(it: Interpreter, loop: _Loop, old: Value, new: Value, location: Location, count: int) -> Value:
    if same(old, new):
        return merge(old, new)
    if count == 0 and loop.index is not None and (filled := _filled(it, loop.index, old, new)) is not None:
        return filled
    if isinstance(old, Tuple | Repeated) and isinstance(new, Tuple | Repeated) and old.kind == new.kind == "list":
        return _grown(it, loop.node, old, new)
    if count == 0 and not isinstance(old, Int):
        return choose(loop.later, new, old, it.place(loop.node))
    joined = choose(loop.later, new, old) if isinstance(old, OneOf) else old
    if isinstance(joined, OneOf) and (count < 2 or same(joined, old)):
        return joined
    name = location[1]
    reason = f"`{name}` changes from round to round of a loop"
    lost = Unknown(("loop", interned((id(loop.node), location))), name, reason, it.place(loop.node))
    values = [value for one in (old, new) for _, value in alternatives(one)]
    if (merged := one_shape(values, lost)) is not None:
        return merged
    if isinstance(old, Tuple) and isinstance(new, Tuple) and len(old.items) == len(new.items):
        pairs = zip(old.items, new.items, strict=True)
        items = [_widened(it, loop, a, b, (location, str(i)), count) for i, (a, b) in enumerate(pairs)]
        return Tuple(tuple(items), old.kind)
    return lost


def _filled(it: Interpreter, index: Symbol, old: Value, new: Value) -> Repeated | None:
    """A list that gets one item a round: as many as rounds, each written in its own place."""
    match old, new:
        case Tuple((), "list"), Tuple((item,), "list"):
            place = counter(it, index.name)
            return Repeated(at(it, item, index, Dim.of(place) + 1), Dim.of(index), "list", place)
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


# -- with and try ----------------------------------------------------------------------------------------------------
def execute_with(it: Interpreter, node: cst.With) -> None:
    expected = False
    for item in node.items:
        value = it.eval(item.item)
        called = item.item.func if isinstance(item.item, cst.Call) else item.item
        expected = expected or dotted(called).split(".")[-1] in RAISES
        if item.asname is not None:
            assign(it, item.asname.name, value)
    if not expected:
        it.execute(node.body.body)
        return
    path = it.path
    it.guarded += 1
    try:
        it.execute(node.body.body)
    finally:
        it.guarded -= 1
    it.path = path


def execute_try(it: Interpreter, node: cst.Try | cst.TryStar) -> None:
    """The body, or part of it and one of the handlers."""
    catches = [_catches(handler) for handler in node.handlers]
    passed = it.flag(node)
    arms: list[tuple[Dim, Callable[[], Value]]] = [(passed, lambda: _guarded_body(it, node, any(catches)))]
    rest = ONE - passed
    for position, handler in enumerate(node.handlers):
        last = position == len(node.handlers) - 1
        here = rest if last else rest * it.flag(handler)
        arms.append((here, lambda h=handler: _handler(it, h)))  # type: ignore[misc]
        rest = rest - here
    if node.handlers:
        it.branch(arms)
    else:
        it.execute(node.body.body)
    if node.finalbody is not None:
        it.execute(node.finalbody.body.body)


def _guarded_body(it: Interpreter, node: cst.Try | cst.TryStar, guarded: bool) -> Value:
    it.guarded += guarded
    try:
        it.execute(node.body.body)
    finally:
        it.guarded -= guarded
    if node.orelse is not None:
        it.execute(node.orelse.body.body)
    return NONE


def _handler(it: Interpreter, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> Value:
    if handler.name is not None and isinstance(handler.name.name, cst.Name):
        assign_name(it, handler.name.name.value, it.unknown(handler, "an exception"))
    it.execute(handler.body.body)
    return NONE


def _catches(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Whether a handler may catch what torch raises for a wrong shape, and goes on."""
    names = [""]
    if isinstance(handler.type, cst.Tuple):
        names = [dotted(element.value) for element in handler.type.elements]
    elif handler.type is not None:
        names = [dotted(handler.type)]
    ends = handler.body.body[-1] if handler.body.body else None
    reraises = isinstance(ends, cst.SimpleStatementLine) and any(isinstance(part, cst.Raise) for part in ends.body)
    return not reraises and any(name.split(".")[-1] not in NEUTRAL_HANDLERS for name in names)


# -- definitions -----------------------------------------------------------------------------------------------------
def execute_function(it: Interpreter, node: cst.FunctionDef) -> None:
    """Bind the name; the body is entered when it is called, and once by itself."""
    defined_in = it.frame.defined_in if it.frame.is_class else None
    function = Function(node.name.value, node, it.frame, id(node), defined_in=defined_in)
    value: Value = function
    for decorator in reversed(node.decorators):
        decorated = it.eval(decorator.decorator)
        if isinstance(decorated, External) and decorated.qualified_name in DECORATORS:
            value = DECORATORS[decorated.qualified_name](value)
    assign_name(it, node.name.value, value)
    if not it.frame.is_class:
        it.later(function)


def execute_class(it: Interpreter, node: cst.ClassDef) -> None:
    value = define_class(it, node)
    assign_name(it, node.name.value, value)
    it.later(value)


DECORATORS: dict[str, Callable[[Value], Value]] = {
    "builtins.property": lambda function: Tuple((function,), "property"),
    "functools.cached_property": lambda function: Tuple((function,), "property"),
    "builtins.staticmethod": lambda function: Tuple((function,), "staticmethod"),
    "builtins.classmethod": lambda function: Tuple((function,), "classmethod"),
}
