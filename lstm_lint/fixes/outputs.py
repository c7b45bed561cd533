"""What is taken of a layer's results: the axis of an index, both directions instead of one, how the state is unpacked."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from lstm_lint.dims import ONE
from lstm_lint.findings import Edit
from lstm_lint.fixes.syntax import Syntax, called_name, imports_torch, mentions
from lstm_lint.remedies import BatchFirst, JoinDirections, JoinEnds, MoveIndex, NestState

H_N = "h_n"
LAST = "-1"


# -- indices -----------------------------------------------------------------------------------------------------------
def _parts(syntax: Syntax, node: cst.Subscript) -> list[str] | None:
    """The texts between the brackets; None if they are not one an axis."""
    texts = [syntax.slice(element) for element in node.slice]
    return None if "..." in texts or "None" in texts else texts


def _takes_one(parts: Sequence[str], axis: int, texts: Sequence[str]) -> bool:
    """Whether one axis has one of these indices, and all others are whole."""
    return axis < len(parts) and parts[axis] in texts and all(part == ":" for i, part in enumerate(parts) if i != axis)


def move_index(remedy: MoveIndex, syntax: Syntax) -> tuple[Edit, ...] | None:
    """``out[:, -1]`` to ``out[-1]``, and the other way round; in ``select`` the number of the axis."""
    match syntax.at(remedy.place):
        case cst.Subscript() as node:
            parts = _parts(syntax, node)
            if parts is None or not _takes_one(parts, remedy.origin, [LAST]):
                return None
            moved = [":"] * max(len(parts), remedy.goal + 1)
            moved[remedy.goal] = LAST
            while len(parts) == remedy.origin + 1 and moved[-1] == ":":
                moved.pop()
            return (_between_brackets(syntax, node, ", ".join(moved)),)
        case cst.Call(args=[cst.Arg(value=cst.Integer(value=axis)) as first, _]) as call if called_name(call) == "select":
            return (syntax.replacing(first.value, str(remedy.goal)),) if axis == str(remedy.origin) else None
        case _:
            return None


def _between_brackets(syntax: Syntax, node: cst.Subscript, text: str) -> Edit:
    return syntax.edit(syntax.extent(node.slice[0])[0], syntax.extent(node.slice[-1])[1], text)


# -- both directions ---------------------------------------------------------------------------------------------------
def joined(state: str, forward: str = "-2", backward: str = "-1") -> str:
    return f"torch.cat([{state}[{forward}], {state}[{backward}]], dim=-1)"


def join_directions(remedy: JoinDirections, syntax: Syntax) -> tuple[Edit, ...] | None:
    """``h_n[-1]`` to both directions of the last layer."""
    node = syntax.node(remedy.place, cst.Subscript)
    parts = _parts(syntax, node) if node is not None else None
    if node is None or parts is None or not imports_torch(syntax):
        return None
    if _takes_one(parts, 0, ["-1", "-2"]):
        return (syntax.replacing(node, joined(syntax.factor(node.value))),)
    if remedy.num_layers == ONE and _takes_one(parts, 0, ["0", "1"]):
        return (syntax.replacing(node, joined(syntax.factor(node.value), "0", "1")),)
    return None


def join_ends(remedy: JoinEnds, syntax: Syntax) -> tuple[Edit, ...] | None:
    """The last step of the output to both ends in h_n, which gets a name if the call gives it none."""
    node, call = syntax.node(remedy.place, cst.Subscript), syntax.node(remedy.call, cst.Call)
    parts = _parts(syntax, node) if node is not None else None
    if node is None or call is None or parts is None or not _takes_one(parts, remedy.axis, [LAST]) or not imports_torch(syntax):
        return None
    scope = syntax.scope(node)
    statement = syntax.parent(call)
    if syntax.scope(call) is not scope or not isinstance(node.value, cst.Name):
        return None
    match statement:
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Tuple(elements=[output, state]))]):
            if not _is_output(node.value, output.value, syntax):
                return None
            named = _h_n_of(state.value, remedy.has_pair, node, syntax)
            return None if named is None else (*named[1], syntax.replacing(node, joined(named[0])))
        case _:
            return None


def _is_output(name: cst.Name, output: cst.BaseExpression, syntax: Syntax) -> bool:
    """Whether a variable is the output itself, or padded from the packed output, and never anything else."""
    bound = [one for one in mentions(syntax.scope(name), name.value) if _binding(one, syntax) is not None]
    if len(bound) != 1 or not isinstance(output, cst.Name):
        return False
    statement = _binding(bound[0], syntax)
    match statement.value if isinstance(statement, cst.Assign) else None:
        case cst.Call(args=[cst.Arg(value=cst.Name(value=packed)), *_]) as call if called_name(call) == "pad_packed_sequence":
            return packed == output.value and _is_bound_once(output, syntax)
        case _:
            return bound[0] is output


def _binding(name: cst.Name, syntax: Syntax) -> cst.CSTNode | None:
    """The assignment that a name is a target of, or part of a target; None if it is read."""
    for outer in syntax.around(name):
        match outer:
            case cst.AssignTarget() | cst.AnnAssign() | cst.AugAssign() | cst.For() | cst.CompFor() | cst.NamedExpr():
                inside = outer if isinstance(outer, cst.AssignTarget) else outer.target
                within = inside is outer or inside is name
                return syntax.parent(outer) if isinstance(outer, cst.AssignTarget) else outer if within else None
            case cst.Param():
                return outer
            case cst.Element() | cst.Tuple() | cst.List() | cst.StarredElement():
                continue
            case _:
                return None
    return None


def _is_bound_once(name: cst.BaseExpression, syntax: Syntax) -> bool:
    if not isinstance(name, cst.Name):
        return False
    found = mentions(syntax.scope(name), name.value)
    return [one for one in found if _binding(one, syntax) is not None] == [name]


def _h_n_of(
    state: cst.BaseExpression, has_pair: bool, node: cst.CSTNode, syntax: Syntax
) -> tuple[str, tuple[Edit, ...]] | None:
    """How h_n is called behind ``output, state = lstm(x)``, and the edits that give it a name if it has none."""
    match state:
        case cst.Tuple(elements=[h_n, _]) if has_pair:
            target, replacement = h_n.value, H_N
        case cst.Name(value="_") if has_pair:
            target, replacement = state, f"({H_N}, _)"
        case cst.Name(value=name) if has_pair:
            return (f"{name}[0]", ()) if _is_bound_once(state, syntax) else None
        case cst.Name():
            target, replacement = state, H_N
        case _:
            return None
    if not isinstance(target, cst.Name):
        return None
    if target.value != "_":
        return (target.value, ()) if _is_bound_once(target, syntax) else None
    scope = syntax.scope(node)
    read = [one for one in mentions(scope, "_") if _binding(one, syntax) is None]
    if read or mentions(scope, H_N):
        return None
    return H_N, (syntax.replacing(target, replacement),)


# -- unpacking and views -----------------------------------------------------------------------------------------------
def nest_state(remedy: NestState, syntax: Syntax) -> tuple[Edit, ...] | None:
    """``out, h, c`` to ``out, (h, c)``: Python refuses the three."""
    match syntax.at(remedy.place):
        case cst.Tuple(elements=elements) | cst.List(elements=elements) if len(elements) == 3:
            targets = [element.value for element in elements]
            if any(isinstance(element, cst.StarredElement) for element in elements):
                return None
            if any(isinstance(target, cst.Tuple | cst.List) or target.lpar for target in targets[1:]):
                return None
            names = [syntax.slice(target) for target in targets]
            if len(set(names) - {"_"}) < len([name for name in names if name != "_"]):
                return None
            start, end = syntax.extent(targets[1])[0], syntax.extent(targets[2])[1]
            return syntax.edit(start, start, "("), syntax.edit(end, end, ")")
        case _:
            return None


def batch_first(remedy: BatchFirst, syntax: Syntax) -> tuple[Edit, ...] | None:
    """``h_n.view(batch, -1)`` to ``h_n.transpose(0, 1).reshape(batch, -1)``."""
    match syntax.node(remedy.place, cst.Call):
        case cst.Call(func=cst.Attribute(value=receiver, attr=cst.Name(value="view" | "reshape" as name)) as func):
            end = syntax.extent(func)[1]
            behind = end - len(func.attr.value)
            dot = syntax.text.rindex(".", 0, behind)
            turned = syntax.edit(dot, dot, ".transpose(0, 1)")
            named = () if name == "reshape" else (syntax.edit(behind, end, "reshape"),)
            return (turned, *named) if isinstance(receiver, cst.BaseExpression) else None
        case _:
            return None
