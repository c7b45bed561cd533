"""Where the budget of an analysis ends: what is behind a call or a loop that takes too many steps is still looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lstm_lint.check import analyse, check_file
from lstm_lint.config import Settings
from lstm_lint.interpret import loops
from lstm_lint.source import Source

SETTINGS = Settings(".", extend_select=("LST901",), confirm="never", cache=False)
ENDLESS = "for a in rows:\n" + "    total = other(rows, a)\n" * 2_000
WRONG = "nn.LSTM(2, 3)(torch.zeros(5, 4, 2), (torch.zeros(2, 4, 3), torch.zeros(1, 4, 3)))\n"
RIGHT = WRONG.replace("torch.zeros(2, 4, 3)", "torch.zeros(1, 4, 3)")


def found(code: str) -> list[tuple[str, int]]:
    """(rule, line) of every finding."""
    result = check_file(Source("net.py", "import torch\nfrom torch import nn\n" + code), SETTINGS)
    return sorted((finding.code, finding.span.line) for finding in result.findings)


def indented(code: str, by: int = 4) -> str:
    return "".join(" " * by + line for line in code.splitlines(keepends=True))


def line_of(code: str, text: str) -> int:
    return 3 + code[: code.index(text)].count("\n")


@pytest.mark.parametrize("caller", ["", "def main(rows):\n"])
def test_a_mistake_behind_a_call_that_takes_too_many_steps_is_found(caller: str) -> None:
    heavy = "def heavy(rows, layer=nn.LSTM):\n" + indented(ENDLESS)
    body = "heavy(open('rows'))\n" + WRONG
    code = heavy + caller + (indented(body) if caller else body)
    assert found(code) == [("LST101", line_of(code, WRONG)), ("LST901", 3)]


def test_a_mistake_behind_many_loops_is_found() -> None:
    loops = "".join(f"{' ' * i}for x{i} in rows:\n" for i in range(9)) + " " * 9 + "total = other(rows, total, x1, x8)\n"
    code = "def main(rows, total):\n" + indented(loops * 9 + WRONG)
    assert found(code) == [("LST101", line_of(code, WRONG))]


def test_a_state_that_a_loop_changes_is_not_known_where_the_loop_is_not_run_to_its_end() -> None:
    """After the first round `h` is what the layer wants: only a run to the end could tell."""
    loops = "".join(f"{' ' * i}for x{i} in rows:\n" for i in range(9)) + " " * 9 + "total = other(rows, total, x1, x8)\n"
    grown = "size = 2\nfor row in rows:\n    size = 1\nnn.GRU(2, 3)(torch.zeros(5, 4, 2), torch.zeros(size, 4, 3))\n"
    assert found("def main(rows, total):\n" + indented(loops * 9 + grown)) == []


def test_what_was_there_before_a_loop_is_only_there_in_its_first_round() -> None:
    loops = "".join(f"{' ' * i}for x{i} in rows:\n" for i in range(9)) + " " * 9 + "total = other(rows, total, x1, x8)\n"
    layers = (
        "cells = [nn.GRUCell(2, 3 if i == 0 else 5) for i in range(n)]\n"
        + "h = torch.zeros(4, 3)\n"
        + "for i in range(n):\n    cells[i](torch.zeros(4, 2), h)\n    h = torch.zeros(4, 5)\n"
    )
    assert found("def main(rows, total, n):\n" + indented(loops * 9 + layers)) == []


def test_a_round_that_is_not_followed_to_its_end_says_nothing_of_the_next_ones() -> None:
    code = (
        "def main(rows, n, total):\n    cells = [nn.GRUCell(2, 3 if i == 0 else 5) for i in range(n)]\n"
        + "    h = torch.zeros(4, 3)\n    for i in range(n):\n        cells[i](torch.zeros(4, 2), h)\n"
        + indented(ENDLESS, 8)
        + "        h = torch.zeros(4, 5)\n"
    )
    assert found(code) == [("LST901", 3)]


def test_an_attribute_that_a_method_sets_behind_the_end_of_its_budget_is_not_known() -> None:
    code = (
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.rnn = nn.GRU(2, 3)\n"
        + "        self.h = torch.zeros(2, 4, 3)\n    def reset(self, rows):\n        self.h = torch.zeros(3, 4, 3)\n"
        + indented(ENDLESS, 8)
        + "        self.h = torch.zeros(1, 4, 3)\n"
        + "    def forward(self, x):\n        return self.rnn(x, self.h)\n"
    )
    assert found(code) == [("LST101", 7), ("LST901", 8)]  # where the constructor made it, it is as it stands


def test_an_instance_whose_constructor_takes_too_many_steps_is_not_known() -> None:
    """Its attributes are not missing: the constructor was not followed to where it sets them."""
    code = (
        "class Net(nn.Module):\n    def __init__(self, rows):\n        super().__init__()\n"
        + "        self.layers = 2\n"
        + indented(ENDLESS, 8)
        + "        self.layers = 1\n"
        + "def main():\n    net = Net(open('rows'))\n"
        + "    nn.GRU(2, 3)(torch.zeros(5, 4, 2), torch.zeros(net.layers, 4, 3))\n"
        + indented(WRONG)
    )
    assert found(code) == [("LST101", line_of(code, WRONG.strip()))]


def test_what_a_call_was_given_is_not_known_where_it_is_not_followed_to_its_end() -> None:
    code = (
        "def change(sizes, rows, layer=nn.LSTM):\n    sizes[0] = 2\n"
        + indented(ENDLESS)
        + "    sizes[0] = 1\n"
        + "def main(rows):\n    sizes = [2]\n    change(sizes, rows)\n"
        + "    nn.GRU(2, 3)(torch.zeros(5, 4, 2), torch.zeros(sizes[0], 4, 3))\n"
    )
    assert found(code) == [("LST901", 3)]


CHANGED = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(2, 3)
        self.kept = 2
        self.layers = 2
    def prepare(self, rows, layer=nn.LSTM):
HEAVY        change(self)
    def forward(self, x, rows):
        self.prepare(rows)
        self.rnn(torch.zeros(5, 4, 2), torch.zeros(self.layers, 4, 3))
        return self.rnn(torch.zeros(5, 4, 2), torch.zeros(self.kept, 4, 3))
""".replace("HEAVY", indented(ENDLESS, 8))


