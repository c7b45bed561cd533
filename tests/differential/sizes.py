"""The concrete numbers of one run of a program."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

CONFIG_ROLES = ("input_size", "hidden_size", "num_layers", "bidirectional", "batch_first", "proj_size")
PRIMES = (5, 7, 11, 13, 17, 19, 23)
COINCIDE = 0.12


@dataclass(frozen=True)
class Sizes:
    """Constructor arguments of the layer and the sizes of its input."""

    kind: str
    input_size: int
    hidden_size: int
    num_layers: int
    bidirectional: bool
    batch_first: bool
    proj_size: int
    batch: int
    steps: int
    batched: bool = True

    @property
    def num_directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def states(self) -> int:
        """num_layers * num_directions."""
        return self.num_layers * self.num_directions

    @property
    def state_size(self) -> int:
        """The last dim of h: proj_size if there is one."""
        return self.proj_size or self.hidden_size

    @property
    def output_size(self) -> int:
        return self.state_size * self.num_directions

    @property
    def input_shape(self) -> tuple[int, ...]:
        if not self.batched:
            return (self.steps, self.input_size)
        lead = (self.batch, self.steps) if self.batch_first else (self.steps, self.batch)
        return (*lead, self.input_size)


def draw_sizes(rng: Random, kind: str, mutation: str | None, batched: bool, flag: bool | None) -> Sizes:
    """Sizes in which `mutation` usually matters; mostly distinct primes, sometimes coinciding."""
    two_ways = rng.random() < (0.92 if mutation in ("no_directions", "one_output") else 0.45)
    layers = rng.choice((2, 3) if mutation == "no_layers" else (1, 1, 2, 2, 3))
    if mutation == "doubled":
        two_ways = rng.random() < 0.1
    input_size, hidden, batch, steps = rng.sample(PRIMES, 4)
    if kind == "LSTM" and (mutation in ("proj_ignored", "swapped_pair") or rng.random() < 0.08):
        proj = rng.randint(2, hidden - 1) if mutation != "stacked_state" else 0
    else:
        proj = 0
    sizes = Sizes(
        kind,
        input_size,
        hidden,
        layers,
        two_ways if flag is None else flag,
        rng.random() < 0.6,
        proj,
        batch,
        steps,
        batched,
    )
    return _coincide(rng, sizes) if rng.random() < COINCIDE else sizes


def _coincide(rng: Random, sizes: Sizes) -> Sizes:
    """Two sizes made equal: a mistake may become harmless."""
    match rng.randrange(5):
        case 0:
            return replace(sizes, batch=sizes.states)
        case 1:
            return replace(sizes, steps=sizes.batch)
        case 2:
            return replace(sizes, input_size=sizes.hidden_size)
        case 3:
            return replace(sizes, batch=1)
        case _:
            return replace(sizes, batch=sizes.num_layers, steps=sizes.states)


def vary(rng: Random, sizes: Sizes, free: tuple[str, ...], number: int) -> Sizes:
    """Other values for the free roles and for the run-time sizes; `number` walks through flags and layer counts."""
    changes: dict[str, Any] = {}
    input_size, hidden, batch, steps = rng.sample((29, 31, 37, 41, 43, 47, 53, 59), 4)
    changes["batch"], changes["steps"] = batch, steps
    if "input_size" in free:
        changes["input_size"] = input_size
    if "hidden_size" in free:
        changes["hidden_size"] = hidden
    if "num_layers" in free:
        changes["num_layers"] = (1, 2, 3, 1, 2, 3)[number % 6]
    if "bidirectional" in free:
        changes["bidirectional"] = number % 2 == 1 if number < 3 else number % 2 == 0
    if "batch_first" in free:
        changes["batch_first"] = number % 3 != 1
    if "proj_size" in free and sizes.proj_size:
        changes["proj_size"] = rng.randint(2, min(int(changes.get("hidden_size", sizes.hidden_size)), 30) - 1)
    return with_values(sizes, changes)


def with_values(sizes: Sizes, changes: Mapping[str, Any]) -> Sizes:
    """`sizes` with some fields changed, by name."""
    return replace(sizes, **changes)
