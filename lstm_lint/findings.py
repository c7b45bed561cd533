"""Findings: what the tool says about a place. Plain data that can be pickled, sorted and written as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from lstm_lint.source import Span


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Status(Enum):
    """What torch said when it was asked."""

    RAISED = "raised"
    CRASHED = "crashed"
    DIFFERS = "differs"
    REFUTED = "refuted"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Confirmation:
    """torch's answer to a finding: the status, torch's version (None if it was not asked), and its own words."""

    status: Status
    torch: str | None
    detail: str


@dataclass(frozen=True)
class Spot:
    """A place in some file, as data."""

    path: str
    span: Span


@dataclass(frozen=True)
class Redeemed:
    """A call that module-level code reaches, where everything is right as far as one rule looks at it."""

    code: str
    at: Spot


@dataclass(frozen=True)
class Related:
    """Another place that a reader of the finding needs."""

    path: str
    span: Span
    message: str


@dataclass(frozen=True)
class Edit:
    span: Span
    text: str


@dataclass(frozen=True)
class Fix:
    safe: bool
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Probe:
    """A question for torch, as data: build this layer and call it with tensors of these shapes. Never user code.

    `layer` is the class's name in torch.nn; `arguments` its constructor arguments, as given; shapes are concrete. `hx` is None
    (no state), one shape, or a list of shapes, one per tensor of the state; `structure` says how they are handed over
    (``tuple``, ``list``, ``tensor``; ``nested``: a pair in the place of h_0). `packed`: the input, padded and laid out as the
    layer's batch_first says, is packed with these `lengths` (all equal where there are none). `experiment` names one of
    `confirm.experiments`, `details` say which of its cases, as plain data. `dtypes` are those of the ``input`` (and of the
    layer with it), of ``h_0`` and of ``c_0`` where they are not the layer's own.
    `expect`: output shapes the analysis inferred (``output``, ``h_n``, ``c_n``), to be compared by ``--confirm always``.
    """

    layer: str
    positional: tuple[object, ...] = ()
    arguments: Mapping[str, object] = field(default_factory=dict)
    input: tuple[int, ...] | None = None
    hx: tuple[tuple[int, ...], ...] | None = None
    structure: str = "tuple"
    packed: bool = False
    lengths: tuple[int, ...] = ()
    experiment: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    expect: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    dtypes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong at one place. Fields as in the JSON of `check`.

    `unless_at`: the call (path and span) at which it stands back to a warning if other code is seen to make it right there.
    """

    code: str
    name: str
    severity: Severity
    path: str
    span: Span
    message: str
    expected: tuple[str, ...] | None = None
    actual: tuple[str, ...] | None = None
    when: str | None = None
    witness: Mapping[str, int] = field(default_factory=dict)
    packed: bool = False
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    probe: Probe | None = None
    confirmation: Confirmation | None = None
    unless_at: Spot | None = None

    @property
    def order(self) -> tuple[object, ...]:
        return (self.path, self.span.order, self.code, self.message)
