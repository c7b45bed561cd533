"""Python itself: builtins, the methods of lists, dicts and strings, and what shape code uses of the standard library."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol, maximum, minimum
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.assign import counted, iterate, sequence_of, set_attribute
from lstm_lint.interpret.attributes import attribute_of
from lstm_lint.interpret.choose import choose
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.expressions import dict_key, field_of, new_list, unpacked
from lstm_lint.interpret.operators import it_contents, operate
from lstm_lint.interpret.store import Frame
from lstm_lint.ops.arguments import sizes_shape
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
    Repeated,
    Str,
    Super,
    Tensor,
    Tuple,
    Unknown,
    Value,
    as_dim,
    as_tensor,
)

Builtin = Callable[[Interpreter, "Arguments", cst.CSTNode], Value]
ObjectMethod = Callable[[Interpreter, Any, "Arguments", cst.CSTNode], Value]


def _first(arguments: Arguments) -> Value | None:
    return arguments.positional[0] if arguments.positional else None


# -- numbers ---------------------------------------------------------------------------------------------------------
def _int(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    value = _first(arguments)
    match value:
        case Int() | None:
            return value or Int(ZERO)
        case Bool(dim):
            return Int(dim)
        case Float(value=number) if number is not None:
            return Int(Dim.of(int(number)))
        case Float(ratio=(a, b)) if b != ZERO:
            return Int(a // b)
        case Unknown(ratio=(a, b)) if b != ZERO:
            return Int(a // b)
        case Unknown(default=Float()) | Unknown(default=Str()):
            return it.unknown(node, f"int() of `{value.name}`", value.kind, ("int of", value.key))
        case Unknown():
            return Int(value.as_dim()) if value.dim is not None else value
        case Str(text) if text.strip().lstrip("+-").isdigit():
            return Int(Dim.of(int(text)))
        case OneOf(alternatives):
            return it.branch([(c, lambda v=v: _int(it, Arguments((v,)), node)) for c, v in alternatives])  # type: ignore[misc]
        case _:
            return it.unknown(node, "int() of a value that is not known")


def _float(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    match _first(arguments):
        case Float() as number:
            return number
        case Int(dim) | Bool(dim):
            return Float(None if dim.constant is None else float(dim.constant))
        case _:
            return Float()


def _bool(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    value = _first(arguments)
    return Bool(ZERO) if value is None else Bool(it.truth(value, node))


def _extreme(function: Callable[..., Dim]) -> Builtin:
    def run(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
        values = list(arguments.positional)
        if len(values) == 1:
            values = list(unpacked(it, values[0]) or [])
        numbers = [value.value for value in values if isinstance(value, Float) and value.value is not None]
        dims = [as_dim(value) for value in values]
        if values and all(dim is not None for dim in dims):
            return Int(function(*[dim for dim in dims if dim is not None]))
        return Float() if numbers else it.unknown(node, "the largest or smallest of values that are not known")

    return run


def _sum(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    items = unpacked(it, arguments.positional[0]) if arguments.positional else None
    if items is None:
        return it.unknown(node, "the sum of values that are not known")
    total: Value = arguments.positional[1] if len(arguments.positional) > 1 else Int(ZERO)
    for item in items:
        total = operate(it, "+", total, item, node)
    return total


ROUNDINGS: Mapping[str, Callable[[float], int]] = {"floor": math.floor, "ceil": math.ceil, "round": round}


def _rounded(kind: str) -> Builtin:
    def run(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
        value = _first(arguments)
        ratio = value.ratio if isinstance(value, Float | Unknown) else None
        if isinstance(value, Int):
            return value
        if ratio is not None and ratio[1] != ZERO and (kind != "round" or ratio[0].divided_by(ratio[1]) is not None):
            return Int(ratio[0] // ratio[1]) if kind != "ceil" else Int(-(-ratio[0] // ratio[1]))
        if isinstance(value, Float) and value.value is not None:
            return Int(Dim.of(ROUNDINGS[kind](value.value)))
        return it.unknown(node, f"{kind} of a value that is not known")

    return run


# -- sequences -------------------------------------------------------------------------------------------------------
def _len(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    value = it.settled(arguments.positional[0]) if arguments.positional else NONE
    content = it_contents(it, value)
    match content:
        case Tuple(items) | Dict(items, None):
            return Int(Dim.of(len(items)))
        case Repeated(length=length) if length is not None:
            return Int(length)
        case Tensor(shape) if shape.rank != 0:
            return Int(shape.dim(0))
        case Str(text):
            return Int(Dim.of(len(text)))
        case Unknown() as unknown if (sizes := sizes_shape(unknown)) is not None:
            return Int(sizes.rank_dim)
        case Unknown() as unknown:
            return _length_of(it, unknown, node)
        case OneOf(alternatives):
            return it.branch([(c, lambda v=v: _len(it, Arguments((v,)), node)) for c, v in alternatives])  # type: ignore[misc]
        case _:
            return it.unknown(node, "its length is not known")


def _length_of(it: Interpreter, unknown: Unknown, node: cst.CSTNode) -> Value:
    """``len(x)`` is ``x.size(0)`` if it is a tensor, and one symbol in any case."""
    tensor = as_tensor(unknown)
    assert tensor is not None
    return Int(tensor.shape.dim(0))


def _range(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    given = list(arguments.positional)
    zero, one = Int(ZERO), Int(ONE)
    match given:
        case [stop]:
            return counted(it, zero, stop, one, node)
        case [start, stop]:
            return counted(it, start, stop, one, node)
        case [start, stop, step]:
            return counted(it, start, stop, step, node)
        case _:
            return it.unknown(node, "range of what is not known")


def _sequence(kind: str) -> Builtin:
    def run(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
        value = _first(arguments)
        if value is None:
            content: Value = Tuple((), kind)
        elif (items := sequence_of(it, value, None, node)) is not None:
            content = Tuple(tuple(items), kind)
        else:
            source = iterate(it, value, node)
            content = Tuple(source.items, kind) if isinstance(source, Tuple) else Repeated(source.item, source.length, kind)
        return new_list(it, content) if kind == "list" else content

    return run


def _enumerate(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    source = iterate(it, arguments.positional[0], node) if arguments.positional else Tuple(())
    start = arguments.positional[1] if len(arguments.positional) > 1 else arguments.keywords.get("start", Int(ZERO))
    first = as_dim(start) or ZERO
    if isinstance(source, Tuple):
        return Tuple(tuple(Tuple((Int(first + i), item)) for i, item in enumerate(source.items)), "list")
    counter = Int(Dim.of(Symbol(("loop", it.number()), "i", Kind.OPAQUE, None, 0)))
    return Repeated(Tuple((counter, source.item)), source.length)


def _zip(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    sources = [iterate(it, value, node) for value in arguments.positional]
    known = [source.items for source in sources if isinstance(source, Tuple)]
    if sources and len(known) == len(sources):
        return Tuple(tuple(Tuple(items) for items in zip(*known, strict=False)), "list")
    items = tuple(s.item if isinstance(s, Repeated) else s.items[0] if s.items else NONE for s in sources)
    return Repeated(Tuple(items))


def _reversed(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    items = unpacked(it, arguments.positional[0]) if arguments.positional else None
    return Tuple(tuple(reversed(items)), "list") if items is not None else it.unknown(node, "reversed of what is not known")


def _map(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    if len(arguments.positional) != 2:
        return it.unknown(node, "map over several sequences is not followed")
    function, value = arguments.positional
    source = iterate(it, value, node)

    def applied(item: Value) -> Value:
        return it.apply(function, Arguments((item,)), node)

    if isinstance(source, Tuple):
        return Tuple(tuple(applied(item) for item in source.items), "list")
    return Repeated(applied(source.item), source.length)


def _next(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    if not arguments.positional:
        return it.unknown(node, "next of nothing")
    source = iterate(it, arguments.positional[0], node)
    if isinstance(source, Repeated):
        return source.item
    return source.items[0] if source.items else it.unknown(node, "next of what is empty")


# -- objects ---------------------------------------------------------------------------------------------------------
def _super(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
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


def _getattr(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    match arguments.positional:
        case (owner, Str(name)):
            return attribute_of(it, owner, name, node)
        case (owner, Str(name), default):
            value = attribute_of(it, owner, name, node)
            if isinstance(value, Unknown) and isinstance(owner, Unknown):
                return Unknown(value.key, value.name, value.reason, value.place, value.kind, default)
            return default if isinstance(value, Method) else value
        case (owner, OneOf(alternatives), *rest):
            arms = [(c, lambda v=v: _getattr(it, Arguments((owner, v, *rest)), node)) for c, v in alternatives]
            return it.branch(arms)
        case _:
            return it.unknown(node, "getattr with a name that is not known")


def _setattr(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    match arguments.positional:
        case (owner, Str(name), value):
            set_attribute(it, owner, name, value)
    return NONE


TYPES: Mapping[str, tuple[type, ...]] = {
    "builtins.tuple": (Tuple,), "builtins.int": (Int, Bool), "builtins.float": (Float,), "builtins.str": (Str,),
    "builtins.bool": (Bool,), "torch.Tensor": (Tensor,), "torch.nn.utils.rnn.PackedSequence": (Packed,),
}  # fmt: skip


def _isinstance(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    if len(arguments.positional) != 2:
        return Bool(it.flag(node))
    value, wanted = arguments.positional
    total = ZERO
    for condition, item in expand_top(value):
        total = total + condition * _is_instance(it, item, wanted, node)
    return Bool(total)


def expand_top(value: Value) -> tuple[tuple[Dim, Value], ...]:
    return value.alternatives if isinstance(value, OneOf) else ((ONE, value),)


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


def _partial(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    if not arguments.positional or arguments.rest is not None:
        return it.unknown(node, "a partial function of unknown arguments")
    return Partial(arguments.positional[0], arguments.positional[1:], dict(arguments.keywords))


def _dict(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
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
                key = dict_key(pair.items[0]) if isinstance(pair, Tuple) else None
                if key is not None and isinstance(pair, Tuple):
                    items[key] = pair.items[1]
        else:
            others = content if isinstance(content, Unknown) else it.unknown(node, "the content of this dict is not known")
    items.update(arguments.keywords)
    ref = it.new_object("dict")
    it.write((ref.number, "items"), Dict(items, others))
    return ref


def _namespace(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    ref = it.new_object("namespace")
    for name, value in arguments.keywords.items():
        it.write((ref.number, name), value)
    return ref


def _field(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``dataclasses.field(default=...)`` as the default it stands for."""
    default = arguments.keywords.get("default")
    if default is not None:
        return default
    factory = arguments.keywords.get("default_factory")
    if isinstance(factory, Function | Class | Partial | External):
        return it.apply(factory, Arguments(), node)
    return it.unknown(node, "a field without a default", Kind.CONFIG)


