"""Memory of the interpreter: every mutable location (a variable, an attribute, a list's items) and what it holds.

A `Store` is a chain of overlays. A branch writes into an overlay of its own; where branches meet, what they wrote is joined
under the condition of the branch. Nothing is copied.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from lstm_lint.syntax.parts import Part
from lstm_lint.syntax.tree import Tree
from lstm_lint.values import Class, Value

Location = tuple[Hashable, str]
"""(frame or object, name): ``(frame 3, "x")``, ``(object 7, "lstm")``."""

T = TypeVar("T")


@dataclass(eq=False)
class Store:
    """Locations and their values: this overlay's own, then its parent's.

    `narrowed`: what a test says of a location (``if kind == "lstm"``), though nothing was assigned to it.
    """

    parent: Store | None = None
    written: dict[Location, Value] = field(default_factory=dict)
    narrowed: dict[Location, Value] = field(default_factory=dict)
    _names: dict[Hashable, dict[str, None]] = field(default_factory=dict)

    def read(self, location: Location) -> Value | None:
        """The value, or None if nothing was ever written there."""
        store: Store | None = self
        while store is not None:
            if (value := store.written.get(location)) is not None:
                return value
            store = store.parent
        return None

    def write(self, location: Location, value: Value) -> None:
        if location not in self.written:
            self._names.setdefault(location[0], {})[location[1]] = None
        self.written[location] = value

    def forget(self, location: Location) -> None:
        """Take back what was written into this overlay there, if anything was."""
        if self.written.pop(location, None) is not None:
            self._names[location[0]].pop(location[1])

    def narrow(self, location: Location, value: Value) -> None:
        """Put in what a test says; it is forgotten where the branches of the test meet."""
        self.write(location, value)
        self.narrowed[location] = value

    def assigned(self) -> dict[Location, Value]:
        """What was assigned in this overlay."""
        return {location: value for location, value in self.written.items() if not self.is_narrowed(location)}

    def is_narrowed(self, location: Location) -> bool:
        """Whether what stands there in this overlay was not assigned, but comes from a test."""
        value = self.narrowed.get(location)
        return value is not None and self.written[location] is value

    def take(self, overlay: Store) -> None:
        """Write what was written into an overlay of this store."""
        for location, value in overlay.written.items():
            if overlay.is_narrowed(location):
                self.narrow(location, value)
            else:
                self.write(location, value)

    def overlay(self) -> Store:
        return Store(self)

    def everything(self) -> dict[Location, Value]:
        """Every location and what it holds."""
        held = {} if self.parent is None else self.parent.everything()
        held.update(self.written)
        return held

    def names(self, owner: Hashable) -> Iterator[str]:
        """Every name written under an owner, first written first."""
        seen: dict[str, None] = {}
        chain: list[Store] = []
        store: Store | None = self
        while store is not None:
            chain.append(store)
            store = store.parent
        for part in reversed(chain):
            seen.update(part._names.get(owner, {}))
        yield from seen


class Asked(dict[Hashable, T]):
    """An empty dictionary that notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.keys_asked: set[Hashable] = set()

    def get(self, key: Hashable, default: T | None = None) -> T | None:  # type: ignore[override]
        self.keys_asked.add(key)
        return default


class Watch(Store):
    """A layer in between, which holds nothing, and notes what those above ask of those below."""

    def __init__(self, parent: Store) -> None:
        self.locations: Asked[Value] = Asked()
        self.owners: Asked[dict[str, None]] = Asked()
        self.is_asked_all = False
        super().__init__(parent, self.locations, {}, self.owners)  # type: ignore[arg-type]

    def everything(self) -> dict[Location, Value]:
        self.is_asked_all = True
        return super().everything()

    def was_asked(self, locations: Iterable[Location]) -> bool:
        """Whether any of these was asked for, or which names its owner has."""
        places, owners = self.locations.keys_asked, self.owners.keys_asked
        return self.is_asked_all or any(location in places or location[0] in owners for location in locations)


@dataclass(frozen=True, eq=False)
class Jump:
    """What a loop had written at a ``continue``, or at a ``break`` (which `ends` it)."""

    written: dict[Location, Value]
    ends: bool


@dataclass(eq=False)
class Round:
    """A round of a loop: the memory that it writes to, and where it was left."""

    store: Store
    jumps: list[Jump] = field(default_factory=list)

    def leave(self, here: Store, ends: bool) -> None:
        """Note a ``continue`` or ``break`` in a branch that writes to `here`."""
        chain: list[Store] = []
        store: Store | None = here
        while store is not None and store is not self.store.parent:
            chain.append(store)
            store = store.parent
        written = {location: value for part in reversed(chain) for location, value in part.assigned().items()}
        self.jumps.append(Jump(written, ends))


@dataclass(eq=False)
class Frame:
    """Where names are looked up: one execution of a module, class body, function or comprehension.

    `unit` is the outermost definition the code belongs to (None at module level); `grounded` tells whether it was reached from
    code outside that unit, `lends` whether calls from here reach other units so: not if what is handed on are symbols.
    `tree` is the file that the code stands in, `top` the name of the definition at its module level.
    `waiting` is what binds names of a module or class that nobody has asked for.
    `receiver` and `defined_in` are for ``super()``. `returns` collects (condition, value).
    """

    number: int
    parent: Frame | None = None
    unit: Hashable = None
    grounded: bool = True
    function: Hashable = None
    receiver: Value | None = None
    defined_in: Class | None = None
    is_class: bool = False
    lends: bool = True
    returns: list[tuple[object, Value]] = field(default_factory=list)
    redirected: dict[str, Frame] = field(default_factory=dict)
    yields: list[Value] = field(default_factory=list)
    tree: Tree | None = None
    top: str = ""
    waiting: dict[str, Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.parent is not None:
            self.tree = self.parent.tree
            self.top = self.parent.top or self.top

    @property
    def module(self) -> Frame:
        frame = self
        while frame.parent is not None:
            frame = frame.parent
        return frame

    def enclosing(self) -> Frame | None:
        """The next frame in which a name is looked up: class bodies are not seen from the functions in them."""
        frame = self.parent
        while frame is not None and frame.is_class:
            frame = frame.parent
        return frame
