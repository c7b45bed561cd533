"""Which attributes code sets: on models from outside of their class (``model.hidden = ...``), and in methods."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from lstm_lint.syntax.nesting import inner_nodes, parsed, walk

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
    for node in walk(tree):
        assigned.extend(_assigned(node))
        modules.update(_used_as_module(node))
    return frozenset(name for owner, name in assigned if owner in modules)


def changed_later(text: str, constructors: bool) -> frozenset[str] | None:
    """The attributes that the text's code may assign or change in place; None where it may be any.

    Without `constructors` those are left out that are only assigned in ``__init__``.
    """
    parts = _parts(text)
    if parts is None:
        return None
    live = [part for part in parts if constructors or part.name != CONSTRUCTOR]
    return None if any(part.changes_any for part in live) else frozenset[str]().union(*(part.changed for part in live))


def changed_by(texts: Sequence[str], function: str) -> frozenset[str] | None:
    """The attributes of ``self`` that a call of the method so named may change, in all code of the texts it leads to by name.

    None where it may be any, or where that cannot be told. Constructors are left out, as in `changed_later`.
    """
    parts: list[_Part] = []
    for text in texts:
        if (found := _parts(text)) is None:
            return None
        parts.extend(found)
    waiting = [part for part in parts if part.name != CONSTRUCTOR]
    names = {part.name for part in waiting}
    if function not in names:
        return None
    spoken, assigned = (set[str]().union(*sets) for sets in zip(*((part.spoken, part.assigned) for part in parts), strict=True))
    reached = {function, "", *UNNAMED, *(name for name in names if _is_special(name) or name in spoken)}
    changed: set[str] = set()
    while live := [part for part in waiting if part.name in reached]:
        waiting = [part for part in waiting if part.name not in reached]
        for part in live:
            if part.calls_any or part.changes_any or not part.own_calls <= names | assigned:
                return None
            reached |= part.calls
            changed |= part.changed
    return frozenset(changed)


CONSTRUCTOR = "__init__"
UNNAMED = frozenset({"forward", "train", "_apply"})
"""Methods that torch calls where the code says ``model(x)``, ``model.eval()``, ``model.to(device)``."""
OF_TORCH = OF_MODULES | {"to", "cuda", "cpu", "float", "half", "double", "named_parameters", "modules", "children", "apply"}
BY_ANY_NAME = frozenset({"getattr", "vars", "eval", "exec", "globals", "locals", "methodcaller", "attrgetter"})
"""What can call a function without its name."""


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


@dataclass
class _Part:
    """What one function or method of a text does, or all that stands outside of them, whose name is "".

    `calls`: the names in it, any of which it may call; `own_calls`: what it calls of ``self``. `spoken`: the names that are not
    called, so that what they stand for may be called under another one. `assigned`, `changed`: the attributes that it assigns,
    and those that it changes in any way. `calls_any`, `changes_any`: it may do so to any, since it gives itself away, or makes
    names up.
    """

    name: str
    calls: set[str] = field(default_factory=set)
    own_calls: set[str] = field(default_factory=set)
    spoken: set[str] = field(default_factory=set)
    assigned: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    calls_any: bool = False
    changes_any: bool = False

    def read(self, root: ast.AST) -> Iterator[ast.FunctionDef]:
        """Note what the code from a node on does; the constructors within it are left out, and given back."""
        called: set[int] = set()
        pending = [root]
        while pending:
            node = pending.pop()
            if isinstance(node, ast.FunctionDef) and node.name == CONSTRUCTOR and node is not root:
                yield node
                continue
            if isinstance(node, ast.Call):
                called.add(id(node.func))
            if type(node) in TELLING:
                self._note(node, id(node) in called)
            pending.extend(inner_nodes(node))

    def _note(self, node: ast.AST, is_called: bool) -> None:
        match node:
            case ast.Name(id=name, ctx=ctx):
                self.calls_any = self.calls_any or name in BY_ANY_NAME
            case ast.Attribute(attr=name, ctx=ctx):
                self.calls_any = self.calls_any or name in ("__dict__", "__getattribute__", "methodcaller", "attrgetter")
                self.changes_any = self.changes_any or name in ("__dict__", "__setattr__")
                if not isinstance(ctx, ast.Load):
                    self.changed.add(name)
                if isinstance(ctx, ast.Store):
                    self.assigned.add(name)
            case ast.Call():
                return self._note_call(node)
            case ast.Subscript(value=ast.Attribute(attr=name), ctx=ast.Store() | ast.Del()):
                return self.changed.add(name)
            case ast.Constant(value=str() as name) | ast.alias(name=name, asname=str()):
                return self.spoken.add(name)
            case _:
                return None
        self.calls.add(name)
        if isinstance(ctx, ast.Load) and not is_called:
            self.spoken.add(name)
        return None

    def _note_call(self, node: ast.Call) -> None:
        if any(map(_is_own, (*node.args, *(keyword.value for keyword in node.keywords)))):
            self.calls_any = True
        match node:
            case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value=str() as name), _]):
                self.assigned.add(name)
                self.changed.add(name)
            case ast.Call(func=ast.Name(id="setattr" | "delattr")):
                self.changes_any = True
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=name), attr=method)) if _is_in_place(method):
                self.changed.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name)) if name not in OF_TORCH:
                self.own_calls.add(name)


TELLING = frozenset({ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.alias})


@lru_cache(maxsize=256)
def _parts(text: str) -> Sequence[_Part] | None:
    """The functions and methods of a text, and its other statements; None if it cannot be parsed. Constructors are apart."""
    tree = parsed(text)
    if not isinstance(tree, ast.Module):
        return None
    others = _Part("")
    parts = [others]
    waiting: list[tuple[_Part, ast.AST]] = []
    bodies: list[ast.Module | ast.ClassDef] = [tree]
    while bodies:
        for node in bodies.pop().body:
            if isinstance(node, ast.ClassDef):
                bodies.append(node)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                waiting.append((_Part(node.name), node))
            else:
                waiting.append((others, node))
    for part, root in waiting:
        waiting.extend((_Part(CONSTRUCTOR), constructor) for constructor in part.read(root))
    return [*parts, *(part for part, _ in waiting if part is not others)]


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
