"""Calls: what is called, and with which arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import libcst as cst

from lstm_lint.dims import ONE, Dim, Kind, Symbol
from lstm_lint.interpret import hooks
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.assign import assign
from lstm_lint.interpret.attributes import LAYER, attribute_of, find_in_class, layer_of, members_of
from lstm_lint.interpret.builtin_objects import MEMBER
from lstm_lint.interpret.classes import instantiate
from lstm_lint.interpret.conditions import equality, of_text
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.expressions import unpacked
from lstm_lint.interpret.functions import call_function
from lstm_lint.interpret.graph import backward_of_unknown, note_origin
from lstm_lint.interpret.layers import call_layer, call_sequential, construct_into
from lstm_lint.interpret.library_calls import call_external, call_tensor_method, snapshot
from lstm_lint.interpret.operators import it_contents
from lstm_lint.interpret.python import METHODS, call_object_method
from lstm_lint.interpret.uses import note_leaving
from lstm_lint.interpret.weights import load_state_dict, state_dict
from lstm_lint.keywords import entry_of
from lstm_lint.ops.recurrent import QUALIFIED, bind
from lstm_lint.ops.table import OPS
from lstm_lint.proofs.wording import FRESH
from lstm_lint.values import (
    NONE,
    Bool,
    Class,
    Dict,
    External,
    Function,
    Layer,
    Method,
    OneOf,
    Packed,
    Partial,
    Ref,
    Repeated,
    Str,
    Super,
    Tensor,
    Unknown,
    Value,
)

IN_PLACE_RESHAPES = frozenset({"unsqueeze_", "squeeze_", "t_", "transpose_", "swapaxes_", "resize_", "resize_as_", "swapdims_"})


def eval_call(it: Interpreter, node: cst.Call) -> Value:
    function = it.eval(node.func)
    outer, target = it.target, it.target
    it.target = None
    arguments = evaluated(it, node)
    it.target = target
    evaluation, it.evaluation = it.evaluation, it.number()
    try:
        result = call_value(it, function, arguments, node)
    finally:
        it.target, it.evaluation = outer, evaluation
    if isinstance(node.func, cst.Attribute) and node.func.attr.value in IN_PLACE_RESHAPES and isinstance(result, Tensor):
        if isinstance(node.func.value, cst.Name | cst.Attribute):
            assign(it, node.func.value, result)
    return result


def evaluated(it: Interpreter, node: cst.Call) -> Arguments:
    """The arguments of a call; stars of known content are spelt out."""
    positional: list[Value] = []
    keywords: dict[str, Value] = {}
    rest: Unknown | None = None
    spread: Value | None = None
    for argument in node.args:
        value = it.eval(argument.value)
        if argument.star == "*":
            items = unpacked(it, value)
            if items is None:
                lost = it.unknown(argument, "the content of this * argument is not known")
                rest = value if isinstance(value, Unknown) else lost
                spread = it_contents(it, value) if len(node.args) == 1 else None
            else:
                positional.extend(items)
        elif argument.star == "**":
            content = it_contents(it, value)
            if isinstance(content, Dict):
                keywords.update({str(key): item for key, item in content.items.items()})
                rest = content.others or rest
            else:
                lost = it.unknown(argument, "the content of this ** argument is not known")
                rest = value if isinstance(value, Unknown) else lost
        elif argument.keyword is not None:
            keywords[argument.keyword.value] = value
        else:
            positional.append(value)
    return Arguments(tuple(positional), keywords, rest, spread)


def call_value(it: Interpreter, function: Value, arguments: Arguments, node: cst.CSTNode) -> Value:
    """The result of calling any value; what is given to something that is not followed is noted."""
    result = _called(it, function, arguments, node)
    if isinstance(result, Unknown):
        if isinstance(function, Unknown):
            note_origin(it, result, arguments)
        for value in (*arguments.positional, *arguments.keywords.values()):
            note_leaving(it, "pass", snapshot(it, value), node)
    return result


def _called(it: Interpreter, function: Value, arguments: Arguments, node: cst.CSTNode) -> Value:
    it.spend()
    positional, keywords, rest = arguments.positional, arguments.keywords, arguments.rest
    match function:
        case OneOf(alternatives):
            arms = [(c, lambda f=f: call_value(it, f, arguments, node)) for c, f in alternatives]
            return it.branch(arms, unnamed=True)
        case External(name):
            return call_external(it, name, arguments, node)
        case Function():
            return call_function(it, function, positional, keywords, rest, node)
        case Class() if len(positional) == 1 and (members := members_of(it, function)):
            return _member(members, positional[0])
        case Class():
            return instantiate(it, function, positional, keywords, rest, node, call_function)
        case Layer() | Ref():
            return _call_module(it, function, arguments, node)
        case Method(receiver, name):
            return call_method(it, receiver, name, arguments, node)
        case Partial(inner, given, given_keywords):
            joined = Arguments((*given, *positional), {**given_keywords, **keywords}, rest)
            return call_value(it, inner, joined, node)
        case Unknown() as unknown:
            return _unknown_result(it, unknown, arguments, node)
        case _:
            return it.unknown(node, "what is called here is not known")


def _call_module(it: Interpreter, module: Layer | Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    """A layer or an object called, with its hooks."""
    given = hooks.before(it, module, arguments, node)
    if isinstance(module, Layer):
        result = call_layer(it, module, given.positional, given.keywords, given.rest, node)
    else:
        result = call_object(it, module, given, node)
    return hooks.behind(it, module, given, result, node)


def _unknown_result(it: Interpreter, function: Unknown, arguments: Arguments, node: cst.CSTNode) -> Value:
    """A call of something from outside: a method that tensors have is taken for theirs."""
    key = function.key
    match key:
        case (mark, "torch.nn", Unknown() as kind) if mark == MEMBER:
            return _by_name(it, function, kind, arguments, node)
    if isinstance(key, tuple) and len(key) == 2 and isinstance(key[1], str) and key[1].startswith("."):
        name = key[1][1:]
        if name == "backward" and (done := backward_of_unknown(it, key[0], arguments, node)) is not None:
            return done
        owner = function.like or replace(function, key=key[0], name=function.name.rsplit(".", 1)[0])
        if name == "get" and arguments.positional and isinstance(arguments.positional[0], Str):
            return _got(owner, arguments)
        if name in TEXT_TESTS and len(arguments.positional) == 1 and isinstance(arguments.positional[0], Str):
            return _text_test(it, owner, name, arguments.positional[0].value, node)
        if f"torch.Tensor.{name}" in OPS and name not in NOT_TENSORS_ALONE:
            if name not in PACKED_TOO:
                it.learn_tensor(owner)
            return call_tensor_method(it, owner, name, arguments, node)
    reason = function.reason or f"`{function.name}` comes from outside"
    reason = reason if function.place is not None else f"`{function.name}` is not followed"
    return it.unknown(node, reason, key=(function.key, "()", it.number()))


TEXT_TESTS = {"startswith": str.startswith, "endswith": str.endswith}


def _text_test(it: Interpreter, owner: Unknown, name: str, part: str, node: cst.CSTNode) -> Bool:
    """``kind.endswith("lstm")`` of a text from outside: one condition, whichever line asks."""
    signature = FRESH if owner.kind is Kind.OPAQUE else owner.owner
    flag = Symbol((name, owner.key, part), it.place(node).text, Kind.FLAG, None, 0, signature)
    return Bool(of_text(it, owner, lambda text: TEXT_TESTS[name](text, part), Dim.of(flag)))


def _by_name(it: Interpreter, function: Unknown, name: Unknown, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``getattr(nn, kind)(...)``: each layer whose name the file spells, if these arguments fit it, where the name is that."""
    assert it.frame.tree is not None
    text = it.frame.tree.source.text
    arms: list[tuple[Dim, Callable[[], Value]]] = []
    rest = ONE
    for layer in ("LSTM", "GRU", "RNN"):
        spelt = any(f"{quote}{layer}{quote}" in text for quote in "'\"")
        if spelt and not bind(layer, arguments.positional, arguments.keywords, arguments.rest).problems:
            condition = equality(it, name, Str(layer), node)
            arms.append((condition, lambda layer=layer: call_external(it, f"torch.nn.{layer}", arguments, node)))  # type: ignore[misc]
            rest = rest * (ONE - condition)
    return it.branch([*arms, (rest, lambda: it.unknown(node, function.reason))])


