"""Attributes: of libraries, of instances and their classes, of layers, of tensors, of things from outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import libcst as cst

from lstm_lint.dims import Kind
from lstm_lint.interpret import modules
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.hooks import HOOKS
from lstm_lint.interpret.names import canonical
from lstm_lint.interpret.store import Frame
from lstm_lint.interpret.uses import is_handled, note_use
from lstm_lint.interpret.weights import REPLACED, all_weights, weight_of
from lstm_lint.ops.recurrent import QUALIFIED
from lstm_lint.ops.table import ATTRIBUTES, OPS, PACKED_ATTRIBUTES, PACKED_FIELDS, sizes_value
from lstm_lint.values import (
    Bool,
    Class,
    External,
    Function,
    Layer,
    Method,
    Module,
    OneOf,
    Packed,
    Ref,
    Str,
    Super,
    Tensor,
    Tuple,
    Unknown,
    Value,
    as_tensor,
)

BASES = "__bases__"
LAYER = "<layer>"
"""Under this name an instance of a subclass of a torch layer keeps that layer."""


def eval_attribute(it: Interpreter, node: cst.Attribute) -> Value:
    return attribute_of(it, it.eval(node.value), node.attr.value, node)


def attribute_of(it: Interpreter, owner: Value, name: str, node: cst.CSTNode) -> Value:
    """``owner.name``."""
    match owner:
        case OneOf(alternatives):
            return it.branch([(c, lambda v=v: attribute_of(it, v, name, node)) for c, v in alternatives])  # type: ignore[misc]
        case External(qualified):
            return External(canonical(f"{qualified}.{name}"))
        case Ref():
            return _of_object(it, owner, name, node)
        case Super(receiver, after):
            return _of_super(it, receiver, after, name, node)
        case Class():
            return _of_class(it, owner, name, node)
        case Layer():
            return _of_layer(it, owner, name, node)
        case Unknown(key=(modules.MODULE, *_)):
            return modules.of_unread(owner, name)
        case Tensor() | Unknown():
            return _of_tensor(it, owner, name, node)
        case Packed():
            return _of_packed(it, owner, name, node)
        case Module():
            return modules.member(it, owner, name, node)
        case Str(held=held) if held is not None and name == "value":
            return held
        case Tuple() if is_handled(owner) and owner.given_by is not None:
            call = it.call("attribute", node, (owner,), {})
            note_use(it, call, it.unknown(node, f"a tuple has no {name}"), targets=(name,))
            return Method(owner, name)
        case Tuple((values, indices), "tuple") if name in NAMED:
            return values if name == NAMED[0] else indices
        case _:
            return Method(owner, name)


NAMED = ("values", "indices")
"""What the pairs are called that ``max``, ``sort``, ``topk`` and their kin give: no other tuple has these names."""


# -- objects ---------------------------------------------------------------------------------------------------------
def _of_object(it: Interpreter, owner: Ref, name: str, node: cst.CSTNode) -> Value:
    is_own_content = name == "items" and owner.number not in it.world.classes and owner.kind != "namespace"
    stored = None if is_own_content else it.read((owner.number, name))
    if stored is not None:
        return stored
    cls = it.world.classes.get(owner.number)
    if cls is None:
        if owner.kind == "namespace":
            return _missing(it, owner, name, node)
        return Method(owner, name)
    if name == "__class__":
        return cls
    found = find_in_class(it, cls, name)
    if found is not None:
        return bound_to(it, found[0], owner, found[1], node)
    layer = it.read((owner.number, LAYER))
    if layer is not None:
        return attribute_of(it, layer, name, node)
    if is_module(it, cls) and name in MODULE_METHODS:
        return Method(owner, name)
    return _missing(it, owner, name, node)


def _missing(it: Interpreter, owner: Ref, name: str, node: cst.CSTNode) -> Unknown:
    """An attribute that nothing in the analysed code assigns: one unknown however often it is asked.

    Where the class finds attributes in its own way (``__getattr__ = dict.__getitem__``) it is no free choice of anybody.
    """
    text, cls = it.place(node).text, it.world.classes.get(owner.number)
    has_own_way = cls is not None and (find_in_class(it, cls, "__getattr__") or "builtins.dict" in external_bases(it, cls))
    return Unknown(
        ("attribute", owner.number, name),
        text,
        f"`{text}` is not assigned in the code that was analysed",
        it.place(node),
        Kind.OPAQUE if has_own_way else Kind.CONFIG,
    )


def find_in_class(it: Interpreter, cls: Class, name: str, skip: Class | None = None) -> tuple[Value, Class] | None:
    """A class attribute along the bases, and the class it was found in; only behind `skip` if that is given."""
    order = list(mro(it, cls))
    if skip is not None:
        positions = [i for i, c in enumerate(order) if c.identity == skip.identity]
        order = order[positions[0] + 1 :] if positions else []
    for candidate in order:
        frame = candidate.scope
        if isinstance(frame, Frame) and (value := modules.bound_in(it, frame, name)) is not None:
            return value, candidate
    return None


def mro(it: Interpreter, cls: Class) -> Iterator[Class]:
    """The class and its bases in the analysed code, each once, a base behind all that derive from it."""
    order: list[Class] = []

    def visit(current: Class) -> None:
        if all(current.identity != known.identity for known in order):
            for base in reversed(bases_of(it, current)):
                if isinstance(base, Class):
                    visit(base)
            order.append(current)

    visit(cls)
    yield from reversed(order)


def bases_of(it: Interpreter, cls: Class) -> tuple[Value, ...]:
    """Its bases, as they were written or as they were set since (``cls.__bases__ = ...``)."""
    frame = cls.scope
    changed = it.read((frame.number, BASES)) if isinstance(frame, Frame) else None
    return changed.items if isinstance(changed, Tuple) else cls.bases


def external_bases(it: Interpreter, cls: Class) -> Iterator[str]:
    """The qualified names of the bases that are not in the analysed code."""
    for candidate in mro(it, cls):
        for base in bases_of(it, candidate):
            if isinstance(base, External):
                yield base.qualified_name


def is_module(it: Interpreter, cls: Class) -> bool:
    """Whether it derives from something of torch, or from something that is not known."""
    return any(name != "builtins.object" for name in external_bases(it, cls)) or any(
        isinstance(base, Unknown) for candidate in mro(it, cls) for base in bases_of(it, candidate)
    )


MODULE_METHODS = HOOKS | frozenset({
    "parameters", "named_parameters", "modules", "children", "named_modules", "state_dict", "load_state_dict", "to", "cuda",
    "cpu", "half", "float", "double", "train", "eval", "apply", "requires_grad_", "zero_grad", "register_buffer",
    "register_parameter", "add_module", "__call__", "type", "share_memory",
})  # fmt: skip


def bound_to(it: Interpreter, value: Value, receiver: Value, found_in: Class, node: cst.CSTNode) -> Value:
    """A class attribute as seen from an instance: functions are bound, properties called."""
    match value:
        case Function():
            return bind(value, receiver, found_in)
        case Tuple((Function() as function, *_), "property"):
            return it.apply(bind(function, receiver, found_in), Arguments(), node)
        case Tuple((made, _), "decorated"):
            return made
        case Tuple((Function() as function,), "staticmethod"):
            return function
        case Tuple((Function() as function,), "classmethod"):
            owner = it.world.classes.get(receiver.number, found_in) if isinstance(receiver, Ref) else receiver
            return bind(function, owner, found_in)
        case _:
            return value


def setter_of(it: Interpreter, instance: Ref, name: str) -> Function | None:
    """What is called where an attribute of an instance is set, if that is a property with a setter."""
    cls = it.world.classes.get(instance.number)
    found = find_in_class(it, cls, name) if cls is not None else None
    match found:
        case (Tuple((_, Function() as setter), "property"), owner):
            return bind(setter, instance, owner)
        case _:
            return None


def bind(function: Function, receiver: Value, found_in: Class) -> Function:
    """A function of a class as a method of the receiver."""
    return replace(function, receiver=receiver, defined_in=found_in)


def as_written(value: Value | None) -> Function | None:
    """The function that a class attribute is made of by decorators, as it stands in the class; None for anything else."""
    match value:
        case Function():
            return value.wraps or value
        case Tuple((Function() as function, *_), "property" | "staticmethod" | "classmethod") | Tuple(
            (_, Function() as function), "decorated"
        ):
            return function.wraps or function
        case _:
            return None


def _of_class(it: Interpreter, cls: Class, name: str, node: cst.CSTNode) -> Value:
    found = find_in_class(it, cls, name)
    if name == "__name__":
        return Str(cls.name)
    if name == BASES:
        return Tuple(bases_of(it, cls))
    if found is None:
        return Unknown(("class attribute", cls.identity, name), f"{cls.name}.{name}", "it is not in the class", it.place(node))
    value, owner = found
    if isinstance(value, Tuple) and value.kind in ("staticmethod", "classmethod", "decorated"):
        return bound_to(it, value, cls, owner, node)
    if as_written(value) is not None:
        return value
    return next((member for known, member in members_of(it, cls) if known == name), value)


ENUMERATIONS = frozenset({"enum.Enum", "enum.StrEnum"})


def members_of(it: Interpreter, cls: Class) -> Sequence[tuple[str, Str]]:
    """The members of an enumeration by name: each a text, its own value if that is one; none for any other class."""
    frame = cls.scope
    if not isinstance(frame, Frame) or ENUMERATIONS.isdisjoint(external_bases(it, cls)):
        return ()
    read = ((name, it.read((frame.number, name))) for name in modules.names_in(it, frame) if not name.startswith("_"))
    held = [(name, value) for name, value in read if value is not None and as_written(value) is None]
    texts = tuple(value.value if isinstance(value, Str) else f"{cls.name}.{name}" for name, value in held)
    return [(name, Str(text, texts, value)) for (name, value), text in zip(held, texts, strict=True)]


def _of_super(it: Interpreter, receiver: Value, after: Class, name: str, node: cst.CSTNode) -> Value:
    cls = it.world.classes.get(receiver.number) if isinstance(receiver, Ref) else None
    if cls is None:
        return it.unknown(node, "super() of something that is not known")
    found = find_in_class(it, cls, name, skip=after)
    if found is not None:
        return bound_to(it, found[0], receiver, found[1], node)
    for base in external_bases(it, cls):
        if base in QUALIFIED or name != "__init__":
            return Method(Super(receiver, after), f"{base}.{name}")
    return Method(Super(receiver, after), f"object.{name}")


# -- layers and tensors ----------------------------------------------------------------------------------------------
def _of_layer(it: Interpreter, layer: Layer, name: str, node: cst.CSTNode) -> Value:
    if layer.site is not None:
        weight = all_weights(it, layer, node) if name == "all_weights" else weight_of(it, layer, name, node)
        if weight is not None:
            return weight
        if name == "mode":
            return Str(it.world.sites[layer.site].layer)
    if name in layer.config:
        was_set = layer.site is not None and it.is_changed(layer.place)
        return it.unknown(node, f"`{name}` was set after the layer was built") if was_set else layer.config[name]
    if name in ("weight", "bias"):
        return it.unknown(node, "a weight's shape is not followed here", Kind.RUNTIME, (REPLACED, layer.place, name))
    return Method(layer, name)


def _of_tensor(it: Interpreter, owner: Tensor | Unknown, name: str, node: cst.CSTNode) -> Value:
    if isinstance(owner, Unknown) and (stored := it.read((owner.key, name))) is not None:
        return stored
    settled = it.settled(owner)
    tensor = as_tensor(settled)
    assert tensor is not None
    if isinstance(settled, Tensor) and name == "is_cuda":
        return Bool(it.flag(node))
    if name == "shape":
        if isinstance(owner, Unknown):
            it.learn_tensor(owner)
        return sizes_value(tensor)
    if name in ATTRIBUTES and (isinstance(settled, Tensor) or name in TENSOR_ONLY):
        value = ATTRIBUTES[name](tensor)
        if value is not None:
            return settled if isinstance(settled, Unknown) and name in SAME else value
    if isinstance(owner, Unknown) and (owner.dim is None or f"torch.Tensor.{name}" not in OPS):
        return owner.attribute(name)
    return Method(owner, name)


TENSOR_ONLY = frozenset({"data", "T", "mT", "ndim"})
SAME = frozenset({"data"})


def _of_packed(it: Interpreter, owner: Packed, name: str, node: cst.CSTNode) -> Value:
    row = PACKED_ATTRIBUTES.get(name)
    return Method(owner, name) if row is None else row(it.call(name, node, (owner,), {}))


def fields_of(it: Interpreter, packed: Packed, node: cst.CSTNode) -> tuple[Value, ...]:
    """A PackedSequence as the named tuple it is: ``packed[0]`` is its data."""
    return tuple(_of_packed(it, packed, name, node) for name in PACKED_FIELDS)


def layer_of(it: Interpreter, value: Value) -> Layer | None:
    """The torch layer that a value is, or that the instance of a subclass holds."""
    if isinstance(value, Layer):
        return value
    held = it.read((value.number, LAYER)) if isinstance(value, Ref) else None
    return held if isinstance(held, Layer) else None
