"""The answer of `lstm-lint shapes`: every construction and call with what was inferred, and why something is not known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstm_lint.outline import CallReport, Listing, SiteReport, Sizes, StateReport, StateStatus, Why
from lstm_lint.report.lines import Line, counted, line, location

VERSION = 1
STYLES = {
    StateStatus.MATCH: "good",
    StateStatus.MISMATCH: "error",
    StateStatus.CONDITIONAL: "warning",
    StateStatus.UNKNOWN: "info",
}


# -- text --------------------------------------------------------------------------------------------------------------
def text(listing: Listing) -> Iterator[Line]:
    """Sites, then calls, file by file."""
    for path in sorted({*(site.path for site in listing.sites), *(call.path for call in listing.calls)}):
        for site in listing.sites:
            if site.path == path:
                yield from _site_lines(site)
                yield ()
        for call in listing.calls:
            if call.path == path:
                yield from _call_lines(call, listing.sites)
                yield ()
    yield line(f"{counted(len(listing.sites), 'construction')}, {counted(len(listing.calls), 'call')}.")


def _site_lines(site: SiteReport) -> Iterator[Line]:
    arguments = ", ".join(f"{name}={value}" for name, value in site.config.items())
    target = f"{site.target} = " if site.target else ""
    yield line((location(site.path, site), "path"), ": ", (f"{target}{site.layer}({arguments})", "code"))
    width = max((len(name) for name in site.weights), default=0)
    for name, sizes in site.weights.items():
        yield line(f"  {name:<{width}}  {sizes_text(sizes)}")


def _call_lines(call: CallReport, sites: Sequence[SiteReport]) -> Iterator[Line]:
    called = sites[call.site].target or sites[call.site].layer if call.site is not None else "a recurrent layer"
    packed = " with a packed input" if call.packed else ""
    yield line((location(call.path, call), "path"), ": ", (f"call of {called}{packed}", "code"))
    yield line(f"  input   {sizes_text(call.input)}")
    for name, state in (("h_0", call.h_0), ("c_0", call.c_0)):
        if state is not None:
            yield from _state_lines(name, state)
    is_cell = call.site is not None and sites[call.site].layer.endswith("Cell")  # it gives its state alone
    for name, sizes in (("output", call.output), ("h_n", call.h_n), ("c_n", call.c_n)):
        if (name != "output" or not is_cell) and (name != "c_n" or call.c_0 is not None):
            yield line(f"  {name:<6}  {sizes_text(sizes)}")


def _state_lines(name: str, state: StateReport) -> Iterator[Line]:
    if not state.given:
        yield line(f"  {name:<6}  {sizes_text(state.expected)}, not given: zeros")
        return
    verdict = (state.status.value, STYLES[state.status])
    expected = f", expected {sizes_text(state.expected)}" if state.actual != state.expected else ""
    yield line(f"  {name:<6}  {sizes_text(state.actual)}{expected}: ", verdict)
    if state.why is not None:
        yield line(f"          {_cell(state.why)}line {state.why.line}, column {state.why.column}: {state.why.message}")


def _cell(why: Why) -> str:
    return "" if why.cell is None else f"cell {why.cell}, "


def sizes_text(sizes: Sizes | None) -> str:
    """``(2, N, H)``, or that it is unknown."""
    return "unknown" if sizes is None else f"({', '.join(sizes)})"


# -- JSON --------------------------------------------------------------------------------------------------------------
def as_json(listing: Listing) -> Iterator[Line]:
    """One object, in which a call's ``site`` is an index into ``sites``."""
    sites = [_site(site) for site in listing.sites]
    calls = [_call(call) for call in listing.calls]
    yield line(json.dumps({"version": VERSION, "sites": sites, "calls": calls}, indent=2))


def _site(site: SiteReport) -> Mapping[str, Any]:
    return {
        "path": site.path,
        "line": site.line,
        "column": site.column,
        "cell": site.cell,
        "layer": site.layer,
        "target": site.target,
        "config": dict(site.config),
        "weights": {name: list(sizes) for name, sizes in site.weights.items()},
    }


def _call(call: CallReport) -> Mapping[str, Any]:
    return {
        "path": call.path,
        "line": call.line,
        "column": call.column,
        "cell": call.cell,
        "site": call.site,
        "packed": call.packed,
        "input": _list(call.input),
        "h_0": _state(call.h_0),
        "c_0": None if call.c_0 is None else _state(call.c_0),
        "output": _list(call.output),
        "h_n": _list(call.h_n),
        "c_n": _list(call.c_n),
    }


def _state(state: StateReport) -> Mapping[str, Any]:
    return {
        "given": state.given,
        "expected": _list(state.expected),
        "actual": _list(state.actual),
        "status": state.status.value,
        "why": None if state.why is None else _why(state.why),
    }


def _why(why: Why) -> Mapping[str, Any]:
    """The place and the reason; ``cell`` only in a notebook."""
    cell = {} if why.cell is None else {"cell": why.cell}
    return {**cell, "line": why.line, "column": why.column, "message": why.message}


def _list(sizes: Sizes | None) -> list[str] | None:
    return None if sizes is None else list(sizes)
