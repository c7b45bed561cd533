"""Classes of the analysed code: their definition, their instances, and the classes that Python writes the constructor of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import libcst as cst

from lstm_lint.dims import Kind
from lstm_lint.interpret.attributes import bound_to, external_bases, find_in_class, mro
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.layers import construct_into
from lstm_lint.interpret.names import dotted
from lstm_lint.interpret.store import Frame
from lstm_lint.keywords import argument_of
from lstm_lint.ops.recurrent import QUALIFIED
from lstm_lint.values import Class, Function, Ref, Unknown, Value

CallFunction = Callable[[Interpreter, Function, Sequence[Value], Mapping[str, Value], Unknown | None, cst.CSTNode], Value]
CUT_SHORT = "cut short"
"""First part of the key of an Unknown: the result of a call that was not followed to its end."""
RECORDS = frozenset({"typing.NamedTuple", "pydantic.BaseModel", "collections.namedtuple"})


def define_class(it: Interpreter, node: cst.ClassDef) -> Class:
    """Evaluate the bases and run the body in a frame of its own."""
    bases = tuple(it.eval(base.value) for base in node.bases if not base.star)
    unit = it.frame.unit if it.frame.unit is not None else id(node)
    frame = Frame(it.number(), it.frame, unit, it.frame.grounded, is_class=True, top=node.name.value)
    value = Class(node.name.value, node, frame, id(node), bases)
    frame.defined_in = value
    frame.waiting.update(frame.tree.methods(node) if frame.tree is not None else {})
    with it.inside(frame):
        it.execute(node.body.body)
    return value


def instantiate(
    it: Interpreter,
    cls: Class,
    positional: Sequence[Value],
    keywords: Mapping[str, Value],
    rest: Unknown | None,
    node: cst.CSTNode,
    call_function: CallFunction,
) -> Value:
    """A new instance, its constructor run."""
    instance = it.new_object("instance")
    it.world.classes[instance.number] = cls
    found = find_in_class(it, cls, "__init__")
    if found is not None and isinstance(found[0], Function):
        constructor = bound_to(it, found[0], instance, found[1], node)
        assert isinstance(constructor, Function)
        result = call_function(it, constructor, positional, keywords, rest, node)
        return result if isinstance(result, Unknown) and is_cut_short(result) else instance
    fields = list(record_fields(it, cls))
    if fields and is_record(it, cls):
        _fill(it, instance, fields, positional, keywords, rest, node)
        return instance
    for base in external_bases(it, cls):
        if base in QUALIFIED:
            construct_into(it, instance, base, positional, keywords, rest, node)
    return instance


def is_cut_short(result: Unknown) -> bool:
    """Whether the budget did not let a call be followed to its end."""
    return isinstance(result.key, tuple) and result.key[0] == CUT_SHORT


# -- dataclasses and their kin ---------------------------------------------------------------------------------------
def is_record(it: Interpreter, cls: Class) -> bool:
    """Whether Python writes its constructor from the annotated fields."""
    for candidate in mro(it, cls):
        assert isinstance(candidate.definition, cst.ClassDef)
        for decorator in candidate.definition.decorators:
            called = decorator.decorator.func if isinstance(decorator.decorator, cst.Call) else decorator.decorator
            if dotted(called).split(".")[-1] in ("dataclass", "define", "frozen") or dotted(called) == "attr.s":
                return True
    endings = (".BaseModel", ".NamedTuple", ".BaseSettings")
    return any(base in RECORDS or base.endswith(endings) for base in external_bases(it, cls))


def record_fields(it: Interpreter, cls: Class) -> Iterator[tuple[str, Value | None]]:
    """The annotated names of the class and its bases in order, with their defaults."""
    for candidate in reversed(list(mro(it, cls))):
        assert isinstance(candidate.definition, cst.ClassDef)
        for statement in candidate.definition.body.body:
            if not isinstance(statement, cst.SimpleStatementLine):
                continue
            for part in statement.body:
                if isinstance(part, cst.AnnAssign) and isinstance(part.target, cst.Name):
                    found = find_in_class(it, cls, part.target.value)
                    yield part.target.value, found[0] if found is not None else None


def _fill(
    it: Interpreter,
    instance: Ref,
    fields: Sequence[tuple[str, Value | None]],
    positional: Sequence[Value],
    keywords: Mapping[str, Value],
    rest: Unknown | None,
    node: cst.CSTNode,
) -> None:
    value: Value | None
    for index, (name, default) in enumerate(fields):
        if index < len(positional):
            value = positional[index]
        elif name in keywords:
            value = keywords[name]
        elif rest is not None:
            value = argument_of(rest, name, default)
        else:
            value = default
        if value is None:
            value = it.unknown(node, f"the field `{name}` is not given")
        it.write((instance.number, name), value)


def symbolic_record(it: Interpreter, cls: Class, unknown: Unknown) -> Value:
    """An instance of a config class that comes from outside: every field a symbol with its declared default."""
    instance = it.new_object("instance")
    it.world.classes[instance.number] = cls
    for name, default in record_fields(it, cls):
        key = (unknown.key, "." + name)
        owner = ("fields", unknown.key)
        value = Unknown(key, f"{unknown.name}.{name}", unknown.reason, unknown.place, Kind.CONFIG, default, owner)
        it.write((instance.number, name), value)
    return instance
