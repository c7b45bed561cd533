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
from lstm_lint.facts import Facts, GaveUp, LstmCall, LstmSite, Reveal, Use
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.choose import choose, conjoin, fresh_flag, is_dropped, is_riddle, truth, under
from lstm_lint.interpret.riddles import calls_something, names_asked_for, symbols_of
from lstm_lint.interpret.store import Frame, Location, Round, Store
from lstm_lint.interpret.world import World
from lstm_lint.project import Project
from lstm_lint.proofs import assumed
from lstm_lint.shapes import Rest, Shape
from lstm_lint.source import Place
from lstm_lint.syntax.relevance import LAYERS
from lstm_lint.syntax.tree import Tree, names_in
from lstm_lint.values import NONE, Bool, Call, Class, Function, OneOf, Ref, Tensor, Unknown, Value, as_tensor

EFFORT_PER_STEP = 4  # one node costs about as much as so many products of monomials
EFFORT_PER_ENTRY = 40_000  # about half a second
EFFORT_PER_FILE = 100_000
EFFORT_WITHOUT_LAYERS = 60_000  # after so much in which no layer was built or called, none is likely to come
EFFORT_WITHOUT_CALLS = 80_000  # the same where layers were built, but none was called
EFFORT_FOR_CALLS = 150_000  # a share of what is left of it is how far an entry's calls are followed: some is left to the last
EFFORT_PER_CALLER = 25_000  # the same in a file that only uses layers of other files
EFFORT_PER_CHARACTER = 20  # the same in a small file: so that an analysis stays within some fifty times its parsing
EFFORT_AT_LEAST = 6_000
EFFORT_PER_MODULE = 12_000
KEPT_FOR_ENTRY = 8_000  # of an entry's effort, for its own statements: calls that would take it are not followed to their end
KEPT_FOR_MODULE = 2_000
KEPT_FOR_CALL = 500  # for the statements behind a call, in a function that is followed
EFFORT_BEYOND = 20_000  # what a small file's entries have for their own statements when it has none left for calls
SHARE = 4  # one entry may take one of so many parts of what the file has left for calls
MAX_DEPTH = 24
MAX_NESTING = 120
REFUSED = "torch refuses"

Handler = Callable[["Interpreter", Any], Value]
Recorded = tuple[list[LstmCall], list[int], list[Reveal], list[Use]]
StatementHandler = Callable[["Interpreter", Any], None]


POSITION = (
    "store", "path", "frame", "muted", "guarded", "excused", "without_graph", "vague", "broken", "unrolled", "rounds", "target",
    "active", "evaluation", "nesting", "limit", "kept", "ranks", "is_aside", "required", "reached_from", "resolving",
)  # fmt: skip
"""What tells where an analysis stands: it comes back there after a module was loaded."""


class OutOfBudget(Exception):
    """The analysis of one entry took too many steps, or that of the file too long."""


@dataclass(eq=False)
class Tables:
    """What node types mean: expressions give a value, statements change the state. `call` calls any value."""

    expressions: Mapping[type[cst.CSTNode], Handler]
    statements: Mapping[type[cst.CSTNode], StatementHandler]
    call: Callable[[Interpreter, Value, Arguments, cst.CSTNode], Value]


