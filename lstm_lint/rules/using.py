"""Uses of what layers gave, as contexts: which of the alternatives of one use count, and the configuration they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lstm_lint.alternatives import ANY, Configuration
from lstm_lint.dims import ZERO, Dim
from lstm_lint.facts import Use
from lstm_lint.findings import Severity
from lstm_lint.proofs.comparison import Extent
from lstm_lint.proofs.wording import is_about_a_rank, is_riddle
from lstm_lint.rules.base import Complaint, Handling, Rule
from lstm_lint.rules.merging import Context
from lstm_lint.source import Place
from lstm_lint.values import Unknown

Group = tuple[Place, int, str]
"""The alternatives of one use: its place, the call in which it is evaluated, and what it is."""


def contexts_of_uses(rule: Rule, handling: Handling) -> Iterator[Context]:
    """What one rule says of every use.

    Nothing of a use without complaints that nothing at module level reaches: it says nothing of the others.
    Of an error: where one alternative is fine, another that rests on a condition nobody can name does not count, since what
    such a condition excludes is not known.
    """
    said = [(use, tuple(rule.of_use(use, handling))) for use in handling.uses]
    if rule.severity is not Severity.ERROR or not any(complaints for _, complaints in said):
        yield from (_context(rule, use, complaints, ANY) for use, complaints in said if complaints or use.grounded)
        return
    fine: dict[Group, list[Dim]] = {}
    for use, complaints in said:
        if not complaints:
            fine.setdefault(_group(use), []).append(use.given)
    counted = [(use, complaints if _counts(use, fine) else ()) for use, complaints in said]
    total: dict[Group, Dim] = {}
    for use, complaints in counted:
        if _is_always_wrong(complaints):
            total[_group(use)] = total.get(_group(use), ZERO) + use.given
    for use, complaints in counted:
        if complaints or use.grounded:
            is_bad = _is_always_wrong(complaints)
            yield _context(rule, use, complaints, Configuration.of(total[_group(use)], use.required) if is_bad else ANY)


def _is_always_wrong(complaints: Sequence[Complaint]) -> bool:
    """Whether one alternative is wrong for more than some configurations, which its complaint names."""
    return any(complaint.comparison.extent is not Extent.SOMETIMES for complaint in complaints)


def _group(use: Use) -> Group:
    return use.place, use.evaluation, use.name


def _counts(use: Use, fine: Mapping[Group, Sequence[Dim]]) -> bool:
    """Whether a use exists for certain, where other alternatives of it are `fine`: under these conditions."""
    others = fine.get(_group(use), ())
    if any(given * use.given != ZERO for given in others):  # nothing with a name tells them apart
        return False
    return not others or not any(is_riddle(flag, use.rounds) or is_about_a_rank(flag) for flag in use.given.flags)


def _context(rule: Rule, use: Use, complaints: tuple[Complaint, ...], rests_on: Configuration) -> Context:
    return Context(use.place, use.grounded, _is_decided(use) and not rule.is_unsure(use), complaints, rests_on)


def _is_decided(use: Use) -> bool:
    """Whether it is known what is done to what."""
    lineage = use.source.lineage if use.source is not None else None
    return not isinstance(use.result, Unknown) and (lineage is None or lineage.axes is not None)
