"""From a complaint, or a call judged right, to a question for torch: concrete sizes for the symbols. Never user code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product as cartesian

from lstm_lint.dims import ONE, Dim, Symbol
from lstm_lint.facts import LstmSite
from lstm_lint.findings import Probe
from lstm_lint.judge import TIME, Judged, StatePart, compare_features
from lstm_lint.ops.recurrent import LayerConfig
from lstm_lint.proofs import PRIMES, Comparison, Extent, consistent
from lstm_lint.rules.base import Ask, Complaint
"""
