"""From complaints, one for each context a place was seen in, to findings, one for each place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from lstm_lint.alternatives import ANY, Configuration
from lstm_lint.dims import Dim, Kind
from lstm_lint.facts import Use
from lstm_lint.findings import Finding, Fix, Probe, Related, Severity, Spot
from lstm_lint.judge import Judged
from lstm_lint.proofs.comparison import Extent
from lstm_lint.remedies import Remedy
from lstm_lint.rules.base import Complaint, Rule, condition_text
from lstm_lint.rules.states import axis_names
from lstm_lint.source import Place, Span

RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True)
class Context:
    """One call or construction in one context, with what one rule says of it.

    `decided`: nothing about it is unknown. `rests_on`: the configuration that it is only reached in.
    """

    place: Place
    grounded: bool
    decided: bool
    complaints: tuple[Complaint, ...]
    rests_on: Configuration = ANY

    @staticmethod
    def of_call(rule: Rule, judged: Judged, complaints: tuple[Complaint, ...], rests_on: Configuration) -> Context:
        return Context(judged.call.place, judged.call.grounded, all(_is_decided(rule, judged)), complaints, rests_on)


def _is_decided(rule: Rule, judged: Judged) -> Iterator[bool]:
    """Whether each tensor of the state is known as far as the rule looks at it."""
    config = judged.call.site.config
    names = axis_names(judged, config) if config is not None else ()
    for part in judged.parts:
        if rule.axis in names and len(part.axes) == len(names):
            yield part.axes[names.index(rule.axis)].extent is not Extent.UNKNOWN
        else:
            yield part.status != "unknown"


def merged(
    rule: Rule,
    contexts: Sequence[Context],
    plan: Callable[[Complaint], Probe | None] | None,
    fix_for: Callable[[Remedy], Fix | None] | None = None,
) -> list[Finding]:
    """One finding for each place: that of the worst context, a symbolic one (in the user's names) before a grounded one."""
    redeemed = redeemed_places(contexts)
    best: dict[Place, tuple[Severity, Complaint]] = {}
    for context in contexts:
        for complaint in context.complaints:
            if complaint.use is not None and context.place in redeemed and _may_always_be_right(complaint):
                continue
            if rule.severity is Severity.ERROR:
                complaint = _in_configuration(complaint, context.rests_on)
            severity = _severity(rule, complaint, context.place in redeemed, context.rests_on.needed)
            known = best.get(complaint.place)
            if known is None or _weight(severity, complaint) < _weight(*known):
                best[complaint.place] = (severity, complaint)
    findings: dict[tuple[str, Span], Finding] = {}
    for severity, complaint in best.values():
        remedy = complaint.remedy
        fix = fix_for(remedy) if remedy is not None and fix_for is not None else None
        if fix is not None and fix.safe and rule.severity is Severity.ERROR and severity is not Severity.ERROR:
            fix = None  # it may work in other configurations
        if remedy is not None and remedy.is_proof and fix is None:
            continue
        finding = replace(_finding(rule, severity, complaint, plan), fix=fix)
        key = (finding.path, finding.span)
        if key not in findings or RANK[finding.severity] < RANK[findings[key].severity]:
            findings[key] = finding
    return list(findings.values())


def _in_configuration(complaint: Complaint, rests_on: Configuration) -> Complaint:
    """The complaint with the configuration that its context rests on, if it says nothing of another one."""
    when = rests_on.needed or rests_on.usual
    if rests_on.needed is not None and None not in (complaint.comparison.unless, complaint.comparison.when):
        return _with_sizes(complaint, rests_on.needed)
    if when is None or complaint.comparison.when is not None:
        return complaint
    extent = Extent.SOMETIMES if rests_on.needed is not None else Extent.DEFAULTS
    comparison = replace(complaint.comparison, extent=extent, when=when)
    return replace(complaint, message=f"{complaint.message} (wrong when {when})", comparison=comparison)


def _with_sizes(complaint: Complaint, needed: str) -> Complaint:
    """The complaint about sizes that differ, in the configuration only: in any other they may."""
    said, when = condition_text(complaint.comparison), f"{needed} and {complaint.comparison.when}"
    comparison = replace(complaint.comparison, when=when, unless=None)
    return replace(complaint, message=complaint.message.replace(said, f" (wrong when {when})"), comparison=comparison)


def redeemed_places(contexts: Sequence[Context]) -> set[Place]:
    """The places that module-level code reaches, and where every such context is known to be right."""
    right: set[Place] = set()
    wrong: set[Place] = set()
    for context in contexts:
        if context.grounded and context.complaints:
            wrong.add(context.place)
        elif context.grounded and context.decided:
            right.add(context.place)
    return right - wrong


def _severity(rule: Rule, complaint: Complaint, redeemed: bool, when: str | None) -> Severity:
    if rule.severity is not Severity.ERROR:
        return rule.severity
    extent = complaint.comparison.extent
    if extent is Extent.SOMETIMES or when is not None or (redeemed and _may_be_redeemed(complaint)):
        return Severity.WARNING
    return Severity.ERROR


def _may_be_redeemed(complaint: Complaint) -> bool:
    """Whether the complaint is about what a caller may do, and not wrong for every caller."""
    return not complaint.grounded and complaint.comparison.extent is not Extent.ALWAYS


def _may_always_be_right(complaint: Complaint) -> bool:
    """Whether what is wrong for a caller with any data is right for those that there are: one sample, or no batch at all."""
    return not complaint.grounded and complaint.comparison.extent is Extent.ALWAYS


def _weight(severity: Severity, complaint: Complaint) -> tuple[int, bool]:
    return RANK[severity], complaint.grounded


def _finding(rule: Rule, severity: Severity, complaint: Complaint, plan: Callable[[Complaint], Probe | None] | None) -> Finding:
    call = complaint.call
    redeemable = call is not None and severity is Severity.ERROR and _may_be_redeemed(complaint)
    return Finding(
        rule.code,
        rule.name,
        severity,
        complaint.place.path,
        complaint.place.span,
        complaint.message,
        _texts(complaint.expected),
        _texts(complaint.actual),
        complaint.comparison.when if complaint.comparison.extent in (Extent.SOMETIMES, Extent.DEFAULTS) else None,
        {symbol.name: value for symbol, value in complaint.comparison.witness.items() if symbol.kind is not Kind.OPAQUE},
        complaint.packed,
        tuple(dict.fromkeys(_related(complaint))),
        probe=plan(complaint) if plan is not None else None,
        unless_at=Spot(call.place.path, call.place.span) if call is not None and redeemable else None,
    )


def _texts(dims: tuple[Dim, ...] | None) -> tuple[str, ...] | None:
    return None if dims is None else tuple(dim.text for dim in dims)


def _given_by(complaint: Complaint, use: Use) -> Iterator[Related]:
    """The calls whose results it is about."""
    lineage = use.source.lineage if use.source is not None else None
    for source in sorted(lineage.sources, key=lambda one: one.place.span.order) if lineage is not None else ():
        built = complaint.site.place if complaint.site is not None else None
        if source.place not in (complaint.place, built):
            yield Related(source.place.path, source.place.span, "the layer is called here")


def _related(complaint: Complaint) -> Iterator[Related]:
    """The layer's construction, the call, and what led there from another file, where the finding itself stands elsewhere."""
    site, call, use = complaint.site, complaint.call, complaint.use
    if site is not None and site.place != complaint.place:
        yield Related(site.place.path, site.place.span, f"the {site.layer} is built here")
    if call is not None and complaint.place not in (call.place, call.state_place):
        yield Related(call.place.path, call.place.span, "and called here")
    if use is not None:
        yield from _given_by(complaint, use)
        if use.built is not None and use.built != complaint.place:
            yield Related(use.built.path, use.built.span, f"the {use.name.rpartition('.')[2]} is built here")
    subject = use or call or site
    origin = subject.reached_from if subject is not None else None
    if origin is not None and origin != complaint.place:
        yield Related(origin.path, origin.span, "reached from here")
