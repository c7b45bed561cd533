"""Literals, collections, comprehensions: one small function a node type."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import lru_cache

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim
from lstm_lint.interpret.assign import assign, iterate
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.operators import it_contents
from lstm_lint.interpret.rounds import running
from lstm_lint.interpret.store import Frame
from lstm_lint.interpret.subscripts import dict_key
from lstm_lint.values import (
    Dict,
    EllipsisValue,
    Float,
    Function,
    Int,
    Ref,
    Repeated,
    Str,
    Tuple,
    Unknown,
    Value,
    as_text,
)


def eval_integer(it: Interpreter, node: cst.Integer) -> Value:
    return Int(Dim.of(int(node.value, 0) if node.value.isdecimal() and node.value[0] != "0" else node.evaluated_value))


def eval_float(it: Interpreter, node: cst.Float) -> Value:
    return Float(node.evaluated_value)


def eval_imaginary(it: Interpreter, node: cst.Imaginary) -> Value:
    return Float()


def eval_string(it: Interpreter, node: cst.SimpleString | cst.ConcatenatedString) -> Value:
    text = _literal(node.value) if isinstance(node, cst.SimpleString) else node.evaluated_value
    return Str(text) if isinstance(text, str) else it.unknown(node, "bytes are not followed")


@lru_cache(maxsize=1 << 12)
def _literal(text: str) -> object:
    return ast.literal_eval(text)


def eval_formatted(it: Interpreter, node: cst.FormattedString) -> Value:
    """An f-string whose parts are all known texts or numbers."""
    pieces: list[str] = []
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            pieces.append(_text_of(part.value))
            continue
        text = as_text(it.eval(part.expression))  # type: ignore[attr-defined]
        if text is None:
            return it.unknown(node, "a formatted string")
        pieces.append(text)
    return Str("".join(pieces))


def _text_of(raw: str) -> str:
    try:
        return str(ast.literal_eval(f'"""{raw}"""'))
    except (SyntaxError, ValueError):
        return raw


def eval_ellipsis(it: Interpreter, node: cst.Ellipsis) -> Value:
    return EllipsisValue()


def elements(it: Interpreter, nodes: Sequence[cst.BaseElement]) -> Value:
    """The items of a display as a tuple value; starred items of known length are spelt out."""
    items: list[Value] = []
    for element in nodes:
        value = it.eval(element.value)
        if not isinstance(element, cst.StarredElement):
            items.append(value)
            continue
        inner = unpacked(it, value)
        if inner is None:
            return Repeated(it.unknown(element.value, "a starred value of unknown length"), kind="tuple")
        items.extend(inner)
    return Tuple(tuple(items))


def unpacked(it: Interpreter, value: Value) -> Sequence[Value] | None:
    """The items of a value that is a sequence of known length."""
    content = it_contents(it, value)
    return content.items if isinstance(content, Tuple) else None


def eval_tuple(it: Interpreter, node: cst.Tuple) -> Value:
    return elements(it, node.elements)


def new_list(it: Interpreter, content: Value, kind: str = "list") -> Ref:
    """A new list object with this content."""
    ref = it.new_object(kind)
    if isinstance(content, Tuple):
        content = Tuple(content.items, "list")
    it.write((ref.number, "items"), content)
    return ref


def eval_list(it: Interpreter, node: cst.List) -> Value:
    return new_list(it, elements(it, node.elements))


def eval_set(it: Interpreter, node: cst.Set) -> Value:
    return elements(it, node.elements)


def eval_dict(it: Interpreter, node: cst.Dict) -> Value:
    items: dict[str | int, Value] = {}
    others: Unknown | None = None
    for element in node.elements:
        value = it.eval(element.value)
        if isinstance(element, cst.StarredDictElement):
            inner = it_contents(it, value)
            if isinstance(inner, Dict):
                items.update(inner.items)
                others = inner.others or others
            else:
                others = value if isinstance(value, Unknown) else it.unknown(element.value, "a dict of unknown content")
            continue
        key = dict_key(it.eval(element.key))  # type: ignore[attr-defined]
        if key is None:
            others = it.unknown(element, "a key of this dict is not known")
        else:
            items[key] = value
    ref = it.new_object("dict")
    it.write((ref.number, "items"), Dict(items, others))
    return ref


def eval_comprehension(it: Interpreter, node: cst.ListComp | cst.GeneratorExp | cst.SetComp) -> Value:
    content = _comprehended(it, node.for_in, lambda: it.eval(node.elt))
    return new_list(it, content) if isinstance(node, cst.ListComp) else content


def eval_dict_comprehension(it: Interpreter, node: cst.DictComp) -> Value:
    pairs = _comprehended(it, node.for_in, lambda: Tuple((it.eval(node.key), it.eval(node.value))))
    ref = it.new_object("dict")
    content = Dict({}, it.unknown(node, "the keys of this dict are not known"))
    if isinstance(pairs, Tuple):
        keys = [dict_key(pair.items[0]) if isinstance(pair, Tuple) else None for pair in pairs.items]
        if all(key is not None for key in keys):
            values = (pair.items[1] for pair in pairs.items if isinstance(pair, Tuple))
            content = Dict({k: v for k, v in zip(keys, values, strict=True) if k is not None})
    it.write((ref.number, "items"), content)
    return ref


def _comprehended(it: Interpreter, clause: cst.CompFor, element: Callable[[], Value]) -> Value:
    """The items that one ``for ... in ... if ...`` gives, in a frame of its own."""
    outer = it.frame
    frame = Frame(it.number(), outer, outer.unit, outer.grounded, outer.function, outer.receiver, outer.defined_in)
    frame.lends = outer.lends
    iterable = it.eval(clause.iter)
    with it.inside(frame):
        return _clause(it, clause, iterable, element)


def _clause(it: Interpreter, clause: cst.CompFor, iterable: Value, element: Callable[[], Value]) -> Value:
    source = iterate(it, iterable, clause.iter)
    if isinstance(source, Repeated):
        assign(it, clause.target, source.item)
        exact = not clause.ifs and clause.inner_for_in is None
        with running(it, source.index):
            item = _inner(it, clause, element)
        if isinstance(item, Tuple) and clause.inner_for_in is not None:
            item = item.items[0] if item.items else it.unknown(clause, "the items of an inner loop")
        if isinstance(item, Repeated):
            item = item.item
        return Repeated(item, source.length, index=source.index) if exact else Repeated(item)
    items: list[Value] = []
    for value in source.items:
        assign(it, clause.target, value)
        conditions = [it.truth(it.eval(test.test), test.test) for test in clause.ifs]
        if ZERO in conditions:
            continue
        result = _inner(it, clause, element)
        if any(condition != ONE for condition in conditions) or isinstance(result, Repeated):
            return Repeated(result.item if isinstance(result, Repeated) else result)
        items.extend(result.items if clause.inner_for_in is not None and isinstance(result, Tuple) else [result])
    return Tuple(tuple(items), "list")


def _inner(it: Interpreter, clause: cst.CompFor, element: Callable[[], Value]) -> Value:
    if clause.inner_for_in is None:
        return element()
    return _clause(it, clause.inner_for_in, it.eval(clause.inner_for_in.iter), element)


def eval_lambda(it: Interpreter, node: cst.Lambda) -> Value:
    return Function("<lambda>", node, it.frame, id(node))


def eval_named(it: Interpreter, node: cst.NamedExpr) -> Value:
    value = it.eval(node.value)
    assign(it, node.target, value)
    return value


def eval_await(it: Interpreter, node: cst.Await) -> Value:
    return it.eval(node.expression)


def eval_yield(it: Interpreter, node: cst.Yield) -> Value:
    if isinstance(node.value, cst.From):
        it.eval(node.value.item)
    elif node.value is not None:
        it.frame.yields.append(it.eval(node.value))
    return it.unknown(node, "what is sent into a generator")
