"""The interpreter's core: where it stands, what it remembers, how it branches, and the budget that ends it.

What each kind of syntax means lives in the tables that `interpret/__init__.py` puts together (node type -> small function).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf
from time import thread_time
from typing import Any

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Effort, Kind, Symbol
from lstm_lint.discover import mentions_recurrent_layer
from lstm_lint.facts import Facts
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.choose import choose, conjoin, fresh_flag, is_dropped, is_riddle, truth, under
from lstm_lint.interpret.limits import (
    EFFORT_AT_LEAST,
    EFFORT_FOR_CALLS,
    EFFORT_PER_CALLER,
    EFFORT_PER_CHARACTER,
    EFFORT_PER_STEP,
    MAX_NESTING,
)
from lstm_lint.interpret.recording import Recording
from lstm_lint.interpret.riddles import calls_something, names_asked_for, symbols_of
from lstm_lint.interpret.store import Frame, Location, Round, Store
from lstm_lint.project import Project
from lstm_lint.proofs.conditions import assumed
from lstm_lint.shapes import Rest, Shape
from lstm_lint.source import Place
from lstm_lint.syntax.relevance import LAYERS
from lstm_lint.syntax.tree import Tree, names_in
from lstm_lint.values import NONE, Bool, Call, Class, Function, OneOf, Ref, Tensor, Unknown, Value, as_tensor

REFUSED = "torch refuses"

Handler = Callable[["Interpreter", Any], Value]
StatementHandler = Callable[["Interpreter", Any], None]


class OutOfBudget(Exception):
    """The analysis of one entry took too many steps, or that of the file too long."""


@dataclass(eq=False)
class Tables:
    """What node types mean: expressions give a value, statements change the state. `call` calls any value."""

    expressions: Mapping[type[cst.CSTNode], Handler]
    statements: Mapping[type[cst.CSTNode], StatementHandler]
    call: Callable[[Interpreter, Value, Arguments, cst.CSTNode], Value]


@dataclass(eq=False)
class Interpreter(Recording):
    """One file's analysis. `path` is the condition under which the current point is reached, ZERO behind a return.

    `project` finds and reads the files that it imports; `modules` are those that were loaded, by absolute path.
    `relevant` are the names at module level that can have to do with a layer (None: all). `rounds` are the counters of the
    loops that run, `round` is that of the innermost. `ranks` are the tensors from outside by key, with their rank where the
    code says it. `required` is what has to hold or something was raised before. `reached_from`: in the code of another file,
    the call in this one that led there.
    `followed`: the functions without parameters that the module itself calls, which need not be entered on their own.
    `excused`: so many ``try`` around this point go on where an attribute is missing. `retied` are the constructions of layers
    that got another weight than they were built with, or another layout; `is_layout_open`: some layer
    got one, nobody knows which. `without_graph`: within so many ``no_grad``.
    `vague`: the path left out a condition that values may depend on, so that nothing reached here proves an error.
    `pending`: definitions that name a layer and are to be entered, before those in `pending_last`.
    `doubted`: conditions that are not understood, though they ask for what a layer was built from.
    `deadline`: the processor time of this thread, in seconds, from which on nothing is followed any more.
    """

    tree: Tree
    tables: Tables
    project: Project | None = None
    strict: bool = False
    relevant: frozenset[str] | None = None
    deadline: float = inf
    store: Store = field(init=False)
    path: Dim = ONE
    required: Dim = ONE
    frame: Frame = field(init=False)
    pending: list[tuple[Value, Frame]] = field(default_factory=list)
    pending_last: list[tuple[Value, Frame]] = field(default_factory=list)
    entered: set[int] = field(default_factory=set)
    followed: set[int] = field(default_factory=set)
    active: list[int] = field(default_factory=list)
    guarded: int = 0
    excused: int = 0
    without_graph: int = 0
    broken: bool = False
    vague: bool = False
    unrolled: int = 1
    rounds: frozenset[Symbol] = frozenset()
    round: Round | None = None
    ranks: Mapping[Hashable, int | None] = field(default_factory=dict)
    directions: frozenset[Symbol] = frozenset()
    target: str | None = None
    evaluation: int = 0
    limit: int = 0
    kept: int = 0
    effort: int = 0
    uncharged: int = 0
    is_spent: bool = False
    nesting: int = 0
    given_up: set[cst.CSTNode] = field(default_factory=set)
    resolving: set[Hashable] = field(default_factory=set)
    asked_for: dict[str, int] = field(default_factory=dict)
    is_aside: bool = False
    reached_from: Place | None = None
    retied: set[Place | None] = field(default_factory=set)
    is_layout_open: bool = False
    doubted: set[Symbol] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.store = self.world.store.overlay()
        self.module = self.frame = Frame(self.number(), tree=self.tree)
        text = self.tree.source.text
        most = EFFORT_FOR_CALLS if mentions_recurrent_layer(text.encode(errors="replace")) else EFFORT_PER_CALLER
        self.effort_for_calls = min(most, max(EFFORT_AT_LEAST, EFFORT_PER_CHARACTER * len(text)))

    # -- evaluation --------------------------------------------------------------------------------------------------
    def eval(self, node: cst.BaseExpression) -> Value:
        """The value of an expression in the current state."""
        self.spend()
        handler = self.tables.expressions.get(type(node))
        if handler is None:
            if self.strict:
                raise NotImplementedError(f"expression {type(node).__name__}")
            return self.unknown(node, f"{type(node).__name__} is not understood")
        if self.nesting > MAX_NESTING:
            return self.unknown(node, "the expression is nested too deeply")
        self.nesting += 1
        try:
            return under(handler(self, node), self.path)
        finally:
            self.nesting -= 1

    def apply(self, function: Value, arguments: Arguments, node: cst.CSTNode) -> Value:
        """The result of calling a value."""
        return self.tables.call(self, function, arguments, node)

    def execute(self, statements: Sequence[cst.CSTNode]) -> None:
        """Run statements in order until the path ends."""
        for statement in statements:
            if self.path == ZERO:
                return
            self.spend()
            handler = self.tables.statements.get(type(statement))
            if handler is not None:
                handler(self, statement)
            elif self.strict:
                raise NotImplementedError(f"statement {type(statement).__name__}")

    def spend(self) -> None:
        Effort.spent += EFFORT_PER_STEP
        if Effort.spent > self.limit or self.is_late:
            raise OutOfBudget

    @property
    def is_late(self) -> bool:
        return thread_time() > self.deadline

    @property
    def room(self) -> int:
        """How far a call may be followed here: so far that what stands behind it can still be looked at."""
        return self.limit - self.kept - Effort.spent

    # -- identities --------------------------------------------------------------------------------------------------
    def number(self) -> int:
        """A number nothing else in this analysis has."""
        self.world.numbers += 1
        return self.world.numbers

    def place(self, node: cst.CSTNode) -> Place:
        return (self.frame.tree or self.tree).place(node)

    @property
    def is_usual(self) -> bool:
        """Whether neither this file nor the one that the code stands in changes torch's default dtype or device."""
        trees = {self.tree, self.frame.tree or self.tree}
        return not any(changes_defaults(tree.source.text) for tree in trees)

    def unknown(self, node: cst.CSTNode, reason: str, kind: Kind = Kind.OPAQUE, key: Hashable = None) -> Unknown:
        """A value that is lost here, and why."""
        place = self.place(node)
        return Unknown(key if key is not None else ("lost", self.number()), place.text, reason, place, kind)

    def flag(self, node: cst.CSTNode) -> Dim:
        """A condition nobody can name."""
        return fresh_flag(self.place(node).text, self.number())

    def call(self, name: str, node: cst.CSTNode, positional: Sequence[Value], keywords: Mapping[str, Value]) -> Call:
        return Call(name, tuple(positional), keywords, self.place(node), self.number(), self.path)

    # -- memory ------------------------------------------------------------------------------------------------------
    def new_object(self, kind: str) -> Ref:
        return Ref(self.number(), kind)

    def read(self, location: Location) -> Value | None:
        value = self.store.read(location)
        return None if value is None else under(value, self.path)

    def write(self, location: Location, value: Value) -> None:
        self.store.write(location, value)

    def change(self, location: Location, changed: Callable[[Value], Value]) -> None:
        """Write anew what a location holds, each alternative for itself; nothing where nothing was written."""
        content = self.read(location)
        if isinstance(content, OneOf):
            self.write(location, OneOf(tuple((condition, changed(option)) for condition, option in content.alternatives)))
        elif content is not None:
            self.write(location, changed(content))

    def learn_rank(self, shape: Shape, rank: int) -> None:
        """The rank of a shape from outside is now known (``b, t, f = x.shape``)."""
        if shape.rest is not None and rank >= shape.minimum_rank:
            self.ranks = {**self.ranks, shape.rest.key: rank - shape.minimum_rank + shape.rest.skipped}

    def learn_tensor(self, value: Unknown) -> None:
        """Something from outside is a tensor, and no number: the code asks it for its size, or turns its axes."""
        tensor = as_tensor(value)
        if tensor is not None and tensor.shape.rest is not None and tensor.shape.rest.key not in self.ranks:
            self.ranks = {**self.ranks, tensor.shape.rest.key: None}

    def known_rank(self, rest: Rest) -> int | None:
        """The rank of a tensor from outside, if the code or the path says it."""
        known = self.ranks.get(rest.key)
        return assumed(rest.whole_rank, self.path).constant if known is None else known

    def settled(self, value: Value) -> Value:
        """The value with what was learnt since: its rank, or that it is a tensor."""
        tensor = as_tensor(value) if isinstance(value, Tensor | Unknown) else None
        if tensor is None or tensor.shape.rest is None:
            return value
        whole = self.known_rank(tensor.shape.rest)
        if whole is None:
            return tensor if tensor.shape.rest.key in self.ranks else value
        shape = tensor.shape.with_rank(whole - tensor.shape.rest.skipped + tensor.shape.minimum_rank)
        return value if shape is None else replace(tensor, shape=shape)

    # -- branches ----------------------------------------------------------------------------------------------------
    def truth(self, value: Value, node: cst.CSTNode) -> Dim:
        """The condition that a value is true; constant where the path decides it."""
        condition = truth(value, self.flag(node))
        if condition.constant is not None:
            return ONE if condition.constant else ZERO
        if (is_riddle(condition) or calls_something(node)) and self._asks_for_layers(node, condition):
            self.doubted.update(condition.flags)
        if not self.path.meets(condition):
            return ZERO
        if not self.path.meets(ONE - condition):
            return ONE
        return assumed(condition, self.path)

    def _asks_for_layers(self, node: cst.CSTNode, condition: Dim) -> bool:
        """Whether a test that is not understood asks for a bool, or for something that a layer was built from.

        ``if is_true(self.bidirectional)``: what is done there may be right for just those layers that get there.
        """
        self.muted += 1
        try:
            mentioned = [self.eval(name) for name in names_asked_for(node)]
        finally:
            self.muted -= 1
        sizes = {symbol for value in mentioned for symbol in symbols_of(value)} - condition.topics
        if any(isinstance(value, Bool) and value.dim.constant is not None for value in mentioned):
            return True
        return bool(sizes) and any(not sizes.isdisjoint(self.world.sites[number].trust.knobs) for number in self.reported_sites)

    def narrowed(self, path: Dim, condition: Dim, unnamed: bool = False) -> Dim:
        """The path with one more condition; where that cannot be kept, or is not understood, it is vague from here on."""
        joined = conjoin(path, condition, unnamed)
        self.vague = self.vague or is_dropped(path, condition, joined) or not self.doubted.isdisjoint(condition.flags)
        return joined

    def branch(self, arms: Sequence[tuple[Dim, Callable[[], Value]]], unnamed: bool = False) -> Value:
        """Run each arm under its condition (they exclude each other) and join state, path and value.

        `unnamed`: conditions that nobody can name are kept in the path too.
        """
        base, path, vague, ranks = self.store, self.path, self.vague, self.ranks
        ended: list[_Arm] = []
        for condition, run in arms:
            if not path.meets(condition):
                continue
            self.store, self.broken, self.ranks, self.vague = base.overlay(), False, ranks, vague
            self.path = self.narrowed(path, condition, unnamed)
            returns = len(self.frame.returns)
            value = run()
            kept_open = self.path != ZERO or self.broken
            ended.append(_Arm(condition, value, self.store, self.path, kept_open, self.ranks, self.vague))
            if self.path == ZERO and not self.broken and len(self.frame.returns) == returns:
                self.require(ONE - path * condition)
        self.store, self.path, self.broken, self.vague = base, path, False, vague
        kept = [arm for arm in ended if arm.kept]
        self.ranks = common([arm.ranks for arm in kept]) if kept else ranks
        live = [arm for arm in ended if arm.path != ZERO]
        self.broken = bool(kept) and not live
        self.vague = vague or (len(live) < len(ended) and any(arm.vague for arm in live))
        if len(kept) == 1:
            base.take(kept[0].store)
        else:
            for location in dict.fromkeys(x for arm in kept for x in arm.store.assigned()):
                self.write(location, self._join(location, kept, base))
        self.path = union([arm.path for arm in live], path)
        if not live:
            return NONE
        result = live[-1].value
        for arm in reversed(live[:-1]):
            result = choose(arm.condition, arm.value, result)
        return result

    def require(self, condition: Dim) -> None:
        """Note what has to hold, since something is raised where it does not."""
        if not self.guarded:
            self.required = conjoin(self.required, condition)

    def reached(self, condition: Dim) -> Dim:
        """When an alternative is used here: not where something was raised before, such as in an earlier round of a loop."""
        return conjoin(assumed(conjoin(self.path, condition, unnamed=True), self.required), self.required, unnamed=True)

    def options(self, node: cst.CSTNode, arms: Sequence[tuple[Dim, Callable[[], Value]]]) -> Value:
        """`branch` over the alternatives of a value: where torch refuses one, the path ends, as it does at a raise."""
        path = self.path

        def tried(run: Callable[[], Value]) -> Value:
            value = run()
            if refused(value):
                self.path = ZERO
            return value

        result = self.branch([(condition, lambda run=run: tried(run)) for condition, run in arms])  # type: ignore[misc]
        if self.path == ZERO:
            self.path, self.broken = path, False
            return self.unknown(node, "torch refuses this for each of its values")
        return result

    def _join(self, location: Location, arms: Sequence[_Arm], base: Store) -> Value:
        stores = [(arm.condition, base if arm.store.is_narrowed(location) else arm.store) for arm in arms]
        values = [(condition, v) for condition, store in stores if (v := store.read(location)) is not None]
        result = values[-1][1]
        for condition, value in reversed(values[:-1]):
            result = choose(condition, value, result)
        return result

    def facts(self) -> Facts:
        """What was found; nothing is said of layers that are changed after they are built, wherever that is."""
        changed = {number for number, site in self.world.sites.items() if self.is_changed(site.place)}
        uses = (use for use in self.uses if not self._is_retied(use.built))
        return Facts(
            tuple(self.world.sites[n] for n in self.reported_sites),
            tuple(replace(call, guarded=True) if call.site.number in changed else call for call in self.calls),
            tuple(self.gave_up),
            self.tree.source.path,
            tuple(self.reveals),
            tuple(use for use in uses if changed.isdisjoint(site.number for site in use.sites)),
            tuple(self.wrappers),
            self.is_late,
        )

    def is_changed(self, built: Place | None) -> bool:
        """Whether the recurrent layer that is built at a place may be laid out, or sized, in another way by now."""
        return self.is_layout_open or self._is_retied(built)

    def _is_retied(self, built: Place | None) -> bool:
        return built is not None and built in self.retied

    # -- definitions -------------------------------------------------------------------------------------------------
    def relevant_in(self, tree: Tree) -> frozenset[str] | None:
        """The names at a file's module level that can have to do with a layer; None for all."""
        if tree is self.tree or self.project is None:
            return self.relevant
        return self.project.relevant_of(tree.source.path)

    def tree_names(self, definition: object) -> frozenset[str]:
        """Every name that stands in a definition."""
        assert isinstance(definition, cst.CSTNode)
        known = self.world.mentioned.get(definition)
        if known is None:
            known = self.world.mentioned[definition] = names_in(definition)
        return known

    @contextmanager
    def inside(self, frame: Frame) -> Iterator[Frame]:
        outer, self.frame = self.frame, frame
        try:
            yield frame
        finally:
            self.frame = outer

    def later(self, value: Function | Class) -> None:
        """Note a definition whose body is entered once the module has run: those of other files are not, only followed."""
        if self.frame.tree is not self.tree:
            return
        if self.relevant is not None and self.frame.parent is None and value.name not in self.relevant:
            return
        if value.identity not in self.entered:
            self.entered.add(value.identity)
            names_layer = bool(LAYERS & self.tree_names(value.definition))
            (self.pending if names_layer else self.pending_last).append((value, self.frame))


