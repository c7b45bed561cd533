"""Modules in parts, and what an analysis does not look at: what cannot concern a layer costs nothing, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest

from lstm_lint.check import FileResult, check_path
from lstm_lint.config import Settings
from lstm_lint.project import Project
from lstm_lint.syntax import tree
from lstm_lint.syntax.parts import in_parts

PADDING = "# so that the module is long enough to be divided\n" * 30
MODELS = (
    "import torch\nfrom torch import nn\n"
    + PADDING
    + """
SIZES = dict(hidden=8, layers=2)
SIZES["layers"] = 3
WIDTH = SIZES["hidden"]


class Other(nn.Module):
    def never_asked_for(self):
        return 0


@staticmethod
def decorated():
    return 4


class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.lstm = nn.LSTM(size, WIDTH, SIZES["layers"])

    def forward(self, x):
        h = torch.zeros(2, x.size(1), WIDTH)
        return self.lstm(x, (h, h))
"""
)


TRAIN = "import torch\nfrom models import Net\nnet = Net(5)\nnet(torch.zeros(7, 4, 5))\n"


def parts_of(code: str) -> set[str]:
    parts = in_parts(PADDING + code)
    return set() if parts is None else set(parts.waiting)


def test_every_line_is_in_one_part_and_keeps_its_number() -> None:
    parts = in_parts(MODELS)
    assert parts is not None and set(parts.waiting) == {"SIZES", "Other", "decorated", "Net"}
    numbered = [
        pair for part in (parts.rest, *parts.waiting.values()) for pair in zip(part.lines, part.text.split("\n"), strict=False)
    ]
    assert [line for _, line in sorted(numbered)] == MODELS.split("\n")
    assert parts.waiting["decorated"].text.startswith("@staticmethod\n")


@pytest.mark.parametrize(
    ("code", "waiting"),
    [
        ("def f():\n    pass\n", {"f"}),
        ("def f():\n    pass\nf = g(f)\n", set()),
        ("def f():\n    pass\ndef f():\n    pass\n", set()),
        ("try:\n    from a import f\nexcept ImportError:\n    f = None\ndef f():\n    pass\n", set()),
        ("def f():\n    pass\nfrom a import *\ndef g():\n    pass\n", {"g"}),
        ("def f(): pass; x = 1\nclass C: pass\n", {"f", "C"}),
        ("class C: pass; y = 2\nx = 1; z = f()\n", {"C"}),
        ("x = g()\ny = x\n", {"x", "y"}),
        ("x = g()\nx.update(a=1)\ny = x['a']\n", {"x"}),
        ("x = g()\nif x:\n    x.a = 2\ny = x\n", {"x"}),
        ("x = g()\ny = x.pop()\nz = x\n", {"x"}),
        ("x = 1\ny = f(x)\nx = 2\n", set()),
        ("x = 1\ny: int = f(x)\n__all__ = ['y', 'x']\n", {"y"}),
    ],
)  # fmt: skip
def test_what_can_wait_until_its_name_is_asked_for(code: str, waiting: set[str]) -> None:
    assert parts_of(code) == waiting


def analysed(folder: Path, **texts: str) -> dict[str, FileResult]:
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    settings = Settings(str(folder), extend_select=("LST901",), confirm="never", cache=False)
    project = Project()
    return {name: check_path(str(folder / f"{name}.py"), settings, project, listing=True) for name in texts}


ENCODER = """\
class Encoder(nn.Module):
    \"""What a class says of itself.\"""
    LAYERS = 3

    def __init__(self, size):
        super().__init__()
        self.lstm = nn.LSTM(size, 8, self.LAYERS)

    # about the method behind this line
    @property
    def depth(self):
        return self.lstm.num_layers

    @staticmethod
    def never_asked_for():
        return \"""
two lines of text
\"""

    def forward(self, x):
        h = torch.zeros(self.depth - 1, x.size(1), 8)
        return self.lstm(x, (h, h))

    @classmethod
    def make(cls): return cls(5)
"""
LENGTH = "    x = [\n" + "        1,\n" * 200 + "    ]\n"
BARE = "class Bare(nn.Module):\n" + "".join(f"    def m{i}(self):\n        return {i}\n" for i in range(40))


