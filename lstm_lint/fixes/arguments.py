"""Arguments of a call: left out, given by name, or of another size. What stands between them, comments too, stays."""

from __future__ import annotations

import libcst as cst

from lstm_lint.findings import Edit
from lstm_lint.fixes.spelling import resized
from lstm_lint.fixes.syntax import Syntax, argument, called_name, has_star
from lstm_lint.remedies import DropArgument, NameArgument, SetSize


def drop_argument(remedy: DropArgument, syntax: Syntax) -> tuple[Edit, ...] | None:
    call = syntax.node(remedy.place, cst.Call)
    if call is None or has_star(call) or called_name(call) not in (remedy.called, "__init__"):
        return None
    for other, text in remedy.spelt:
        index = argument(call, other.name, other.position)
        if index is not None and syntax.slice(call.args[index].value) != text:
            return None
    index = argument(call, remedy.argument.name, remedy.argument.position)
    return None if index is None else without(syntax, call, index)


def without(syntax: Syntax, call: cst.Call, index: int) -> tuple[Edit, ...] | None:
    """The call without one of its arguments; None where those behind it are counted by it."""
    behind = call.args[index + 1 :]
    if call.args[index].keyword is None and any(arg.keyword is None for arg in behind):
        return None
    start, end = syntax.extent(call.args[index])
    text = syntax.text
    if behind:
        after = text[end : syntax.extent(behind[0])[0]]
        if "#" not in after:
            return (syntax.edit(start, end + len(after), ""),)
        line = text[text.rfind("\n", 0, start) + 1 : start]
        if line.strip():  # `hidden, dropout=0.5,  # why`
            return (syntax.edit(start - len(line) + len(line.rstrip()), end + after.index(",") + 1, ""),)
        return (syntax.edit(start, end + after.index("#"), ""),)
    comma = _behind_comma(text, end)
    if index == 0:
        return (syntax.edit(start, comma or end, ""),)
    before = syntax.extent(call.args[index - 1])[1]
    between = text[before:start]
    if "#" in between:
        return (_or_line(syntax, start, comma or end),)
    if comma is None:
        return (syntax.edit(before, end, ""),)
    return (syntax.edit(before + between.index(",") + 1, comma, ""),)


def _or_line(syntax: Syntax, start: int, end: int) -> Edit:
    """What is left out; its line with it if there is nothing else on that."""
    line = syntax.text.rfind("\n", 0, start) + 1
    behind = syntax.text.find("\n", end)
    if behind < 0 or syntax.text[line:start].strip() or syntax.text[end:behind].strip():
        return syntax.edit(start, end, "")
    return syntax.edit(line, behind + 1, "")


def _behind_comma(text: str, end: int) -> int | None:
    """The offset behind a trailing comma; None if there is none."""
    rest = text[end:]
    return end + len(rest) - len(rest.lstrip()) + 1 if rest.lstrip().startswith(",") else None


def name_argument(remedy: NameArgument, syntax: Syntax) -> tuple[Edit, ...] | None:
    call = syntax.node(remedy.place, cst.Call)
    if call is None or has_star(call) or len(call.args) <= remedy.position:
        return None
    given = call.args[remedy.position]
    if given.keyword is not None or any(arg.keyword is None for arg in call.args[remedy.position + 1 :]):
        return None
    start, _ = syntax.extent(given)
    return (syntax.edit(start, start, f"{remedy.name}="),)


def set_size(remedy: SetSize, syntax: Syntax) -> tuple[Edit, ...] | None:
    call = syntax.node(remedy.place, cst.Call)
    index = None if call is None else argument(call, remedy.argument.name, remedy.argument.position)
    if call is None or index is None:
        return None
    node = call.args[index].value
    if isinstance(node, cst.Tuple | cst.List):  # normalized_shape=(steps, features)
        node = node.elements[-1].value
    text = resized(syntax, node, remedy.actual, remedy.wanted)
    return None if text is None else (syntax.replacing(node, text),)
