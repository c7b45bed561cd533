"""Which methods are run before the others, since they set attributes that those read."""

from __future__ import annotations

import libcst as cst
import pytest

from lstm_lint.check import check_file
from lstm_lint.config import Settings
from lstm_lint.interpret.setting import sets_attributes
from lstm_lint.source import Source
from lstm_lint.syntax.tree import names_in

SETTINGS = Settings(".", confirm="never", cache=False)


@pytest.mark.parametrize(
    ("body", "sets"),
    [
        ("self.h = x", True),
        ("self.h += x", True),
        ("self.h: int = x", True),
        ("self.options.h = x", True),
        ("out, (self.h, c) = x", True),
        ("for self.step in x: pass", True),
        ("with x as self.file: pass", True),
        ("model = self\nmodel.h = x", True),
        ("inner = self.inner\ncell = inner.cell\ncell.h = x", True),
        ("for module in self.modules(): module.h = x", True),
        ("if (inner := self.inner): inner.h = x", True),
        ("with self.inner as inner: inner.h = x", True),
        ("reset(self)", True),
        ("pairs = [(self, x)]", True),
        ("setattr(x, 'h', 1)", True),
        ("super().reset.h = x", True),
        ("x.h = 1", False),
        ("x = Namespace(**vars(x))\nx.h = 1", False),
        ("gate = nn.GRUCell(2, 3)\ngate.weight_hh.data = x.weight_hh_l0", False),
        ("h = self.h", False),
        ("h = getattr(self, 'h', None)", False),
        ("return self.reset(x)", False),
    ],
)
def test_a_method_sets_attributes_of_what_is_its_own(body: str, sets: bool) -> None:
    definition = cst.ensure_type(method("def method(self, x):\n", body), cst.FunctionDef)
    assert sets_attributes(definition, names_in(definition)) == sets


def test_the_first_parameter_of_a_static_method_is_not_the_instance() -> None:
    definition = cst.ensure_type(method("@staticmethod\ndef joined(first, x):\n", "first.h = x\nreset(first)"), cst.FunctionDef)
    assert not sets_attributes(definition, names_in(definition))


def method(head: str, body: str) -> cst.CSTNode:
    return cst.parse_module(head + "".join(f"    {line}\n" for line in body.split("\n"))).body[0]


MODEL = """\
import torch
from torch import nn


class Base(nn.Module):
    def keep(self, h):
        self.h = h


class Net(Base):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(2, 3)
        self.h = None

    def prepare(self, h):
        self.h = h

    def reset(self, batch):
        self.h = torch.zeros(1, batch, 3)

    renamed = prepare

    def start(self):
        START

    def forward(self, x):
        return self.rnn(torch.zeros(5, 4, 2), self.h)
"""


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("self.reset(5)", ["LST102"]),  # the only call of it in sight
        ("self.reset(4)", []),
        ("self.prepare(torch.zeros(2, 4, 3))", ["LST101"]),
        ("self.prepare(torch.zeros(1, 4, 3))", []),
        ("self.keep(torch.zeros(2, 4, 3))", ["LST101"]),  # which is not looked at for its own sake: it is another class's
        ("self.keep(torch.zeros(1, 4, 3))", []),
        ("super().keep(torch.zeros(2, 4, 3))", ["LST101"]),
        ("self.renamed(torch.zeros(2, 4, 3))", ["LST101"]),
        ("Base.keep(self, torch.zeros(2, 4, 3))", ["LST101"]),
    ],
)
def test_what_a_method_sets_by_calling_another_is_known_to_the_rest(start: str, found: list[str]) -> None:
    result = check_file(Source("net.py", MODEL.replace("START", start)), SETTINGS)
    assert [finding.code for finding in result.findings] == found


def test_a_long_method_that_only_calls_what_sets_does_not_make_it_unknown() -> None:
    """What `reset` sets is known from `reset`, so that a method that calls it need not be followed to its end for that."""
    long = "self.reset(4)\n        for x in x:\n" + "            y = other(x, self.h)\n" * 3_000
    code = MODEL.replace("START", long).replace("zeros(1, batch", "zeros(2, batch")
    result = check_file(Source("net.py", code), SETTINGS)
    assert [finding.code for finding in result.findings] == ["LST101"]
