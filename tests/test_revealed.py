"""The harness behind ``reveal_shape`` comments: it has to refuse what is wrong, or the fixtures prove nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from revealed import Revealed, WrongComment, agrees, fits, inferred

torch = pytest.importorskip("torch")

MODEL = """
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self, size, layers=2):
        super().__init__()
        self.lstm = nn.LSTM(3, size, layers)
    def forward(self, x):
        output, (h, c) = self.lstm(x)
        reveal_shape(h)  # {comment}

Model(4)(torch.zeros(5, 7, 3))
"""


def run(comment: str) -> set[int]:
    text = MODEL.format(comment=comment)
    revealed = Revealed(text)
    with revealed.listening():
        exec(compile(text, "model", "exec"), {"reveal_shape": revealed})
    return revealed.lines


@pytest.mark.torch
@pytest.mark.parametrize(
    "comment", ["[layers, x.size(1), size]", "[2, 7, 4]", "[..., size]", "[2, 3] | [2, 7, 4]", "[unheard_of, 7, 4]", "?"]
)
def test_a_comment_that_torch_bears_out(comment: str) -> None:
    assert run(comment) == {11}


@pytest.mark.torch
@pytest.mark.parametrize(
    "comment",
    ["[layers, x.size(0), size]", "[2, 4, 7]", "[..., layers]", "[7, 4]", "[unheard_of, 7, 5]", "([2, 7, 4])", "None"],
)
def test_a_comment_that_torch_refutes(comment: str) -> None:
    with pytest.raises(WrongComment):
        run(comment)


def test_structures_are_compared_too() -> None:
    pair = (torch.zeros(2, 3), torch.zeros(2, 4))
    assert fits("([2, 3], [2, 4])", pair, {})
    assert not fits("([2, 3], [2, 3])", pair, {})
    assert not fits("[2, 3]", pair, {})
    packed = torch.nn.utils.rnn.pack_padded_sequence(torch.zeros(5, 2, 3), torch.tensor([5, 1]))
    assert fits("packed [2, 3]", packed, {})
    assert not fits("packed [5, 3]", packed, {})
    assert not fits("[2, 3]", packed, {})


def test_the_text_is_the_linters_in_contexts_with_symbols(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text(MODEL.format(comment="[layers, x.size(1), size]"))
    (reveal,) = inferred(path)[11]
    assert agrees("[layers, x.size(1), size] | [layers, size]", reveal)
    assert not agrees("[layers, x.size(1), size]", reveal)


def test_what_is_unknown_is_compared_by_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text("import torch\ndef f(x):\n    reveal_shape(x)  # ?\n")
    (reveal,) = inferred(path)[3]
    assert agrees('? "`x` is a parameter of `f`"', reveal) and agrees("?", reveal)
    assert not agrees('? "something else"', reveal) and not agrees("[2]", reveal)
