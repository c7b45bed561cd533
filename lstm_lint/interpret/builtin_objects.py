"""Builtins about objects: ``super``, ``getattr``, ``isinstance``, ``partial``, ``dict``, and what the machine is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.assign import set_attribute
from lstm_lint.interpret.attributes import attribute_of
from lstm_lint.interpret.choose import alternatives
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.expressions import unpacked
from lstm_lint.interpret.operators import it_contents
from lstm_lint.interpret.store import Frame
from lstm_lint.interpret.subscripts import dict_key
from lstm_lint.interpret.weights import has_weight, weight_or
from lstm_lint.ops.dtypes import DEVICE
from lstm_lint.values import (
    NONE,
    Bool,
    Class,
    Dict,
    External,
    Float,
    Function,
    Int,
    Layer,
    Method,
    OneOf,
    Packed,
    Partial,
    Ref,
    Str,
    Super,
    Tensor,
    Tuple,
    Unknown,
    Value,
)

Builtin = Callable[[Interpreter, Arguments, cst.CSTNode], Value]
MEMBER = "member"
"""The key of ``getattr(torch.nn, name)``: (MEMBER, "torch.nn", name)."""


# -- objects ---------------------------------------------------------------------------------------------------------
def builtin_super(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``super()``, and ``super(Net, self)``."""
    frame: Frame | None = it.frame
    while frame is not None and frame.receiver is None:
        frame = frame.parent
    match arguments.positional:
        case (Class() as after, receiver):
            return Super(receiver, after)
        case _ if frame is not None and frame.receiver is not None and frame.defined_in is not None:
            return Super(frame.receiver, frame.defined_in)
        case _:
            return it.unknown(node, "super() outside of a method")


