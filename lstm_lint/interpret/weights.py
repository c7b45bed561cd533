"""The weights of layers: read by name, given another tensor, loaded from a dict.

A recurrent layer's have the shapes of its contract. What is done with one is noted as a use, its first argument the weight as
the layer has it (``weight`` where it is read, ``assign``, ``set item``, ``load``). What becomes of another layer's sizes when
its weight is replaced is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from lstm_lint.dims import ONE, ZERO
from lstm_lint.facts import LstmSite
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.choose import choose
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.operators import it_contents
from lstm_lint.interpret.uses import note_use
from lstm_lint.lineage import Lineage, Source
from lstm_lint.ops.weights import existence, names, parsed, weight_dims
from lstm_lint.shapes import Shape
from lstm_lint.values import FALSE, NONE, Bool, Dict, Layer, Ref, Tensor, Tuple, Unknown, Value

REPLACED = "weight of a layer"
"""The first part of the key of the Unknown that is the weight of a layer that is not recurrent."""


def site_of(it: Interpreter, value: Value) -> LstmSite | None:
    """The construction of a recurrent layer, if its sizes are numbers."""
    site = it.world.sites[value.site] if isinstance(value, Layer) and value.site is not None else None
    return site if site is not None and site.config is not None else None


def as_built(it: Interpreter, site: LstmSite, name: str, node: cst.CSTNode) -> Tensor | None:
    """The weight of that name as the layer makes it; None for what is no weight's name."""
    dims = weight_dims(site.config, name) if site.config is not None else None
    if dims is None:
        return None
    lineage = Lineage(frozenset((Source(site.number, name, site.place),)), None)
    return Tensor(Shape(dims), None, None, "weight", it.place(node), lineage=lineage)


def weight_of(it: Interpreter, layer: Layer, name: str, node: cst.CSTNode) -> Value | None:
    """``lstm.weight_hh_l0``: None for what is no weight's name."""
    site = site_of(it, layer)
    if site is None or site.config is None or parsed(name) is None:
        return None
    stored = it.read((("weight", site.number), name))
    weight = as_built(it, site, name, node)
    if stored is not None or weight is None:
        return stored
    note_use(it, it.call("weight", node, (weight,), {}), weight, targets=(name,))
    if it.path * existence(site.config, name) == ZERO:
        return it.unknown(node, f"this {site.layer} has no {name}")
    may_be_none = site.config.is_cell and name.startswith("bias")
    return choose(site.config.bias, weight, NONE) if may_be_none else weight


def weight_or(it: Interpreter, layer: Layer, name: str, default: Value, node: cst.CSTNode) -> Value | None:
    """``getattr(lstm, "weight_hh_l1", None)``."""
    exists = has_weight(it, layer, name)
    site = site_of(it, layer)
    if exists is None or site is None:
        return None
    weight = it.read((("weight", site.number), name)) or as_built(it, site, name, node)
    return None if weight is None else choose(exists.dim, weight, default)


def has_weight(it: Interpreter, value: Value, name: str) -> Bool | None:
    """``hasattr(lstm, "weight_hh_l1")``: None where that is not about a weight."""
    site = site_of(it, value)
    if site is None or site.config is None or parsed(name) is None:
        return None
    return Bool(ONE if it.read((("weight", site.number), name)) is not None else existence(site.config, name))


def all_weights(it: Interpreter, layer: Layer, node: cst.CSTNode) -> Value | None:
    """``lstm.all_weights``: a list for each layer and direction. None where their number is not known."""
    site = site_of(it, layer)
    known = names(site.config) if site is not None and site.config is not None else None
    if site is None or known is None:
        return None
    groups: dict[str, list[Value]] = {}
    for name in known:
        groups.setdefault(name.split("_", 2)[2], []).append(as_built(it, site, name, node) or it.unknown(node, "a weight"))
    return Tuple(tuple(Tuple(tuple(group), "list") for group in groups.values()), "list")


