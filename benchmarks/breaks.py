"""What mutate.py breaks: one thing at a time, where the dims algebra is certain that the broken size is another one.

For each call that was judged right there are edits of the expression that made the state, of the call, and of the layer's
construction. No size is guessed: what an edited expression amounts to is worked out from the dims that were seen in it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product as cartesian

import libcst as cst
from workshop import Context, Workshop

from lstm_lint.dims import ONE, Dim, product
from lstm_lint.source import Place, Source

TWO = Dim.of(2)
POSITIONS = {"hidden_size": 1, "num_layers": 2, "bidirectional": 6}  # of the constructors' parameters
AXIS_OF = {"num_layers": "layers", "bidirectional": "layers", "hidden_size": "size"}
Edit = tuple[str, cst.CSTNode, cst.CSTNode]
"""A kind of break, the node that is broken, and what stands there instead."""


@dataclass(frozen=True)
class Mutant:
    """One thing broken in a file: its text before and after. `call` is where the layer is called, maybe in another file."""

    kind: str
    before: Source
    after: Source
    call: Place


def mutants(shop: Workshop) -> Iterator[Mutant]:
    """Every certain break of a file's calls, each once."""
    seen: set[tuple[int, str]] = set()
    for place, contexts in shop.contexts.items():
        for kind, old, new in _edits(shop, contexts):
            edit = (id(old), shop.code(new))
            if edit not in seen:
                seen.add(edit)
                yield Mutant(kind, *shop.replaced(old, new), place)


def _edits(shop: Workshop, contexts: Sequence[Context]) -> Iterator[Edit]:
    for context in contexts:
        yield from _at_the_creation(shop, context)
    for context in contexts:
        yield from _at_the_call(shop, context)
    for context in contexts:
        yield from _at_the_construction(shop, context)


# -- where the state is made ---------------------------------------------------------------------------------------
def _at_the_creation(shop: Workshop, context: Context) -> Iterator[Edit]:
    made = shop.nodes.get(context.tensor.place.identity) if context.tensor.place is not None else None
    if not isinstance(made, cst.Call) or context.tensor.made_by is None:
        return
    for holder, sizes in _size_lists(shop, made, len(context.axes)):
        seen = [shop.watcher.dims.get(id(size), set()) for size in sizes]
        if any(dim not in known for dim, known in zip(context.sizes, seen, strict=True)):
            continue
        for axis, size in enumerate(sizes):
            yield from _broken_axis(shop, context, axis, size)
        yield from _rearranged(context, holder, sizes[0])


def _size_lists(shop: Workshop, made: cst.Call, rank: int) -> Iterator[tuple[cst.CSTNode, list[cst.BaseExpression]]]:
    """The expressions of the sizes: ``zeros(a, b)``, ``zeros((a, b))``, ``x.new(a, b).zero_()``, ``zeros(*sizes)``."""
    plain = [argument for argument in made.args if argument.keyword is None or argument.keyword.value == "size"]
    if not plain and isinstance(made.func, cst.Attribute) and isinstance(made.func.value, cst.Call):
        yield from _size_lists(shop, made.func.value, rank)
    elif len(plain) == rank and not any(argument.star for argument in plain):
        yield made, [argument.value for argument in plain]
    elif plain:
        for value in (plain[0].value, *shop.assigned(plain[0].value)):
            if isinstance(value, cst.Tuple | cst.List) and len(value.elements) == rank:
                yield value, [element.value for element in value.elements]


