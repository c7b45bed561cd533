"""``Variable(x)``, which gives x detached since torch 0.4."""

from __future__ import annotations

import libcst as cst

from lstm_lint.findings import Edit
from lstm_lint.fixes.states import SAME
from lstm_lint.fixes.syntax import Syntax
from lstm_lint.remedies import Unwrap

OF_DATA = {"new", "Tensor", "FloatTensor", "LongTensor"}
"""What takes either sizes or a tensor, which is not new then, and whose gradient passes."""

NEW = {"zeros", "ones", "empty", "full", "randn", "rand", "arange", "tensor", "from_numpy"}
NEW |= {"zeros_like", "ones_like", "randn_like", "rand_like"}
ALIKE = SAME | {"long", "int", "zero_", "normal_", "uniform_"}
"""Methods whose result needs no gradient if what they are called on needs none."""


def unwrap(remedy: Unwrap, syntax: Syntax) -> tuple[Edit, ...] | None:
    """What is new needs no gradient, and is left as it is; of anything else ``.detach()`` gives the same."""
    match syntax.node(remedy.place, cst.Call):
        case cst.Call(args=[cst.Arg(value=inner, star="")]) as call if not _has_comments(syntax, call, inner):
            text = syntax.factor(inner) if is_new(inner) else f"{syntax.factor(inner)}.detach()"
            return (syntax.replacing(call, text),)
        case _:
            return None


def _has_comments(syntax: Syntax, call: cst.Call, inner: cst.BaseExpression) -> bool:
    """Whether a comment stands between the parentheses and what they hold, and would be lost."""
    (start, end), (first, last) = syntax.extent(call), syntax.extent(inner)
    return "#" in syntax.text[start:first] + syntax.text[last:end]


def is_new(node: cst.BaseExpression) -> bool:
    """Whether an expression gives a tensor that no gradient goes through, and that nobody else has."""
    match node:
        case cst.Call(args=args) if any(arg.star or (arg.keyword and arg.keyword.value == "requires_grad") for arg in args):
            return False
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=name)), args=args) if name in OF_DATA:
            return len(args) > 1 or any(isinstance(arg.value, cst.Integer | cst.List) for arg in args)
        case cst.Call(func=cst.Attribute(value=cst.Name(value="torch"), attr=cst.Name(value=name))):
            return name in NEW
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value=name))):
            return name in ("new_zeros", "new_ones", "new_empty", "new_full") or (name in ALIKE and is_new(inner))
        case _:
            return False