def test_a_class_that_waits_is_in_parts_itself() -> None:
    parts = in_parts(PADDING + ENCODER)
    assert parts is not None
    waiting = parts.waiting["Encoder"]
    assert "__init__" in waiting.text and not waiting.methods  # it is short
    text = PADDING + ENCODER + LENGTH
    parts = in_parts(text)
    assert parts is not None
    waiting = parts.waiting["Encoder"]
    assert set(waiting.methods) == {"__init__", "depth", "never_asked_for", "forward", "make"}
    assert "LAYERS = 3" in waiting.text and "never_asked_for" not in waiting.text
    depth = waiting.methods["depth"]
    assert depth.text.split("\n")[1] == "    @property"
    assert [text.split("\n")[line - 1] for line in depth.lines[1:]] == depth.text.split("\n")[1:-1]


def test_methods_that_wait_are_defined_when_they_are_asked_for(tmp_path: Path) -> None:
    models = "import torch\nfrom torch import nn\n" + ENCODER + LENGTH + "\n\n" + BARE
    use = "import torch\nfrom models import Bare, Encoder\n"
    train = use + "net = Encoder.make()\nnet(torch.zeros(7, 4, 5))\nBare().m3()\nBare().m39()\n"
    inherited = use + "class Mine(Encoder):\n    def run(self, x):\n        return self(x)\n"
    results = analysed(tmp_path, models=models, train=train, inherited=inherited)
    line = models.split("\n").index("        h = torch.zeros(self.depth - 1, x.size(1), 8)") + 1
    for name, batch in (("models", "x.size(1)"), ("train", "4"), ("inherited", "x.size(1)")):
        found = {(one.code, one.span.line, one.actual) for one in results[name].findings}
        assert ("LST101", line, ("2", batch, "8")) in found and {code for code, *_ in found} == {"LST101"}, name


def test_only_what_is_asked_for_is_parsed_and_findings_keep_their_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def parse_module(text: str) -> cst.Module:
        parsed.append(text)
        return original(text)

    original = cst.parse_module
    monkeypatch.setattr(tree.cst, "parse_module", parse_module)
    monkeypatch.setattr("lstm_lint.fixes._imported", lambda path, project: None)  # a fix needs the whole file
    (tmp_path / "models.py").write_text(MODELS)
    [result] = analysed(
        tmp_path, train="import torch\nfrom models import Net\nnet = Net(5)\nnet(torch.zeros(7, 4, 5))\n"
    ).values()
    assert not any("never_asked_for" in text for text in parsed)
    lines = MODELS.split("\n")
    [finding] = {one.span.line: one for one in result.findings if one.code == "LST101"}.values()
    assert lines[finding.span.line - 1].strip() == "h = torch.zeros(2, x.size(1), WIDTH)"
    assert [lines[site.line - 1].strip() for site in result.sites] == ['self.lstm = nn.LSTM(size, WIDTH, SIZES["layers"])']
    assert result.sites[0].config["num_layers"] == "3"


HEAVY = (
    "for a in rows:\n"
    + "".join(f"{'    ' * (i + 1)}for x{i} in rows:\n" for i in range(9))
    + "    " * 10
    + "total = f(rows, a)\n"
)


ENDLESS = "for a in rows:\n" + "    total = f(rows, a)\n" * 3_000


def indented(code: str, by: int) -> str:
    return "".join(" " * by + line for line in code.splitlines(keepends=True))


LAYER = """\
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(2, 3)
"""


def test_a_method_that_is_looked_at_twice_is_given_up_once(tmp_path: Path) -> None:
    method = "    def report(self, rows):\n" + indented(ENDLESS, 8) + "        return other(self.rnn)\n"
    [result] = analysed(tmp_path, net=LAYER + method + PADDING * 5).values()
    assert [finding.code for finding in result.findings] == ["LST901"]
    assert len(result.sites) == 1


def test_what_the_module_calls_without_arguments_is_followed_once(tmp_path: Path) -> None:
    main = "def main():\n    net = Net()\n    rows = open('rows')\n" + indented(ENDLESS, 4)
    [result] = analysed(tmp_path, net=LAYER + PADDING * 5 + main + "if __name__ == '__main__':\n    main()\n").values()
    assert [finding.code for finding in result.findings] == ["LST901"]


def test_loading_a_module_is_not_charged_to_the_file_that_imports_it(tmp_path: Path) -> None:
    modules = {f"heavy{i}": f"rows = open('rows')\n{HEAVY}ready{i} = 2\n" for i in range(3)}
    names = "".join(f"from heavy{i} import ready{i}\nready{i}\n" for i in range(3))
    results = analysed(tmp_path, **modules, net=LAYER, use=names + "from net import Net\nnet = Net()\n")
    assert not results["use"].findings
    assert len(results["use"].sites) == 1
