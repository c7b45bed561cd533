"""What several tests need: the command as a user runs it, programs with known mistakes, and the skips."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
Run = Callable[..., "subprocess.CompletedProcess[str]"]

WRONG = """\
import torch
from torch import nn

lstm = nn.LSTM(28, 4, num_layers=2, bidirectional=True)
h_0 = torch.zeros(2, 10, 4)
c_0 = torch.zeros(4, 10, 4)
output, state = lstm(torch.randn(3, 10, 28), (h_0, c_0))
"""
"""One LST101 on line 5, where the state is made; torch refuses the call on line 7."""

RIGHT = WRONG.replace("h_0 = torch.zeros(2,", "h_0 = torch.zeros(4,")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if importlib.util.find_spec("torch") is not None:
        return
    for item in items:
        if item.get_closest_marker("torch"):
            item.add_marker(pytest.mark.skip(reason="torch is not installed"))


@pytest.fixture(autouse=True, scope="session")
def without_a_clock() -> Iterator[None]:
    """No result depends on how fast the machine is: only the budget, which is the same everywhere, ends an analysis.

    For the session, so that what a module's fixtures work out is without one too.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lstm_lint.check.SECONDS_PER_FILE", float("inf"))
        yield


@pytest.fixture
def lint(tmp_path: Path) -> Run:
    """Runs the command in `tmp_path`, from this checkout, whatever is installed, and without torch unless asked."""

    def run(
        *arguments: str, stdin: str | bytes | None = None, timeout: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        env = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
        path = os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH", "")]))
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [sys.executable, "-m", "lstm_lint", *arguments],
            cwd=tmp_path,
            input=data,
            capture_output=True,
            timeout=timeout,
            env={**env, "PYTHONPATH": path, **environment},
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        stdout, stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        return subprocess.CompletedProcess(done.args, done.returncode, stdout, stderr)

    return run


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    """Symbols of one test may be called as another's: nothing worked out for them is kept, as between two files."""
    from lstm_lint.dims import multiplied
    from lstm_lint.proofs.conditions import implied

    multiplied.cache_clear()
    implied.cache_clear()
