"""``reveal_shape(x)``: notes what is known of a value where it stands, as ``reveal_type`` of type checkers. For tests."""

from __future__ import annotations

import libcst as cst

from lstm_lint.facts import Reveal
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.operators import it_contents
from lstm_lint.shapes import Shape
from lstm_lint.values import NONE, OneOf, Packed, Tensor, Tuple, Unknown, Value, as_tensor, describe

UNKNOWN = "?"


def reveal_shape(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    """Record the shape of the one argument, and give it back as it is."""
    value = arguments.positional[0] if arguments.positional else NONE
    text = shape_text(it, value)
    it.record_reveal(Reveal(it.place(node), text, reason_of(it.settled(value)) if text == UNKNOWN else "", it.frame.grounded))
    return value


def shape_text(it: Interpreter, value: Value) -> str:
    """``[2*L, N, H]``, ``[..., H]`` where not all dims are known, ``A | B`` for one of several, ``?`` for what is not known.

    A PackedSequence is ``packed [N, F]`` of the padded tensor's batch and features; tuples and lists are ``(A, B)``.
    """
    content = it_contents(it, value)
    settled = it.settled(content)
    match settled:
        case OneOf(alternatives):
            return " | ".join(dict.fromkeys(shape_text(it, option) for _, option in alternatives))
        case Tuple(items):
            return f"({', '.join(shape_text(it, item) for item in items)})"
        case Packed(batch=batch, features=features) if batch is not None and features is not None:
            return f"packed [{', '.join(dim.text for dim in (batch, *features))}]"
        case Tensor() | Unknown() if (tensor := as_tensor(settled)) is not None:
            return _dims_text(tensor.shape)
        case _ if settled == NONE:
            return "None"
        case _:
            return UNKNOWN


def _dims_text(shape: Shape) -> str:
    if shape.rest is not None and not shape.minimum_rank:
        return UNKNOWN
    return f"[{shape.text[1:-1]}]"


def reason_of(value: Value) -> str:
    """Why no shape can be told."""
    match value:
        case Unknown(reason=reason) | Tensor(why=Unknown(reason=reason)) if reason:
            return reason
        case _:
            return describe(value)
