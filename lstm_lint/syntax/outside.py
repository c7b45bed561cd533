"""Which attributes code sets: on models from outside of their class (``model.hidden = ...``), and in methods."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
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
    if not isinstance(tree, ast.Module):
        return None
    found: set[str] = set()
    pending: list[ast.AST] = [tree]
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
