"""Which calls can have to do with a recurrent layer. Others may make a state or a size too: they are followed, but not far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import libcst as cst

from lstm_lint.dims import Kind
from lstm_lint.interpret.attributes import as_written, find_in_class, mro
from lstm_lint.interpret.choose import alternatives
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.limits import EFFORT_BESIDE, EFFORT_PER_ENTRY, EFFORT_WITH_LAYERS, EFFORT_WITH_TENSORS
from lstm_lint.interpret.operators import it_contents
from lstm_lint.interpret.store import Frame
from lstm_lint.source import Source
from lstm_lint.syntax.outside import changed_by, changed_later, set_on_others
from lstm_lint.syntax.relevance import LAYERS
from lstm_lint.values import (
    Bool,
    Class,
    Dict,
    Float,
    Function,
    Int,
    Layer,
    Method,
    NoneValue,
    OneOf,
    Partial,
    Ref,
    Str,
    Tensor,
    Tuple,
    Unknown,
    Value,
)


def effort_for(it: Interpreter, function: Function, arguments: Sequence[Value]) -> int:
    """How far a call is followed at most.

    That depends on whether it can build or call a recurrent layer: by the names in the function, or by what it is given.
    """
    written = function if function.wraps is None else replace(function.wraps, receiver=function.receiver)
    if _mentions_layers(it, written) and not is_beside(it, written):
        return EFFORT_PER_ENTRY
    values = [*arguments] if function.receiver is None else [function.receiver, *arguments]
    if any(_holds_layers(it, value, 1) for value in values):
        return EFFORT_WITH_LAYERS
    return EFFORT_WITH_TENSORS if any(_is_tensor(value) for value in arguments) else EFFORT_BESIDE


def _is_tensor(value: Value) -> bool:
    return any(isinstance(item, Tensor) for _, item in alternatives(value))


def _mentions_layers(it: Interpreter, definition: Function | Class) -> bool:
    """Whether the definition at module level that it is, or stands in, can concern a layer."""
    scope = definition.scope
    if not isinstance(scope, Frame) or scope.tree is None:
        return True
    relevant = it.relevant_in(scope.tree)
    return relevant is None or (scope.top or definition.name) in relevant


def is_beside(it: Interpreter, method: Function, around: tuple[str, ...] = ()) -> bool:
    """Whether a method of a model speaks of nothing that can be a layer, nor calls such a method: it prepares data, or logs."""
    receiver, scope = method.receiver, method.scope
    if not isinstance(receiver, Ref) or not isinstance(scope, Frame) or scope.tree is None or method.name in MAIN:
        return False
    cls, names = it.world.classes.get(receiver.number), it.tree_names(method.definition)
    if cls is None or any(names & speaking for speaking in (LAYERS, SUPER, it.relevant_in(scope.tree) or frozenset())):
        return False
    for name in names:
        held = it.read((receiver.number, name))
        if held is not None and not isinstance(held, Int | Bool | Str | Float | NoneValue | Tensor):
            return False
        found = find_in_class(it, cls, name) if held is None else None
        if found is None or name in (method.name, *around):
            continue
        inner = as_written(found[0])
        if inner is None or not is_beside(it, replace(inner, receiver=receiver), (method.name, *around)):
            return False
    return True


MAIN = frozenset({"__init__", "forward", "__call__"})
SUPER = frozenset({"super"})


def _holds_layers(it: Interpreter, value: Value, depth: int) -> bool:
    match value:
        case Layer(site=site):
            return site is not None
        case Ref(number, "instance") if (cls := it.world.classes.get(number)) is not None:
            return any(_mentions_layers(it, candidate) for candidate in mro(it, cls))
        case Class() | Function():
            return _mentions_layers(it, value)
        case Partial(function=inner) | Method(receiver=inner):
            return _holds_layers(it, inner, depth)
        case OneOf(options):
            return any(_holds_layers(it, item, depth) for _, item in options)
        case _ if depth:
            return any(_holds_layers(it, item, depth - 1) for item in items_of(it_contents(it, value)))
        case _:
            return False


def items_of(content: Value) -> Iterator[Value]:
    """What a list, tuple or dict holds, of its content; nothing of anything else."""
    match content:
        case Tuple(items):
            yield from items
        case Dict(items):
            yield from items.values()


def is_context_manager(definition: object) -> bool:
    """Whether a function yields once, in the middle: a ``with`` runs what stands before that, its body, and the rest."""
    return isinstance(definition, cst.FunctionDef) and is_decorated(definition, MANAGERS)


def is_decorated(definition: cst.FunctionDef, names: frozenset[str]) -> bool:
    """Whether a function is under a decorator of such a name, in whichever module."""
    decorators = (getattr(one.decorator, "attr", one.decorator) for one in definition.decorators)
    return any(isinstance(name, cst.Name) and name.value in names for name in decorators)


def is_managed(value: Value) -> bool:
    """Whether it is what the call of such a function gives, or one possibility is."""
    options = [item for _, item in alternatives(value)]
    return any(isinstance(item, Unknown) and isinstance(item.key, tuple) and item.key[0] == MANAGED for item in options)


MANAGERS = frozenset({"contextmanager", "asynccontextmanager"})
MANAGED = "context manager"
"""First part of the key of an Unknown: what a ``with`` is given by a function that is not followed."""


def forget(it: Interpreter, function: Function, values: Sequence[Value], node: cst.CSTNode) -> None:
    """Take for changed, of what a call was given, whatever the function may have changed: it was not followed to its end."""
    reason = f"`{it.place(node).text}` is not followed to its end, and may have changed it"
    pending = [value for value in values if isinstance(value, Ref)]
    changed = _changed_by(it, function, pending) if pending else None
    seen: set[int] = set()
    while pending:
        owner = pending.pop()
        if owner.number in seen:
            continue
        seen.add(owner.number)
        for name in list(it.store.names(owner.number)):
            held = it.read((owner.number, name))
            inner = [item for _, item in alternatives(held) if isinstance(item, Ref)] if held is not None else []
            if owner.kind not in KEEPING or changed is None or name in changed or any(ref.kind not in KEEPING for ref in inner):
                it.write((owner.number, name), Unknown(("changed", it.number()), name, reason, it.place(node), Kind.CONFIG))
            else:
                pending.extend(inner)


KEEPING = frozenset({"instance", "module_list", "sequential", "module_dict"})
"""Objects whose attributes and layers change by name only; a list may be changed under any."""


def _changed_by(it: Interpreter, function: Function, owners: Sequence[Ref]) -> frozenset[str] | None:
    """The attributes that a function and what it leads to may change, in the file of each object's class too; None for any.

    What it calls in other files can change attributes of objects as well, ``model.layers = 2``.
    """
    classes = [cls for owner in owners if (cls := it.world.classes.get(owner.number)) is not None]
    scopes = [function.scope, *(candidate.scope for cls in classes for candidate in mro(it, cls))]
    trees = {scope.tree for scope in scopes if isinstance(scope, Frame) and scope.tree is not None} | {it.tree}
    texts = [tree.source.text for tree in trees]
    found = changed_by(texts, function.name) if _is_given_itself(function, owners) else None
    if found is None:
        whole = [changed_later(text, function.name == "__init__") for text in texts]
        known = [names for names in whole if names is not None]
        if len(known) < len(whole):
            return None
        found = frozenset[str]().union(*known)
    sources = [it.project.source(path) for path in it.asked_for] if it.project is not None else []
    return found.union(*(set_on_others(source.text) for source in sources if isinstance(source, Source)))


def _is_given_itself(function: Function, owners: Sequence[Ref]) -> bool:
    """Whether a method gets no object but its own, and calls it ``self``."""
    definition = function.definition
    if not isinstance(definition, cst.FunctionDef) or any(o.kind == "instance" and o != function.receiver for o in owners):
        return False
    parameters = (*definition.params.posonly_params, *definition.params.params)
    return bool(parameters) and parameters[0].name.value == "self" and function.receiver is not None
