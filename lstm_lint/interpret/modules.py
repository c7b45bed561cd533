"""Modules of the project that an analysed file imports: each is loaded when something of it is asked for, and once.

Loading runs the module's own statements, on the side: what is found there is the business of that file's own analysis.
"""

from __future__ import annotations

import os

import libcst as cst

from lstm_lint.dims import Kind
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.store import Frame
from lstm_lint.project import Ambiguous, submodule
from lstm_lint.source import Source
from lstm_lint.syntax.tree import Tree, Unparsable, parse
from lstm_lint.values import Imported, Module, OneOf, Unknown, Value

MOST_IMPORTED = 1_000_000  # characters of other files that one analysis reads
STARS = "*"


def module_named(it: Interpreter, level: int, name: str, node: cst.CSTNode) -> Value | None:
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
        case _:
            return None
    return Unknown(("module", importer, spelt), spelt, reason, it.place(node), Kind.CONFIG)


def member(it: Interpreter, module: Module, name: str, node: cst.CSTNode) -> Value:
    """``module.name``; an unknown that says so where the module defines no such name."""
    value = _find(it, module, name, node)
    if value is not None:
        return value
    reason = f"`{name}` is not defined in {module.path}"
    return Unknown(("member", os.path.abspath(module.path), name), name, reason, it.place(node), Kind.CONFIG)


def _find(it: Interpreter, module: Module, name: str, node: cst.CSTNode) -> Value | None:
    """What a module binds, what its own star imports bring, or a submodule; None if it is none of them."""
    if module.path.endswith(".py"):
        frame = load(it, module, node)
        if isinstance(frame, Unknown):
            return frame
        value = it.read((frame.number, name))
        value = starred(it, frame, name, node) if value is None else looked_up(it, value, node)
        if value is not None:
            return value
    inner = submodule(module.path, name)
    return None if inner is None else Module(inner, f"{module.name}.{name}")


def looked_up(it: Interpreter, value: Value, node: cst.CSTNode) -> Value:
    """The value of a name, with what an import promised fetched from the module."""
    match value:
        case Imported(module, name):
            asked = (module.path, name)
            if asked in it.resolving:
                return it.unknown(node, f"the imports of `{name}` go in a circle", Kind.CONFIG, ("circle", asked))
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
    """What ``from module import *`` of the project brings under a name; None if nothing does."""
    for key in it.store.names((frame.number, STARS)):
        module = it.read(((frame.number, STARS), key))
        if isinstance(module, Module) and not name.startswith("_") and _may_define(it, module, name):
            value = _find(it, module, name, node)
            if value is not None:
                return value
    return None


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
    tree = source if isinstance(source, str) else _tree(source)
    if isinstance(tree, str):
        return Unknown(("module", key), module.name, tree, it.place(node), Kind.CONFIG)
    frame = Frame(it.number(), tree=tree)
    it.world.modules[key] = frame  # before it runs: an import cycle sees what is there so far
    it.aside(frame, lambda: it.execute(tree.module.body))
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


def _tree(source: Source) -> Tree | str:
    try:
        return parse(source)
    except Unparsable as error:
        return f"{source.path} is not Python: {error.message}"
