"""Modules of the project that an analysed file imports: each is loaded when something of it is asked for, and once.

Loading runs the module's own statements, on the side: what is found there is the business of that file's own analysis. Its
definitions are parsed and run one by one, each when its name is asked for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import libcst as cst

from lstm_lint.dims import Kind
from lstm_lint.interpret.budget import aside
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.store import Frame
from lstm_lint.modules import submodule
from lstm_lint.project import Ambiguous
from lstm_lint.source import Source
from lstm_lint.syntax.parts import Part
from lstm_lint.syntax.tree import Tree, Unparsable, parse_divided
from lstm_lint.values import Imported, Module, OneOf, Ref, Str, Tuple, Unknown, Value

MOST_IMPORTED = 1_000_000  # characters of other files that one analysis reads
STARS = "*"
CIRCLE = "circle"
"""First part of the key of an Unknown: an import that leads back to itself."""
MODULE = "module"
"""First part of the key of an Unknown that is a module."""


def module_named(it: Interpreter, level: int, name: str, node: cst.CSTNode) -> Module | Unknown | None:
    """The module of the project that an import names, or an unknown that says why it cannot be told; None for a library."""
    if it.project is None or it.frame.tree is None:
        return None
    importer = it.frame.tree.source.path
    spelt = "." * level + name
    match it.project.locate(importer, level, name):
        case str(path):
            return Module(path, spelt)
        case Ambiguous(files):
            reason = f"`{spelt}` may stand for {' or '.join(files)}"
        case _ if level:
            reason = f"`{spelt}` is not found beside {os.path.basename(importer)}"
        case _ if "." in name and isinstance(package := it.project.locate(importer, 0, name.rpartition(".")[0]), str):
            reason = f"`{spelt}` is not found in {package.removesuffix('__init__.py')}"
        case _:
            return None
    return Unknown((MODULE, importer, spelt), spelt, reason, it.place(node), Kind.CONFIG)


def member(it: Interpreter, module: Module, name: str, node: cst.CSTNode) -> Value:
    """``module.name``; an unknown that says so where the module defines no such name, or where such a module is missing."""
    value = _find(it, module, name, node)
    if value is not None:
        return value
    reason = f"`{name}` is not defined in {module.path}"
    kind = "member" if module.path.endswith(".py") and _may_define(it, module, name) else MODULE
    return Unknown((kind, os.path.abspath(module.path), name), name, reason, it.place(node), Kind.CONFIG)


def of_unread(module: Unknown, name: str) -> Unknown:
    """``module.name`` of a module that is not there or cannot be read: an unknown of its own."""
    return replace(module, key=("member", module.key, name), name=name)


def _find(it: Interpreter, module: Module, name: str, node: cst.CSTNode) -> Value | None:
    """What a module binds, what its own star imports bring, or a submodule; None if it is none of them."""
    if module.path.endswith(".py"):
        frame = load(it, module, node)
        if isinstance(frame, Unknown):
            return of_unread(frame, name)
        value = bound_in(it, frame, name)
        value = starred(it, frame, name, node) if value is None else looked_up(it, value, node)
        if value is not None:
            return value
    return _submodule(it, module, name, node)


def _submodule(it: Interpreter, module: Module, name: str, node: cst.CSTNode) -> Value | None:
    """A module of a package: it is there only if the imports of the file that asks lead to it."""
    inner = submodule(module.path, name)
    if inner is None or it.project is None or it.frame.tree is None:
        return None
    if inner.endswith(".py") and not it.project.leads_to(it.frame.tree.source.path, inner):
        reason = f"`{module.name}.{name}` is a module that is not imported"
        return Unknown((MODULE, os.path.abspath(inner)), name, reason, it.place(node), Kind.CONFIG)
    return Module(inner, f"{module.name}.{name}")


def looked_up(it: Interpreter, value: Value, node: cst.CSTNode) -> Value:
    """The value of a name, with what an import promised fetched from the module."""
    match value:
        case Imported(module, name):
            asked = (module.path, name)
            if asked in it.resolving:
                return it.unknown(node, f"the imports of `{name}` go in a circle", Kind.CONFIG, (CIRCLE, asked))
            it.resolving.add(asked)
            try:
                return member(it, module, name, node)
            finally:
                it.resolving.discard(asked)
        case OneOf(alternatives) if any(isinstance(item, Imported) for _, item in alternatives):
            return OneOf(tuple((condition, looked_up(it, item, node)) for condition, item in alternatives))
        case _:
            return value


def starred(it: Interpreter, frame: Frame, name: str, node: cst.CSTNode) -> Value | None:
    """What ``from module import *`` of the project brings under a name, the last one first; None if nothing does.

    A module that has the name from here has what an earlier star brought.
    """
    asked = (frame.number, STARS, name)
    if asked in it.resolving:  # two files that import each other's stars
        return None
    it.resolving.add(asked)
    circle: Value | None = None
    try:
        for key in reversed(list(it.store.names((frame.number, STARS)))):
            module = it.read(((frame.number, STARS), key))
            value = _exported(it, module, name, node) if isinstance(module, Module) else None
            if value is not None and not _is_circle(value):
                return value
            circle = circle or value
        return circle
    finally:
        it.resolving.discard(asked)


def import_stars(it: Interpreter, module: Module, spelt: str, node: cst.CSTNode) -> None:
    """``from module import *``: looked through when a name is asked for, but names bound before are bound anew now."""
    frame = it.frame.module
    it.write(((frame.number, STARS), spelt), module)
    for name in list(it.store.names(frame.number)):
        value = _exported(it, module, name, node)
        if value is not None and not _is_circle(value):
            it.write((frame.number, name), value)


def _is_circle(value: Value) -> bool:
    return isinstance(value, Unknown) and isinstance(value.key, tuple) and value.key[0] == CIRCLE


def _exported(it: Interpreter, module: Module, name: str, node: cst.CSTNode) -> Value | None:
    """A name that ``from module import *`` brings: one of ``__all__``, else one that does not begin with an underscore."""
    if not _may_define(it, module, name):
        return None
    listed = _listed(it, module, node)
    if name.startswith("_") if listed is None else name not in listed:
        return None
    return _find(it, module, name, node)


def _listed(it: Interpreter, module: Module, node: cst.CSTNode) -> frozenset[str] | None:
    """What a module's ``__all__`` lists; None if it has none, or one that is not known."""
    frame = load(it, module, node) if module.path.endswith(".py") else None
    value = it.read((frame.number, "__all__")) if isinstance(frame, Frame) else None
    content = it.read((value.number, "items")) if isinstance(value, Ref) else value
    if not isinstance(content, Tuple) or not all(isinstance(item, Str) for item in content.items):
        return None
    return frozenset(item.value for item in content.items if isinstance(item, Str))


