"""Facts as `shapes` lists them: every construction and every call, in the user's own names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lstm_lint.alternatives import likeliest
from lstm_lint.dims import Dim
from lstm_lint.facts import Facts, LstmCall, LstmSite
from lstm_lint.judge import TIME, Judged, StatePart, judge
from lstm_lint.outline import CallReport, SiteReport, Sizes, Standing, StateReport, StateStatus, Why, rank
from lstm_lint.proofs.comparison import Extent
from lstm_lint.source import Place
from lstm_lint.values import Bool, Float, Int, NoneValue, OneOf, Str, Unknown, Value, as_dim

BADNESS = {"mismatch": 2, "conditional": 1, "match": 0, "unknown": 0}
ORDER = {"mismatch": 0, "conditional": 1, "match": 2, "unknown": 3}


def inventory(facts: Facts) -> tuple[tuple[SiteReport, ...], tuple[CallReport, ...]]:
    """The reports of one file. A place seen in several contexts is listed once for each that differs.

    Contexts that module-level code reaches come before those that stand only for "somebody may call this".
    """
    shown = _preferred_sites(facts.sites)
    indices = {site.number: index for index, site in enumerate(shown)}
    by_report: dict[tuple[Place, tuple[tuple[str, str], ...]], int] = {}
    for site in shown:
        by_report.setdefault(_identity(site), indices[site.number])
    calls: list[CallReport] = []
    for judged in _preferred_calls(facts.calls):
        site = judged.call.site
        index = indices.get(site.number, by_report.get(_identity(site)))
        calls.append(_call_report(judged, index))
    return tuple(_site_report(site) for site in shown), tuple(dict.fromkeys(calls))


def _identity(site: LstmSite) -> tuple[Place, tuple[tuple[str, str], ...]]:
    return site.place, tuple(_config(site).items())


def _preferred_sites(sites: Sequence[LstmSite]) -> list[LstmSite]:
    grounded = {site.place for site in sites if site.grounded}
    kept: dict[object, LstmSite] = {}
    for site in sites:
        if site.grounded or site.place not in grounded:
            kept.setdefault(_identity(site), site)
    return sorted(kept.values(), key=lambda site: (site.place.path, site.place.span.order))


def _preferred_calls(calls: Sequence[LstmCall]) -> list[Judged]:
    all_judged = [judge(call) for call in calls]
    counts = likeliest(all_judged, [_badness(judged) for judged in all_judged])
    by_place: dict[Place, list[Judged]] = {}
    for judged, count in zip(all_judged, counts, strict=True):
        if count:
            by_place.setdefault(judged.call.place, []).append(judged)
    chosen: list[Judged] = []
    for contexts in by_place.values():
        best = min(map(_rank, contexts))
        saying_most = [judged for judged in contexts if _rank(judged) == best]
        chosen += saying_most if _status(saying_most[0]) != "unknown" else saying_most[:1]
    return sorted(chosen, key=lambda j: (j.call.place.path, j.call.place.span.order))


def _rank(judged: Judged) -> tuple[int, ...]:
    return rank(_standing(judged), StateStatus(_status(judged)))


def _standing(judged: Judged) -> Standing:
    if judged.call.guarded:
        return Standing.GUARDED
    return Standing.GROUNDED if judged.call.grounded and judged.input.dims is not None else Standing.SYMBOLIC


def _status(judged: Judged) -> str:
    if judged.structure is not None or judged.call.problem is not None:
        return "mismatch"
    if judged.call.state is None:
        return "match" if judged.input.dims is not None or judged.input.packed else "unknown"
    return min((_part_status(part) for part in judged.parts), key=ORDER.__getitem__, default="unknown")


def _badness(judged: Judged) -> int:
    """How much speaks against an alternative; that callers owe something does not."""
    return 0 if any(part.owed for part in judged.parts) else BADNESS[_status(judged)]


def _part_status(part: StatePart) -> str:
    """That of the part; what only depends on callers giving equal sizes is conditional."""
    return "conditional" if part.owed else part.status


def _site_report(site: LstmSite) -> SiteReport:
    span = site.place.span
    weights = {} if site.config is None else {name: _texts(dims) or () for name, dims in site.config.weights().items()}
    return SiteReport(
        site.place.path, span.line, span.column, span.cell, site.layer, site.target or "", _config(site), weights,
        Standing.GROUNDED if site.grounded else Standing.SYMBOLIC,
    )  # fmt: skip


def _config(site: LstmSite) -> dict[str, str]:
    return {name: value_text(value) for name, value in site.bound.values.items()}


def value_text(value: Value) -> str:
    """A constructor argument as the user would write it."""
    match value:
        case Bool(dim):
            return str(bool(dim.constant)) if dim.constant is not None else dim.text
        case Int(dim):
            return dim.text
        case Float(value=number):
            return "?" if number is None else str(number)
        case Str(text):
            return repr(text)
        case NoneValue():
            return "None"
        case Unknown(name=name):
            return name
        case OneOf() if (size := as_dim(value)) is not None:
            return size.text
        case _:
            return "?"


def _call_report(judged: Judged, index: int | None) -> CallReport:
    place, config = judged.call.place, judged.call.site.config
    span = place.span
    parts = {part.which: part for part in judged.parts}
    pair = judged.call.site.layer.startswith("LSTM")
    final: dict[str, Sizes | None] = {"h": None, "c": None}
    view = judged.input
    if config is not None and view.batched is not None and not (view.batched and view.batch is None):
        batch = view.batch if view.batched else None
        final = {which: _texts(config.state_dims(which, batch)) for which in ("h", "c")}
    return CallReport(
        place.path, span.line, span.column, span.cell, index, view.packed, _texts(view.dims),
        _state_report(judged, parts.get("h_0"), final["h"]),
        _state_report(judged, parts.get("c_0"), final["c"]) if pair else None,
        None if config is not None and config.is_cell else _texts(judged.output),
        final["h"],
        final["c"] if pair else None,
        _standing(judged),
    )  # fmt: skip


def _state_report(judged: Judged, part: StatePart | None, expected: Sizes | None) -> StateReport:
    call = judged.call
    if judged.structure is not None or call.problem is not None:
        span = call.place.span
        problem = Why(span.line, span.column, judged.structure or call.problem or "", span.cell)
        return StateReport(True, expected, None, StateStatus.MISMATCH, problem)
    if call.state is None:
        return StateReport(False, expected, None, StateStatus.MATCH)
    if part is None:
        return StateReport(True, expected, None, StateStatus.UNKNOWN, _why(judged, call.state))
    status = StateStatus(_part_status(part))
    why = None
    if status is StateStatus.UNKNOWN:
        why = _why(judged, part.why or judged.input.why or call.state, part)
    elif status is StateStatus.CONDITIONAL:
        why = _condition(judged, part)
    return StateReport(True, _texts(part.expected) or expected, _texts(part.actual), status, why)


def _condition(judged: Judged, part: StatePart) -> Why:
    """For which sizes the state is right or wrong."""
    span = judged.call.place.span
    owed = [f"{actual.text} == {expected.text}" for actual, expected in part.owed]
    wrong = [f"wrong when {axis.when}" for axis in part.axes if axis.when]
    return Why(span.line, span.column, f"right while {' and '.join(owed)}" if owed else " and ".join(dict.fromkeys(wrong)))


def _why(judged: Judged, cause: object, part: StatePart | None = None) -> Why:
    """The first construct that lost the shape, and the two sizes of which nothing is proved if that is all."""
    place, reasons = judged.call.place, []
    undecided = list(_undecided(part)) if part is not None else []
    if isinstance(cause, Unknown):
        place, reasons = cause.place or place, [cause.reason] if cause.reason else []
    whether, *lost = undecided or [""]
    reasons = list(dict.fromkeys([*lost, *reasons]))
    message = ": ".join(filter(None, [whether, "; ".join(reasons)])) or "the state or the input is not known here"
    span = place.span
    return Why(span.line, span.column, message, span.cell)


def _undecided(part: StatePart) -> Iterator[str]:
    """The first two sizes of which nothing is proved, then what lost each of them."""
    for axis, expected, actual in zip(part.axes, part.expected or (), part.actual or (), strict=False):
        if axis.extent is Extent.UNKNOWN:
            yield f"whether {actual.text} is {expected.text} is not known"
            symbols = sorted((actual - expected).symbols, key=lambda symbol: symbol.order)
            yield from (symbol.reason for symbol in symbols if symbol.reason)
            return


def _texts(dims: Sequence[Dim] | None) -> Sizes | None:
    if dims is None:
        return None
    return tuple("T" if TIME in dim.symbols and dim == Dim.of(TIME) else dim.text for dim in dims)
