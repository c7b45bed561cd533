"""What an analysis has found so far: layers, calls, uses of their results, and where it gave up."""

from __future__ import annotations

from dataclasses import dataclass, field

from lstm_lint.facts import GaveUp, LstmCall, LstmSite, Reveal, Use
from lstm_lint.interpret.world import World
from lstm_lint.source import Place

Recorded = tuple[list[LstmCall], list[int], list[Reveal], list[Use]]


@dataclass(eq=False, kw_only=True)
class Recording:
    """`muted`: within so many evaluations of which nothing is to be said. `reported_sites` are numbers of `world.sites`."""

    world: World = field(default_factory=World)
    reported_sites: list[int] = field(default_factory=list)
    calls: list[LstmCall] = field(default_factory=list)
    gave_up: list[GaveUp] = field(default_factory=list)
    reveals: list[Reveal] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    wrappers: dict[Place, None] = field(default_factory=dict)
    muted: int = 0
    has_met_layers: bool = False
    has_met_calls: bool = False

    def record_site(self, site: LstmSite) -> None:
        self.world.sites[site.number] = site
        if not self.muted:
            self.has_met_layers = True
            self.reported_sites.append(site.number)

    def record_call(self, call: LstmCall) -> None:
        if not self.muted:
            self.has_met_layers = self.has_met_calls = True
            self.calls.append(call)

    def record_reveal(self, reveal: Reveal) -> None:
        if not self.muted:
            self.reveals.append(reveal)

    def record_use(self, use: Use) -> None:
        if not self.muted:
            self.uses.append(use)

    def recorded(self) -> tuple[int, int, int, int]:
        """How much has been recorded so far."""
        return len(self.calls), len(self.reported_sites), len(self.reveals), len(self.uses)

    def take_back(self, seen: tuple[int, int, int, int]) -> Recorded:
        """Forget what was recorded since: it rests on values that are not final."""
        calls, sites, reveals, uses = seen
        found = (self.calls[calls:], self.reported_sites[sites:], self.reveals[reveals:], self.uses[uses:])
        del self.calls[calls:], self.reported_sites[sites:], self.reveals[reveals:], self.uses[uses:]
        return found

    def put_back(self, found: Recorded) -> None:
        """Record what was taken back after all."""
        calls, sites, reveals, uses = found
        self.calls += calls
        self.reported_sites += sites
        self.reveals += reveals
        self.uses += uses
