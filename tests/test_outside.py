"""Which attributes code sets on models from outside of their class."""

from __future__ import annotations

import pytest

from lstm_lint.syntax.outside import set_from_outside


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
