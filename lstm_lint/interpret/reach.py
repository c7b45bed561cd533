"""Which methods of a class can have to do with a recurrent layer: by the names in them, and by what the instance holds.

The others need not be entered on their own: with symbols for their parameters, no layer is built or called there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from lstm_lint.interpret.attributes import mro
from lstm_lint.interpret.concern import holds_layers
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.names import REVEAL
from lstm_lint.interpret.setting import definitions
from lstm_lint.interpret.store import Frame
from lstm_lint.values import Bool, Class, External, Function, Int, Ref, Str, Tensor, Tuple, Unknown, Value

CREATORS = frozenset({"zeros", "randn", "rand", "ones", "empty", "new", "new_zeros", "zeros_like"})
"""What makes a state."""

BY_NAME = CREATORS | {
    REVEAL, "super", "getattr", "vars", "__dict__", "eval", "exec", "parameters", "named_parameters", "modules", "children",
    "named_modules", "named_children",
}  # fmt: skip
"""What makes a state, or may reach any attribute."""

HOLDING = 3  # containers in containers that are looked into for a layer


def worth_entering(it: Interpreter, cls: Class, instance: Ref, methods: Sequence[Function]) -> list[Function]:
    """Those of the methods that name a layer, use an attribute that may hold one, or call a method that does."""
    if it.relevant is None:
        return list(methods)
    reaching = it.relevant | BY_NAME | set(_holding(it, cls, instance))
    waiting = dict(definitions(it, cls))
    found: set[cst.CSTNode] = set()
    while True:
        more = {d: name for d, name in waiting.items() if reaching & it.tree_names(d) or _gives_itself_away(d)}
        if not more:
            return [method for method in methods if method.definition in found or not _is_plain(method)]
        found |= set(more)
        reaching |= set(more.values())
        waiting = {definition: name for definition, name in waiting.items() if definition not in more}


def _is_plain(method: Function) -> bool:
    return isinstance(method.definition, cst.FunctionDef)


def _holding(it: Interpreter, cls: Class, instance: Ref) -> Iterator[str]:
    """The attributes of the instance and of its classes that may hold a layer."""
    owners = [instance.number, *(frame.number for one in mro(it, cls) if isinstance(frame := one.scope, Frame))]
    for owner in owners:
        for name in it.store.names(owner):
            value = it.read((owner, name))
            if value is not None and not _is_method(value) and _may_hold(it, value):
                yield name


def _is_method(value: Value) -> bool:
    return isinstance(value, Function) or (isinstance(value, Tuple) and isinstance(next(iter(value.items), None), Function))


def _may_hold(it: Interpreter, value: Value) -> bool:
    match value:
        case Int() | Bool() | Str() | Tensor() | Unknown() | External():
            return False
        case _:
            return holds_layers(it, value, HOLDING)


def _gives_itself_away(definition: cst.FunctionDef) -> bool:
    """Whether the first parameter is used for more than its attributes: called, returned, handed on."""
    parameters = (*definition.params.posonly_params, *definition.params.params)
    receiver = parameters[0].name.value if parameters else None
    pending: list[cst.CSTNode] = [definition.body]
    while pending:
        node = pending.pop()
        match node:
            case cst.Attribute(value=cst.Name(value=name)) if name == receiver:
                continue
            case cst.Name(value=name) if name == receiver:
                return True
        pending.extend(node.children)
    return False
