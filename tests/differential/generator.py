"""seed -> Program."""

from dataclasses import replace
from random import Random

from tests.differential.mutations import KIND_NEEDED
from tests.differential.noise import surroundings
from tests.differential.program import Draft, Program
from tests.differential.sizes import Sizes, draw_sizes, vary, with_values
from tests.differential.styles import STYLES, Style
from tests.differential.writer import Writer

MISTAKES = 0.53
"""How often a mistake is injected; some are harmless by coincidence, so about half of the programs run."""
VARIANTS = 6


def generate(seed: int, style: str | None = None) -> Program:
    """The program of `seed`, in the named style or in one the seed chooses."""
    rng = Random(seed)
    chosen = _style(rng) if style is None else next(item for item in STYLES if item.name == style)
    mutation = rng.choice(chosen.mutations) if rng.random() < MISTAKES else None
    kind = _kind(rng, chosen, mutation)
    if mutation == "pair_state" and kind == "LSTM":
        mutation = None
    flag = rng.choice(chosen.flags)
    sizes = draw_sizes(rng, kind, mutation, chosen.batched, flag)
    w = Writer(rng, chosen.name, replace(sizes, proj_size=0) if not chosen.projections else sizes, mutation)
    if mutation in ("stacked_state", "proj_ignored"):
        w.faulty_parts = "hc"
    draft = chosen.write(w)
    full = draft.driver(w.sizes, True)
    variants = tuple(draft.driver(case, False) for case in _cases(w, draft)) if draft.symbolic else ()
    header = _join(w.imports.header(), surroundings(w))
    return Program(
        seed=seed,
        style=chosen.name,
        source=_join(header, draft.body, full),
        symbolic_source=_join(header, draft.body) if draft.symbolic else None,
        variants=tuple(_join(header, draft.body, text) for text in variants),
        mutation=mutation,
        packed=draft.packed,
    )


def _style(rng: Random) -> Style:
    return rng.choices(STYLES, weights=[style.weight for style in STYLES])[0]


def _kind(rng: Random, style: Style, mutation: str | None) -> str:
    needed = KIND_NEEDED.get(mutation or "")
    if needed == "LSTM" or len(style.kinds) == 1:
        return "LSTM" if "LSTM" in style.kinds else style.kinds[0]
    if needed == "GRU":
        return rng.choice([kind for kind in style.kinds if kind != "LSTM"])
    return rng.choice(style.kinds)


def _cases(w: Writer, draft: Draft) -> list[Sizes]:
    """The sizes of the variants: the program's own with other run-time sizes, the declared defaults, then others."""
    cases = [vary(w.rng, w.sizes, draft.free, number) for number in range(VARIANTS)]
    if draft.defaults:
        cases[-1] = with_values(cases[-1], dict(draft.defaults))
    if (
        w.faulty("low_rank", "high_rank", "bare_state", "triple_state", "stacked_state")
        and w.sizes.batched
        and not draft.packed
    ):
        cases.append(replace(cases[0], batched=False))
    if w.fixed_batch is not None:
        cases.append(replace(cases[0], batch=w.fixed_batch))
    return cases


def _join(*parts: str) -> str:
    text = "\n\n".join(part.strip("\n") for part in parts if part.strip())
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(lines) + "\n"
