"""One file of real code, interpreted, with everything that breaks.py has to know of it."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import libcst as cst

from lstm_lint import check
from lstm_lint.alternatives import likeliest
from lstm_lint.dims import Dim, multiplied
from lstm_lint.findings import Finding
from lstm_lint.interpret import TABLES
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.entries import run
from lstm_lint.interpret.world import World
from lstm_lint.judge import Judged, StatePart, judge
from lstm_lint.ops.recurrent import LayerConfig
from lstm_lint.project import Project
from lstm_lint.proofs.conditions import assumed, find_witness, flag_cases, implied
from lstm_lint.proofs.zeros import equal_if_divisible
from lstm_lint.rules import check_facts
from lstm_lint.rules.states import axis_names
from lstm_lint.source import Place, Source
from lstm_lint.syntax.tree import Tree, parse
from lstm_lint.values import Int, Layer, OneOf, Packed, Tensor, Unknown, Value, as_dim

MAX_FLAGS = 6


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
    """One state tensor of a call that was judged right, in one of the contexts that the call was seen in.

    `assumes_rank`: nothing but the state says how many dims the input has.
    """

    judged: Judged
    part: StatePart
    tensor: Tensor
    assumes_rank: bool

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
        if isinstance(given, Packed):
            return True
        return isinstance(given, Tensor) and given.shape.rank == len(self.axes) and not self.assumes_rank

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


def _forget() -> None:
    """What is remembered of symbols says nothing of the next analysis, which numbers its own anew."""
    for cached in (multiplied, implied, judge):
        cached.cache_clear()


@dataclass(eq=False)
class Workshop:
    """One file, interpreted. `trees` are the files whose syntax its calls may stand for, its own first."""

    trees: list[Tree]
    watcher: Watcher
    project: Project
    nodes: dict[int, cst.CSTNode] = field(default_factory=dict)
    parents: dict[int, cst.CSTNode] = field(default_factory=dict)
    _imports: dict[str, frozenset[str]] = field(default_factory=dict)

    @staticmethod
    def of(source: Source, project: Project | None = None) -> "Workshop":
        """The file with what it imports of its project. Raises Unparsable."""
        project = project or Project()
        project.add(source)
        _forget()
        tree = parse(source)
        watcher = Watcher(tree, TABLES, project, relevant=project.relevant(source))
        run(watcher)
        imported = [frame.tree for frame in watcher.world.modules.values() if frame.tree is not None]
        workshop = Workshop([tree, *imported], watcher, project)
        if workshop.watcher.calls:
            for each in workshop.trees:
                workshop._index(each.module)
        return workshop

    def findings(self, broken: Source | None = None) -> tuple[Finding, ...]:
        """What the linter says of the file, if one file (this one, or one that it imports) has another text.

        Imported modules are taken as they were loaded, but for those that the changed file has something to do with.
        The clock of `check` runs as for a user who checks the whole project.
        """
        source = self.trees[0].source
        broken = broken or source
        original = self.project.source(broken.path)
        assert isinstance(original, Source)
        _forget()
        self.project.add(broken)
        try:
            world = self._world_without(broken.path)
            deadline = time.thread_time() + check.SECONDS_PER_FILE
            tree = parse(broken if broken.path == source.path else source)
            relevant = self.project.relevant(source)
            watcher = Interpreter(tree, TABLES, self.project, relevant=relevant, world=world, deadline=deadline)
            return check_facts(run(watcher)).findings
        finally:
            self.project.add(original)

    def _world_without(self, path: str) -> World:
        """The modules that were loaded and do not import this file, and room for more that is nobody else's."""
        world, changed = self.watcher.world, os.path.abspath(path)
        kept = {key: frame for key, frame in world.modules.items() if changed not in self._imported_by(key)}
        return World(world.store.overlay(), kept, dict(world.sites), dict(world.classes), dict(world.mentioned), world.numbers)

    def _imported_by(self, path: str) -> frozenset[str]:
        """A file and all that its imports lead to."""
        known = self._imports.get(path)
        if known is None:
            seen, pending = set[str](), [path]
            while pending:
                file = pending.pop()
                if file not in seen:
                    seen.add(file)
                    pending += [os.path.abspath(other) for other in self.project.imports(file)]
            known = self._imports[path] = frozenset(seen)
        return known

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
                assumes_rank = not set(one.call.ranks) <= set(self.watcher.ranks)
                found = [Context(one, part, part.tensor, assumes_rank) for part in one.parts if part.tensor is not None]
                calls.setdefault(one.call.place, []).extend(found)
        return {place: found for place, found in calls.items() if place not in bad}

    @cached_property
    def creations(self) -> set[int]:
        """The calls that make states: what is used nowhere else can be broken where it is assigned."""
        return {c.tensor.place.identity for found in self.contexts.values() for c in found if c.tensor.place is not None}

    def replaced(self, old: cst.CSTNode, new: cst.CSTNode) -> tuple[Source, Source]:
        """The file that a node stands in, and the same with another node there."""
        whole = self.enclosing(old, cst.Module)
        tree = next(tree for tree in self.trees if tree.module is whole)
        module = tree.module.deep_replace(old, new)
        assert isinstance(module, cst.Module)
        return tree.source, replace(tree.source, text=module.code)

    def code(self, node: cst.CSTNode) -> str:
        return self.trees[0].module.code_for_node(node)

    def derived(self, node: cst.CSTNode, template: str) -> cst.BaseExpression:
        """``(expression) + 1`` and the like, in parentheses of its own."""
        return cst.parse_expression(template.format(f"({self.code(node)})"), self.trees[0].module.config_for_parsing)

    # -- syntax --------------------------------------------------------------------------------------------------------
    def enclosing(self, node: cst.CSTNode, kind: type[cst.CSTNode]) -> cst.CSTNode | None:
        parent = self.parents.get(id(node))
        while parent is not None and not isinstance(parent, kind):
            parent = self.parents.get(id(parent))
        return parent

    def inside(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        yield node
        for child in node.children:
            yield from self.inside(child)

    def assigned(self, node: cst.BaseExpression, only_here: bool = True) -> list[cst.BaseExpression]:
        """What a local name is assigned in its function, if (`only_here`) it is used nowhere but to make states."""
        function = self.enclosing(node, cst.FunctionDef)
        if not isinstance(node, cst.Name) or function is None:
            return []
        values, targets = [], set()
        for inner in self.inside(function):
            match inner:
                case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(name) as target)], value=value) if name == node.value:
                    values.append(value)
                    targets.add(id(target))
        uses = (n for n in self.inside(function) if isinstance(n, cst.Name) and n.value == node.value and id(n) not in targets)
        return values if not only_here or all(self.makes_a_state(use) for use in uses) else []

    def is_unpacked(self, name: cst.Name) -> bool:
        """Whether the name is one of several targets (``t, n, h = x.shape``)."""
        function = self.enclosing(name, cst.FunctionDef)
        inside = self.inside(function) if function is not None else ()
        return any(
            isinstance(node, cst.AssignTarget)
            and isinstance(node.target, cst.Tuple)
            and any(isinstance(n, cst.Name) and n.value == name.value for n in self.inside(node.target))
            for node in inside
        )

    def makes_a_state(self, node: cst.CSTNode) -> bool:
        parent = self.parents.get(id(node))
        while parent is not None and not isinstance(parent, cst.BaseStatement):
            if id(parent) in self.creations:
                return True
            parent = self.parents.get(id(parent))
        return False
