"""The state: its sizes where it is made, and zeros that need not be passed at all."""

from __future__ import annotations

import libcst as cst

from lstm_lint.findings import Edit
from lstm_lint.fixes.arguments import without
from lstm_lint.fixes.spelling import bound_names, layer_counts
from lstm_lint.fixes.syntax import Syntax, argument, called_name, has_star, mentions, walk
from lstm_lint.ops.recurrent import PARAMETERS
from lstm_lint.remedies import CountLayers, DropZeros, SwapSizes, UnfoldSamples

MAKERS = {"zeros", "ones", "randn", "rand", "empty", "full", "new", "FloatTensor", "Tensor"}
MAKERS |= {"new_zeros", "new_ones", "new_empty", "new_full"}


# -- sizes -------------------------------------------------------------------------------------------------------------
def sizes_of(call: cst.Call, rank: int) -> list[cst.BaseExpression] | None:
    """The size expressions of ``torch.zeros(2, batch, 4)``, however they are grouped; None if they are not all there."""
    return _grouped_sizes(call, rank) if called_name(call) in MAKERS else None


def _grouped_sizes(call: cst.Call, rank: int) -> list[cst.BaseExpression] | None:
    if has_star(call):
        return None
    positional = [arg.value for arg in call.args if arg.keyword is None]
    index = argument(call, "size", 0)
    if len(positional) == rank and rank > 1:
        return positional
    match call.args[index].value if index is not None else None:
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            sizes = [element.value for element in elements if isinstance(element, cst.Element)]
            return sizes if len(sizes) == len(elements) == rank else None
        case _:
            return None


def count_layers(remedy: CountLayers, syntax: Syntax) -> tuple[Edit, ...] | None:
    call = syntax.node(remedy.place, cst.Call)
    sizes = sizes_of(call, len(remedy.actual)) if call is not None else None
    if sizes is None:
        return None
    text = _counted(remedy, sizes[0], syntax)
    return None if text is None else (syntax.replacing(sizes[0], text),)


def _counted(remedy: CountLayers, node: cst.BaseExpression, syntax: Syntax) -> str | None:
    """The user's own expression for num_layers times the directions, else what the layer itself says."""
    config, counts = remedy.site.config, layer_counts(syntax, node, remedy.site)
    if config is None or counts.directions is None:
        return None
    is_own = remedy.actual[0] == config.num_layers and not isinstance(node, cst.Integer)
    return f"{syntax.factor(node)} * {counts.directions}" if is_own and counts.directions != "1" else counts.product


def swap_sizes(remedy: SwapSizes, syntax: Syntax) -> tuple[Edit, ...] | None:
    call = syntax.node(remedy.place, cst.Call)
    sizes = sizes_of(call, remedy.rank) if call is not None else None
    if sizes is None:
        return None
    return _swapped(sizes[0], sizes[1], syntax)


def _swapped(one: cst.CSTNode, other: cst.CSTNode, syntax: Syntax) -> tuple[Edit, ...]:
    return syntax.replacing(one, syntax.slice(other)), syntax.replacing(other, syntax.slice(one))


def unfold_samples(remedy: UnfoldSamples, syntax: Syntax) -> tuple[Edit, ...] | None:
    """``x.view(layers, batch, hidden)`` to ``x.view(batch, layers, hidden).transpose(0, 1).contiguous()``."""
    call = syntax.node(remedy.place, cst.Call)
    is_method = call is not None and isinstance(call.func, cst.Attribute) and called_name(call) in ("view", "reshape")
    sizes = _grouped_sizes(call, 3) if call is not None and is_method else None
    if call is None or sizes is None or any(isinstance(size, cst.NamedExpr) for size in sizes):
        return None
    end = syntax.extent(call)[1]
    match syntax.parent(call):
        case cst.Attribute(attr=cst.Name(value="contiguous")):
            behind = ".transpose(0, 1)"
        case _:
            behind = ".transpose(0, 1).contiguous()"
    return (*_swapped(sizes[0], sizes[1], syntax), syntax.edit(end, end, behind))


# -- zeros -------------------------------------------------------------------------------------------------------------
SAME = {"to", "cuda", "cpu", "float", "contiguous", "detach", "clone", "type", "type_as", "double", "half"}
"""Methods that give zeros again, and do not change what they are called on."""


LEARNED = ("requires_grad", "out")
"""Arguments by which zeros that are made are more than just zeros."""


def drop_zeros(remedy: DropZeros, syntax: Syntax) -> tuple[Edit, ...] | None:
    """The call without its state, if that is made of zeros beside it and named for nothing else."""
    call = syntax.node(remedy.place, cst.Call)
    index = argument(call, "hx", 1) if call is not None else None
    made_at = [syntax.node(place, cst.Call) for place in remedy.made_at]
    if call is None or index is None or has_star(call) or None in made_at or not _is_always_recurrent(call.func, syntax):
        return None
    calls = [one for place in remedy.calls if (one := syntax.node(place, cst.Call)) is not None]
    zeros = Zeros(syntax, [node for node in made_at if node is not None], calls)
    return without(syntax, call, index) if zeros.are(call.args[index].value) else None


