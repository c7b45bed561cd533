"""Evaluated arguments of a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lstm_lint.values import Unknown, Value


@dataclass(frozen=True)
class Arguments:
    """Evaluated arguments. `rest`: a ``*args`` or ``**kwargs`` of unknown content stands among them.

    `spread`: what a lone ``*args`` of unknown length is a sequence of.
    """

    positional: tuple[Value, ...] = ()
    keywords: Mapping[str, Value] = field(default_factory=dict)
    rest: Unknown | None = None
    spread: Value | None = None
