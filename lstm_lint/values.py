"""What the interpreter can know about a Python value. All values are immutable; mutable objects are a `Ref` into its heap."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Union

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol, where
from lstm_lint.lineage import Lineage, Numbers, Source
from lstm_lint.proofs.wording import FRESH
from lstm_lint.shapes import Shape
from lstm_lint.source import Place


@dataclass(frozen=True)
class Unknown:
    """A value from outside, or one that was lost: who it is (`key`), how the code spells it, and why nothing more is known.

    As an int it is the symbol of its key, as a condition the flag of its key, as a tensor one of unknown shape: an unknown is
    always equal to itself. `kind` says whose promise it is: CONFIG (a parameter, a field), RUNTIME (a tensor from outside), or
    OPAQUE. `default` is the declared default of a parameter; `owner` the signature or object it belongs to. For the result of
    arithmetic on unknowns, `dim` or `ratio` is its value if they are ints, and `like` the unknown whose shape it has if they
    are tensors.
    """

    key: Hashable
    name: str = field(compare=False)
    reason: str = field(default="", compare=False)
    place: Place | None = field(default=None, compare=False)
    kind: Kind = field(default=Kind.OPAQUE, compare=False)
    default: Value | None = field(default=None, compare=False)
    owner: Hashable = field(default=None, compare=False)
    dim: Dim | None = field(default=None, compare=False)
    ratio: tuple[Dim, Dim] | None = field(default=None, compare=False)
    like: Unknown | None = field(default=None, compare=False)

    @property
    def is_bool(self) -> bool:
        return isinstance(self.default, Bool)

    def as_dim(self) -> Dim:
        """The symbol it is as an integer (a flag where its default is a bool)."""
        if self.dim is not None:
            return self.dim
        if self.is_bool:
            return self.as_condition()
        default = self.default.dim.constant if isinstance(self.default, Int) else None
        minimum = None if default is not None and default < 0 else 0
        return Dim.of(Symbol(("int", self.key), self.name, self.kind, default, minimum, self.owner, reason=self.reason))

    def attribute(self, name: str) -> Unknown:
        """The unknown ``value.name``."""
        return Unknown((self.key, "." + name), f"{self.name}.{name}", self.reason, self.place, self.kind)

    def as_condition(self) -> Dim:
        """The flag that it is true."""
        default = truth_constant(self.default) if self.default is not None else None
        owner = FRESH if self.kind is Kind.OPAQUE else self.owner
        return Dim.of(Symbol(("truth", self.key), self.name, Kind.FLAG, default, 0, owner))


@dataclass(frozen=True)
class Int:
    dim: Dim


@dataclass(frozen=True)
class Bool:
    """A condition: a polynomial that is 1 where it holds (``ONE`` is True, ``ZERO`` is False)."""

    dim: Dim


@dataclass(frozen=True)
class Float:
    """A float: a known `value`, or the true division of two dims (``hidden / 2``), or neither."""

    value: float | None = None
    ratio: tuple[Dim, Dim] | None = None


@dataclass(frozen=True)
class Str:
    """A text; or a member of an enumeration, told by one: `members` are those of all its members, `held` is its own value."""

    value: str
    members: tuple[str, ...] = field(default=(), compare=False)
    held: Value | None = field(default=None, compare=False)


@dataclass(frozen=True)
class NoneValue:
    pass


@dataclass(frozen=True)
class EllipsisValue:
    pass


@dataclass(frozen=True)
class Slice:
    """``start:stop:step``; NoneValue where left out."""

    start: Value
    stop: Value
    step: Value


@dataclass(frozen=True)
class Tensor:
    """A tensor by its shape. `dtype` and `device` as torch names them (``float32``, ``int64``, ``cpu``), None if not known.

    `made_by` is the qualified name of the call that created it, `why` what lost the shape if it is not known.
    `lineage`: what it is of what a recurrent layer gave, if it is anything of that. `numbers`: what its integers are, if they
    are known to be lengths and the like. `filled`: the int that all of it is.
    """

    shape: Shape
    dtype: str | None = None
    device: str | None = None
    made_by: str | None = None
    place: Place | None = field(default=None, compare=False)
    why: Unknown | None = field(default=None, compare=False)
    lineage: Lineage | None = None
    numbers: Numbers | None = None
    filled: Dim | None = None


@dataclass(frozen=True)
class Packed:
    """A PackedSequence: (batch, features) of the padded tensor it was made of, however that was laid out.

    `in_order`: torch was told that the batch is sorted, and so does not sort it (``enforce_sorted=True``). `lengths`: which
    those of the sequences are (`Numbers.of`); `even`: they are all the same.
    """

    batch: Dim | None
    features: tuple[Dim, ...] | None
    dtype: str | None = None
    why: Unknown | None = field(default=None, compare=False)
    place: Place | None = field(default=None, compare=False)
    time: Dim | None = None
    in_order: bool = False
    lineage: Lineage | None = None
    lengths: Hashable = None
    even: bool = False


@dataclass(frozen=True)
class Pieces:
    """Of which tensor the items of a sequence are the pieces along an axis.

    `sizes`: how long each is, or one for all; where there are none each is one index, and the axis is gone.
    """

    source: Tensor
    axis: int
    sizes: tuple[Dim, ...] = ()

    def size(self, number: int | None) -> Dim | None:
        """How long a piece is (None: any of them); None where that is not known."""
        if len(self.sizes) == 1:
            return self.sizes[0]
        return None if number is None else self.sizes[number]

    def begin(self, number: int) -> Dim:
        """Where a piece begins: the last so far in front of the end as it is long."""
        if number == len(self.sizes) - 1:
            return self.source.shape.dim(self.axis) - self.sizes[number]
        return sum(self.sizes[:number], ZERO)


@dataclass(frozen=True)
class Tuple:
    """A tuple, list or ``torch.Size`` as a value: its items in order. `kind` is ``tuple``, ``list`` or ``size``.

    `given_by`: the recurrent layer whose ``result`` it is (the output and the state), or whose ``state``. `pieces`: what
    ``unbind``, ``chunk`` or ``split`` took apart.
    """

    items: tuple[Value, ...]
    kind: str = "tuple"
    given_by: Source | None = field(default=None, compare=False)
    pieces: Pieces | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Repeated:
    """A sequence of unknown length whose items are all like `item` (``[t for _ in range(n)]``). `length` if known as a dim.

    `index`: the counter that `item` is written in, so that the item at an index is `item` with that put in.
    """

    item: Value
    length: Dim | None = None
    kind: str = "list"
    index: Symbol | None = None
    pieces: Pieces | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Dict:
    """A dict with known string or int keys. `others`: it may hold keys that are not listed."""

    items: Mapping[str | int, Value] = field(hash=False)
    others: Unknown | None = None

    def __hash__(self) -> int:
        return hash(tuple(self.items.items()))


@dataclass(frozen=True)
class Ref:
    """A mutable object in the interpreter's heap (list, dict, instance); `kind` says which."""

    number: int
    kind: str


