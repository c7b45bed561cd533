"""What would mend a complaint, as data: a rule names it without knowing the syntax, `lstm_lint.fixes` writes it as edits."""

from __future__ import annotations

from dataclasses import dataclass, field

from lstm_lint.dims import Dim
from lstm_lint.facts import LstmSite
from lstm_lint.source import Place


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """Something to change at a place. `safe`: what runs today does the same afterwards, or did not run at all.

    `is_proof`: there is a finding only if the code around allows the change.
    """

    place: Place
    safe: bool = False
    is_proof: bool = False


@dataclass(frozen=True)
class Argument:
    """A parameter of a call: its name and its position."""

    name: str
    position: int


@dataclass(frozen=True, kw_only=True)
class DropArgument(Remedy):
    """Leave an argument of the call out. `called`: only where the code calls a class of this name, or the base class.

    `spelt`: only where these arguments are spelt so, or not given.
    """

    argument: Argument
    called: str
    spelt: tuple[tuple[Argument, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class NameArgument(Remedy):
    """Give a positional argument by the name of another parameter: ``True`` becomes ``batch_first=True``."""

    position: int
    name: str


@dataclass(frozen=True, kw_only=True)
class DropZeros(Remedy):
    """Leave out the state of a layer's call. `made_at` are the calls that make it, of zeros, and nothing else may happen to it
    than that it is passed to `calls`, those of recurrent layers.
    """

    made_at: frozenset[Place]
    calls: frozenset[Place]


@dataclass(frozen=True, kw_only=True)
class Unwrap(Remedy):
    """``Variable(x)`` as what it is today: a new tensor as it is, any other detached."""


@dataclass(frozen=True, kw_only=True)
class CountLayers(Remedy):
    """The first size of the tensor that is made here becomes the layer's num_layers * num_directions."""

    site: LstmSite
    actual: tuple[Dim, ...]


@dataclass(frozen=True, kw_only=True)
class SwapSizes(Remedy):
    """The first two of the `rank` sizes of the tensor that is made here change places."""

    rank: int


@dataclass(frozen=True, kw_only=True)
class SetSize(Remedy):
    """A size among the arguments of a constructor, from what it is to what it has to be."""

    argument: Argument
    actual: Dim
    wanted: Dim


@dataclass(frozen=True, kw_only=True)
class MoveIndex(Remedy):
    """The index -1 moves from one axis to another: ``out[:, -1]`` to ``out[-1]``."""

    origin: int
    goal: int


@dataclass(frozen=True, kw_only=True)
class JoinEnds(Remedy):
    """The last step of a layer's output becomes both directions of the h_n of the same `call`."""

    call: Place
    axis: int
    has_pair: bool


@dataclass(frozen=True, kw_only=True)
class JoinDirections(Remedy):
    """One index of h_n becomes both directions of the last layer."""

    num_layers: Dim


@dataclass(frozen=True, kw_only=True)
class NestState(Remedy):
    """``out, h, c = lstm(x)`` becomes ``out, (h, c) = lstm(x)``: the place is the target."""

    safe: bool = field(default=True)


@dataclass(frozen=True, kw_only=True)
class BatchFirst(Remedy):
    """``h_n.view(...)`` becomes ``h_n.transpose(0, 1).reshape(...)``, so that the rows of one sample stay together."""


@dataclass(frozen=True, kw_only=True)
class UnfoldSamples(Remedy):
    """``x.view(layers, batch, hidden)`` becomes ``x.view(batch, layers, hidden).transpose(0, 1).contiguous()``."""
