"""What a generated program is."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.differential.sizes import Sizes

Driver = Callable[[Sizes, bool], str]
"""Writes the code that chooses sizes, builds and calls; the flag lets it carry the program's mistake."""


@dataclass(frozen=True)
class Program:
    """One generated program; the same seed always gives the same text.

    `source` runs by itself. `symbolic_source` is the same without the driver (the code that chooses sizes, builds
    and calls), None where nothing would be left. `variants` are full programs: the symbolic text under drivers with
    other sizes, always without a mistake in the driver itself. They say what is true of `symbolic_source`.
    """

    seed: int
    style: str
    source: str
    symbolic_source: str | None
    variants: tuple[str, ...]
    mutation: str | None
    packed: bool

    @property
    def name(self) -> str:
        """A file stem that sorts by seed."""
        return f"p{self.seed:07d}_{self.style}"


@dataclass(frozen=True)
class Draft:
    """What a style hands back: the text of the program without its imports, cut where the driver begins.

    `driver` writes the driver for some sizes; `free` names the sizes that driver may choose;
    `defaults` are the values the body declares for some of them.
    """

    body: str
    driver: Driver
    free: tuple[str, ...] = ()
    defaults: tuple[tuple[str, object], ...] = ()
    symbolic: bool = True
    packed: bool = False