@lru_cache(maxsize=8)
def changes_defaults(text: str) -> bool:
    """Whether code sets the dtype or device of new tensors: ``torch.set_default_device``, ``with torch.device("cuda")``."""
    return re.search(r"set_default_(dtype|device|tensor_type)|with [\w.]*device\b", text) is not None


def refused(value: Value) -> bool:
    """Whether an op says that torch raises here."""
    return isinstance(value, Unknown) and value.reason.startswith(REFUSED)


@dataclass(frozen=True, eq=False)
class _Arm:
    condition: Dim
    value: Value
    store: Store
    path: Dim
    kept: bool
    ranks: Mapping[Hashable, int | None]
    vague: bool


def common(ranks: Sequence[Mapping[Hashable, int | None]]) -> Mapping[Hashable, int | None]:
    """What every arm knows."""
    first, *others = ranks
    if all(other is first for other in others):
        return first
    known = {key: {rank, *(other[key] for other in others)} for key, rank in first.items() if all(key in o for o in others)}
    return {key: one.pop() if len(one) == 1 else None for key, one in known.items()}


def union(paths: Sequence[Dim], whole: Dim) -> Dim:
    """The path behind a join; `whole` where the parts do not add up to a condition."""
    if whole in paths:
        return whole
    if len(paths) == 1:
        return paths[0]
    total = ZERO
    for path in paths:
        total = total + path
    if total in (ZERO, ONE, whole):
        return total
    return total if total * total == total else whole
