"""The methods of lists, dicts, modules that hold modules, strings and argument parsers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Kind
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.choose import choose
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.operators import it_contents, operate
from lstm_lint.interpret.rounds import longer
from lstm_lint.interpret.subscripts import dict_key
from lstm_lint.keywords import entry_of, without
from lstm_lint.values import (
    NONE,
    Bool,
    Dict,
    Int,
    Ref,
    Repeated,
    Str,
    Tuple,
    Unknown,
    Value,
    as_dim,
)

ObjectMethod = Callable[[Interpreter, Any, Arguments, cst.CSTNode], Value]


# -- methods of lists, dicts, parsers --------------------------------------------------------------------------------
CHANGING_NOTHING = frozenset({"index", "count", "__len__", "__contains__"})
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
    if owner.kind in ("list", "dict") and name not in CHANGING_NOTHING:
        it.change((owner.number, "items"), lambda held: _changed(it, held, f"`.{name}()` is not followed", node))
    return it.unknown(node, f"`.{name}()` of a {owner.kind} is not followed")


def _changed(it: Interpreter, content: Value, reason: str, node: cst.CSTNode) -> Value:
    """A list or dict of which some items are others now."""
    lost = it.unknown(node, reason)
    return Dict({}, lost) if isinstance(content, Dict) else Repeated(lost) if isinstance(content, Tuple | Repeated) else content


def _append(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    value = arguments.positional[0] if arguments.positional else NONE

    def appended(content: Value) -> Value:
        match content:
            case Tuple(items, kind) if len(items) < 256:
                return Tuple((*items, value), kind)
            case Repeated() if (grown := longer(it, content, (value,))) is not None:
                return grown
            case Repeated(item, length, kind):
                return Repeated(choose(it.flag(node), value, item, it.place(node)), length and length + 1, kind)
            case _:
                return content

    it.change((owner.number, "items"), appended)
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


def _sort(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``sort``, ``reverse``: the same items, in an order of their own."""
    content = it.read((owner.number, "items"))
    if not isinstance(content, Repeated):
        return _forget(it, owner, arguments, node)
    it.write((owner.number, "items"), replace(content, index=None, pieces=None))
    return NONE


def _forget(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``pop``, ``remove``: the items are no longer known one by one."""
    content = it.read((owner.number, "items"))
    if isinstance(content, Tuple) and content.items and all(item == content.items[0] for item in content.items):
        it.write((owner.number, "items"), Repeated(content.items[0]))
        return content.items[0]
    it.write((owner.number, "items"), Repeated(it.unknown(node, "items of this list were removed")))
    return it.unknown(node, "an item that was removed from a list")


def _clear(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    content = it.read((owner.number, "items"))
    it.write((owner.number, "items"), Dict({}) if owner.kind == "dict" else Tuple((), getattr(content, "kind", "list")))
    return NONE


def _add_module(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    if len(arguments.positional) == 2:
        return _append(it, owner, Arguments((arguments.positional[1],)), node)
    return NONE


def _update(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    def updated(content: Value) -> Value:
        if not isinstance(content, Dict):
            return content
        items, others = dict(content.items), content.others
        for value in arguments.positional:
            added = it_contents(it, value)
            if isinstance(added, Dict):
                items.update(added.items)
                others = added.others or others
            else:
                others = added if isinstance(added, Unknown) else it.unknown(node, "a dict was updated with what is not known")
        items.update(arguments.keywords)
        return Dict(items, others or arguments.rest)

    it.change((owner.number, "items"), updated)
    return NONE


def _setdefault(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    content = it.read((owner.number, "items"))
    match arguments.positional, content:
        case (Str(key), default), Dict(items, others):
            if key in items:
                return items[key]
            value = default if others is None else entry_of(others, key, default) or default
            it.write((owner.number, "items"), Dict({**items, key: value}, others))
            return value
        case _:
            return it.unknown(node, "setdefault with a key that is not known")


def _pop_key(it: Interpreter, owner: Ref, arguments: Arguments, node: cst.CSTNode) -> Value:
    value = _dict_get(it, it.read((owner.number, "items")), arguments, node)
    if arguments.positional:
        remove_item(it, owner, arguments.positional[0], node)
    return value


def remove_item(it: Interpreter, owner: Ref, key: Value, node: cst.CSTNode) -> None:
    """``del d[key]``, ``d.pop(key)``: an item less of a dict, or of a list."""
    name = dict_key(key)

    def removed(content: Value) -> Value:
        match content:
            case Dict(items, others) if name is not None:
                left = {k: v for k, v in items.items() if k != name}
                return Dict(left, None if others is None else without(others, [name]))
            case Tuple(items, kind) if isinstance(name, int) and -len(items) <= name < len(items):
                index = name % len(items)
                return Tuple(items[:index] + items[index + 1 :], kind)
            case Dict():
                return Dict({}, it.unknown(node, "which key of this dict is removed is not known"))
            case _:
                return Repeated(it.unknown(node, "which item is removed here is not known"))

    it.change((owner.number, "items"), removed)


def _dict_get(it: Interpreter, content: Value | None, arguments: Arguments, node: cst.CSTNode) -> Value:
    default = arguments.positional[1] if len(arguments.positional) > 1 else NONE
    match content, arguments.positional[:1]:
        case Dict(items, others), (Str() | Int() as key,) if (name := dict_key(key)) is not None:
            if name in items:
                return items[name]
            return default if others is None else entry_of(others, name, default) or default
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


# -- argparse --------------------------------------------------------------------------------------------------------
def new_parser(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
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
        "append": _append, "extend": _extend, "insert": _insert, "pop": _forget, "remove": _forget, "sort": _sort,
        "reverse": _sort, "clear": _clear,
    },
    "module_list": {"append": _append, "extend": _extend, "insert": _insert, "add_module": _add_module},
    "sequential": {"append": _append, "add_module": _add_module},
    "dict": {"update": _update, "setdefault": _setdefault, "pop": _pop_key, "clear": _clear},
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
