"""Statements: one small function a node type."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim
from lstm_lint.interpret.assign import assign
from lstm_lint.interpret.choose import conjoin
from lstm_lint.interpret.concern import is_managed
from lstm_lint.interpret.conditions import compare_values
from lstm_lint.interpret.containers import remove_item
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.graph import builds_no_graph
from lstm_lint.interpret.names import assign_name, dotted
from lstm_lint.interpret.operators import SYMBOLS, it_contents, operate
from lstm_lint.interpret.subscripts import subscript_key
from lstm_lint.values import (
    NONE,
    Bool,
    Ref,
    Str,
    Tuple,
    Unknown,
    Value,
)

RAISES = frozenset({"raises", "assertRaises", "assertRaisesRegex", "assertRaisesRegexp", "suppress"})
NEUTRAL_HANDLERS = frozenset({"ImportError", "ModuleNotFoundError", "KeyboardInterrupt", "AttributeError", "StopIteration"})


# -- simple statements -----------------------------------------------------------------------------------------------
def execute_line(it: Interpreter, node: cst.SimpleStatementLine | cst.SimpleStatementSuite) -> None:
    it.execute(node.body)


def execute_expression(it: Interpreter, node: cst.Expr) -> None:
    if not isinstance(node.value, cst.SimpleString | cst.ConcatenatedString):  # a docstring
        it.eval(node.value)


def execute_assign(it: Interpreter, node: cst.Assign) -> None:
    value = _assigned(it, node.value, node.targets[0].target)
    for target in node.targets:
        assign(it, target.target, value)


def _assigned(it: Interpreter, value: cst.BaseExpression, target: cst.BaseExpression) -> Value:
    match target, value:
        case cst.Tuple(elements=targets), cst.Tuple(elements=values) if _one_each(targets, values):
            parts = (_assigned(it, part.value, one.value) for one, part in zip(targets, values, strict=True))
            return Tuple(tuple(parts))
    outer, it.target = it.target, dotted(target) or it.place(target).text
    try:
        return it.eval(value)
    finally:
        it.target = outer


def _one_each(targets: Sequence[cst.BaseElement], values: Sequence[cst.BaseElement]) -> bool:
    """Whether as many values are spelt as there are targets: ``self.lstm, self.fc = nn.LSTM(3, 5), nn.Linear(5, 2)``."""
    return len(targets) == len(values) and all(isinstance(one, cst.Element) for one in (*targets, *values))


def execute_annotated(it: Interpreter, node: cst.AnnAssign) -> None:
    if node.value is not None:
        assign(it, node.target, _assigned(it, node.value, node.target))


def execute_augmented(it: Interpreter, node: cst.AugAssign) -> None:
    old, new = it.eval(node.target), it.eval(node.value)
    content = it_contents(it, old)
    if isinstance(old, Ref) and old.kind in ("list", "module_list") and isinstance(node.operator, cst.AddAssign):
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
    if it.round is not None:
        it.round.leave(it.store, isinstance(node, cst.Break))
    it.path, it.broken = ZERO, True


def execute_nothing(it: Interpreter, node: cst.CSTNode) -> None:
    """``pass``, ``del x`` and their like change nothing that is followed."""


def execute_delete(it: Interpreter, node: cst.Del) -> None:
    """``del options["name"]``. A name that is deleted is not asked for any more."""
    targets = [element.value for element in node.target.elements] if isinstance(node.target, cst.Tuple) else [node.target]
    for target in targets:
        if isinstance(target, cst.Subscript):
            owner = it.eval(target.value)
            if isinstance(owner, Ref):
                remove_item(it, owner, subscript_key(it, target), target)


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
    it.require(ONE - it.path * (ONE - condition))
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
                    _narrow(it, subject, constant)


def _narrow(it: Interpreter, subject: cst.BaseExpression, constant: Value) -> None:
    base = it.store
    it.store = base.overlay()
    assign(it, subject, constant)
    for location, value in it.store.written.items():
        base.narrow(location, value)
    it.store = base


def execute_match(it: Interpreter, node: cst.Match) -> None:
    subject = it.eval(node.subject)
    rest = ONE
    arms: list[tuple[Dim, Callable[[], Value]]] = []
    for case in node.cases:
        here = _pattern(it, subject, case.pattern)
        if case.guard is not None:
            here = here * it.truth(it.eval(case.guard), case.guard)
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
            return result.dim if isinstance(result, Bool) else _not_followed(it, pattern)
        case cst.MatchSingleton(value=value):
            result = compare_values(it, "is", subject, it.eval(value), pattern)
            return result.dim if isinstance(result, Bool) else _not_followed(it, pattern)
        case cst.MatchTuple(patterns=elements) | cst.MatchList(patterns=elements) if isinstance(subject, Tuple):
            inner = [element.value for element in elements if isinstance(element, cst.MatchSequenceElement)]
            if len(inner) < len(elements) or len(inner) != len(subject.items):
                _capture(it, pattern)
                return _not_followed(it, pattern)
            total = ONE
            for item, part in zip(subject.items, inner, strict=True):
                total = total * _pattern(it, item, part)
            return total
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
            return _not_followed(it, pattern)


def _not_followed(it: Interpreter, pattern: cst.MatchPattern) -> Dim:
    """The condition of a pattern that is not understood, which may ask for anything."""
    flag = it.flag(pattern)
    it.doubted.update(flag.flags)
    return flag


def _capture(it: Interpreter, pattern: cst.CSTNode) -> None:
    """Bind the names of a pattern that is not followed to what is not known."""
    if isinstance(pattern, cst.MatchAs | cst.MatchStar) and pattern.name is not None:
        assign_name(it, pattern.name.value, it.unknown(pattern, "what this pattern captures is not known"))
    for child in pattern.children:
        _capture(it, child)


# -- with and try ----------------------------------------------------------------------------------------------------
def execute_with(it: Interpreter, node: cst.With) -> None:
    expected, without_graph = False, 0
    managers = []
    for item in node.items:
        value = it.eval(item.item)
        if is_managed(value):
            managers.append(item.item)
        without_graph += builds_no_graph(item.item)
        called = item.item.func if isinstance(item.item, cst.Call) else item.item
        expected = expected or dotted(called).split(".")[-1] in RAISES
        if item.asname is not None:
            assign(it, item.asname.name, value)
    path = it.path
    it.guarded += expected
    it.without_graph += without_graph
    try:
        it.execute(node.body.body)
    finally:
        it.guarded -= expected
        it.without_graph -= without_graph
    if expected:
        it.path = path
    it.muted += 1
    for manager in managers:  # what stands behind its ``yield`` may change the same as what stands before it
        it.eval(manager)
    it.muted -= 1


def execute_try(it: Interpreter, node: cst.Try | cst.TryStar) -> None:
    """The body, or part of it and one of the handlers."""
    catches = [_catches(handler) for handler in node.handlers]
    excuses = any(_catches(handler, NEUTRAL_HANDLERS - {"AttributeError"}) for handler in node.handlers)
    passed = it.flag(node)
    arms: list[tuple[Dim, Callable[[], Value]]] = [(passed, lambda: _guarded_body(it, node, any(catches), excuses))]
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


def _guarded_body(it: Interpreter, node: cst.Try | cst.TryStar, guarded: bool, excused: bool) -> Value:
    it.guarded += guarded
    it.excused += excused
    try:
        it.execute(node.body.body)
    finally:
        it.guarded -= guarded
        it.excused -= excused
    if node.orelse is not None:
        it.execute(node.orelse.body.body)
    return NONE


def _handler(it: Interpreter, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> Value:
    if handler.name is not None and isinstance(handler.name.name, cst.Name):
        assign_name(it, handler.name.name.value, it.unknown(handler, "an exception"))
    it.execute(handler.body.body)
    return NONE


def _catches(handler: cst.ExceptHandler | cst.ExceptStarHandler, neutral: frozenset[str] = NEUTRAL_HANDLERS) -> bool:
    """Whether a handler may catch what torch raises for a wrong shape, and goes on; `neutral` do not catch it."""
    names = [""]
    if isinstance(handler.type, cst.Tuple):
        names = [dotted(element.value) for element in handler.type.elements]
    elif handler.type is not None:
        names = [dotted(handler.type)]
    ends = handler.body.body[-1] if handler.body.body else None
    reraises = isinstance(ends, cst.SimpleStatementLine) and any(isinstance(part, cst.Raise) for part in ends.body)
    return not reraises and any(name.split(".")[-1] not in neutral for name in names)
