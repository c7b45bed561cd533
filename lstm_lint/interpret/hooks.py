"""Hooks of modules: functions that torch runs before and behind a call, and that may change its arguments or its result."""

from __future__ import annotations

from collections.abc import Hashable

import libcst as cst

from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.values import NONE, Layer, Ref, Tuple, Unknown, Value

BEFORE, BEHIND = "register_forward_pre_hook", "register_forward_hook"
HOOKS = frozenset({BEFORE, BEHIND})


def add_hook(it: Interpreter, module: Layer | Ref, name: str, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``module.register_forward_hook(hook)``, or what its name is; the handle is not followed, so the hook stays."""
    hook = arguments.positional[0] if arguments.positional else arguments.keywords.get("hook")
    takes_keywords = arguments.rest is not None or "with_kwargs" in arguments.keywords
    if hook is None or takes_keywords:
        hook = it.unknown(node, "a hook that is not followed")
    it.write((_owner(module), name), Tuple((*_hooks(it, module, name), hook)))
    return it.unknown(node, "the handle of a hook")


def before(it: Interpreter, module: Layer | Ref, arguments: Arguments, node: cst.CSTNode) -> Arguments:
    """The arguments as hooks leave them: as they are, if each gives None."""
    hooks = _hooks(it, module, BEFORE)
    if all(_gives_none(it, hook, (module, Tuple(arguments.positional)), node) for hook in hooks):
        return arguments
    lost = [_lost(it, node) for _ in arguments.positional]
    return Arguments(tuple(lost), {name: _lost(it, node) for name in arguments.keywords}, arguments.rest)


def behind(it: Interpreter, module: Layer | Ref, arguments: Arguments, result: Value, node: cst.CSTNode) -> Value:
    """The result as hooks leave it: as it is, if each gives None."""
    given = (module, Tuple(arguments.positional), result)
    hooks = _hooks(it, module, BEHIND)
    return result if all(_gives_none(it, hook, given, node) for hook in hooks) else _lost(it, node)


def _owner(module: Layer | Ref) -> Hashable:
    """Layers are told apart by where they are built, so that one of a list has the hooks of all: none is ever applied."""
    return module.number if isinstance(module, Ref) else ("hooks", module.place)


def _hooks(it: Interpreter, module: Layer | Ref, name: str) -> tuple[Value, ...]:
    known = it.read((_owner(module), name))
    return known.items if isinstance(known, Tuple) else () if known is None else (known,)


def _gives_none(it: Interpreter, hook: Value, given: tuple[Value, ...], node: cst.CSTNode) -> bool:
    return it.apply(hook, Arguments(given), node) == NONE


def _lost(it: Interpreter, node: cst.CSTNode) -> Unknown:
    return it.unknown(node, "a hook of this module may change it")