# -- giving it another tensor ------------------------------------------------------------------------------------------
def set_on_layer(it: Interpreter, layer: Layer, name: str, value: Value, node: cst.CSTNode) -> None:
    """``lstm.weight_hh_l0 = parameter``, ``linear.weight = embedding.weight``, ``lstm.batch_first = True``."""
    site = site_of(it, layer)
    if layer.site is None:
        if layer.place is not None and (name in layer.config or name in ("weight", "bias")):
            it.retied.add(layer.place)
        return
    if name in layer.config and name not in ("bias", "dropout") and layer.config[name] != value and layer.place is not None:
        it.retied.add(layer.place)
    if site is None or parsed(name) is None:
        return
    _note(it, "assign", site, name, value, node)
    it.write((("weight", site.number), name), value)


def set_data(it: Interpreter, weight: Value, value: Value, node: cst.CSTNode) -> None:
    """``lstm.weight_hh_l0.data = tensor``, ``linear.weight.data = tensor``."""
    match weight:
        case Unknown(key=(mark, layer_place, _)) if mark == REPLACED:
            it.retied.add(layer_place)  # type: ignore[arg-type]
        case Tensor(made_by="weight") as tensor if (name := weight_name(tensor)) is not None:
            note_use(it, it.call("assign", node, (tensor, value), {}), value, targets=(name,))


def weight_name(tensor: Tensor) -> str | None:
    """The name of the weight that a tensor is, or is a part of."""
    if tensor.lineage is None or len(tensor.lineage.sources) != 1:
        return None
    (source,) = tensor.lineage.sources
    return source.which if parsed(source.which) is not None else None


def set_item(it: Interpreter, owner: Value, target: cst.Subscript, value: Value) -> None:
    """``lstm.bias_hh_l0.data[n:2 * n] = tensor``."""
    if isinstance(owner, Tensor) and weight_name(owner) is not None:
        part = it.eval(target)
        if isinstance(part, Tensor):
            note_use(it, it.call("set item", target, (part, value), {}), value)


def _note(it: Interpreter, what: str, site: LstmSite, name: str, value: Value, node: cst.CSTNode) -> None:
    weight = as_built(it, site, name, node)
    if weight is not None and isinstance(value, Tensor) and value != weight:
        note_use(it, it.call(what, node, (weight, value), {}), value, targets=(name,))


# -- dicts -------------------------------------------------------------------------------------------------------------
def state_dict(it: Interpreter, layer: Layer, node: cst.CSTNode) -> Value | None:
    """``lstm.state_dict()``: None where it is not known what it holds."""
    site = site_of(it, layer)
    known = names(site.config) if site is not None and site.config is not None else None
    if site is None or known is None:
        return None
    ref = it.new_object("dict")
    items: dict[str | int, Value] = {name: as_built(it, site, name, node) or it.unknown(node, "a weight") for name in known}
    it.write((ref.number, "items"), Dict(items))
    return ref


def load_state_dict(it: Interpreter, owner: Value, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``lstm.load_state_dict({"weight_ih_l0": tensor})``, ``model.load_state_dict({"lstm.weight_ih_l0": tensor})``."""
    content = it_contents(it, arguments.positional[0]) if arguments.positional else None
    strict = arguments.positional[1] if len(arguments.positional) > 1 else arguments.keywords.get("strict")
    what = "load" if strict is None or (isinstance(strict, Bool) and strict != FALSE) else "load some"
    for key, value in content.items.items() if isinstance(content, Dict) else ():
        for site, name in _named(it, owner, str(key)):
            _note(it, what, site, name, value, node)
    return NONE


def _named(it: Interpreter, owner: Value, key: str) -> Iterator[tuple[LstmSite, str]]:
    """The recurrent layer and the weight's name that a key of a state dict speaks of."""
    *path, name = key.split(".")
    for attribute in path:
        owner = (it.read((owner.number, attribute)) if isinstance(owner, Ref) else None) or NONE
    site = site_of(it, owner)
    if site is not None and parsed(name) is not None:
        yield site, name
