"""Every fix: the text it gives, and what torch does with the fixed code.

Of ``fixtures/fixes/lst101.py`` the fixes of LST101, unsafe ones too, give ``fixtures/fixes/expected/lst101.py``. Comments say
what is run in torch: ``# raised: e``: e raises before the fix, and runs after it; ``# runs: e``: it runs after it;
``# holds: e``: it is true after it, and was not before; ``# same: e``: it gives the same before and after it, bit by bit.
"""

from __future__ import annotations

import re
from pathlib import Path

import libcst as cst
import pytest
from conftest import ROOT

from lstm_lint.apply import Fixed, fix_paths
from lstm_lint.check import check_file
from lstm_lint.config import Settings
from lstm_lint.dims import Dim, symbol
from lstm_lint.findings import Fix
from lstm_lint.fixes import writer_of_fixes
from lstm_lint.project import Project
from lstm_lint.remedies import Argument, BatchFirst, NestState, Remedy, SetSize
from lstm_lint.rewriting import rewritten
from lstm_lint.rules import RULES
from lstm_lint.source import Source
from lstm_lint.syntax.tree import Tree, parse

FOLDER = ROOT / "fixtures" / "fixes"
FILES = sorted(FOLDER.glob("*.py"))
NAMES = [path.stem for path in FILES]
COMMENT = re.compile(r"^# (raised|runs|holds|same): (.*)$", re.MULTILINE)
SAFE = {"LST204", "LST302", "LST501", "LST502"}


def fixed(path: Path, unsafe: bool = True, confirm: str = "never") -> Fixed:
    code = path.stem.upper()
    return fix_paths([str(path)], Settings(str(FOLDER), select=(code,), cache=False, confirm=confirm), unsafe)


