"""The clock that ends an analysis whatever budget is left: what was found until then is said, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from lstm_lint import check
from lstm_lint.check import analyse, check_file, check_path
from lstm_lint.config import Settings
from lstm_lint.interpret import engine
from lstm_lint.project import Project
from lstm_lint.source import Source

SETTINGS = Settings(".", extend_select=("LST901",), confirm="never", cache=False)
LAYER = """\
import torch
from torch import nn


class Layer(nn.Module):
    def __init__(self, layers=2):
        super().__init__()
        self.layers = layers
        self.rnn = nn.GRU(2, 3, layers)
        self.h = None

    def start(self, batch):
        self.h = torch.zeros(self.layers, batch, 3)

    def forward(self, x):
        for step in x:
            out, self.h = self.rnn(x, self.h)
        return out[-1]
"""
WRONG = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(2, 3, bidirectional=True)

    def forward(self, x):
        h = x.new_zeros(1, x.size(1), 3)
        out, (h, c) = self.rnn(x, (h, h))
        return out[-1]


def main():
    layer = Layer()
    layer.start(4)
    return layer(torch.zeros(5, 4, 2))
"""


class Clock:
    """Time is up when it was looked at so many times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looks = count()
        self.most = 10**9
        monkeypatch.setattr(check, "SECONDS_PER_FILE", 1e6)
        monkeypatch.setattr(engine, "thread_time", lambda: float("inf") if next(self.looks) >= self.most else 0.0)

    def stop_after(self, most: int) -> None:
        self.looks, self.most = count(), most


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    yield Clock(monkeypatch)


def said(code: str) -> list[tuple[str, int, str]]:
    """(rule, line, message) of every finding."""
    result = check_file(Source("net.py", code), SETTINGS)
    return [(finding.code, finding.span.line, finding.message) for finding in result.findings]


def test_wherever_the_time_is_up_only_that_is_said_which_is_said_without_a_clock(clock: Clock) -> None:
    code = LAYER + WRONG
    whole = said(code)
    assert {rule for rule, _, _ in whole} == {"LST101", "LST402"}
    looks = next(clock.looks)
    lengths = set()
    for most in range(0, looks, 7):
        clock.stop_after(most)
        found = said(code)
        ends = [finding for finding in found if finding[0] == "LST901"]
        assert len(ends) == 1 and "takes too long to follow" in ends[0][2]
        others = {finding for finding in found if finding[0] != "LST901"}
        assert others <= set(whole)
        lengths.add(len(others))
    assert min(lengths) == 0 < max(lengths)


def test_a_module_that_was_loaded_when_the_time_was_up_is_loaded_anew_for_the_next_file(tmp_path: Path, clock: Clock) -> None:
    uses = "import torch\nfrom layer import Layer\nnet = Layer(2)\nnet.rnn(torch.zeros(5, 4, 2), torch.zeros(1, 4, 3))\n"
    (tmp_path / "layer.py").write_text(LAYER)
    paths = [tmp_path / "first.py", tmp_path / "second.py"]
    for path in paths:
        path.write_text(uses)
    project = Project()
    for most in range(0, 200, 3):
        clock.stop_after(most)
        check_path(str(paths[0]), SETTINGS, project)
        clock.stop_after(10**9)
        result = check_path(str(paths[1]), SETTINGS, project)
        assert [(finding.code, finding.span.line) for finding in result.findings] == [("LST101", 4)]


def test_a_file_that_takes_long_to_be_parsed_is_followed_nevertheless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "SECONDS_PER_FILE", 0.0)
    assert ("LST101", 25) in {(rule, line) for rule, line, _ in said(LAYER + WRONG)}


def test_what_the_clock_cut_short_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.py"
    path.write_text(LAYER + WRONG)
    settings = replace(SETTINGS, cache=True, cache_dir=str(tmp_path / "cache"))
    with monkeypatch.context() as patch:
        patch.setattr(check, "SECONDS_PER_FILE", 0.0)
        patch.setattr(check, "SECONDS_AT_LEAST", 0.0)
        [cut] = analyse([str(path)], settings)
    [whole] = analyse([str(path)], settings)
    assert cut.cut_short and [finding.code for finding in cut.findings] == ["LST901"]
    assert not whole.cut_short and "LST101" in {finding.code for finding in whole.findings}
