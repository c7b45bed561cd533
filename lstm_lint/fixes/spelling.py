"""Sizes in the user's own names: what a size expression becomes, out of what stands there and what is visible there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import libcst as cst

from lstm_lint.dims import Dim, Kind, Symbol
from lstm_lint.facts import LstmSite
from lstm_lint.fixes.syntax import Scope, Syntax, argument, has_star, mentions
from lstm_lint.ops.recurrent import PARAMETERS


def resized(syntax: Syntax, node: cst.BaseExpression, actual: Dim, wanted: Dim) -> str | None:
    """The expression of size `actual` as one of size `wanted`; None if that cannot be said in names that are visible there."""
    if isinstance(node, cst.Integer):
        return wanted.text if wanted.constant is not None else by_parameters(syntax, node, wanted)
    ratio = wanted.divided_by(actual)
    if ratio is not None and ratio.constant is not None:
        return f"{syntax.factor(node)} * {ratio.text}"
    if ratio is not None and (factor := by_parameters(syntax, node, ratio)) is not None:
        return f"{syntax.factor(node)} * {factor}"
    inverse = actual.divided_by(wanted)
    if inverse is not None and inverse.constant is not None and (text := _undone(syntax, node, inverse.constant)) is not None:
        return text
    return by_parameters(syntax, node, wanted)


def _undone(syntax: Syntax, node: cst.BaseExpression, factor: int) -> str | None:
    """``hidden * 2`` without its factor."""
    match node:
        case cst.BinaryOperation(left=rest, operator=cst.Multiply(), right=cst.Integer(value=text)) if text == str(factor):
            return syntax.slice(rest)
        case cst.BinaryOperation(left=cst.Integer(value=text), operator=cst.Multiply(), right=rest) if text == str(factor):
            return syntax.slice(rest)
        case _:
            return None


def by_parameters(syntax: Syntax, node: cst.CSTNode, dim: Dim) -> str | None:
    """A dim in the parameters of the function around, if it consists of them and none is assigned anew."""
    function = syntax.scope(node)
    symbols = dim.symbols
    if not isinstance(function, cst.FunctionDef) or not symbols or any(symbol.kind is Kind.OPAQUE for symbol in symbols):
        return None
    if not all(_is_parameter(function, symbol) for symbol in symbols) or len(list(dim.atoms())) < len(symbols):
        return None
    return dim.text


def _is_parameter(function: cst.FunctionDef, symbol: Symbol) -> bool:
    parameters = (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params)
    return any(one.name.value == symbol.name for one in parameters) and not is_rebound(function, symbol.name)


@dataclass(frozen=True)
class Counts:
    """num_layers and num_directions of a layer, as texts that hold whoever builds it; None where there is none."""

    layers: str | None
    directions: str | None

    @property
    def product(self) -> str | None:
        if self.layers is None or self.directions is None:
            return None
        if self.layers.isdigit() and self.directions.isdigit():
            return str(int(self.layers) * int(self.directions))
        if self.layers == "1":
            return self.directions.strip("()")
        return self.layers if self.directions == "1" else f"{self.layers} * {self.directions}"


def layer_counts(syntax: Syntax, node: cst.CSTNode, site: LstmSite) -> Counts:
    """What the construction says in numbers, else what a visible layer says of itself: ``self.lstm.num_layers``."""
    built = syntax.node(site.place, cst.Call)
    if built is None:
        return Counts(None, None)
    names = list(PARAMETERS[site.layer])
    layer = visible_layer(syntax, node, site)

    def said(name: str, numbers: Mapping[str, str], otherwise: str) -> str | None:
        index = argument(built, name, names.index(name)) if name in names else None
        text = "" if index is None else syntax.slice(built.args[index].value)
        text = "**" if index is None and has_star(built) else text
        return text if text.isdigit() else numbers.get(text) or (otherwise.format(layer=layer) if layer else None)

    layers = said("num_layers", {"": "1"}, "{layer}.num_layers")
    return Counts(layers, said("bidirectional", {"": "1", "False": "1", "True": "2"}, "(2 if {layer}.bidirectional else 1)"))


def visible_layer(syntax: Syntax, node: cst.CSTNode, site: LstmSite) -> str | None:
    """How the layer is called where a node stands: ``self.lstm`` in the methods of its class, a name in its own scope."""
    target, built = site.target or "", syntax.at(site.place)
    if site.place.path != syntax.tree.source.path or built is None:
        return None
    if re.fullmatch(r"self\.\w+", target):
        owner = syntax.class_of(built)
        return target if owner is not None and syntax.class_of(node) is owner else None
    if not target.isidentifier():
        return None
    here, there = syntax.scope(node), syntax.scope(built)
    before = syntax.extent(built)[0] < syntax.extent(node)[0]
    if here is there:
        return target if before else None
    local = isinstance(there, cst.Module) and isinstance(here, cst.FunctionDef) and _binds(here, target)
    return target if isinstance(there, cst.Module) and not local else None


def _binds(scope: Scope, name: str) -> bool:
    """Whether a function has a variable of its own under this name."""
    parameters = scope.params if isinstance(scope, cst.FunctionDef | cst.Lambda) else None
    return is_rebound(scope, name) or (parameters is not None and bool(mentions(parameters, name)))


def is_rebound(scope: cst.CSTNode, name: str) -> bool:
    """Whether something in the scope assigns the variable."""
    pending = [scope]
    while pending:
        node = pending.pop()
        match node:
            case cst.AssignTarget(target=target) | cst.AnnAssign(target=target) | cst.AugAssign(target=target):
                bound: cst.CSTNode | None = target
            case cst.For(target=target) | cst.CompFor(target=target) | cst.NamedExpr(target=target):
                bound = target
            case cst.AsName(name=target):
                bound = target
            case _:
                bound = None
        if bound is not None and name in bound_names(bound):
            return True
        pending.extend(node.children)
    return False


def bound_names(target: cst.CSTNode) -> set[str]:
    """The variables that an assignment target binds: no owners of attributes, nothing in brackets."""
    match target:
        case cst.Name(value=name):
            return {name}
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            return {name for element in elements for name in bound_names(element.value)}
        case cst.StarredElement(value=inner):
            return bound_names(inner)
        case _:
            return set()