@dataclass(frozen=True)
class Layer:
    """A torch module that is not user code: its class's qualified name and its constructor arguments, bound by name.

    `site` numbers the construction if it is a recurrent layer.
    """

    qualified_name: str
    config: Mapping[str, Value] = field(hash=False)
    place: Place | None = field(default=None, compare=False)
    site: int | None = None

    def __hash__(self) -> int:
        return hash((self.qualified_name, tuple(self.config.items())))


@dataclass(frozen=True)
class External:
    """Something of an installed library by its qualified name: ``torch.zeros``, ``torch.nn.LSTM``."""

    qualified_name: str


@dataclass(frozen=True)
class Function:
    """A function of the analysed code; `definition` and `scope` belong to the interpreter. Bound if `receiver` is set.

    `wraps`: the one that a decorator made it of.
    """

    name: str
    definition: object = field(hash=False, compare=False)
    scope: object = field(hash=False, compare=False)
    identity: int = 0
    receiver: Value | None = None
    defined_in: Class | None = field(default=None, compare=False)
    wraps: Function | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Class:
    """A class of the analysed code, with its bases evaluated."""

    name: str
    definition: object = field(hash=False, compare=False)
    scope: object = field(hash=False, compare=False)
    identity: int = 0
    bases: tuple[Value, ...] = field(default=(), hash=False, compare=False)


@dataclass(frozen=True)
class Method:
    """A method of something that is not user code: ``x.view``, ``items.append``; `name` is the attribute."""

    receiver: Value
    name: str


@dataclass(frozen=True)
class Partial:
    """``functools.partial``: a callable with some arguments already given."""

    function: Value
    arguments: tuple[Value, ...]
    keywords: Mapping[str, Value] = field(hash=False, default_factory=dict)


@dataclass(frozen=True)
class Module:
    """A module or package of the analysed project by its file (or folder), read when something of it is asked for."""

    path: str
    name: str = field(compare=False, default="")


@dataclass(frozen=True)
class Imported:
    """What ``from module import name`` binds, not looked up yet."""

    module: Module
    name: str


@dataclass(frozen=True)
class Super:
    """``super()`` in a method: attributes of `receiver` are looked for in the bases behind `after`."""

    receiver: Value
    after: Class