@dataclass(eq=False)
class Interpreter:
    """One file's analysis. `path` is the condition under which the current point is reached, ZERO behind a return.

    `project` finds and reads the files that it imports; `modules` are those that were loaded, by absolute path.
    `relevant` are the names at module level that can have to do with a layer (None: all). `rounds` are the counters of the
    loops that run, `round` is that of the innermost. `ranks` are the tensors from outside by key, with their rank where the
    code says it. `required` is what has to hold or something was raised before. `reached_from`: in the code of another file,
    the call in this one that led there.
    `followed`: the functions without parameters that the module itself calls, which need not be entered on their own.
    `excused`: so many ``try`` around this point go on where an attribute is missing. `retied` are the constructions of layers
    that got another weight than they were built with. `without_graph`: within so many ``no_grad``.
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
    world: World = field(default_factory=World)
    deadline: float = inf
    store: Store = field(init=False)
    path: Dim = ONE
    required: Dim = ONE
    frame: Frame = field(init=False)
    reported_sites: list[int] = field(default_factory=list)
    calls: list[LstmCall] = field(default_factory=list)
    gave_up: list[GaveUp] = field(default_factory=list)
    reveals: list[Reveal] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    wrappers: dict[Place, None] = field(default_factory=dict)
    pending: list[tuple[Value, Frame]] = field(default_factory=list)
    pending_last: list[tuple[Value, Frame]] = field(default_factory=list)
    entered: set[int] = field(default_factory=set)
    followed: set[int] = field(default_factory=set)
    active: list[int] = field(default_factory=list)
    guarded: int = 0
    excused: int = 0
    without_graph: int = 0
    muted: int = 0
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
    has_met_layers: bool = False
    has_met_calls: bool = False
    nesting: int = 0
    given_up: set[cst.CSTNode] = field(default_factory=set)
    resolving: set[Hashable] = field(default_factory=set)
    asked_for: dict[str, int] = field(default_factory=dict)
    is_aside: bool = False
    reached_from: Place | None = None
    retied: set[Place | None] = field(default_factory=set)
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
        self.path = _union([arm.path for arm in live], path)
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

    # -- facts -------------------------------------------------------------------------------------------------------
    def record_site(self, site: LstmSite) -> None:
        self.world.sites[site.number] = site
        if not self.muted:
            self.has_met_layers = True
            self.reported_sites.append(site.number)

    def record_call(self, call: LstmCall) -> None:
        if not self.muted:
            self.has_met_layers = self.has_met_calls = True
            self.calls.append(call)

    def record_reveal(self, reveal: Reveal) -> None:
        if not self.muted:
            self.reveals.append(reveal)

    def record_use(self, use: Use) -> None:
        if not self.muted:
            self.uses.append(use)

    def recorded(self) -> tuple[int, int, int, int]:
        """How much has been recorded so far."""
        return len(self.calls), len(self.reported_sites), len(self.reveals), len(self.uses)

    def take_back(self, seen: tuple[int, int, int, int]) -> Recorded:
        """Forget what was recorded since: it rests on values that are not final."""
        calls, sites, reveals, uses = seen
        found = (self.calls[calls:], self.reported_sites[sites:], self.reveals[reveals:], self.uses[uses:])
        del self.calls[calls:], self.reported_sites[sites:], self.reveals[reveals:], self.uses[uses:]
        return found

    def put_back(self, found: Recorded) -> None:
        """Record what was taken back after all."""
        calls, sites, reveals, uses = found
        self.calls += calls
        self.reported_sites += sites
        self.reveals += reveals
        self.uses += uses

    def facts(self) -> Facts:
        return Facts(
            tuple(self.world.sites[n] for n in self.reported_sites),
            tuple(self.calls),
            tuple(self.gave_up),
            self.tree.source.path,
            tuple(self.reveals),
            tuple(use for use in self.uses if use.built is None or use.built not in self.retied),
            tuple(self.wrappers),
            self.is_late,
        )

    # -- entries -----------------------------------------------------------------------------------------------------
    @property
    def most_effort(self) -> int:
        """What the file may take in all: less where it is small, or where no layer, or no call of one, was met so far."""
        most = EFFORT_PER_FILE if self.has_met_calls else EFFORT_WITHOUT_CALLS if self.has_met_layers else EFFORT_WITHOUT_LAYERS
        return min(most, self.effort_for_calls + EFFORT_BEYOND)

    def bounded(
        self, node: cst.CSTNode, what: str, run: Callable[[], object], noted: bool = True, effort: int = EFFORT_PER_ENTRY
    ) -> bool:
        """Run one entry within its budget; whether it came to its end. Where not it is noted, once for a file without budget.

        `noted`: not what is inherited from another file, which is looked at there, nor what has nothing to do with layers.
        """
        left = self.most_effort - self.effort
        if left <= 0 or self.is_late:
            self._note_end(node, what, noted)
            return False
        frame, store, path, muted, required = self.frame, self.store, self.path, self.muted, self.required
        ranks = self.ranks
        self.without_graph = 0
        active, excused = list(self.active), self.excused
        state = (self.guarded, self.vague, self.unrolled, self.rounds, self.target, self.nesting)
        before, aside, uses = Effort.spent, self.uncharged, len(self.uses)
        self.kept = KEPT_FOR_ENTRY
        for_calls = min((self.effort_for_calls - self.effort) // SHARE, left - self.kept)
        self.limit = before + min(effort, max(0, for_calls)) + self.kept
        try:
            run()
            return True
        except (OutOfBudget, RecursionError):
            del self.uses[uses:]  # what else is done with these values stands behind
            if self.is_late:
                self._note_end(node, what, noted)
            elif noted:
                self._note(node, f"{what} takes too many steps to follow; what is behind was not looked at")
            return False
        finally:
            self.effort += Effort.spent - before - (self.uncharged - aside)
            self.frame, self.store, self.path, self.muted = frame, store, path, muted
            self.required, self.ranks = required, ranks
            self.active, self.excused = active, excused
            self.guarded, self.vague, self.unrolled, self.rounds, self.target, self.nesting = state

    def _note_end(self, node: cst.CSTNode, what: str, noted: bool) -> None:
        """Note, once, that nothing more of the file is looked at."""
        if noted and not self.is_spent:
            long = "too long" if self.is_late else "too many steps"
            self._note(node, f"this file takes {long} to follow; {what} and what is behind was not looked at")
            self.is_spent = True

    def _note(self, node: cst.CSTNode, message: str) -> None:
        if all(known.place != self.place(node) for known in self.gave_up):
            self.gave_up.append(GaveUp(self.place(node), message))

    def aside(self, frame: Frame, run: Callable[[], object]) -> bool:
        """Run the statements of another module in its frame: outside of the current path, unreported, with its own budget.

        Whether there was time for them: where there was not, another analysis has to run them anew.
        """
        saved = {name: getattr(self, name) for name in POSITION}
        before, uncharged = Effort.spent, self.uncharged
        self.store, self.path, self.frame, self.muted, self.is_aside = self.world.store, ONE, frame, self.muted + 1, True
        self.guarded, self.vague, self.broken, self.unrolled, self.target, self.active = 0, False, False, 1, None, []
        self.excused = 0
        self.required = ONE
        self.rounds = frozenset()
        self.reached_from, self.resolving = None, set()
        self.limit, self.kept = before + EFFORT_PER_MODULE, KEPT_FOR_MODULE
        try:
            run()
        except (OutOfBudget, RecursionError):
            pass  # what the rest of the module defines is not known, and is reported so where it is asked for
        finally:
            for name, value in saved.items():
                setattr(self, name, value)
            self.limit += Effort.spent - before
            self.uncharged = uncharged + Effort.spent - before
        return not self.is_late

    def attempt(self, effort: int, run: Callable[[], Value]) -> Value | None:
        """What `run` gives; None, and nothing that it wrote, if that takes more effort than this."""
        saved = {name: getattr(self, name) for name in POSITION}
        base, uses, uncharged = self.store, len(self.uses), self.uncharged
        self.store = base.overlay()
        self.limit, self.kept = min(self.limit, Effort.spent + effort), KEPT_FOR_CALL
        value: Value | None = None
        try:
            value = run()
        except OutOfBudget:
            if Effort.spent > saved["limit"] + self.uncharged - uncharged or self.is_late:
                raise
        saved["limit"] += self.uncharged - uncharged
        if value is not None:
            base.take(self.store)
            self.store, self.limit, self.kept = base, saved["limit"], saved["kept"]
            return value
        for name, old in saved.items():
            setattr(self, name, old)
        del self.uses[uses:]  # as above
        return None

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


def _union(paths: Sequence[Dim], whole: Dim) -> Dim:
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