@pytest.mark.parametrize("elsewhere", [False, True])
def test_only_what_may_have_been_changed_is_forgotten(tmp_path: Path, elsewhere: bool) -> None:
    """`layers` is set by a function, in this file or another one, that a method calls which takes too many steps."""
    change = "def change(model):\n    model.layers = 1\n"
    imports = "import torch\nfrom torch import nn\n"
    if elsewhere:
        (tmp_path / "changes.py").write_text(change)
        change = "from changes import change\nready = change\n"
    path = tmp_path / "net.py"
    path.write_text(imports + change + CHANGED)
    [result] = analyse([str(path)], SETTINGS)
    errors = [finding.span.line for finding in result.findings if finding.code == "LST101"]
    assert errors == [path.read_text().splitlines().index(CHANGED.splitlines()[-1]) + 1]


SET_UP = """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(2, 3)
        self.set_up(2)
    def set_up(self, layers):
        self.layers = layers
    def again(self):
        self.set_up(1)
    def prepare(self, rows, layer=nn.LSTM):
HEAVY        BEHIND
    def forward(self, x, rows):
        self.prepare(rows)
        return self.rnn(torch.zeros(5, 4, 2), torch.zeros(self.layers, 4, 3))
""".replace("HEAVY", indented(ENDLESS, 8))


@pytest.mark.parametrize(
    ("behind", "is_kept"),
    [
        ("rows.clear()", True),
        ("self.set_up(1)", False),
        ("self.again()", False),
        ("self.rnn(rows[0])", True),
        ("self.run(rows)", False),  # of a base class that nobody sees
        ("change(self)", False),
        ("getattr(self, rows[0])()", False),
        ("self.setup = self.again", False),
    ],
)
def test_a_method_that_is_not_followed_to_its_end_changes_what_it_leads_to(behind: str, is_kept: bool) -> None:
    code = SET_UP.replace("BEHIND", behind)
    last = line_of(code, "        return")
    assert (("LST101", last) in found(code)) == is_kept


def test_the_other_end_that_is_used_behind_the_end_of_the_budget_is_no_reason_to_warn() -> None:
    """``out[:, 0]`` stands where nobody looked: whether the last step alone is used is not known."""
    code = (
        "def last(rows, n):\n    rnn = nn.LSTM(2, 3, batch_first=True, bidirectional=True)\n"
        + "    out, _ = rnn(torch.zeros(4, 5, 2))\n    end = out[:, -1]\n"
        + indented(ENDLESS)
        + "    return torch.cat((end[:, :3], out[:, 0, 3:]), 1)\n"
    )
    assert found(code) == [("LST901", 3)]


def test_a_file_of_very_many_long_functions_says_once_where_nothing_was_looked_at_any_more() -> None:
    """Sooner where no layer was called, and sooner still where none was built."""
    code = "".join(f"def f{i}(rows, layer=nn.LSTM):\n" + indented("rows = other(rows)\n" * 150) for i in range(90))
    built = "def make():\n    return nn.LSTM(4, 5)\n"
    ((code_of_none, none),) = found(code)
    ((code_of_built, only_built),) = found(built + code)
    ((code_of_called, called),) = found(built.replace(")\n", ")(torch.zeros(2, 3, 4))\n") + code)
    assert code_of_none == code_of_built == code_of_called == "LST901"
    assert 151 * 15 < none < only_built - 151 and only_built + 151 < called


def test_what_calls_in_a_loop_keep_to_themselves_is_no_reason_for_another_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call has variables of its own; what the loop is about does not change, so that one more round tells nothing."""
    rounds: list[int] = []

    def written_back(it: Any, loop: Any, written: Any, jumps: Any, count: int) -> Any:
        rounds.append(count)
        return original(it, loop, written, jumps, count)

    original = loops._written_back
    monkeypatch.setattr(loops, "_written_back", written_back)
    helper = "class Log:\n    def __init__(self, row):\n        self.line = row\ndef log(row):\n    line = Log(row)\n"
    assert found(helper + "def main(rows, layer=nn.LSTM):\n    for i in range(3, len(rows)):\n        log(rows)\n") == []
    assert rounds == [0, 1]  # in the first the counter is new
