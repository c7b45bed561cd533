"""Functions of the analysed code: their parameters bound to arguments, their bodies run, what they return joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim
from lstm_lint.interpret.budget import attempt
from lstm_lint.interpret.choose import choose
from lstm_lint.interpret.classes import CUT_SHORT
from lstm_lint.interpret.concern import MANAGED, effort_for, forget, is_context_manager
from lstm_lint.interpret.engine import Interpreter, union
from lstm_lint.interpret.graph import builds_no_graph
from lstm_lint.interpret.limits import EFFORT_WITH_LAYERS, MAX_DEPTH
from lstm_lint.interpret.names import dotted
from lstm_lint.interpret.store import Frame
from lstm_lint.keywords import argument_of, without
from lstm_lint.proofs.conditions import assumed
from lstm_lint.source import Place
from lstm_lint.values import (
    NONE,
    Dict,
    Function,
    Ref,
    Repeated,
    Tuple,
    Unknown,
    Value,
)


def call_function(
    it: Interpreter,
    function: Function,
    positional: Sequence[Value],
    keywords: Mapping[str, Value],
    rest: Unknown | None,
    node: cst.CSTNode,
) -> Value:
    """Run the body with these arguments and give what it returns, each return under its condition."""
    definition, scope = function.definition, function.scope
    assert isinstance(definition, cst.FunctionDef | cst.Lambda) and isinstance(scope, Frame)
    if it.active.count(function.identity) >= 2 or len(it.active) >= MAX_DEPTH:
        itself = function.identity in it.active
        return it.unknown(node, f"`{function.name}` calls itself" if itself else "calls are nested too deeply")
    arguments = (function.receiver, *positional) if function.receiver is not None else tuple(positional)
    unit = _unit(function, scope)
    grounded = it.frame.grounded if unit == it.frame.unit else it.frame.lends
    receiver = function.receiver
    if receiver is None and function.defined_in is not None and arguments:  # ``fn(self, x)`` in a decorator
        receiver = arguments[0] if isinstance(arguments[0], Ref) else None
    frame = Frame(it.number(), scope, unit, grounded, function.identity, receiver, function.defined_in)
    frame.lends, frame.top = it.frame.lends, scope.top or function.name
    target, it.target = it.target, None
    reached_from, it.reached_from = it.reached_from, _reached_from(it, scope, node)
    if it.frame is it.module and it.path == ONE and not it.is_aside and takes_nothing(definition.params):
        it.followed.add(function.identity)
    it.active.append(function.identity)
    try:
        bind_parameters(it, frame, definition.params, arguments, keywords, rest, function, node)
        given = (*positional, *keywords.values())
        is_manager = is_context_manager(definition)
        most = 0 if is_manager or definition in it.given_up else effort_for(it, function, given)
        effort = min(most, it.room)
        value = attempt(it, effort, lambda: run_body(it, frame, definition, node)) if effort > 0 else None
        if value is None:
            if effort >= min(most, EFFORT_WITH_LAYERS):
                it.given_up.add(definition)
            it.followed.discard(function.identity)
            forget(it, function, (*arguments, *keywords.values()), node)
            if is_manager:
                reason = f"what `{function.name}` does before and behind its `yield` is not followed"
                return it.unknown(node, reason, key=(MANAGED, it.number()))
            key = (CUT_SHORT, it.number())
            return it.unknown(node, f"`{function.name}` takes too many steps to follow", key=key)
        return value
    finally:
        it.active.pop()
        it.target, it.reached_from = target, reached_from


def takes_nothing(parameters: cst.Parameters) -> bool:
    """Whether a function has no parameters, so that one call of it is like another."""
    named = (*parameters.posonly_params, *parameters.params, *parameters.kwonly_params)
    return not named and not isinstance(parameters.star_arg, cst.Param) and parameters.star_kwarg is None


def _reached_from(it: Interpreter, scope: Frame, node: cst.CSTNode) -> Place | None:
    """The call in the analysed file that leads to code of another one; None for code of its own."""
    if scope.tree is it.tree:
        return None
    return it.place(node) if it.frame.tree is it.tree else it.reached_from


def _unit(function: Function, scope: Frame) -> object:
    """The outermost definition a function belongs to: its class, the function around it, or itself."""
    if scope.unit is not None:
        return scope.unit
    return function.defined_in.identity if function.defined_in is not None else function.identity


def run_body(it: Interpreter, frame: Frame, definition: cst.FunctionDef | cst.Lambda, node: cst.CSTNode) -> Value:
    """Execute a body in its frame and join what it returns."""
    path, broken = it.path, it.broken
    with it.inside(frame):
        if isinstance(definition, cst.Lambda):
            return it.eval(definition.body)
        expected = _expects_failure(definition)
        without_graph = any(builds_no_graph(one.decorator) for one in definition.decorators)
        it.guarded += expected
        it.without_graph += without_graph
        it.execute(definition.body.body)
        it.guarded -= expected
        it.without_graph -= without_graph
    it.broken = broken
    returns: list[tuple[Dim, Value]] = [(c, v) for c, v in frame.returns if isinstance(c, Dim)]
    if it.path != ZERO:
        returns.append((it.path, NONE))
    if frame.yields:
        it.path = path
        return Repeated(_joined(it, [(ONE, value) for value in frame.yields], node))
    if not returns:
        it.path = path
        return it.unknown(node, "the function that is called here never returns")
    it.path = union([condition for condition, _ in returns], path)
    return _joined(it, [(assumed(condition, path), value) for condition, value in returns], node)


def _expects_failure(definition: cst.FunctionDef) -> bool:
    """Whether it is a test that is declared to fail (``@unittest.expectedFailure``, ``@pytest.mark.xfail``)."""
    for decorator in definition.decorators:
        called = decorator.decorator.func if isinstance(decorator.decorator, cst.Call) else decorator.decorator
        if dotted(called).split(".")[-1] in ("expectedFailure", "xfail"):
            return True
    return False


def _joined(it: Interpreter, returns: Sequence[tuple[Dim, Value]], node: cst.CSTNode) -> Value:
    result = returns[-1][1]
    for condition, value in reversed(returns[:-1]):
        if condition == ONE:
            condition = it.flag(node)
        result = choose(condition, value, result, it.place(node))
    return result


def bind_parameters(
    it: Interpreter,
    frame: Frame,
    parameters: cst.Parameters,
    positional: Sequence[Value],
    keywords: Mapping[str, Value],
    rest: Unknown | None,
    function: Function,
    node: cst.CSTNode,
) -> None:
    """Bind arguments to a frame's parameters as Python does; what is not given takes its default. `node` is the call."""
    left = dict(keywords)
    ordered = [*parameters.posonly_params, *parameters.params]
    for position, parameter in enumerate(ordered):
        name = parameter.name.value
        if position < len(positional):
            value = positional[position]
        else:
            value = left.pop(name) if name in left else _absent(it, parameter, rest, function, node)
        it.write((frame.number, name), value)
    for parameter in parameters.kwonly_params:
        name = parameter.name.value
        value = left.pop(name) if name in left else _absent(it, parameter, rest, function, node)
        it.write((frame.number, name), value)
    if isinstance(parameters.star_arg, cst.Param):
        extra: Value = Tuple(tuple(positional[len(ordered) :]))
        if rest is not None and not left:
            extra = Repeated(rest, kind="tuple") if not positional[len(ordered) :] else extra
        it.write((frame.number, parameters.star_arg.name.value), extra)
    if parameters.star_kwarg is not None:
        ref = it.new_object("dict")
        others = None if rest is None else without(rest, named_parameters(parameters))
        it.write((ref.number, "items"), Dict({str(key): value for key, value in left.items()}, others))
        it.write((frame.number, parameters.star_kwarg.name.value), ref)


def _absent(it: Interpreter, parameter: cst.Param, rest: Unknown | None, function: Function, node: cst.CSTNode) -> Value:
    name = parameter.name.value
    default = default_of(it, parameter, function)
    if rest is not None:
        default = argument_of(rest, name, default)
    return default if default is not None else it.unknown(node, f"`{name}` is not given in this call")


def named_parameters(parameters: cst.Parameters) -> list[str]:
    """The names that a keyword binds, so that they are never in ``**kwargs``."""
    return [parameter.name.value for parameter in (*parameters.params, *parameters.kwonly_params)]


def default_of(it: Interpreter, parameter: cst.Param, function: Function) -> Value | None:
    """A parameter's default, evaluated where the function was defined."""
    if parameter.default is None:
        return None
    assert isinstance(function.scope, Frame)
    with it.inside(function.scope):
        return it.eval(parameter.default)