def expected(path: Path) -> str:
    return (path.parent / "expected" / path.name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_the_text_of_every_fix(path: Path) -> None:
    [changed] = fixed(path).changed
    assert changed.after.decode() == expected(path)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_what_is_fixed_is_not_found_any_more(path: Path) -> None:
    """A finding that is left has no fix."""
    code = path.stem.upper()
    settings = Settings(str(FOLDER), select=(code,), cache=False, confirm="never")
    left = check_file(Source(str(path), expected(path)), settings).findings
    assert [one.message for one in left if one.fix is not None] == []


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_which_fixes_are_safe(path: Path) -> None:
    assert bool(fixed(path, unsafe=False).changed) == (path.stem.upper() in SAFE)


def test_pages_say_whether_a_fix_is_safe() -> None:
    fixable = {path.stem.upper() for path in FILES}
    for code in fixable:
        safety = RULES[code].page.split("## Fix safety\n", 1)[1]
        assert safety.startswith("Safe" if code in SAFE else "Unsafe"), code


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_fixed_code_runs_in_torch(path: Path) -> None:
    torch = pytest.importorskip("torch")
    before, after = Program(path.read_text(encoding="utf-8")), Program(expected(path))
    said = COMMENT.findall(expected(path))
    assert said
    for what, expression in said:
        result = after.value(expression)
        if what == "raised":
            with pytest.raises((RuntimeError, ValueError, TypeError, IndexError)):
                before.value(expression)
        elif what == "holds":
            assert result, expression
            assert not before.value(expression), expression
        elif what == "same":
            assert is_equal(torch, before.value(expression), result), expression


class Program:
    def __init__(self, text: str) -> None:
        self.namespace: dict[str, object] = {"__name__": "fixture"}
        exec(compile(text, "fixture", "exec", dont_inherit=True), self.namespace)

    def value(self, expression: str) -> object:
        return eval(expression, self.namespace)


def is_equal(torch: object, one: object, other: object) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(is_equal(torch, a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, torch.Tensor):  # type: ignore[attr-defined]
        return bool(torch.equal(one, other)) and one.requires_grad == other.requires_grad  # type: ignore[attr-defined]
    return one == other


EVERYWHERE = sorted((ROOT / "fixtures" / "rules").glob("*/*.py"))
RUNS = re.compile(r"^# runs: (.*)$", re.MULTILINE)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", EVERYWHERE, ids=[f"{path.parent.name}/{path.name}" for path in EVERYWHERE])
def test_no_fix_breaks_what_runs(path: Path) -> None:
    """With every fix of every rule applied, the fixtures of the rules still do what they did."""
    pytest.importorskip("torch")
    everything = Settings(str(FOLDER), select=("ALL",), cache=False, confirm="never")
    for changed in fix_paths([str(path)], everything, True).changed:
        text = changed.after.decode()
        if "raises: module" not in text:
            after = Program(text)
            for expression in RUNS.findall(text):
                if expression != "module":
                    after.value(expression)


@pytest.mark.torch
def test_a_fixed_shape_is_replayed_in_torch() -> None:
    pytest.importorskip("torch")
    path = FOLDER / "lst101.py"
    run = fixed(path, confirm="auto")
    assert [one.after.decode() for one in run.changed] == [expected(path)]
    assert (run.not_kept, run.outcome.defects) == (0, ())


# -- what no rule uses yet ---------------------------------------------------------------------------------------------
def written(tree: Tree, remedy: Remedy) -> str | None:
    """The text with one remedy; None if it does not fit."""
    fix = writer_of_fixes(tree, Project())(remedy)
    return None if fix is None else applied(tree, fix)


def applied(tree: Tree, fix: Fix) -> str:
    return rewritten("model.py", tree.source.text.encode(), fix.edits).decode()


def first(tree: Tree, kind: type[cst.CSTNode], text: str) -> cst.CSTNode:
    """The node of a kind whose text that is."""
    pending: list[cst.CSTNode] = [tree.module]
    while pending:
        node = pending.pop(0)
        if isinstance(node, kind) and tree.module.code_for_node(node) == text:
            return node
        pending.extend(node.children)
    raise AssertionError(text)


@pytest.mark.parametrize(
    ("code", "target", "becomes"),
    [
        ("out, h, c = lstm(x)\n", "out, h, c", "out, (h, c) = lstm(x)\n"),
        ("(out, h, c) = lstm(x)  # state\n", "(out, h, c)", "(out, (h, c)) = lstm(x)  # state\n"),
        ("[out, self.h, self.c] = lstm(x)\n", "[out, self.h, self.c]", "[out, (self.h, self.c)] = lstm(x)\n"),
        ("out, _, _ = lstm(x)\n", "out, _, _", "out, (_, _) = lstm(x)\n"),
        ("out, h, h = lstm(x)\n", "out, h, h", None),
        ("out, *h, c = lstm(x)\n", "out, *h, c", None),
        ("out, h = lstm(x)\n", "out, h", None),
    ],
)
def test_three_names_for_a_pair(code: str, target: str, becomes: str | None) -> None:
    tree = parse(Source("model.py", code))
    place = tree.place(first(tree, cst.BaseExpression, target))
    assert written(tree, NestState(place=place)) == becomes


@pytest.mark.torch
def test_three_names_for_a_pair_in_torch() -> None:
    pytest.importorskip("torch")
    code = "import torch\nlstm = torch.nn.LSTM(3, 4)\nx = torch.ones(5, 6, 3)\nout, h, c = lstm(x)\n"
    with pytest.raises(ValueError, match="unpack"):
        Program(code)
    tree = parse(Source("model.py", code))
    done = written(tree, NestState(place=tree.place(first(tree, cst.Tuple, "out, h, c"))))
    assert done is not None
    assert Program(done).value("h.shape") == (1, 6, 4)


H, K = symbol("hidden"), symbol("k")


@pytest.mark.parametrize(
    ("given", "actual", "wanted", "becomes"),
    [
        ("64", Dim.of(64), Dim.of(128), "128"),
        ("hidden", H, H * 2, "hidden * 2"),
        ("hidden + k", H + K, (H + K) * 2, "(hidden + k) * 2"),
        ("hidden * 2", H * 2, H, "hidden"),
        ("self.size", H, H * 2, "self.size * 2"),
        ("k", K, H * 2, "hidden*2"),
        ("in_features=k", K, H, "in_features=hidden"),
        ("64", Dim.of(64), H * 2, "hidden*2"),
        ("k", K, symbol("other") * 2, None),
    ],
)
def test_the_size_of_a_layer_behind(given: str, actual: Dim, wanted: Dim, becomes: str | None) -> None:
    code = f"def __init__(self, hidden, k):\n    self.fc = nn.Linear({given}, out_features=10)\n"
    tree = parse(Source("model.py", code))
    place = tree.place(first(tree, cst.Call, f"nn.Linear({given}, out_features=10)"))
    remedy = SetSize(place=place, argument=Argument("in_features", 0), actual=actual, wanted=wanted)
    assert written(tree, remedy) == (None if becomes is None else code.replace(f"({given},", f"({becomes},"))


def test_samples_come_first_before_a_view() -> None:
    code = "flat = h_n . view(batch, -1)\n"
    tree = parse(Source("model.py", code))
    remedy = BatchFirst(place=tree.place(first(tree, cst.Call, "h_n . view(batch, -1)")))
    assert written(tree, remedy) == "flat = h_n .transpose(0, 1). reshape(batch, -1)\n"


@pytest.mark.torch
def test_samples_come_first_in_torch() -> None:
    torch = pytest.importorskip("torch")
    code = "import torch\nx = torch.randn(5, 3, 2)\n_, (h_n, _) = torch.nn.LSTM(2, 4, 2)(x)\nflat = h_n.view(3, -1)\n"
    tree = parse(Source("model.py", code))
    done = written(tree, BatchFirst(place=tree.place(first(tree, cst.Call, "h_n.view(3, -1)"))))
    assert done is not None
    of = Program(done).value
    assert torch.equal(of("flat[1]"), of("torch.cat([h_n[0, 1], h_n[1, 1]])"))
    assert not torch.equal(Program(code).value("flat[1]"), Program(code).value("torch.cat([h_n[0, 1], h_n[1, 1]])"))
