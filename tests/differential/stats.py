"""How the generator does by itself: per style, what torch runs and why it rejects.  python -m tests.differential --oracle"""

from collections import Counter
from collections.abc import Sequence

from tests.differential.oracle import OracleVerdict
from tests.differential.program import Program


def unrelated(verdict: OracleVerdict) -> bool:
    """A rejection in which torch's recurrent code had no part: the generator's fault, or an effect before the layer."""
    return not verdict.runs and not verdict.at_layer


def table(programs: Sequence[Program], verdicts: Sequence[OracleVerdict]) -> str:
    """Per style: programs, runs, rejected, of those unrelated; right programs (no mistake) that run."""
    rows = [f"{'style':22} {'all':>5} {'runs':>5} {'rej.':>5} {'unrel':>5} {'right':>6} {'of':>5}"]
    styles = sorted({program.style for program in programs})
    for style in [*styles, "ALL"]:
        pairs = [(p, v) for p, v in zip(programs, verdicts, strict=True) if style in ("ALL", p.style)]
        runs = sum(v.runs for _, v in pairs)
        right = [v for p, v in pairs if p.mutation is None]
        rows.append(
            f"{style:22} {len(pairs):5} {runs:5} {len(pairs) - runs:5} {sum(unrelated(v) for _, v in pairs):5} "
            f"{sum(v.runs for v in right):6} {len(right):5}"
        )
    return "\n".join(rows)


def mutation_table(programs: Sequence[Program], verdicts: Sequence[OracleVerdict]) -> str:
    """Per mutation: how many torch rejects."""
    total: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    for program, verdict in zip(programs, verdicts, strict=True):
        total[str(program.mutation)] += 1
        rejected[str(program.mutation)] += not verdict.runs
    return "\n".join(f"{name:18} {rejected[name]:5} of {count:5} rejected" for name, count in sorted(total.items()))
