"""Which attributes code sets: on models from outside of their class (``model.hidden = ...``), and in methods."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lstm_lint.syntax.nesting import parsed

OWN = frozenset({"self", "cls"})
OF_MODULES = frozenset({"forward", "parameters", "train", "eval", "zero_grad", "state_dict", "load_state_dict"})


def set_from_outside(text: str) -> frozenset[str]:
    """The attributes that are assigned to something that the same text uses as a module: ``model.hidden = h; model(x)``.

    An object that is only given attributes, such as the arguments of a program, is none. Empty if the text cannot be parsed.
    """
    tree = parsed(text)
    if not isinstance(tree, ast.Module):
        return frozenset()
    assigned: list[tuple[str, str]] = []
    modules: set[str] = set()
    for node in ast.walk(tree):
        assigned.extend(_assigned(node))
        modules.update(_used_as_module(node))
    return frozenset(name for owner, name in assigned if owner in modules)


@lru_cache(maxsize=64)
def changed_later(text: str, constructors: bool) -> frozenset[str] | None:
    """The attributes that the text's code may assign or change in place; None where it may be any.

    Without `constructors` those are left out that are only assigned in ``__init__``.
    """
    tree = parsed(text)
    return _changes([tree], constructors) if isinstance(tree, ast.Module) else None


def _changes(nodes: Sequence[ast.AST], constructors: bool) -> frozenset[str] | None:
    """`changed_later` of the code in these nodes."""
    found: set[str] = set()
    pending: list[ast.AST] = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef) and node.name == "__init__" and not constructors:
            continue
        assigned = {name for _, name in _assigned(node)}
        found |= assigned
        match node:
            case ast.Attribute(attr=name, ctx=ast.Del()):
                found.add(name)
            case ast.Subscript(value=ast.Attribute(attr=name), ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=name), attr=method)) if _is_in_place(method):
                found.add(name)
            case ast.Call(func=ast.Name(id="setattr" | "delattr")) | ast.Attribute(attr="__dict__" | "__setattr__"):
                if not assigned:
                    return None
        pending.extend(ast.iter_child_nodes(node))
    return frozenset(found)


@dataclass(frozen=True)
class _Part:
    """One function or method of a text, or all that stands outside of them: what it changes, and what it can call by name.

    `changed` is None where it may be any attribute, `calls` where it may call any function.
    """

    name: str
    calls: frozenset[str] | None
    changed: frozenset[str] | None


def changed_by(texts: Sequence[str], function: str) -> frozenset[str] | None:
    """The attributes of ``self`` that a call of the method so named may change, in all code of the texts it leads to by name.

    None where it may be any, or where that cannot be told. Constructors are left out, as in `changed_later`.
    """
    parts: list[_Part] = []
    for text in texts:
        if (found := _parts(text)) is None:
            return None
        parts.extend(found)
    if all(part.name != function for part in parts):
        return None
    escaped = frozenset[str]().union(*(_escaped(text) for text in texts))
    known = frozenset(part.name for part in parts).union(*(_attributes(text) for text in texts))
    reached = {function, "", *UNNAMED, *(part.name for part in parts if _is_special(part.name) or part.name in escaped)}
    changed: set[str] = set()
    while live := [part for part in parts if part.name in reached]:
        parts = [part for part in parts if part.name not in reached]
        for part in live:
            if (
                part.calls is None
                or part.changed is None
                or any(call[5:] not in known for call in part.calls if call[:5] == "self.")
            ):
                return None
            reached |= {call.removeprefix("self.") for call in part.calls}
            changed |= part.changed
    return frozenset(changed)


UNNAMED = frozenset({"forward", "train", "_apply"})
"""Methods that torch calls where the code says ``model(x)``, ``model.eval()``, ``model.to(device)``."""
OF_TORCH = OF_MODULES | {"to", "cuda", "cpu", "float", "half", "double", "named_parameters", "modules", "children", "apply"}
BY_ANY_NAME = frozenset({"getattr", "vars", "eval", "exec", "globals", "locals", "methodcaller", "attrgetter"})
"""What can call a function without its name."""


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


@lru_cache(maxsize=64)
def _parts(text: str) -> tuple[_Part, ...] | None:
    """The functions and methods of a text, and under the name "" its other statements; None if it cannot be parsed."""
    tree = parsed(text)
    if not isinstance(tree, ast.Module):
        return None
    parts: list[_Part] = []
    others: list[ast.AST] = []
    pending: list[ast.Module | ast.ClassDef] = [tree]
    while pending:
        for node in pending.pop().body:
            if isinstance(node, ast.ClassDef):
                pending.append(node)
            elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                others.append(node)
            elif node.name != "__init__":
                parts.append(_Part(node.name, _calls([node]), _changes([node], False)))
    return (*parts, _Part("", _calls(others), _changes(others, False)))


def _calls(nodes: Sequence[ast.AST]) -> frozenset[str] | None:
    """The names that are called, ``self.`` before those of own methods; None where self is given away, or a name made up."""
    names: set[str] = set()
    for node in (inner for one in nodes for inner in ast.walk(one)):
        match node:
            case ast.Name(id=name) if name in BY_ANY_NAME:
                return None
            case ast.Attribute(attr="__dict__" | "__getattribute__" | "methodcaller" | "attrgetter"):
                return None
            case ast.Call(args=args, keywords=keywords) if any(_is_own(x) for x in (*args, *(k.value for k in keywords))):
                return None
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name)) if name not in OF_TORCH:
                names.add("self." + name)
            case ast.Name(id=name) | ast.Attribute(attr=name):
                names.add(name)
    return frozenset(names)


def _is_own(node: ast.expr) -> bool:
    """``self``, also in a display: ``(self, x)``, ``*self``."""
    match node:
        case ast.Name(id=name):
            return name in OWN
        case ast.Starred(value=value):
            return _is_own(value)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return any(map(_is_own, items))
        case _:
            return False


def _nodes(text: str) -> Iterator[ast.AST]:
    tree = parsed(text)
    return ast.walk(tree) if isinstance(tree, ast.Module) else iter(())


@lru_cache(maxsize=64)
def _escaped(text: str) -> frozenset[str]:
    """The names that are spoken of without being called: what they stand for may be called under another name."""
    nodes = list(_nodes(text))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    found: set[str] = set()
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()) if id(node) not in called:
                found.add(name)
            case ast.Constant(value=str() as name) | ast.alias(name=name, asname=str()):
                found.add(name)
    return frozenset(found)


@lru_cache(maxsize=64)
def _attributes(text: str) -> frozenset[str]:
    """The attributes that are assigned anywhere in a text."""
    return frozenset(name for node in _nodes(text) for _, name in _assigned(node))


_SET_ON_OTHERS = re.compile(r"(?<![\w.])(?!self\b|cls\b)\w+(?:\.\w+)*\.(\w+)[ \t]*=(?!=)")


@lru_cache(maxsize=512)
def set_on_others(text: str) -> frozenset[str]:
    """The attributes that a text seems to assign to something that is not ``self``, read off without parsing it."""
    return frozenset(_SET_ON_OTHERS.findall(text))


def _is_in_place(method: str) -> bool:
    return method in CONTENT or method.startswith(("add_", "register_")) or (method.endswith("_") and method[-2:] != "__")


CONTENT = frozenset(
    {"append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault", "popitem", "sort", "reverse"}
)


def _assigned(node: ast.AST) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Attribute(value=owner, attr=name, ctx=ast.Store()):
            yield _dotted(owner), name
        case ast.Call(func=ast.Name(id="setattr"), args=[owner, ast.Constant(value=str() as name), _]):
            yield _dotted(owner), name


def _used_as_module(node: ast.AST) -> Iterator[str]:
    """``model(x)``, ``model.eval()``; what a method does with its own ``self`` is not from outside."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in OF_MODULES:
            yield from {_dotted(owner)} - OWN
        case ast.Call(func=ast.Name() | ast.Attribute() as owner):
            yield from {_dotted(owner)} - OWN


def _dotted(node: ast.expr) -> str:
    """``self.model`` as text, empty for anything but names and attributes."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=owner, attr=name) if text := _dotted(owner):
            return f"{text}.{name}"
        case _:
            return ""