@dataclass(frozen=True)
class OneOf:
    """One of several values, each under its condition; at most `MAX_ALTERNATIVES`."""

    alternatives: tuple[tuple[Dim, Value], ...]


MAX_ALTERNATIVES = 4

Value = Union[
    Unknown, Int, Bool, Float, Str, NoneValue, EllipsisValue, Slice, Tensor, Packed, Tuple, Repeated, Dict, Ref, Layer,
    External, Function, Class, Method, Partial, Module, Imported, Super, OneOf,
]  # fmt: skip

NONE = NoneValue()
TRUE, FALSE = Bool(ONE), Bool(ZERO)


def truth_constant(value: Value | None) -> int | None:
    """0 or 1 if the value's truth is known, else None."""
    match value:
        case Bool(dim):
            return dim.constant
        case Int(dim):
            return None if dim.constant is None else int(dim.constant != 0)
        case NoneValue():
            return 0
        case Str(text):
            return int(bool(text))
        case Float(value=number) if number is not None:
            return int(number != 0)
        case Tuple(items):
            return int(bool(items))
        case Tensor() | Unknown() | Float() | Repeated() | Dict() | Ref() | OneOf() | None:
            return None
        case _:
            return 1


def as_dim(value: Value) -> Dim | None:
    """The value as an integer size: ints, bools and unknowns; None for everything else."""
    match value:
        case Int(dim) | Bool(dim):
            return dim
        case Unknown():
            return value.as_dim()
        case OneOf(alternatives):
            joined: Dim | None = None
            for condition, item in reversed(alternatives):
                size = as_dim(item)
                if size is None:
                    return None
                joined = size if joined is None else where(condition, size, joined)
            return joined
        case _:
            return None


def as_text(value: Value) -> str | None:
    """What ``str`` gives of a text or of a number that is known; None for everything else."""
    match value:
        case Str(text):
            return text
        case Int(dim) if dim.constant is not None:
            return str(dim.constant)
        case _:
            return None


def as_tensor(value: Value) -> Tensor | None:
    """The value as a tensor: tensors, and unknowns as tensors of unknown shape; None for what cannot be one."""
    match value:
        case Tensor():
            return value
        case Unknown(like=like) if like is not None:
            return as_tensor(like)
        case Unknown():
            return Tensor(Shape.unknown(value.key, value.name), why=value)
        case _:
            return None


def describe(value: Value) -> str:
    """What the value is, in words for a message: ``a tensor of shape (2, N, H)``, ``a tuple of 3``."""
    match value:
        case Tensor(shape):
            return f"a tensor of shape {shape.text}"
        case Packed():
            return "a PackedSequence"
        case Tuple(items, kind):
            return f"a {kind} of {len(items)}"
        case Repeated(kind=kind):
            return f"a {kind}"
        case Int(dim):
            return f"the int {dim.text}"
        case Bool(dim):
            return f"the bool {bool(dim.constant)}" if dim.constant is not None else "a bool"
        case Float(number, ratio):
            if number is not None:
                return f"the float {number}"
            return f"a float ({ratio[0].text} / {ratio[1].text})" if ratio else "a float"
        case Str(text):
            return f"the string {text!r}"
        case NoneValue():
            return "None"
        case Unknown(name=name):
            return name
        case OneOf():
            return "one of several values"
        case Ref(kind=kind):
            return f"a {kind}"
        case _:
            return f"a {type(value).__name__.lower()}"


@dataclass(frozen=True)
class Call:
    """The arguments of one call as an op sees them, with what it needs to speak of unknowns.

    `name` is the qualified name or the method's name; `positional` includes the receiver of a method, first.
    """

    name: str
    positional: tuple[Value, ...]
    keywords: Mapping[str, Value]
    place: Place
    number: int  # unique in this analysis: the identity of whatever new unknown this call makes
    given: Dim = ONE  # the condition of the path that it stands on

    def argument(self, index: int, name: str, default: Value | None = None) -> Value | None:
        """The argument at a position or under a name."""
        if index < len(self.positional):
            return self.positional[index]
        return self.keywords.get(name, default)

    def unknown(self, reason: str, name: str | None = None, part: Hashable = 0) -> Unknown:
        """A new unknown that this call results in. `part` tells apart several unknowns of one call."""
        return Unknown(("call", self.number, part), name or self.place.text or self.name, reason, self.place)

    def fresh_dim(self, name: str, part: Hashable = 0, kind: Kind = Kind.OPAQUE) -> Dim:
        """A new size nobody knows anything about."""
        return Dim.of(Symbol(("fresh", self.number, part), name, kind))