def _broken_axis(shop: Workshop, context: Context, axis: int, size: cst.BaseExpression) -> Iterator[Edit]:
    """One size made wrong: a factor left out, one too many, another quantity."""
    dim, config = context.sizes[axis], context.judged.call.site.config
    assert config is not None
    name = context.axes[axis]
    for whole in (size, *shop.assigned(size)):
        for kept, dropped, node, left in _factors(shop, whole, dim):
            if context.is_broken_by(axis, left):
                yield _factor_kind(dropped, context, name), node, kept
    if name == "layers" and dim in (config.num_layers, config.num_directions) and context.is_broken_by(axis, ONE):
        yield _factor_kind(dim, context, name), size, cst.Integer("1")
    derived = [(f"{name}: one too many", "{} + 1", dim + 1)]
    if name != "batch":
        derived += [(f"{name}: doubled", "{} * 2", dim * 2), (f"{name}: halved", "{} // 2", dim // 2)]
    for kind, template, broken in derived:
        if context.is_broken_by(axis, broken):
            yield kind, size, shop.derived(size, template)
    if name == "batch":
        yield from _other_axis(shop, context, axis, size)
    if name == "size":
        yield from _input_size(shop, context, axis, size)


def _factors(shop: Workshop, node: cst.BaseExpression, dim: Dim) -> Iterator[tuple[cst.BaseExpression, Dim, cst.CSTNode, Dim]]:
    """For each factor of a product: the operand that stays, what is dropped, the node to replace, the size then left."""
    leaves = list(_operands(node))
    seen = [shop.watcher.dims.get(id(leaf), set()) for leaf, _, _ in leaves]
    found = next((dims for dims in cartesian(*map(_stable, seen)) if product(dims) == dim), ())
    for index, (dropped, (_, parent, sibling)) in enumerate(zip(found, leaves, strict=False)):
        if parent is not None and sibling is not None:
            yield sibling, dropped, parent, product([*found[:index], *found[index + 1 :]])


def _other_axis(shop: Workshop, context: Context, axis: int, size: cst.BaseExpression) -> Iterator[Edit]:
    """``x.size(1)`` for ``x.size(0)``, ``x.shape[0]`` for ``x.shape[1]``, where that is the input's length."""
    for whole in (size, *shop.assigned(size)):
        match whole:
            case cst.Call(func=cst.Attribute(attr=cst.Name("size")), args=[cst.Arg(value=cst.Integer() as index)]):
                pass
            case cst.Subscript(
                value=cst.Attribute(attr=cst.Name("shape")), slice=[cst.SubscriptElement(cst.Index(cst.Integer() as index))]
            ):
                pass
            case _:
                continue
        view = context.judged.input
        if index.value in ("0", "1") and view.time is not None and context.is_broken_by(axis, view.time):
            if view.batch == context.sizes[axis]:
                yield "batch: the length instead", index, cst.Integer(str(1 - int(index.value)))


def _input_size(shop: Workshop, context: Context, axis: int, size: cst.BaseExpression) -> Iterator[Edit]:
    """``self.input_size`` for ``self.hidden_size``: an attribute that is the layer's input_size in the same class."""
    config, owner = context.judged.call.site.config, shop.enclosing(size, cst.ClassDef)
    assert config is not None
    if owner is None or not context.is_broken_by(axis, config.input_size):
        return
    for node in shop.inside(owner):
        match node:
            case cst.Attribute(value=cst.Name("self")) if shop.watcher.dims.get(id(node)) == {config.input_size}:
                yield "size: the input's instead", size, node
                return


# -- where the layer is called -------------------------------------------------------------------------------------
def _at_the_call(shop: Workshop, context: Context) -> Iterator[Edit]:
    """The state's structure and layout, whoever made it."""
    call, view, config = context.judged.call, context.judged.input, context.judged.call.site.config
    state = shop.nodes.get(call.state_place.identity) if call.state_place is not None else None
    if not isinstance(state, cst.BaseExpression) or config is None or not view.batched:
        return
    tensor: cst.BaseExpression | None = state
    if not config.has_pair:
        yield "structure: a pair for one tensor", state, shop.derived(state, "({0}, {0})")
    else:
        pair = [e.value for e in state.elements] if isinstance(state, cst.Tuple | cst.List) else []
        tensor = pair[("h_0", "c_0").index(context.part.which)] if len(pair) == 2 else None
        # torch indexes the state of some packed calls, and of an input without batch: one tensor may do
        if context.has_known_batch and not view.packed:
            yield "structure: h_0 alone", state, pair[0] if pair else shop.derived(state, "{}[0]")
    if tensor is not None:
        yield from _of_another_rank(shop, context, tensor)


def _of_another_rank(shop: Workshop, context: Context, tensor: cst.BaseExpression) -> Iterator[Edit]:
    first, second, *_ = context.sizes
    if context.is_broken_by(0, second) and context.is_broken_by(1, first):
        yield "layout: transposed", tensor, shop.derived(tensor, "{}.transpose(0, 1)")
    if context.has_known_batch:
        yield "rank: without its first dim", tensor, shop.derived(tensor, "{}[0]")
    yield "rank: one dim too many", tensor, shop.derived(tensor, "{}.unsqueeze(0)")


# -- where the layer is built --------------------------------------------------------------------------------------
def _at_the_construction(shop: Workshop, context: Context) -> Iterator[Edit]:
    """Another layer for the same state: only where the state's size is not read off the layer itself."""
    site, config = context.judged.call.site, context.judged.call.site.config
    built = shop.nodes.get(site.place.identity)
    if not isinstance(built, cst.Call) or config is None:
        return
    for name, kind, other in (
        ("num_layers", "construction: one layer more", replace(config, num_layers=config.num_layers + 1)),
        ("bidirectional", "construction: bidirectional flipped", replace(config, bidirectional=ONE - config.bidirectional)),
        ("hidden_size", "construction: hidden_size + 1", replace(config, hidden_size=config.hidden_size + 1)),
    ):
        new = _with_argument(shop, built, name) if AXIS_OF[name] in context.axes else None
        if new is not None and context.is_broken_for(other) and _is_independent(shop, context, name):
            yield kind, built, new


def _with_argument(shop: Workshop, built: cst.Call, name: str) -> cst.Call | None:
    """The construction with another value for one parameter; None where it cannot be told what it has."""
    keywords = {argument.keyword.value: i for i, argument in enumerate(built.args) if argument.keyword is not None}
    positional = [i for i, argument in enumerate(built.args) if argument.keyword is None and not argument.star]
    if name not in keywords and any(argument.star for argument in built.args):
        return None
    index = keywords.get(name, POSITIONS[name] if POSITIONS[name] < len(positional) else -1)
    if index < 0:
        added = cst.Arg(cst.Integer("2") if name == "num_layers" else cst.Name("True"), keyword=cst.Name(name))
        return None if name == "hidden_size" else built.with_changes(args=[*built.args, added])
    old = built.args[index].value
    new = shop.derived(old, "not {}" if name == "bidirectional" else "{} + 1")
    changed = built.args[index].with_changes(value=new)
    return built.with_changes(args=[*built.args[:index], changed, *built.args[index + 1 :]])


def _is_independent(shop: Workshop, context: Context, name: str) -> bool:
    """Whether the state keeps its size when this argument of the construction changes."""
    reads = (
        node.attr.value == name
        for node in shop.nodes.values()
        if isinstance(node, cst.Attribute) and id(node.value) in shop.watcher.layers
    )
    if any(reads):
        return False
    tensor, site = context.tensor, context.judged.call.site
    if tensor.lineage is not None:
        layers = {source.site for source in tensor.lineage.sources}
        sources = [call.site for call in shop.watcher.calls if call.site.number in layers]
        return bool(sources) and all(source.place != site.place for source in sources)
    made = shop.nodes.get(tensor.place.identity) if tensor.place is not None else None
    if not isinstance(made, cst.Call) or tensor.made_by is None:
        return False
    axis = context.axes.index(AXIS_OF[name])
    lists = [sizes for _, sizes in _size_lists(shop, made, len(context.axes))]
    return bool(lists) and all(_is_plain(shop, sizes[axis]) for sizes in lists)


def _is_plain(shop: Workshop, size: cst.BaseExpression) -> bool:
    """Whether an expression is made of names, attributes, keys and numbers, not read off a tensor."""
    if isinstance(size, cst.Name) and shop.is_unpacked(size):
        return False
    nodes = [node for whole in (size, *shop.assigned(size, only_here=False)) for node in shop.inside(whole)]
    shapes = any(isinstance(node, cst.Attribute) and node.attr.value == "shape" for node in nodes)
    return not shapes and not any(isinstance(node, cst.Call) for node in nodes)


def _rearranged(context: Context, holder: cst.CSTNode, size: cst.BaseExpression) -> Iterator[Edit]:
    """The sizes in another order, or one of them left out."""
    field_name = "args" if isinstance(holder, cst.Call) else "elements"
    items = list(getattr(holder, field_name))
    first, second, *_ = context.sizes
    if items[0].value is not size:  # a keyword stands before the sizes
        return
    if context.is_broken_by(0, second) and context.is_broken_by(1, first):
        swapped = [items[0].with_changes(value=items[1].value), items[1].with_changes(value=items[0].value)]
        kind = f"layout: {context.axes[0]} and {context.axes[1]} swapped"
        yield kind, holder, holder.with_changes(**{field_name: [*swapped, *items[2:]]})
    if context.has_known_batch and len(context.axes) == 3:
        yield "rank: without its batch", holder, holder.with_changes(**{field_name: [items[0], *items[2:]]})


def _operands(
    node: cst.BaseExpression, parent: cst.BaseExpression | None = None, sibling: cst.BaseExpression | None = None
) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression | None, cst.BaseExpression | None]]:
    """The factors of a product, each with the multiplication it stands in and that one's other operand."""
    match node:
        case cst.BinaryOperation(left=left, operator=cst.Multiply(), right=right):
            yield from _operands(left, node, right)
            yield from _operands(right, node, left)
        case _:
            yield node, parent, sibling


def _stable(dims: Iterable[Dim]) -> list[Dim]:
    """The dims in an order that does not change from run to run."""
    return sorted(dims, key=lambda dim: dim.text)


def _factor_kind(dropped: Dim, context: Context, axis: str) -> str:
    config = context.judged.call.site.config
    assert config is not None
    if axis == "layers" and dropped in (config.num_directions, TWO):
        return "layers: direction factor dropped"
    if axis == "layers" and dropped == config.num_layers:
        return "layers: num_layers dropped"
    return f"{axis}: a factor dropped"
