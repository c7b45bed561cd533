"""What `lstm-lint shapes` says of each construction and each call: plain data, the fields of its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

Sizes = tuple[str, ...]


class StateStatus(Enum):
    """How a given state compares with what the layer expects. A state that is not given matches."""

    MATCH = "match"
    MISMATCH = "mismatch"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Why:
    """The first construct that lost a shape: where (lines and columns from 1), and what it is."""

    line: int
    column: int
    message: str


@dataclass(frozen=True)
class StateReport:
    """One state tensor of a call. Sizes are in the user's own names; None where they are not known."""

    given: bool
    expected: Sizes | None
    actual: Sizes | None
    status: StateStatus
    why: Why | None = None


@dataclass(frozen=True)
class SiteReport:
    """A construction. `layer` is the class's name in torch.nn, `target` what it is assigned to (``self.lstm``)."""

    path: str
    line: int
    column: int
    cell: int | None
    layer: str
    target: str
    config: Mapping[str, str]
    weights: Mapping[str, Sizes]


@dataclass(frozen=True)
class CallReport:
    """A call. `site` is the index of its construction among the same file's sites, None where that is not known.

    `c_0` and `c_n` are None for layers whose state is one tensor.
    """

    path: str
    line: int
    column: int
    cell: int | None
    site: int | None
    packed: bool
    input: Sizes | None
    h_0: StateReport
    c_0: StateReport | None
    output: Sizes | None
    h_n: Sizes | None
    c_n: Sizes | None
