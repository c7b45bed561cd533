"""What mutate.py breaks: one thing at a time, where the dims algebra is certain that the broken size is another one.

A `Workshop` interprets one file and remembers the dim of every expression on the way. For each call that was judged right it
yields `Mutant`s: edits of the expression that made the state, of the call, and of the layer's construction. No size is guessed:
what an edited expression amounts to is worked out from the dims that the interpreter saw in it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product as cartesian

import libcst as cst

from lstm_lint.alternatives import likeliest
from lstm_lint.dims import ONE, Dim, multiplied, product
from lstm_lint.interpret import TABLES
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.entries import run
from lstm_lint.judge import Judged, StatePart, judge
from lstm_lint.ops.recurrent import LayerConfig
from lstm_lint.proofs import assumed, equal_if_divisible, find_witness, flag_cases, implied
from lstm_lint.rules.states import axis_names
from lstm_lint.source import Place, Source
from lstm_lint.syntax.relevance import relevant_names
from lstm_lint.syntax.tree import Tree, parse
from lstm_lint.values import Int, Layer, OneOf, Packed, Tensor, Unknown, Value, as_dim

MAX_FLAGS = 6
TWO = Dim.of(2)
POSITIONS = {"hidden_size": 1, "num_layers": 2, "bidirectional": 6}  # of the constructors' parameters
AXIS_OF = {"num_layers": "layers", "bidirectional": "layers", "hidden_size": "size"}


@dataclass(frozen=True)
class Mutant:
    """A file's text with one thing broken. `call` is where the layer is called, which may be in another file."""

    kind: str
    path: str
    text: str
    call: Place


@dataclass(eq=False)
class Watcher(Interpreter):
    """An interpreter that remembers which dims every expression had, and which expressions were layers."""

    dims: dict[int, set[Dim]] = field(default_factory=dict)
    layers: set[int] = field(default_factory=set)

    def eval(self, node: cst.BaseExpression) -> Value:
        value = super().eval(node)
        match value:
            case OneOf(alternatives) if any(isinstance(item, Layer) for _, item in alternatives):
                self.layers.add(id(node))
            case Int() | Unknown() | OneOf() if (dim := as_dim(value)) is not None:
                self.dims.setdefault(id(node), set()).add(dim)
            case Layer(site=int()):
                self.layers.add(id(node))
        return value


@dataclass(frozen=True)
class Context:
    """One state tensor of a call that was judged right, in one of the contexts that the call was seen in."""

    judged: Judged
    part: StatePart
    tensor: Tensor

    @property
    def axes(self) -> tuple[str, ...]:
        assert self.judged.call.site.config is not None
        return axis_names(self.judged, self.judged.call.site.config)

    @property
    def sizes(self) -> tuple[Dim, ...]:
        """The tensor's dims as the code that made it gave them."""
        spelt = self.tensor.shape.with_rank(len(self.axes))
        return (spelt.dims if spelt is not None else None) or ()

    @property
    def has_known_batch(self) -> bool:
        """Whether the input alone, not the state, says that there is a batch."""
        given = self.judged.call.input
        return isinstance(given, Packed) or (isinstance(given, Tensor) and given.shape.rank == len(self.axes))

    def is_broken_by(self, axis: int, size: Dim) -> bool:
        """Whether an axis of this size is not what the layer needs, for some sizes that the path allows."""
        config = self.judged.call.site.config
        assert config is not None and self.part.expected is not None
        size = self.judged.call.in_one_spelling(size).substitute(self.judged.input.promised(config))
        return self._can_differ(size - self.part.expected[axis])

    def is_broken_for(self, other: LayerConfig) -> bool:
        """Whether a layer with these arguments needs another state."""
        assert self.part.expected is not None
        needed = other.state_dims(self.part.which, self.judged.input.batch if self.judged.input.batched else None)
        return any(self._can_differ(new - old) for new, old in zip(needed, self.part.expected, strict=True))

    def _can_differ(self, difference: Dim) -> bool:
        given = self.judged.call.given
        difference = assumed(difference, given, self.judged.trust.positive)
        if len(difference.flags) > MAX_FLAGS:
            return False
        for flags in flag_cases(difference.flags, given):
            here = difference.substitute({flag: Dim.of(value) for flag, value in flags.items()})
            if not equal_if_divisible(here) and find_witness(here, flags) is not None:
                return True
        return False


