"""The rules: one file each, listed once. `check_facts` is what the pipeline calls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from lstm_lint.alternatives import ANY, Configuration, configurations, likeliest
from lstm_lint.facts import Facts
from lstm_lint.findings import Finding, Fix, Probe, Redeemed, Severity, Spot
from lstm_lint.judge import judge
from lstm_lint.proofs.comparison import Extent
from lstm_lint.proofs.conditions import contradicts_itself
from lstm_lint.remedies import Remedy
from lstm_lint.rules import (
    lst101_state_layers,
    lst102_state_batch,
    lst103_state_size,
    lst104_state_rank,
    lst105_state_batch_first,
    lst106_state_structure,
    lst107_state_fixed_batch,
    lst108_state_dtype,
    lst109_state_device,
    lst201_constructor_value,
    lst202_constructor_argument,
    lst203_bool_as_bias,
    lst204_single_layer_dropout,
    lst205_input_size,
    lst206_input_rank,
    lst301_output_features,
    lst302_output_structure,
    lst303_output_reshape,
    lst304_state_index,
    lst305_weight_shape,
    lst401_wrong_last_step,
    lst402_backward_last_step,
    lst403_one_direction_only,
    lst404_state_view_mixes_batch,
    lst405_direction_order,
    lst406_swapped_pair,
    lst407_padded_last_step,
    lst408_packed_layout,
    lst409_state_not_detached,
    lst410_input_layout,
    lst501_zero_state,
    lst502_variable_wrapper,
    lst900_unreadable,
    lst901_gave_up,
)
from lstm_lint.rules.base import Complaint, Handling, Rule
from lstm_lint.rules.merging import Context, merged, redeemed_places
from lstm_lint.rules.using import contexts_of_uses
from lstm_lint.source import Place

_ALL = (
    lst101_state_layers,
    lst102_state_batch,
    lst103_state_size,
    lst104_state_rank,
    lst105_state_batch_first,
    lst106_state_structure,
    lst107_state_fixed_batch,
    lst108_state_dtype,
    lst109_state_device,
    lst201_constructor_value,
    lst202_constructor_argument,
    lst203_bool_as_bias,
    lst204_single_layer_dropout,
    lst205_input_size,
    lst206_input_rank,
    lst301_output_features,
    lst302_output_structure,
    lst303_output_reshape,
    lst304_state_index,
    lst305_weight_shape,
    lst401_wrong_last_step,
    lst402_backward_last_step,
    lst403_one_direction_only,
    lst404_state_view_mixes_batch,
    lst405_direction_order,
    lst406_swapped_pair,
    lst407_padded_last_step,
    lst408_packed_layout,
    lst409_state_not_detached,
    lst410_input_layout,
    lst501_zero_state,
    lst502_variable_wrapper,
    lst900_unreadable,
    lst901_gave_up,
)

RULES: Mapping[str, Rule] = {module.RULE.code: module.RULE for module in _ALL}


@dataclass(frozen=True)
class Examined:
    """What the rules said of a file, in order of place, and the calls that they found right."""

    findings: tuple[Finding, ...]
    redeemed: tuple[Redeemed, ...]


def check_facts(
    facts: Facts,
    plan: Callable[[Complaint], Probe | None] | None = None,
    codes: Collection[str] | None = None,
    fix_for: Callable[[Remedy], Fix | None] | None = None,
) -> Examined:
    """What every rule has to say about a file, contexts merged.

    `plan` makes the question for torch that goes with a finding (`lstm_lint.confirm.plan.probe_for`); None: no questions.
    `codes`: the rules whose findings are wanted; None: all. `fix_for` writes the fix that goes with a finding
    (`lstm_lint.fixes.writer_of_fixes`); None: no fixes.
    """
    sites = [site for site in facts.sites if not site.guarded]
    calls = [judge(call) for call in facts.calls if not contradicts_itself(call.given)]
    said = {rule.code: [tuple(rule.of_call(judged)) for judged in calls] for rule in RULES.values()}
    wrong = [_badness(said, index) for index in range(len(calls))]
    counts = likeliest(calls, wrong)
    needed: dict[int, Configuration] = {}
    for badness in (1, 2):  # what is wrong for all sizes outweighs what is for some
        counting = [min(bad, 2) == badness and count for bad, count in zip(wrong, counts, strict=True)]
        needed.update(configurations(calls, counting))
    layouts = said["LST410"] if codes is None or "LST410" in codes else ()
    misread = frozenset(one.place for of_call in layouts for one in of_call)
    uses = (use for use in facts.uses if not use.guarded and not contradicts_itself(use.given))
    handling = Handling(tuple(uses), misread)
    findings: list[Finding] = []
    redeemed: list[Redeemed] = []
    for rule in RULES.values():
        if codes is not None and rule.code not in codes:
            continue
        contexts = [
            Context(site.place, site.grounded, True, tuple(rule.of_site(site)), Configuration.of(site.given, site.required))
            for site in sites
        ]
        for judged, complaints, does_count in zip(calls, said[rule.code], counts, strict=True):
            if does_count and not judged.call.guarded:
                contexts.append(Context.of_call(rule, judged, complaints, needed.get(judged.call.evaluation, ANY)))
        contexts += contexts_of_uses(rule, handling)
        contexts += [Context(complaint.place, True, True, (complaint,)) for complaint in rule.of_facts(facts)]
        findings += merged(rule, contexts, plan, fix_for)
        redeemed += [
            Redeemed(rule.code, Spot(place.path, place.span)) for place in _elsewhere(redeemed_places(contexts), facts)
        ]
    return Examined(tuple(sorted(findings, key=lambda finding: finding.order)), tuple(redeemed))


def _elsewhere(places: Collection[Place], facts: Facts) -> list[Place]:
    """The places that stand in other files than the analysed one."""
    return sorted((place for place in places if place.path != facts.path), key=lambda place: (place.path, place.span.order))


def _badness(said: Mapping[str, Sequence[Sequence[Complaint]]], index: int) -> int:
    """How much torch has against one call: nothing, some sizes, some sizes always, or the number of dimensions."""
    if said["LST104"][index] or said["LST206"][index]:
        return 3
    loud = [of_rule for code, of_rule in said.items() if RULES[code].severity is Severity.ERROR]
    complaints = [complaint for of_rule in loud for complaint in of_rule[index]]
    return max((1 if complaint.comparison.extent is Extent.SOMETIMES else 2 for complaint in complaints), default=0)
