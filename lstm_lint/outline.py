"""What `lstm-lint shapes` says of each construction and each call: plain data, the fields of its JSON."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

Sizes = tuple[str, ...]


T = TypeVar("T", "SiteReport", "CallReport")


class StateStatus(Enum):
    """How a given state compares with what the layer expects. A state that is not given matches."""

    MATCH = "match"
    MISMATCH = "mismatch"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"


class Standing(Enum):
    """How much one context of a place counts: those that module-level code reaches, with the input known, come first."""

    GROUNDED = 0
    SYMBOLIC = 1
    GUARDED = 2  # where an exception is expected, or the path is vague


@dataclass(frozen=True)
class Why:
    """The first construct that lost a shape: where (lines and columns from 1), and what it is."""

    line: int
    column: int
    message: str
    cell: int | None = None


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
    standing: Standing = Standing.SYMBOLIC


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
    standing: Standing = Standing.SYMBOLIC

    @property
    def status(self) -> StateStatus:
        """That of both states together: the worst."""
        statuses = [state.status for state in (self.h_0, self.c_0) if state is not None]
        return min(statuses, key=WORST_FIRST.index)


WORST_FIRST = (StateStatus.MISMATCH, StateStatus.UNKNOWN, StateStatus.CONDITIONAL, StateStatus.MATCH)


@dataclass(frozen=True)
class Listing:
    """The constructions and calls of a run, each in order of place. A call's `site` is an index into `sites`."""

    sites: tuple[SiteReport, ...]
    calls: tuple[CallReport, ...]


def listed(found: Sequence[tuple[Sequence[SiteReport], Sequence[CallReport]]], files: Sequence[str]) -> Listing:
    """What several analyses found, those places left out that stand in no file that was asked for.

    A place that one analysis knows by symbols and another by what a caller gave it is listed as the caller has it.
    """
    spelt = {os.path.abspath(file): file for file in files}
    all_sites = [site for sites, _ in found for site in sites if os.path.abspath(site.path) in spelt]
    kept = sorted(_preferred(all_sites), key=_order)
    index = {_key(site): position for position, site in reversed(list(enumerate(kept)))}
    exact = {_plain(site): position for position, site in enumerate(kept)}
    calls: list[CallReport] = []
    for sites, own in found:
        for call in own:
            if os.path.abspath(call.path) in spelt:
                site = None if call.site is None else sites[call.site]
                at = None if site is None else exact.get(_plain(site), index.get(_key(site)))
                calls.append(replace(call, site=at))
    return Listing(tuple(kept), tuple(sorted(_preferred(calls), key=_order)))


def _plain(site: SiteReport) -> tuple[object, ...]:
    return (*_key(site), tuple(site.config.items()))


def _key(report: SiteReport | CallReport) -> tuple[object, ...]:
    return os.path.abspath(report.path), report.cell, report.line, report.column


def _order(report: SiteReport | CallReport) -> tuple[object, ...]:
    return report.path, report.cell or 0, report.line, report.column


def _preferred(reports: Sequence[T]) -> list[T]:
    """Of the contexts of each place those that say most, each different one once; of those that say nothing the first."""
    best: dict[object, tuple[int, ...]] = {}
    for report in reports:
        best[_key(report)] = min(_rank(report), best.get(_key(report), _rank(report)))
    kept: dict[object, T] = {}
    for report in reports:
        if _rank(report) == best[_key(report)]:
            kept.setdefault(_identity(report), report)
    return list(kept.values())


def _rank(report: SiteReport | CallReport) -> tuple[int, ...]:
    return rank(report.standing, report.status if isinstance(report, CallReport) else None)


def rank(standing: Standing, status: StateStatus | None) -> tuple[int, ...]:
    """How little one context of a place says; what proves nothing comes last, then what is not known, then symbols alone.

    A guarded context proves nothing wrong. What is right in it is right.
    """
    proves_nothing = standing is Standing.GUARDED and status is not StateStatus.MATCH
    return int(proves_nothing), int(status is StateStatus.UNKNOWN), standing.value


def _identity(report: SiteReport | CallReport) -> object:
    if isinstance(report, SiteReport):
        return _plain(report)
    return _key(report) if report.status is StateStatus.UNKNOWN else report