def _same(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    return arguments.positional[0] if arguments.positional else NONE


def _tensor_flag(name: str) -> Builtin:
    """A question to the machine: the same answer whenever it is asked."""

    def run(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
        return Bool(Dim.of(Symbol(("machine", name), f"{name}()", Kind.FLAG, None, 0, "machine")))

    return run


def _any_all(every: bool) -> Builtin:
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


def _type(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    value = _first(arguments)
    if isinstance(value, Ref) and (cls := it.classes.get(value.number)) is not None:
        return cls
    return External(value.qualified_name) if isinstance(value, Layer) else it.unknown(node, "the type of a value")


BUILTINS: Mapping[str, Builtin] = {
    "builtins.int": _int, "builtins.float": _float, "builtins.bool": _bool, "builtins.max": _extreme(maximum),
    "builtins.min": _extreme(minimum), "builtins.sum": _sum, "builtins.len": _len, "builtins.range": _range,
    "builtins.round": _rounded("round"), "math.floor": _rounded("floor"), "math.ceil": _rounded("ceil"),
    "builtins.list": _sequence("list"), "builtins.tuple": _sequence("tuple"), "builtins.set": _sequence("set"),
    "builtins.sorted": _sequence("list"), "torch.Size": _sequence("size"), "builtins.iter": _same,
    "builtins.enumerate": _enumerate, "builtins.zip": _zip, "builtins.reversed": _reversed, "builtins.map": _map,
    "builtins.next": _next, "builtins.super": _super, "builtins.getattr": _getattr, "builtins.setattr": _setattr,
    "builtins.isinstance": _isinstance, "builtins.dict": _dict, "collections.OrderedDict": _dict,
    "functools.partial": _partial, "types.SimpleNamespace": _namespace, "argparse.Namespace": _namespace,
    "dataclasses.field": _field, "typing.cast": lambda it, a, node: a.positional[1] if len(a.positional) > 1 else NONE,
    "copy.deepcopy": _same, "copy.copy": _same, "torch.jit.script": _same, "torch.compile": _same,
    "torch.cuda.is_available": _tensor_flag("torch.cuda.is_available"), "builtins.any": _any_all(False),
    "builtins.all": _any_all(True), "builtins.type": _type, "builtins.vars": _same,
    "torch.backends.mps.is_available": _tensor_flag("torch.backends.mps.is_available"),
    "torch.nn.DataParallel": _same, "torch.nn.parallel.DistributedDataParallel": _same,
    "builtins.print": lambda it, a, node: NONE, "torch.manual_seed": lambda it, a, node: NONE,
}  # fmt: skip


# -- methods of lists, dicts, parsers --------------------------------------------------------------------------------
MOVES = frozenset({"to", "cuda", "cpu", "float", "double", "eval", "train"})


def call_object_method(it: Interpreter, owner: Ref, name: str, arguments: Arguments, node: cst.CSTNode) -> Value:
    """A method of a list, dict or other object that the interpreter keeps."""
    if owner.kind in OBJECT_METHODS and name in OBJECT_METHODS[owner.kind]:
        return OBJECT_METHODS[owner.kind][name](it, owner, arguments, node)
    content = it_contents(it, owner)
    row = METHODS.get((type(content), name))
    if row is not None and content is not owner:
        return row(it, content, arguments, node)
    if owner.kind in ("module_list", "module_dict", "sequential") and name in MOVES:
        return owner
    return it.unknown(node, f"`.{name}()` of a {owner.kind} is not followed")


def _append(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    value = arguments.positional[0] if arguments.positional else NONE
    content = it.read((owner.number, "items"))
    match content:
        case Tuple(items, kind) if len(items) < 256:
            it.write((owner.number, "items"), Tuple((*items, value), kind))
        case Repeated(item, _, kind):
            it.write((owner.number, "items"), Repeated(choose(it.flag(node), value, item, it.place(node)), None, kind))
    return owner if owner.kind == "module_list" else NONE


def _extend(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    added = arguments.positional[0] if arguments.positional else Tuple(())
    joined = operate(it, "+", it_contents(it, owner), it_contents(it, added), node)
    if isinstance(joined, Unknown):
        joined = Repeated(joined)
    it.write((owner.number, "items"), joined)
    return owner if owner.kind == "module_list" else NONE


def _insert(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    content = it.read((owner.number, "items"))
    position = as_dim(arguments.positional[0]) if len(arguments.positional) == 2 else None
    if isinstance(content, Tuple) and position is not None and position.constant is not None:
        items = list(content.items)
        items.insert(position.constant, arguments.positional[1])
        it.write((owner.number, "items"), Tuple(tuple(items), content.kind))
    else:
        it.write((owner.number, "items"), Repeated(it.unknown(node, "an item at an unknown position was inserted")))
    return NONE


def _forget(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``pop``, ``remove``, ``sort``: the items are no longer known one by one."""
    content = it.read((owner.number, "items"))
    if isinstance(content, Tuple) and content.items and all(item == content.items[0] for item in content.items):
        it.write((owner.number, "items"), Repeated(content.items[0]))
        return content.items[0]
    it.write((owner.number, "items"), Repeated(it.unknown(node, "items of this list were removed")))
    return it.unknown(node, "an item that was removed from a list")


def _add_module(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    if len(arguments.positional) == 2:
        return _append(it, owner, Arguments((arguments.positional[1],)), node)
    return NONE


def _update(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    content = it.read((owner.number, "items"))
    if not isinstance(content, Dict):
        return NONE
    items, others = dict(content.items), content.others
    for value in arguments.positional:
        added = it_contents(it, value)
        if isinstance(added, Dict):
            items.update(added.items)
            others = added.others or others
        else:
            others = added if isinstance(added, Unknown) else it.unknown(node, "a dict was updated with what is not known")
    items.update(arguments.keywords)
    it.write((owner.number, "items"), Dict(items, others or arguments.rest))
    return NONE


def _setdefault(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    content = it.read((owner.number, "items"))
    match arguments.positional, content:
        case (Str(key), default), Dict(items, others):
            if key in items:
                return items[key]
            value = default
            if others is not None:
                known = field_of(others, key, it, node)
                value = Unknown(known.key, known.name, known.reason, known.place, known.kind, default)
            it.write((owner.number, "items"), Dict({**items, key: value}, others))
            return value
        case _:
            return it.unknown(node, "setdefault with a key that is not known")


def _pop_key(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    content = it.read((owner.number, "items"))
    value = _dict_get(it, content, arguments, node)
    key = dict_key(arguments.positional[0]) if arguments.positional else None
    if isinstance(content, Dict) and key is not None:
        it.write((owner.number, "items"), Dict({k: v for k, v in content.items.items() if k != key}, content.others))
    return value


def _dict_get(it: Interpreter, content: Value | None, arguments: Arguments, node: cst.CSTNode) -> Value:
    default = arguments.positional[1] if len(arguments.positional) > 1 else NONE
    match content, arguments.positional[:1]:
        case Dict(items, others), (Str() | Int() as key,) if (name := dict_key(key)) is not None:
            if name in items:
                return items[name]
            if others is None:
                return default
            known = field_of(others, name, it, node)
            return Unknown(known.key, known.name, known.reason, known.place, known.kind, default)
        case _:
            return it.unknown(node, "the key is not known")


def _keys(it: Interpreter, content: Dict, arguments: Arguments, node: cst.CSTNode) -> Value:
    if content.others is not None:
        return it.unknown(node, "not all keys of this dict are known")
    return Tuple(tuple(Str(k) if isinstance(k, str) else Int(Dim.of(k)) for k in content.items), "list")


def _values(it: Interpreter, content: Dict, arguments: Arguments, node: cst.CSTNode) -> Value:
    if content.others is not None:
        return it.unknown(node, "not all values of this dict are known")
    return Tuple(tuple(content.items.values()), "list")


def _items(it: Interpreter, content: Dict, arguments: Arguments, node: cst.CSTNode) -> Value:
    if content.others is not None:
        return it.unknown(node, "not all items of this dict are known")
    pairs = ((Str(k) if isinstance(k, str) else Int(Dim.of(k)), v) for k, v in content.items.items())
    return Tuple(tuple(Tuple(pair) for pair in pairs), "list")


def _copied(it: Interpreter, content: Value, arguments: Arguments, node: cst.CSTNode) -> Value:
    ref = it.new_object("dict" if isinstance(content, Dict) else "list")
    it.write((ref.number, "items"), content)
    return ref


def _text(function: Callable[..., object]) -> ObjectMethod:
    def run(it: Interpreter, text: Str, arguments: Arguments, node: cst.CSTNode) -> Value:
        words = [value.value for value in arguments.positional if isinstance(value, Str)]
        if len(words) != len(arguments.positional) or arguments.keywords:
            return it.unknown(node, "a method of a string")
        result = function(text.value, *words)
        return Bool(ONE if result else ZERO) if isinstance(result, bool) else Str(str(result))

    return run


def _count(it: Interpreter, sequence: Tuple, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``shape.numel()``."""
    total = ONE
    for item in sequence.items:
        dim = as_dim(item)
        if dim is None:
            return it.unknown(node, "the number of elements")
        total = total * dim
    return Int(total)


# argparse
def _new_parser(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    ref = it.new_object("parser")
    it.write((ref.number, "items"), Dict({}))
    return ref


def _add_argument(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``add_argument("--hidden-size", type=int, default=128)``: a symbol of that name with that default."""
    names = [value.value for value in arguments.positional if isinstance(value, Str)]
    content = it.read((owner.number, "items"))
    if not names or not isinstance(content, Dict):
        return NONE
    long = next((name for name in names if name.startswith("--")), names[0])
    destination = arguments.keywords.get("dest")
    name = destination.value if isinstance(destination, Str) else long.lstrip("-").replace("-", "_")
    default = arguments.keywords.get("default", NONE)
    action = arguments.keywords.get("action")
    if isinstance(action, Str) and action.value in ("store_true", "store_false"):
        default = Bool(ZERO if action.value == "store_true" else ONE) if default == NONE else default
    if default == NONE and not name.startswith("-"):
        default_value: Value | None = None
    else:
        default_value = default
    reason = f"`{long}` comes from the command line"
    key, signature = ("argument", owner.number, name), ("arguments", owner.number)
    value = Unknown(key, f"args.{name}", reason, it.place(node), Kind.CONFIG, default_value, signature)
    it.write((owner.number, "items"), Dict({**content.items, name: value}, content.others))
    return NONE


def _parse_args(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    ref = it.new_object("namespace")
    content = it.read((owner.number, "items"))
    if isinstance(content, Dict):
        for name, value in content.items.items():
            it.write((ref.number, str(name)), value)
    return ref


def _parse_known(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    return Tuple((_parse_args(it, owner, arguments, node), it.unknown(node, "arguments that are not declared")))


def _same_parser(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    return owner


OBJECT_METHODS: Mapping[str, Mapping[str, ObjectMethod]] = {
    "list": {
        "append": _append, "extend": _extend, "insert": _insert, "pop": _forget, "remove": _forget, "sort": _forget,
        "reverse": _forget, "clear": _forget,
    },
    "module_list": {"append": _append, "extend": _extend, "insert": _insert, "add_module": _add_module},
    "sequential": {"append": _append, "add_module": _add_module},
    "dict": {"update": _update, "setdefault": _setdefault, "pop": _pop_key},
    "module_dict": {"update": _update},
    "parser": {
        "add_argument": _add_argument, "parse_args": _parse_args, "parse_known_args": _parse_known,
        "add_argument_group": _same_parser, "add_mutually_exclusive_group": _same_parser,
    },
}  # fmt: skip

METHODS: Mapping[tuple[type, str], ObjectMethod] = {
    (Dict, "get"): _dict_get, (Dict, "keys"): _keys, (Dict, "values"): _values, (Dict, "items"): _items,
    (Dict, "copy"): _copied, (Tuple, "copy"): _copied, (Repeated, "copy"): _copied, (Tuple, "numel"): _count,
    (Str, "lower"): _text(str.lower), (Str, "upper"): _text(str.upper), (Str, "strip"): _text(str.strip),
    (Str, "startswith"): _text(str.startswith), (Str, "endswith"): _text(str.endswith), (Str, "replace"): _text(str.replace),
    (Str, "capitalize"): _text(str.capitalize), (Str, "title"): _text(str.title),
}  # fmt: skip

BUILTINS = {**BUILTINS, "argparse.ArgumentParser": _new_parser}
