"""torch and lstm-lint agree on random programs. More of them: python -m tests.differential --count 3000"""

import pytest

pytest.importorskip("torch")

from tests.differential.compare import Comparison, recall
from tests.differential.harness import Outcome, compare, programs_of

pytestmark = pytest.mark.torch
COUNT = 250
RECALL = {"full": 0.98, "symbolic": 0.90}
"""Without the driver some programs do not say that they are wrong: only the driver connects a maker's result with the layer, or
shows the rank of what comes in. What is missed of these is known, see benchmarks/README.md, and may not become more."""


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return compare(programs_of(range(COUNT)))


def _listed(items: list[Comparison]) -> str:
    return "\n" + "\n".join(
        f"{item.label}: torch {item.torch_text[:120]!r}; lint {[str(f) for f in item.lint.findings]}" for item in items
    )


@pytest.mark.parametrize("form", ["full", "symbolic"])
def test_no_error_on_what_torch_runs(outcome: Outcome, form: str) -> None:
    false = [item for item in getattr(outcome, form) if item.false_error]
    assert not false, _listed(false)


@pytest.mark.parametrize("form", ["full", "symbolic"])
def test_what_torch_rejects_is_flagged(outcome: Outcome, form: str) -> None:
    items = getattr(outcome, form)
    missed = [item for item in items if item.missed]
    assert recall(items) >= RECALL[form], _listed(missed)