@dataclass(eq=False)
class Workshop:
    """One file, interpreted. `trees` are the files whose syntax its calls may stand for, its own first."""

    trees: list[Tree]
    watcher: Watcher
    nodes: dict[int, cst.CSTNode] = field(default_factory=dict)
    parents: dict[int, cst.CSTNode] = field(default_factory=dict)

    @staticmethod
    def of(source: Source) -> "Workshop":
        """Raises Unparsable."""
        for cached in (multiplied, implied, judge):
            cached.cache_clear()
        tree = parse(source)
        workshop = Workshop([tree], Watcher(tree, TABLES, relevant=relevant_names(source.text)))
        run(workshop.watcher)
        if workshop.watcher.calls:
            for each in workshop.trees:
                workshop._index(each.module)
        return workshop

    def _index(self, node: cst.CSTNode) -> None:
        self.nodes[id(node)] = node
        for child in node.children:
            self.parents[id(child)] = node
            self._index(child)

    # -- what there is -------------------------------------------------------------------------------------------------
    @cached_property
    def contexts(self) -> dict[Place, list[Context]]:
        """The calls whose given state was judged right, in every context that counts."""
        judged = [judge(call) for call in self.watcher.facts().calls if call.state is not None and not call.guarded]
        wrong = [0 if all(p.status in ("match", "unknown") for p in j.parts) and not j.structure else 2 for j in judged]
        calls: dict[Place, list[Context]] = {}
        bad: set[Place] = set()
        for one, counts, is_wrong in zip(judged, likeliest(judged, wrong), wrong, strict=True):
            if counts and is_wrong:
                bad.add(one.call.place)
            elif counts and one.parts and all(part.status == "match" for part in one.parts):
                found = [Context(one, part, part.tensor) for part in one.parts if part.tensor is not None]
                calls.setdefault(one.call.place, []).extend(found)
        return {place: found for place, found in calls.items() if place not in bad}

    @cached_property
    def creations(self) -> set[int]:
        """The calls that make states: what is used nowhere else can be broken where it is assigned."""
        return {c.tensor.place.identity for found in self.contexts.values() for c in found if c.tensor.place is not None}

    @property
    def mutants(self) -> Iterator[Mutant]:
        """Every certain break, each once."""
        seen: set[tuple[int, str]] = set()
        for place, contexts in self.contexts.items():
            for kind, old, new in self._edits(contexts):
                edit = (id(old), self._code(new))
                if edit not in seen:
                    seen.add(edit)
                    yield Mutant(kind, *self._replaced(old, new), place)

    def _edits(self, contexts: Sequence[Context]) -> Iterator["Edit"]:
        for context in contexts:
            yield from self._at_the_creation(context)
        for context in contexts:
            yield from self._at_the_call(context)
        for context in contexts:
            yield from self._at_the_construction(context)

    def _replaced(self, old: cst.CSTNode, new: cst.CSTNode) -> tuple[str, str]:
        """The path of the file that a node stands in, and its text with another node there."""
        whole = self._enclosing(old, cst.Module)
        tree = next(tree for tree in self.trees if tree.module is whole)
        module = tree.module.deep_replace(old, new)
        assert isinstance(module, cst.Module)
        return tree.source.path, module.code

    def _code(self, node: cst.CSTNode) -> str:
        return self.trees[0].module.code_for_node(node)

    def _derived(self, node: cst.CSTNode, template: str) -> cst.BaseExpression:
        """``(expression) + 1`` and the like, in parentheses of its own."""
        return cst.parse_expression(template.format(f"({self._code(node)})"), self.trees[0].module.config_for_parsing)

    # -- where the state is made ---------------------------------------------------------------------------------------
    def _at_the_creation(self, context: Context) -> Iterator["Edit"]:
        made = self.nodes.get(context.tensor.place.identity) if context.tensor.place is not None else None
        if not isinstance(made, cst.Call) or context.tensor.made_by is None:
            return
        for holder, sizes in self._size_lists(made, len(context.axes)):
            seen = [self.watcher.dims.get(id(size), set()) for size in sizes]
            if any(dim not in known for dim, known in zip(context.sizes, seen, strict=True)):
                continue
            for axis, size in enumerate(sizes):
                yield from self._broken_axis(context, axis, size)
            yield from _rearranged(context, holder)

    def _size_lists(self, made: cst.Call, rank: int) -> Iterator[tuple[cst.CSTNode, list[cst.BaseExpression]]]:
        """The expressions of the sizes: ``zeros(a, b)``, ``zeros((a, b))``, ``x.new(a, b).zero_()``, ``zeros(*sizes)``."""
        plain = [argument for argument in made.args if argument.keyword is None or argument.keyword.value == "size"]
        if not plain and isinstance(made.func, cst.Attribute) and isinstance(made.func.value, cst.Call):
            yield from self._size_lists(made.func.value, rank)
        elif len(plain) == rank and not any(argument.star for argument in plain):
            yield made, [argument.value for argument in plain]
        elif plain:
            for value in (plain[0].value, *self._assigned(plain[0].value)):
                if isinstance(value, cst.Tuple | cst.List) and len(value.elements) == rank:
                    yield value, [element.value for element in value.elements]

    def _broken_axis(self, context: Context, axis: int, size: cst.BaseExpression) -> Iterator["Edit"]:
        """One size made wrong: a factor left out, one too many, another quantity."""
        dim, config = context.sizes[axis], context.judged.call.site.config
        assert config is not None
        name = context.axes[axis]
        for whole in (size, *self._assigned(size)):
            for kept, dropped, node, left in self._factors(whole, dim):
                if context.is_broken_by(axis, left):
                    yield _factor_kind(dropped, context, name), node, kept
        if name == "layers" and dim in (config.num_layers, config.num_directions) and context.is_broken_by(axis, ONE):
            yield _factor_kind(dim, context, name), size, cst.Integer("1")
        derived = [(f"{name}: one too many", "{} + 1", dim + 1)]
        if name != "batch":
            derived += [(f"{name}: doubled", "{} * 2", dim * 2), (f"{name}: halved", "{} // 2", dim // 2)]
        for kind, template, broken in derived:
            if context.is_broken_by(axis, broken):
                yield kind, size, self._derived(size, template)
        if name == "batch":
            yield from self._other_axis(context, axis, size)
        if name == "size":
            yield from self._input_size(context, axis, size)

    def _factors(self, node: cst.BaseExpression, dim: Dim) -> Iterator[tuple[cst.BaseExpression, Dim, cst.CSTNode, Dim]]:
        """For each factor of a product: the operand that stays, what is dropped, the node to replace, the size then left."""
        leaves = list(_operands(node))
        seen = [self.watcher.dims.get(id(leaf), set()) for leaf, _, _ in leaves]
        found = next((dims for dims in cartesian(*map(_stable, seen)) if product(dims) == dim), ())
        for index, (dropped, (_, parent, sibling)) in enumerate(zip(found, leaves, strict=False)):
            if parent is not None and sibling is not None:
                yield sibling, dropped, parent, product([*found[:index], *found[index + 1 :]])

    def _other_axis(self, context: Context, axis: int, size: cst.BaseExpression) -> Iterator["Edit"]:
        """``x.size(1)`` for ``x.size(0)``, ``x.shape[0]`` for ``x.shape[1]``, where that is the input's length."""
        for whole in (size, *self._assigned(size)):
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

    def _input_size(self, context: Context, axis: int, size: cst.BaseExpression) -> Iterator["Edit"]:
        """``self.input_size`` for ``self.hidden_size``: an attribute that is the layer's input_size in the same class."""
        config, owner = context.judged.call.site.config, self._enclosing(size, cst.ClassDef)
        assert config is not None
        if owner is None or not context.is_broken_by(axis, config.input_size):
            return
        for node in self._inside(owner):
            match node:
                case cst.Attribute(value=cst.Name("self")) if self.watcher.dims.get(id(node)) == {config.input_size}:
                    yield "size: the input's instead", size, node
                    return

    # -- where the layer is called -------------------------------------------------------------------------------------
    def _at_the_call(self, context: Context) -> Iterator["Edit"]:
        """The state's structure and layout, whoever made it."""
        call, view, config = context.judged.call, context.judged.input, context.judged.call.site.config
        state = self.nodes.get(call.state_place.identity) if call.state_place is not None else None
        if not isinstance(state, cst.BaseExpression) or config is None or not view.batched:
            return
        tensor: cst.BaseExpression | None = state
        if not config.has_pair:
            yield "structure: a pair for one tensor", state, self._derived(state, "({0}, {0})")
        else:
            pair = [e.value for e in state.elements] if isinstance(state, cst.Tuple | cst.List) else []
            tensor = pair[("h_0", "c_0").index(context.part.which)] if len(pair) == 2 else None
            if not view.packed:  # torch indexes the state of some packed calls: one tensor may do
                yield "structure: h_0 alone", state, pair[0] if pair else self._derived(state, "{}[0]")
        if tensor is not None:
            yield from self._of_another_rank(context, tensor)

    def _of_another_rank(self, context: Context, tensor: cst.BaseExpression) -> Iterator["Edit"]:
        first, second, *_ = context.sizes
        if context.is_broken_by(0, second) and context.is_broken_by(1, first):
            yield "layout: transposed", tensor, self._derived(tensor, "{}.transpose(0, 1)")
        if context.has_known_batch:
            yield "rank: without its first dim", tensor, self._derived(tensor, "{}[0]")
        yield "rank: one dim too many", tensor, self._derived(tensor, "{}.unsqueeze(0)")

    # -- where the layer is built --------------------------------------------------------------------------------------
    def _at_the_construction(self, context: Context) -> Iterator["Edit"]:
        """Another layer for the same state: only where the state's size is not read off the layer itself."""
        site, config = context.judged.call.site, context.judged.call.site.config
        built = self.nodes.get(site.place.identity)
        if not isinstance(built, cst.Call) or config is None:
            return
        for name, kind, other in (
            ("num_layers", "construction: one layer more", replace(config, num_layers=config.num_layers + 1)),
            ("bidirectional", "construction: bidirectional flipped", replace(config, bidirectional=ONE - config.bidirectional)),
            ("hidden_size", "construction: hidden_size + 1", replace(config, hidden_size=config.hidden_size + 1)),
        ):
            new = self._with_argument(built, name) if AXIS_OF[name] in context.axes else None
            if new is not None and context.is_broken_for(other) and self._is_independent(context, name):
                yield kind, built, new

    def _with_argument(self, built: cst.Call, name: str) -> cst.Call | None:
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
        new = self._derived(old, "not {}" if name == "bidirectional" else "{} + 1")
        changed = built.args[index].with_changes(value=new)
        return built.with_changes(args=[*built.args[:index], changed, *built.args[index + 1 :]])

    def _is_independent(self, context: Context, name: str) -> bool:
        """Whether the state keeps its size when this argument of the construction changes."""
        reads = (
            node.attr.value == name
            for node in self.nodes.values()
            if isinstance(node, cst.Attribute) and id(node.value) in self.watcher.layers
        )
        if any(reads):
            return False
        tensor, site = context.tensor, context.judged.call.site
        if tensor.final_of is not None:
            sources = [call.site for call in self.watcher.calls if call.number == tensor.final_of[0]]
            return bool(sources) and all(source.place != site.place for source in sources)
        made = self.nodes.get(tensor.place.identity) if tensor.place is not None else None
        if not isinstance(made, cst.Call) or tensor.made_by is None:
            return False
        axis = context.axes.index(AXIS_OF[name])
        lists = [sizes for _, sizes in self._size_lists(made, len(context.axes))]
        return bool(lists) and all(self._is_plain(sizes[axis]) for sizes in lists)

    def _is_plain(self, size: cst.BaseExpression) -> bool:
        """Whether an expression is made of names, attributes, keys and numbers, not read off a tensor."""
        if isinstance(size, cst.Name) and self._is_unpacked(size):
            return False
        nodes = [node for whole in (size, *self._assigned(size, only_here=False)) for node in self._inside(whole)]
        shapes = any(isinstance(node, cst.Attribute) and node.attr.value == "shape" for node in nodes)
        return not shapes and not any(isinstance(node, cst.Call) for node in nodes)

    # -- syntax --------------------------------------------------------------------------------------------------------
    def _enclosing(self, node: cst.CSTNode, kind: type[cst.CSTNode]) -> cst.CSTNode | None:
        parent = self.parents.get(id(node))
        while parent is not None and not isinstance(parent, kind):
            parent = self.parents.get(id(parent))
        return parent

    def _inside(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        yield node
        for child in node.children:
            yield from self._inside(child)

    def _assigned(self, node: cst.BaseExpression, only_here: bool = True) -> list[cst.BaseExpression]:
        """What a local name is assigned in its function, if (`only_here`) it is used nowhere but to make states."""
        function = self._enclosing(node, cst.FunctionDef)
        if not isinstance(node, cst.Name) or function is None:
            return []
        values, targets = [], set()
        for inner in self._inside(function):
            match inner:
                case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(name) as target)], value=value) if name == node.value:
                    values.append(value)
                    targets.add(id(target))
        uses = (n for n in self._inside(function) if isinstance(n, cst.Name) and n.value == node.value and id(n) not in targets)
        return values if not only_here or all(self._makes_a_state(use) for use in uses) else []

    def _is_unpacked(self, name: cst.Name) -> bool:
        """Whether the name is one of several targets (``t, n, h = x.shape``)."""
        function = self._enclosing(name, cst.FunctionDef)
        inside = self._inside(function) if function is not None else ()
        return any(
            isinstance(node, cst.AssignTarget)
            and isinstance(node.target, cst.Tuple)
            and any(isinstance(n, cst.Name) and n.value == name.value for n in self._inside(node.target))
            for node in inside
        )

    def _makes_a_state(self, node: cst.CSTNode) -> bool:
        parent = self.parents.get(id(node))
        while parent is not None and not isinstance(parent, cst.BaseStatement):
            if id(parent) in self.creations:
                return True
            parent = self.parents.get(id(parent))
        return False


Edit = tuple[str, cst.CSTNode, cst.CSTNode]
"""A kind of break, the node that is broken, and what stands there instead."""


def _rearranged(context: Context, holder: cst.CSTNode) -> Iterator[Edit]:
    """The sizes in another order, or one of them left out."""
    field_name = "args" if isinstance(holder, cst.Call) else "elements"
    items = list(getattr(holder, field_name))
    first, second, *_ = context.sizes
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
