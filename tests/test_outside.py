"""Which attributes code sets: on models from outside of their class, and by what a method leads to."""

from __future__ import annotations

import pytest

from lstm_lint.syntax.outside import changed_by, set_from_outside


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("model.hidden = h\nmodel(x)", {"hidden"}),
        ("model.hidden, model.size = h, 3\nmodel.eval()", {"hidden", "size"}),
        ("self.model.hidden = h\nself.model(x)", {"hidden"}),
        ("setattr(model, 'hidden', h)\nmodel.zero_grad()", {"hidden"}),
        ("model.step += 1\nmodel(x)", {"step"}),
        ("self.hidden = h\nself(x)", set()),
        ("args.hidden_size = 3\nargs.items()", set()),
        ("args.hidden_size = 3\nmodel(args)", set()),
        ("make().hidden = h\nmake()(x)", set()),
        ("model.hidden = h\nmodel(x", set()),
    ],
)
def test_attributes(text: str, names: set[str]) -> None:
    assert set_from_outside(text) == names


NET = """
class Base:
    def __init__(self):
        self.first = 1
        self.make()
    def make(self):
        self.made = 2
    def forward(self, x):
        self.steps += 1
    def __len__(self):
        self.asked = True
"""


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("return x * 2", set()),
        ("self.h = x", {"h"}),
        ("self.items.append(x)", {"items"}),
        ("self.make()", {"made"}),
        ("return super().make()", {"made"}),
        ("return [one.make() for one in x]", {"made"}),
        ("self.first(x)", set()),
        ("self.eval()", set()),
        ("self.start(x)", None),
        ("other(self)", None),
        ("other(key=self)", None),
        ("other(*(self, x))", None),
        ("getattr(x, 'make')()", None),
        ("vars(self)[x] = 1", None),
        ("setattr(self, x, 1)", None),
    ],
)
def test_what_a_method_may_change(body: str, names: set[str] | None) -> None:
    """Behind a name, ``forward`` and what Python calls itself are reached anyway."""
    text = f"class Net(Base):\n    def run(self, x):\n        {body}\n"
    expected = None if names is None else names | {"steps", "asked"}
    assert changed_by([NET, text], "run") == expected


def test_what_may_be_called_under_another_name() -> None:
    assert changed_by([NET, "def run(self):\n    pass\nBase.other = Base.make\n"], "run") == {"made", "other", "steps", "asked"}
    assert changed_by([NET, "def run(self):\n    pass\nNAMES = ['make']\n"], "run") == {"made", "steps", "asked"}
    assert changed_by([NET], "run") is None
    assert changed_by(["def run(self:\n"], "run") is None