def builtin_getattr(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    match arguments.positional:
        case (owner, Str(name)):
            return attribute_of(it, owner, name, node)
        case (Layer() as layer, Str(name), default) if (weight := weight_or(it, layer, name, default, node)) is not None:
            return weight
        case (owner, Str(name), default):
            value = attribute_of(it, owner, name, node)
            if isinstance(value, Unknown) and isinstance(owner, Unknown):
                return Unknown(value.key, value.name, value.reason, value.place, value.kind, default)
            return default if isinstance(value, Method) else value
        case (owner, OneOf(alternatives), *rest):
            arms = [(c, lambda v=v: builtin_getattr(it, Arguments((owner, v, *rest)), node)) for c, v in alternatives]
            return it.branch(arms)
        case (External(qualified), Unknown() as name):
            return it.unknown(node, f"`{name.name}` names what is looked up", name.kind, (MEMBER, qualified, name))
        case _:
            return it.unknown(node, "getattr with a name that is not known")


UNNAMED = "?"  # an attribute whose name is not known


def builtin_setattr(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    match arguments.positional:
        case (owner, Str(name), value):
            set_attribute(it, owner, name, value, node)
        case (Ref(_, "sequential") as owner, _, value):
            set_attribute(it, owner, UNNAMED, value, node)
    return NONE


def builtin_hasattr(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    """Whether a recurrent layer has a weight; not followed for anything else."""
    match arguments.positional:
        case (owner, Str(name)) if (found := has_weight(it, owner, name)) is not None:
            return found
        case _:
            return it.unknown(node, "`hasattr` is not followed")


TYPES: Mapping[str, tuple[type, ...]] = {
    "builtins.tuple": (Tuple,), "builtins.int": (Int, Bool), "builtins.float": (Float,), "builtins.str": (Str,),
    "builtins.bool": (Bool,), "torch.Tensor": (Tensor,), "torch.nn.utils.rnn.PackedSequence": (Packed,),
}  # fmt: skip


def builtin_isinstance(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    if len(arguments.positional) != 2:
        return Bool(it.flag(node))
    value, wanted = arguments.positional
    total = ZERO
    for condition, item in alternatives(value):
        total = total + condition * _is_instance(it, it.settled(item), wanted, node)
    return Bool(total)


def _is_instance(it: Interpreter, value: Value, wanted: Value, node: cst.CSTNode) -> Dim:
    if isinstance(wanted, Tuple):
        nothing = ONE
        for item in wanted.items:
            nothing = nothing * (ONE - _is_instance(it, value, item, node))
        return ONE - nothing
    name = wanted.qualified_name if isinstance(wanted, External) else None
    if isinstance(value, Unknown):
        shown = f"{it.place(node).text}"
        owner = "fresh" if value.kind is Kind.OPAQUE else value.owner
        return Dim.of(Symbol(("is a", value.key, name or wanted), shown, Kind.FLAG, None, 0, owner))
    if name is None:
        return it.flag(node)
    match value:
        case Layer(qualified):
            return ONE if name in (qualified, "torch.nn.Module") else ZERO
        case Tuple(kind=kind):
            return ONE if name == f"builtins.{'tuple' if kind == 'size' else kind}" else ZERO
        case Ref(kind=kind) if kind in ("list", "dict"):
            return ONE if name == f"builtins.{kind}" else ZERO
        case Ref():
            return it.flag(node)
        case _ if name in TYPES:
            return ONE if isinstance(value, TYPES[name]) else ZERO
        case _ if isinstance(value, Tensor | Int | Float | Str | Bool | Packed) or value == NONE:
            return ZERO
        case _:
            return it.flag(node)


def partial(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    if not arguments.positional or arguments.rest is not None:
        return it.unknown(node, "a partial function of unknown arguments")
    return Partial(arguments.positional[0], arguments.positional[1:], dict(arguments.keywords))


def builtin_dict(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``dict(a=1)``, ``OrderedDict([("a", 1)])``, ``dict(other, a=1)``."""
    items: dict[str | int, Value] = {}
    others = arguments.rest
    if arguments.positional:
        content = it_contents(it, arguments.positional[0])
        if isinstance(content, Dict):
            items.update(content.items)
            others = content.others or others
        elif isinstance(content, Tuple) and all(isinstance(i, Tuple) and len(i.items) == 2 for i in content.items):
            for pair in content.items:
                assert isinstance(pair, Tuple)
                key = dict_key(pair.items[0])
                if key is None:
                    others = it.unknown(node, "a key of this dict is not known")
                else:
                    items[key] = pair.items[1]
        else:
            others = content if isinstance(content, Unknown) else it.unknown(node, "the content of this dict is not known")
    items.update(arguments.keywords)
    ref = it.new_object("dict")
    it.write((ref.number, "items"), Dict(items, others))
    return ref


def namespace(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    ref = it.new_object("namespace")
    for name, value in arguments.keywords.items():
        it.write((ref.number, name), value)
    return ref


def field(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``dataclasses.field(default=...)`` as the default it stands for."""
    default = arguments.keywords.get("default")
    if default is not None:
        return default
    factory = arguments.keywords.get("default_factory")
    if isinstance(factory, Function | Class | Partial | External):
        return it.apply(factory, Arguments(), node)
    return it.unknown(node, "a field without a default", Kind.CONFIG)


def same(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    return arguments.positional[0] if arguments.positional else NONE


def tensor_flag(name: str) -> Builtin:
    """A question to the machine: the same answer whenever it is asked."""

    def run(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
        return Bool(Dim.of(Symbol(("machine", name), f"{name}()", Kind.FLAG, None, 0, "machine")))

    return run


def device(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``torch.device("cuda:0")``: its name; of one from outside it is known that it is a device."""
    match arguments.positional:
        case (Str() | OneOf() as name, *_):
            return name
        case (Unknown(key=key) as name, *_):
            return replace(name, key=(DEVICE, key), default=None)
        case _:
            return it.unknown(node, "the device is not known", key=(DEVICE, it.number()))


def any_all(every: bool) -> Builtin:
    def run(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
        items = unpacked(it, arguments.positional[0]) if arguments.positional else None
        if items is None:
            return Bool(it.flag(node))
        total = ONE
        for item in items:
            condition = it.truth(item, node)
            total = total * (condition if every else ONE - condition)
        return Bool(total if every else ONE - total)

    return run


def builtin_type(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    value = arguments.positional[0] if arguments.positional else None
    if isinstance(value, Ref) and (cls := it.world.classes.get(value.number)) is not None:
        return cls
    match value:
        case Layer():
            return External(value.qualified_name)
        case Tensor():
            return External("torch.Tensor")
        case Tuple(kind="tuple"):
            return External("builtins.tuple")
        case _:
            return it.unknown(node, "the type of a value")
