"""What a rule is, and what it says: complaints about one call or construction, before contexts are merged into findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from lstm_lint.dims import ONE, ZERO, Dim
from lstm_lint.facts import Facts, LstmCall, LstmSite, Use
from lstm_lint.findings import Severity
from lstm_lint.judge import Judged
from lstm_lint.lineage import Lineage
from lstm_lint.proofs.comparison import Comparison, Extent
from lstm_lint.remedies import Remedy
from lstm_lint.source import Place

CERTAIN = Comparison(Extent.ALWAYS)


class Ask(Enum):
    """What to ask torch about a complaint."""

    STATE = "state"  # the call with the state tensors in `parts` as they are, everything else right
    INPUT = "input"  # the call with its input as it is, without a state
    DTYPE = "dtype"  # the call with everything right but the dtypes, which are in `details`
    STRUCTURE = "structure"  # the call with a state of this structure
    ARGUMENTS = "arguments"  # the call with the state's tensors as arguments of their own
    CONSTRUCTION = "construction"  # the constructor with its arguments as given
    EXPERIMENT = "experiment"  # the complaint's experiment, with its layer
    NOTHING = "nothing"


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong with one call (`judged`) or one construction (`site`) in one context.

    `comparison` says for which sizes it is wrong. `parts` are the state tensors it speaks of; `argument` is the constructor's
    parameter it speaks of. Of one about what is done with a layer's result, `use` is that; `experiment` and `details` name what
    shows it in torch. `remedy` is what would mend it.
    """

    place: Place
    message: str
    ask: Ask
    comparison: Comparison = CERTAIN
    expected: tuple[Dim, ...] | None = None
    actual: tuple[Dim, ...] | None = None
    site: LstmSite | None = None
    judged: Judged | None = None
    parts: tuple[str, ...] = ()
    argument: str | None = None
    use: Use | None = None
    experiment: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    remedy: Remedy | None = None

    @property
    def call(self) -> LstmCall | None:
        return self.judged.call if self.judged is not None else None

    @property
    def packed(self) -> bool:
        return self.judged is not None and self.judged.input.packed

    @property
    def grounded(self) -> bool:
        subject = self.use or self.call or self.site
        return subject is not None and subject.grounded


def _nothing(_: object) -> Iterable[Complaint]:
    return ()


def _nothing_of_use(_: Use, __: Handling) -> Iterable[Complaint]:
    return ()


@dataclass(frozen=True)
class Handling:
    """Everything that is done, in one file, with what recurrent layers gave.

    `misread`: the calls of which is said that what they are given is laid out the other way round.
    """

    uses: tuple[Use, ...]
    misread: frozenset[Place] = frozenset()

    @cached_property
    def _by_call(self) -> Mapping[tuple[int, Place], tuple[Use, ...]]:
        found: dict[tuple[int, Place], dict[int, Use]] = {}
        for use in self.uses:
            for source in (source for lineage in use.lineages for source in lineage.sources):
                found.setdefault((source.site, source.place), {})[id(use)] = use
        return {call: tuple(uses.values()) for call, uses in found.items()}

    def of(self, lineage: Lineage, given: Dim = ONE) -> Iterator[Use]:
        """What else is done with the results of the same calls, where that can be together with `given`."""
        calls = {(source.site, source.place) for source in lineage.sources}
        found = {id(use): use for call in calls for use in self._by_call.get(call, ())}
        yield from (use for use in found.values() if use.given * given != ZERO)


def _always_sure(use: Use) -> bool:
    return False


@dataclass(frozen=True)
class Rule:
    """A rule as listed: its page is the docstring of its file; those of the four functions that are its own say what it finds.

    `severity` is that of a finding that is wrong for every size; one that is wrong for some only is a warning at most.
    `axis` is the axis of the state (``layers``, ``batch``, ``size``) that it looks at, if it looks at one only. `is_unsure`:
    that it says nothing of a use does not mean that this is right.
    """

    code: str
    name: str
    severity: Severity
    default: bool
    page: str
    of_call: Callable[[Judged], Iterable[Complaint]] = field(default=_nothing)
    of_site: Callable[[LstmSite], Iterable[Complaint]] = field(default=_nothing)
    of_facts: Callable[[Facts], Iterable[Complaint]] = field(default=_nothing)
    of_use: Callable[[Use, Handling], Iterable[Complaint]] = field(default=_nothing_of_use)
    axis: str = ""
    is_unsure: Callable[[Use], bool] = field(default=_always_sure)


def sizes_text(dims: Iterable[Dim]) -> str:
    """``(num_layers*2, x.size(0), 4)``."""
    texts = [dim.text for dim in dims]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def condition_text(comparison: Comparison) -> str:
    """What a message adds if it is wrong for some sizes only, with a leading space; empty if it is always wrong."""
    if comparison.extent is Extent.SOMETIMES and comparison.unless:
        return f" (only right while {comparison.unless})"
    if comparison.extent in (Extent.SOMETIMES, Extent.DEFAULTS) and comparison.when:
        return f" (wrong when {comparison.when})"
    return ""


def state_place(judged: Judged, place: Place | None) -> Place:
    """Where a finding about a state stands: what gave the tensor its shape, else the argument, else the call."""
    return place or judged.call.state_place or judged.call.place


def is_readable(judged: Judged) -> bool:
    """Whether the contract says anything about this call: the layer can be built, and the call fits its signature."""
    return judged.call.site.config is not None and not judged.call.site.bound.problems and judged.call.problem is None
