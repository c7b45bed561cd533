"""Calls of what a library has, torch above all: layers are built, rows of the op table applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import libcst as cst

from lstm_lint.dims import ZERO
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.choose import MAX_EXPANDED, expand
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.graph import backward, detach_in_place
from lstm_lint.interpret.layers import KINDS, construct
from lstm_lint.interpret.operators import here, it_contents
from lstm_lint.interpret.python import BUILTINS
from lstm_lint.interpret.uses import note_use
from lstm_lint.ops.boundary import in_torch_names
from lstm_lint.ops.recurrent import QUALIFIED
from lstm_lint.ops.table import LAYERS, OPS
from lstm_lint.values import (
    NONE,
    OneOf,
    Ref,
    Repeated,
    Tensor,
    Tuple,
    Unknown,
    Value,
)

VARIABLE = "torch.autograd.Variable"
ENDS = frozenset({"builtins.exit", "builtins.quit", "sys.exit", "os._exit"})


def call_external(it: Interpreter, name: str, arguments: Arguments, node: cst.CSTNode) -> Value:
    """A call of something of a library, by its qualified name."""
    positional, keywords, rest = arguments.positional, arguments.keywords, arguments.rest
    if name in QUALIFIED or name in LAYERS or name in KINDS:
        return construct(it, name, positional, keywords, rest, node)
    if name in BUILTINS:
        return BUILTINS[name](it, arguments, node)
    if name in OPS:
        return call_op(it, name, positional, keywords, rest, node)
    if name in ENDS:
        it.path = ZERO
        return NONE
    return it.unknown(node, f"`{name.removeprefix('builtins.')}` is not followed")


def call_op(
    it: Interpreter,
    name: str,
    positional: Sequence[Value],
    keywords: Mapping[str, Value],
    rest: Unknown | None,
    node: cst.CSTNode,
) -> Value:
    """A row of the op table; alternatives among the arguments are tried one by one."""
    if rest is not None:
        return it.unknown(node, rest.reason or "not all arguments of this call are known")
    values = [here(it, it.settled(snapshot(it, value))) for value in positional]
    named = {key: it.settled(snapshot(it, value)) for key, value in in_torch_names(name, keywords).items()}
    for index, value in enumerate(values):
        options = tuple(expand(value, it.path)) if isinstance(value, OneOf | Tuple) else ()
        if 1 < len(options) <= MAX_EXPANDED:
            arms = []
            for condition, option in options:
                chosen = [*values[:index], option, *values[index + 1 :]]
                arms.append((condition, lambda c=chosen: call_op(it, name, c, named, None, node)))
            return it.options(node, arms)
    call = it.call(name, node, values, named)
    if name == VARIABLE and len(values) == 1 and not named:
        it.wrappers[call.place] = None
    return note_use(it, call, OPS[name](call))


def snapshot(it: Interpreter, value: Value) -> Value:
    """A list object as the tuple value it is now, its items too, as ops want it."""
    content = it_contents(it, value)
    match content:
        case Tuple(items, kind) if any(isinstance(item, Ref) for item in items):
            return Tuple(tuple(snapshot(it, item) for item in items), kind)
        case Repeated(item) if isinstance(item, Ref):
            return replace(content, item=snapshot(it, item))
        case _:
            return content


def call_tensor_method(it: Interpreter, receiver: Value, name: str, arguments: Arguments, node: cst.CSTNode) -> Value:
    qualified = f"torch.Tensor.{name}"
    if name == "backward" and isinstance(receiver, Tensor):
        return backward(it, receiver, arguments, node)
    if name == "detach_" and isinstance(receiver, Tensor):
        detach_in_place(it, receiver)
    if qualified in OPS:
        return call_op(it, qualified, (receiver, *arguments.positional), arguments.keywords, arguments.rest, node)
    return it.unknown(node, f"`.{name}()` is not followed")
