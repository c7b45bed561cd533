"""What the analyses of one run share, so that a module which many files import is loaded once."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from lstm_lint.facts import LstmSite
from lstm_lint.interpret.store import Frame, Store
from lstm_lint.values import Class

MODULES_KEPT = 320
"""So many loaded modules are kept in memory; then a new world begins."""


@dataclass(eq=False)
class World:
    """`store` is under the overlays of every analysis: only the loading of modules (by absolute path) writes there."""

    store: Store = field(default_factory=Store)
    modules: dict[str, Frame] = field(default_factory=dict)
    sites: dict[int, LstmSite] = field(default_factory=dict)
    classes: dict[int, Class] = field(default_factory=dict)
    mentioned: dict[cst.CSTNode, frozenset[str]] = field(default_factory=dict)
    numbers: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.modules) >= MODULES_KEPT
