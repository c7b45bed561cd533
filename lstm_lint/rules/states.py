"""What the rules about the initial state share: which axes of which tensors are wrong, and how that is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lstm_lint.dims import Dim
from lstm_lint.judge import Judged, StatePart, is_swapped
from lstm_lint.ops.recurrent import LayerConfig
from lstm_lint.proofs.comparison import Comparison
from lstm_lint.remedies import Remedy
from lstm_lint.rules.base import Ask, Complaint, condition_text, is_readable, sizes_text, state_place

UNCHECKED = "torch does not check the state of a packed LSTM call"


@dataclass(frozen=True)
class WrongAxis:
    """One axis (``layers``, ``batch`` or ``size``) of one state tensor that differs from what the layer needs."""

    judged: Judged
    config: LayerConfig
    part: StatePart
    expected: Dim
    actual: Dim
    comparison: Comparison

    def is_actually(self, dim: Dim | None) -> bool:
        """Whether the wrong size is this one, which tells what was mixed up."""
        return dim is not None and self.actual == dim


def axis_names(judged: Judged, config: LayerConfig) -> tuple[str, ...]:
    """The names of a state's axes in their order."""
    return (*(() if config.is_cell else ("layers",)), *(("batch",) if judged.input.batched else ()), "size")


def wrong_axes(judged: Judged, axis: str) -> Iterator[WrongAxis]:
    """The tensors of the state whose `axis` is wrong, but for those that are laid out (batch, layers, size)."""
    config = judged.call.site.config
    if config is None or not is_readable(judged):
        return
    names = axis_names(judged, config)
    if axis not in names:
        return
    index = names.index(axis)
    for part in judged.parts:
        if len(part.axes) != len(names) or part.expected is None or part.actual is None or not part.axes[index].differs:
            continue
        if not is_swapped(part, config, judged.input, judged.call.given, judged.trust):
            yield WrongAxis(judged, config, part, part.expected[index], part.actual[index], part.axes[index])


def axis_complaints(
    judged: Judged,
    axis: str,
    cause: Callable[[WrongAxis], str],
    when_packed: Callable[[WrongAxis], str],
    remedy: Callable[[WrongAxis], Remedy | None] | None = None,
) -> Iterator[Complaint]:
    """One complaint for each wrong tensor; one for both where they are wrong in the same way at the same place."""
    together: dict[object, list[WrongAxis]] = {}
    for wrong in wrong_axes(judged, axis):
        key = (state_place(judged, wrong.part.place), wrong.expected, wrong.actual, wrong.comparison.extent)
        together.setdefault(key, []).append(wrong)
    for group in together.values():
        yield _axis_complaint(judged, group, cause(group[0]), when_packed(group[0]), remedy)


def _axis_complaint(
    judged: Judged, group: list[WrongAxis], cause: str, when_packed: str, remedy: Callable[[WrongAxis], Remedy | None] | None
) -> Complaint:
    first = group[0]
    assert first.part.expected is not None and first.part.actual is not None
    message = (
        f"{is_text(group)} {sizes_text(first.part.actual)} but this {first.config.layer} needs "
        f"{sizes_text(first.part.expected)}: {cause}{condition_text(first.comparison)}{packed_text(judged, when_packed)}"
    )
    return Complaint(
        state_place(judged, first.part.place),
        message,
        Ask.STATE,
        first.comparison,
        first.part.expected,
        first.part.actual,
        judged.call.site,
        judged,
        tuple(wrong.part.which for wrong in group),
        remedy=remedy(group[0]) if remedy is not None else None,
    )


def is_text(group: list[WrongAxis]) -> str:
    """``h_0 is``, ``h_0 and c_0 are``."""
    names = [wrong.part.which for wrong in group]
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'}"


def packed_text(judged: Judged, what_it_does: str) -> str:
    """What a message adds for a packed call of an LSTM; torch does check those of GRU and RNN (seen on 2.13.0)."""
    config = judged.call.site.config
    if not judged.input.packed or config is None or config.layer != "LSTM":
        return ""
    return f"; {UNCHECKED}: {what_it_does}"


def is_smaller(actual: Dim, expected: Dim) -> bool | None:
    """Whether a size is too small; None if that is not known."""
    difference = (actual - expected).constant
    return None if difference is None else difference < 0