def _got(owner: Unknown, arguments: Arguments) -> Value:
    """``cfg.get("bidirectional", False)``: one unknown with that default."""
    key = arguments.positional[0]
    assert isinstance(key, Str)
    default = arguments.positional[1] if len(arguments.positional) > 1 else NONE
    found = entry_of(owner, key.value, default)
    assert found is not None
    return found


PACKED_TOO = frozenset({"to", "cuda", "cpu", "float", "double", "half", "pin_memory"})


NOT_TENSORS_ALONE = frozenset({
    "split", "index", "copy", "type", "apply_", "item", "get", "count", "sort", "format", "join", "tolist", "numpy",
})  # fmt: skip


def call_method(it: Interpreter, receiver: Value, name: str, arguments: Arguments, node: cst.CSTNode) -> Value:
    """A method of something that is not user code."""
    match receiver:
        case Super(instance, _):
            return _super_method(it, instance, name, arguments, node)
        case Tensor() | Unknown():
            return call_tensor_method(it, receiver, name, arguments, node)
        case Packed() if name in PACKED_TOO:
            return receiver
        case Layer() | Ref() if name in hooks.HOOKS:
            return hooks.add_hook(it, receiver, name, arguments, node)
        case Layer():
            return _layer_method(it, receiver, name, arguments, node)
        case Ref() if receiver.kind == "instance":
            return _module_method(it, receiver, name, arguments, node)
        case Ref():
            return call_object_method(it, receiver, name, arguments, node)
        case _ if (row := METHODS.get((type(receiver), name))) is not None:
            return row(it, receiver, arguments, node)
        case Bool() if f"torch.Tensor.{name}" in OPS:  # ``(x != 0).sum(1)`` of something from outside: a mask
            return call_tensor_method(it, it.unknown(node, "a comparison of what comes from outside"), name, arguments, node)
        case _:
            return it.unknown(node, f"`.{name}()` is not followed for this value")