def _is_always_recurrent(func: cst.BaseExpression, syntax: Syntax) -> bool:
    """Whether what is called is under its name only ever a new layer of torch's: no wrapper, and no class of the user's."""
    text, count = syntax.slice(func), 0
    for node in walk(syntax.tree.module):
        match node:
            case cst.Assign(targets=targets, value=value):
                bound: list[cst.CSTNode] = [target.target for target in targets]
            case cst.AnnAssign(target=target, value=value) | cst.NamedExpr(target=target, value=value):
                bound = [target]
            case cst.For(target=target) | cst.CompFor(target=target) | cst.AugAssign(target=target) | cst.Param(name=target):
                bound, value = [target], None
            case cst.AsName(name=target):
                bound, value = [target], None
            case cst.FunctionDef(name=target) | cst.ClassDef(name=target):
                bound, value = [target], None
            case _:
                continue
        if any(syntax.slice(one) == text for target in bound for one in walk(target) if isinstance(one, cst.BaseExpression)):
            count += 1
            if not isinstance(value, cst.Call) or called_name(value) not in PARAMETERS:
                return False
    return count > 0


class Zeros:
    """Whether expressions are zeros that nothing can have changed, as far as the text around them says."""

    def __init__(self, syntax: Syntax, made_at: list[cst.Call], calls: list[cst.Call]) -> None:
        self.syntax = syntax
        self.made_at = made_at
        self.calls = calls
        self.trusted: list[str] = []

    def are(self, node: cst.BaseExpression) -> bool:
        match node:
            case cst.Call() if any(node is made for made in self.made_at):
                return _is_new(node) and not any(arg.keyword and arg.keyword.value in LEARNED for arg in node.args)
            case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value=name))) if name in SAME:
                return self.are(inner)
            case cst.Call(func=func, args=[cst.Arg(value=inner, keyword=None, star="")]) if _is_variable(func):
                return self.are(inner)
            case cst.Tuple(elements=elements) | cst.List(elements=elements):
                return all(isinstance(element, cst.Element) and self.are(element.value) for element in elements)
            case cst.Name(value=name):
                return self._is_untouched(node, name)
            case _:
                return False

    def _is_untouched(self, node: cst.CSTNode, name: str) -> bool:
        """Whether a variable is only ever assigned zeros, and only ever read to be passed on as a state."""
        if name in self.trusted:
            return True
        self.trusted.append(name)
        return all(self._is_harmless(mention, name) for mention in mentions(self.syntax.scope(node), name))

    def _is_harmless(self, mention: cst.Name, name: str) -> bool:
        inner: cst.CSTNode = mention
        for outer in self.syntax.around(mention):
            match outer:
                case cst.Element() | cst.Tuple() | cst.List():
                    inner = outer
                case cst.AssignTarget():
                    statement = self.syntax.parent(outer)
                    return isinstance(statement, cst.Assign) and self._is_zero_assignment(statement)
                case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=other))], value=value) if value is inner:
                    return self._is_untouched(mention, other)
                case cst.Arg():
                    return self._is_state(outer)
                case cst.Attribute(attr=cst.Name(value=method)) if method in SAME:
                    return self._is_passed_on(outer, name)
                case _:
                    return False
        return False

    def _is_zero_assignment(self, statement: cst.Assign) -> bool:
        """``h0 = c0 = zeros``, ``h0, c0 = zeros, zeros``: zeros under every name, each of which is left alone."""
        names = [name for target in statement.targets for name in bound_names(target.target)]
        plain = all(isinstance(target.target, cst.Name) for target in statement.targets)
        if not plain and not isinstance(statement.value, cst.Tuple):
            return False
        return self.are(statement.value) and all(self._is_untouched(statement, name) for name in names)

    def _is_passed_on(self, method: cst.Attribute, name: str) -> bool:
        """``h0 = h0.to(device)``, or the same within a tuple that is passed on."""
        call = self.syntax.parent(method)
        if not isinstance(call, cst.Call) or call.func is not method:
            return False
        statement = self.syntax.parent(call)
        match statement:
            case cst.Assign(targets=targets):
                return all(bound_names(target.target) == {name} for target in targets)
            case cst.Arg():
                return self._is_state(statement)
            case _:
                return False

    def _is_state(self, given: cst.Arg) -> bool:
        """Whether an argument is the state of one of the layers' calls, which do not change it."""
        call = self.syntax.parent(given)
        index = argument(call, "hx", 1) if isinstance(call, cst.Call) and any(call is one for one in self.calls) else None
        return index is not None and isinstance(call, cst.Call) and call.args[index] is given


def _is_variable(func: cst.BaseExpression) -> bool:
    return isinstance(func, cst.Name | cst.Attribute) and called_name(cst.Call(func)) == "Variable"


def _is_new(call: cst.Call) -> bool:
    """Whether nobody else has the tensor: it is made here, and not one that is filled with zeros here."""
    match call.func:
        case cst.Attribute(value=inner, attr=cst.Name(value="zero_")):
            return isinstance(inner, cst.Call) and called_name(inner) in MAKERS
        case _:
            return called_name(call) in MAKERS | {"zeros_like"}