def _may_define(it: Interpreter, module: Module, name: str) -> bool:
    """Whether the text of a module holds the name, or stars of its own that may bring it."""
    source = it.project.source(module.path) if it.project is not None else None
    return isinstance(source, Source) and (name in source.text or "import *" in source.text)


def load(it: Interpreter, module: Module, node: cst.CSTNode) -> Frame | Unknown:
    """The module's names, its statements run if that was not done before; an unknown that says why it cannot be read."""
    key = os.path.abspath(module.path)
    if key == os.path.abspath(it.tree.source.path):
        return it.module
    source = _source(it, module, key)
    known = it.world.modules.get(key)
    if known is not None and isinstance(source, Source):
        return known
    divided = source if isinstance(source, str) else _divided(source)
    if isinstance(divided, str):
        return Unknown((MODULE, key), module.name, divided, it.place(node), Kind.CONFIG)
    tree, waiting = divided
    frame = Frame(it.number(), tree=tree, waiting=dict(waiting))
    it.world.modules[key] = frame  # before it runs: an import cycle sees what is there so far
    if not aside(it, frame, lambda: it.execute(tree.module.body)):
        it.world.modules.pop(key, None)
    return frame


def _source(it: Interpreter, module: Module, key: str) -> Source | str:
    """The module's text, or why it is not followed. An analysis is charged for what it asks for, loaded before or not."""
    assert it.project is not None
    source = it.project.source(module.path)
    if not isinstance(source, Source):
        return f"{module.path} cannot be read: {source.message}"
    if not it.is_aside and key not in it.asked_for:
        it.asked_for[key] = len(source.text)
    if sum(it.asked_for.values()) > MOST_IMPORTED:
        return f"{module.path} is not followed: too much code is imported"
    return source


def _divided(source: Source) -> tuple[Tree, Mapping[str, Part]] | str:
    try:
        return parse_divided(source)
    except Unparsable as error:
        return f"{source.path} is not Python: {error.message}"


def names_in(it: Interpreter, frame: Frame, wanted: Collection[str] | None = None) -> Sequence[str]:
    """Every name that a frame binds, now that they are asked for; of what waits, only what mentions one of the `wanted`."""
    mentions = None if wanted is None else re.compile(rf"\b(?:{'|'.join(map(re.escape, wanted))})\b")
    for name, part in list(frame.waiting.items()):
        if mentions is None or mentions.search(part.text):
            bound_in(it, frame, name)
    return list(it.store.names(frame.number))


def bound_in(it: Interpreter, frame: Frame, name: str) -> Value | None:
    """What a frame binds to a name; of another file it is defined when it is asked for."""
    value = it.read((frame.number, name))
    part = frame.waiting.pop(name, None) if value is None else None
    if part is None:
        return value
    assert frame.tree is not None
    try:
        definition = frame.tree.add(part)
    except Unparsable:  # Python's parser takes it, libcst's does not: as a module that is not known
        return None
    in_time = aside(it, frame, lambda: it.execute(definition))
    value = it.read((frame.number, name))
    if not in_time:
        frame.waiting[name] = part
        it.world.store.forget((frame.number, name))
    return value
