"""The pipeline as a whole: what is said of one file, whatever was checked before it in the same process."""

from __future__ import annotations

import os

import pytest

from lstm_lint.check import check_file
from lstm_lint.config import Settings
from lstm_lint.findings import Severity
from lstm_lint.source import Source

PROGRAM = """\
import argparse
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--layers", type=int, default={default})
args = parser.parse_args()
lstm = nn.LSTM(28, 4, 2 * args.layers)
h_0 = torch.zeros(2, 10, 4)
output, state = lstm(torch.randn(3, 10, 28), (h_0, h_0))
"""
EXPECTED = {1: Severity.WARNING, 2: Severity.ERROR}
"""Default of ``--layers`` -> how sure it is that the state is wrong: 2 is right for the default 1 only."""


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_one_file_says_nothing_of_another(order: tuple[int, ...]) -> None:
    """Symbols are numbered anew in each file, so those of two files can look alike; nothing may mix them up."""
    settings = Settings(os.getcwd(), confirm="never", cache=False)
    for default in order:
        result = check_file(Source("model.py", PROGRAM.format(default=default)), settings)
        assert {(f.code, f.severity) for f in result.findings} == {("LST101", EXPECTED[default])}
