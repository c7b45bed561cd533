"""Which attributes code sets on models from outside of their class: a training loop that does ``model.hidden = ...``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

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
