"""Names: how a variable is looked up, and how imports give things of libraries one qualified name."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from lstm_lint.dims import Kind
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.modules import STARS, bound_in, import_stars, looked_up, module_named, of_unread, starred
from lstm_lint.interpret.store import Frame
from lstm_lint.ops.recurrent import QUALIFIED
from lstm_lint.ops.table import LAYERS, OPS
from lstm_lint.values import FALSE, NONE, TRUE, External, Imported, Module, Str, Unknown, Value

CONSTANTS: Mapping[str, Value] = {"True": TRUE, "False": FALSE, "None": NONE}
REVEAL = "reveal_shape"  # as type checkers know `reveal_type`
PYTHON = frozenset(dir(__builtins__) if not isinstance(__builtins__, dict) else __builtins__)


def canonical(name: str) -> str:
    """One name for a thing that torch exports from several modules: ``torch.nn.modules.rnn.LSTM`` is ``torch.nn.LSTM``."""
    if name.startswith("torch.nn.modules."):
        parts = name.split(".")
        if parts[-1][:1].isupper():
            return f"torch.nn.{parts[-1]}"
    aliases = {
        "torch.nn.parameter.Parameter": "torch.nn.Parameter",
        "torch.autograd.variable.Variable": "torch.autograd.Variable",
        "torch.nn.functional": "torch.nn.functional",
    }
    return aliases.get(name, name)


def eval_name(it: Interpreter, node: cst.Name) -> Value:
    if (constant := CONSTANTS.get(node.value)) is not None:
        return constant
    value = look_up(it, node.value)
    if value is not None:
        return looked_up(it, value, node)
    brought = starred(it, it.frame.module, node.value, node)
    if brought is not None:
        return brought
    if node.value in PYTHON or node.value == REVEAL:
        return External(f"builtins.{node.value}")
    assert it.frame.tree is not None
    path = it.frame.tree.source.path
    if node.value == "__name__":
        return Str("__main__" if it.frame.tree is it.tree else path)
    reason = f"`{node.value}` is not defined in the code that was analysed"
    return Unknown(("name", path, node.value), node.value, reason, it.place(node), Kind.CONFIG)


def look_up(it: Interpreter, name: str) -> Value | None:
    """The value of a variable, from the innermost frame outwards."""
    frame: Frame | None = it.frame.redirected.get(name, it.frame)
    while frame is not None:
        value = bound_in(it, frame, name)
        if value is not None:
            return value
        frame = frame.enclosing()
    return _of_library(it, name)


def _of_library(it: Interpreter, name: str) -> Value | None:
    """A name that ``from torch.nn import *`` brings, if it is one that the tables know."""
    for module in it.store.names((it.frame.module.number, STARS)):
        qualified = canonical(f"{module}.{name}")
        if qualified in OPS or qualified in LAYERS or qualified in QUALIFIED or (module == "torch" and name == "nn"):
            return External(qualified)
    return None


def assign_name(it: Interpreter, name: str, value: Value) -> None:
    frame = it.frame.redirected.get(name, it.frame)
    it.write((frame.number, name), value)


# -- imports ---------------------------------------------------------------------------------------------------------
def execute_import(it: Interpreter, node: cst.Import) -> None:
    """``import torch.nn as nn``; ``import torch.nn`` binds ``torch``."""
    for alias in node.names:
        name = dotted(alias.name)
        if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
            assign_name(it, alias.asname.name.value, module_named(it, 0, name, node) or External(canonical(name)))
        else:
            first = name.split(".")[0]
            assign_name(it, first, module_named(it, 0, first, node) or External(first))


def execute_import_from(it: Interpreter, node: cst.ImportFrom) -> None:
    """``from torch import nn``, ``from torch.nn import *``."""
    level, name = len(node.relative), dotted(node.module) if node.module is not None else ""
    module = module_named(it, level, name, node)
    if isinstance(node.names, cst.ImportStar):
        if isinstance(module, Module):
            import_stars(it, module, "." * level + name, node)
        else:
            it.write(((it.frame.module.number, STARS), "." * level + name), module or External(name))
        return
    for alias in node.names:
        part = dotted(alias.name)
        bound = alias.asname.name.value if alias.asname is not None and isinstance(alias.asname.name, cst.Name) else part
        match module:
            case None:
                value: Value = External(canonical("." * level + (f"{name}." if name else "") + part))
            case Module():
                value = Imported(module, part)
            case _:
                value = of_unread(module, part)
        assign_name(it, bound, value)


def dotted(node: cst.CSTNode) -> str:
    """``a.b.c`` as text."""
    match node:
        case cst.Name(value=name):
            return name
        case cst.Attribute(value=value, attr=attr):
            return f"{dotted(value)}.{attr.value}"
        case _:
            return ""