SELF = frozenset({
    "to", "cuda", "cpu", "half", "float", "double", "bfloat16", "train", "eval", "apply", "requires_grad_", "type",
    "share_memory", "to_empty",
})  # fmt: skip


def _layer_method(it: Interpreter, layer: Layer, name: str, arguments: Arguments, node: cst.CSTNode) -> Value:
    if name in SELF:
        return layer
    if name in ("forward", "__call__"):
        return call_layer(it, layer, arguments.positional, arguments.keywords, arguments.rest, node)
    if name == "parameters":
        return Repeated(it.unknown(node, "a weight of the module"))
    if name == "load_state_dict":
        return load_state_dict(it, layer, arguments, node)
    if name == "state_dict" and (content := state_dict(it, layer, node)) is not None:
        return content
    return NONE if name in ("flatten_parameters", "reset_parameters") else it.unknown(node, f"`.{name}()` of a layer")


def _module_method(it: Interpreter, instance: Ref, name: str, arguments: Arguments, node: cst.CSTNode) -> Value:
    if name in SELF:
        return instance
    if name == "__call__":
        return call_object(it, instance, arguments, node)
    if name in ("parameters", "modules", "children"):
        return Repeated(it.unknown(node, "a weight of the module"))
    if name == "load_state_dict":
        return load_state_dict(it, instance, arguments, node)
    if name in ("register_buffer", "register_parameter", "add_module") and len(arguments.positional) >= 2:
        key, value = arguments.positional[:2]
        if isinstance(key, Str):
            if isinstance(value, Tensor):  # which moves with its module
                value = replace(value, dtype=None, device=None)
            it.write((instance.number, key.value), value)
        return NONE
    return it.unknown(node, f"`.{name}()` of a module")


def _super_method(it: Interpreter, instance: Value, name: str, arguments: Arguments, node: cst.CSTNode) -> Value:
    base, method = name.rsplit(".", 1)
    if method == "__init__":
        if base in QUALIFIED and isinstance(instance, Ref):
            construct_into(it, instance, base, arguments.positional, arguments.keywords, arguments.rest, node)
        return NONE
    if method in ("forward", "__call__") and (layer := layer_of(it, instance)) is not None:
        return call_layer(it, layer, arguments.positional, arguments.keywords, arguments.rest, node)
    if isinstance(instance, Ref):
        return _module_method(it, instance, method, arguments, node)
    return it.unknown(node, f"`{base}.{method}` is not followed")


def _member(members: Sequence[tuple[str, Str]], value: Value) -> Value:
    """``Mode(value)``: the member of an enumeration that a value stands for; of what comes from outside that itself."""
    return next((member for _, member in members if member.held == value), value)


def call_object(it: Interpreter, instance: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    """Calling an instance runs its ``__call__`` or ``forward``; a Sequential runs its layers one behind the other."""
    if instance.kind == "sequential":
        return call_sequential(it, instance, arguments, node, call_value)
    cls = it.world.classes.get(instance.number)
    if cls is None:
        return it.unknown(node, "what is called here is not known")
    for name in ("__call__", "forward"):
        if find_in_class(it, cls, name) is not None:
            return call_value(it, attribute_of(it, instance, name, node), arguments, node)
    layer = it.read((instance.number, LAYER))
    if isinstance(layer, Layer):
        return call_layer(it, layer, arguments.positional, arguments.keywords, arguments.rest, node)
    return it.unknown(node, f"`{cls.name}` has no forward in the code that was analysed")
