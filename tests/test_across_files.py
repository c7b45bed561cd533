"""Imports between files: what must not hurt, what settings and comments of the other file do, and what the cache notices."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run
from test_flake8 import INSTALLED, flake8

from lstm_lint.check import check_paths, shapes_paths
from lstm_lint.config import Settings
from lstm_lint.findings import Severity
from lstm_lint.outline import StateStatus

MODEL = """\
import torch
from torch import nn
from helper import make

class Net(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = layers
        self.lstm = nn.LSTM(3, 4, layers)

    def forward(self, x):
        return self.lstm(x, (make(x.size(1)), torch.zeros(self.layers, x.size(1), 4)))
"""
HELPER = "import torch\nfrom sizes import LAYERS\n\ndef make(batch):\n    return torch.zeros(LAYERS, batch, 4)\n"
TRAIN = "import torch\nfrom model import Net\n\nNet(2)(torch.randn(5, 7, 3))\n"
WRONG = {"model.py": MODEL, "helper.py": HELPER, "sizes.py": "LAYERS = 1\n", "train.py": TRAIN}
"""`train.py` builds two layers, `helper.py` makes the state for as many as `sizes.py` says: an LST101 on its line 5."""

USES_LAYERS = """\
import torch
from torch import nn
{imports}

lstm = nn.LSTM(3, 4, 2)
c_0 = torch.zeros(2, 7, 4)
lstm(torch.randn(5, 7, 3), (torch.zeros({layers}, 7, 4), c_0))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is a project, and the current one."""
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def places(*paths: str, **options: Any) -> list[tuple[str, str, int]]:
    outcome = check_paths(paths or (".",), Settings(os.getcwd(), confirm="never", **{"cache": False, **options}))
    return [(f.code, os.path.normpath(f.path), f.span.line) for f in outcome.findings]


def reason(path: str) -> str:
    """Why the one state of a file is unknown."""
    listing, _ = shapes_paths([path], Settings(os.getcwd(), confirm="never", cache=False))
    [call] = listing.calls
    assert call.h_0.status is StateStatus.UNKNOWN and call.h_0.why is not None
    return call.h_0.why.message


FOUND = [("LST101", "helper.py", 5)]


# -- what must not hurt ------------------------------------------------------------------------------------------------
UNKNOWN: Mapping[str, tuple[str, Mapping[str, str], str]] = {
    "missing beside": ("from .gone import LAYERS", {}, "`.gone` is not found beside use.py"),
    "missing in a package": ("from lib.gone import LAYERS", {"lib/__init__.py": ""}, "`lib.gone` is not found in lib"),
    "library": ("from omegaconf import LAYERS", {}, "`omegaconf.LAYERS` belongs to a library"),
    "library's module": ("import omegaconf as LAYERS", {}, "`omegaconf` belongs to a library"),
    "not defined": ("from a import LAYERS", {"a.py": "x = 1"}, "`LAYERS` is not defined in a.py"),
    "not Python": ("from a import LAYERS", {"a.py": "LAYERS = ="}, "a.py is not Python"),
    "not text": ("from a import LAYERS", {"a.py": "# coding: martian"}, "a.py cannot be read"),
    "itself": ("from use import LAYERS", {}, "go in a circle"),
    "circle": ("from a import LAYERS", {"a.py": "from b import LAYERS", "b.py": "from a import LAYERS"}, "go in a circle"),
    "circle of stars": ("from a import *", {"a.py": "from b import *", "b.py": "from a import *\n# LAYERS"}, "not defined"),
    "ambiguous": (
        "from lib.pick import LAYERS",
        {"lib/__init__.py": "", "lib/pick.py": "from a import LAYERS", "a.py": "", "lib/a.py": ""},
        "`a` may stand for",
    ),
    "notebook": ("from a import LAYERS", {"a.ipynb": "{}"}, "`a.LAYERS` belongs to a library"),
    "folder without Python": ("from a import LAYERS", {"a/notes.txt": ""}, "`a.LAYERS` belongs to a library"),
    "not imported": (
        "import lib\nlibrary = lib\nLAYERS = library.a.LAYERS",
        {"lib/__init__.py": "", "lib/a.py": "LAYERS = 1"},
        "`lib.a` is a module that is not imported",
    ),
    "read from a file": ("from a import LAYERS", {"a.py": "import json\nLAYERS = json.load(open('c'))['n']"}, "json.load"),
    "said by the machine": ("from a import LAYERS", {"a.py": "import os\nLAYERS = int(os.environ['L'])"}, "os.environ"),
}
"""Imports, the files there are, and the reason."""


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_cannot_be_found_out_is_unknown_and_says_why(folder: Path, name: str) -> None:
    imports, files, text = UNKNOWN[name]
    write(folder, {**files, "use.py": USES_LAYERS.format(imports=imports, layers="LAYERS")})
    assert [place for place in places() if place[0] != "LST900"] == []
    assert text in reason("use.py")


def test_two_names_of_a_module_that_is_not_there_are_not_equal(folder: Path) -> None:
    layer = "import torch\nfrom torch import nn\n{}\nlstm = nn.LSTM(3, {}, 1)\nh = torch.zeros(1, 7, 2 * {})\n"
    use = layer + "lstm(torch.randn(5, 7, 3), (h, h))\n"
    for imports, left, right in [
        ("from .gone import A, B", "A", "B"),
        ("from . import gone", "gone.A", "gone.B"),
        ("from broken import A, B", "A", "B"),
    ]:
        write(folder, {"broken.py": "A = =", "use.py": use.format(imports, left, right)})
        assert places("use.py") == []
        assert "is not known" in reason("use.py")


def test_a_method_of_a_module_that_is_not_there_is_no_tensor_method(folder: Path) -> None:
    write(
        folder,
        {"use.py": USES_LAYERS.format(imports="from . import gone", layers="3").replace("torch.zeros(3", "gone.new_zeros(3")},
    )
    assert places() == []
    assert "`gone`" in reason("use.py")


def test_links_in_circles(folder: Path) -> None:
    write(folder, {**WRONG, "pkg/__init__.py": "from .again import again\nfrom . import loop"})
    os.symlink("loop.py", folder / "pkg" / "loop.py")
    os.symlink(".", folder / "pkg" / "again")
    write(folder, {"use.py": "import pkg.again.again.again\nimport pkg\n" + TRAIN})
    assert [place for place in places() if place[0] != "LST900"] == FOUND


def test_a_long_chain_of_imports_is_followed(folder: Path) -> None:
    chain = {f"a{n}.py": f"from a{n + 1} import LAYERS" for n in range(12)}
    write(
        folder,
        {**chain, "a12.py": "LAYERS = 1", "use.py": USES_LAYERS.format(imports="from a0 import LAYERS", layers="LAYERS")},
    )
    assert places() == [("LST101", "use.py", 7)]


def test_very_many_imports_take_bounded_time(folder: Path) -> None:
    body = "".join(f"def f{n}(x):\n    return x + {n}\n" for n in range(60))
    files = {
        f"many/m{n}.py": f"from many.m{(n * 7 + 1) % 150} import *\nfrom torch import nn\nlstm = nn.LSTM\n{body}"
        for n in range(150)
    }
    stars = "\n".join(f"from many.m{n} import *" for n in range(150))
    write(folder, {**files, "many/__init__.py": "", "use.py": USES_LAYERS.format(imports=stars, layers="3")})
    begin = time.monotonic()
    assert places("use.py") == [("LST101", "use.py", 156)]
    assert time.monotonic() - begin < 15


# -- what the other file says ------------------------------------------------------------------------------------------
def test_a_finding_stands_where_the_mistake_is_and_names_the_other_place(folder: Path) -> None:
    write(folder, WRONG)
    [finding] = check_paths(["train.py"], Settings(os.getcwd(), confirm="never", cache=False)).findings
    assert (finding.path, finding.span.line) == ("helper.py", 5)
    assert [(one.path, one.span.line, one.message) for one in finding.related] == [
        ("model.py", 9, "the LSTM is built here"),
        ("model.py", 12, "and called here"),
        ("train.py", 4, "reached from here"),
    ]


def test_a_layer_that_cannot_be_built_names_who_asked_for_it(folder: Path) -> None:
    write(folder, {**WRONG, "train.py": "from model import Net\n\nNet(layers=0)\n"})
    [finding] = check_paths(["train.py"], Settings(os.getcwd(), confirm="never", cache=False)).findings
    assert (finding.code, finding.path) == ("LST201", "model.py")
    assert [(one.path, one.span.line, one.message) for one in finding.related] == [("train.py", 3, "reached from here")]


def test_noqa_in_the_other_file(folder: Path) -> None:
    write(folder, {**WRONG, "helper.py": HELPER.replace(", 4)", ", 4)  # noqa: LST101")})
    assert places() == places("train.py") == []


def test_settings_of_the_other_file(folder: Path) -> None:
    write(folder, WRONG)
    assert places() == places("train.py") == FOUND
    assert places("train.py", per_file_ignores=(("helper.py", ("LST101",)),)) == []
    assert places("train.py", per_file_ignores=(("train.py", ("LST101",)),)) == FOUND
    assert places("train.py", extend_exclude=("helper.py",)) == []
    assert places("train.py", "helper.py", extend_exclude=("model.py",)) == FOUND


@pytest.mark.parametrize("spelling", ["{}", "./{}", "../{name}/{}", "{folder}/{}"])
def test_one_file_has_one_name_however_it_is_reached(folder: Path, spelling: str) -> None:
    write(folder, WRONG)
    paths = [spelling.format(file, folder=folder, name=folder.name) for file in WRONG]
    outcome = check_paths(paths, Settings(os.getcwd(), confirm="never", cache=False))
    assert [finding.path for finding in outcome.findings] == [paths[1]]
    assert {one.path for finding in outcome.findings for one in finding.related} == {paths[0], paths[3]}


@pytest.mark.parametrize("prefix", ["", "./"])
def test_a_mistake_that_no_use_makes_is_a_warning(folder: Path, prefix: str) -> None:
    model = MODEL.replace("(self, layers)", "(self, layers=2)")
    write(folder, {**WRONG, "model.py": model, "train.py": TRAIN.replace("Net(2)", "Net(1)")})

    def severities(*paths: str) -> list[Severity]:
        outcome = check_paths([prefix + path for path in paths], Settings(os.getcwd(), confirm="never", cache=False))
        return [finding.severity for finding in outcome.findings]

    assert severities("model.py") == [Severity.ERROR]
    assert severities("model.py", "train.py") == [Severity.WARNING]
    write(folder, {"other.py": TRAIN.replace("Net(2)", "Net()")})
    assert severities("model.py", "train.py", "other.py") == [Severity.ERROR]


def test_the_order_of_the_files_does_not_matter(folder: Path) -> None:
    write(folder, {**WRONG, "also.py": TRAIN.replace("7", "9"), "right.py": TRAIN.replace("Net(2)", "Net(1)")})
    files = [*WRONG, "also.py", "right.py"]
    settings = Settings(os.getcwd(), confirm="never", cache=False)
    expected = check_paths(files, settings).findings
    assert len(expected) == 1
    for turn in range(1, len(files)):
        assert check_paths(files[turn:] + files[:turn], settings).findings == expected


# -- one file at a time ------------------------------------------------------------------------------------------------
def test_standard_input_is_taken_for_the_file_of_its_name(folder: Path, lint: Run) -> None:
    write(folder, {**WRONG, "train.py": "this is not read"})
    done = lint("--no-cache", "--confirm", "never", "--output-format", "json", "--stdin-filename", "train.py", "-", stdin=TRAIN)
    [finding] = json.loads(done.stdout)["findings"]
    assert (finding["code"], finding["path"], finding["line"]) == ("LST101", "helper.py", 5)
    assert finding["related"][-1]["path"] == "train.py"
    assert done.returncode == 1


@pytest.mark.skipif(not INSTALLED, reason="lstm-lint is not installed as a flake8 plugin: pip install -e .")
def test_flake8_reports_what_stands_in_the_file_at_hand(folder: Path) -> None:
    call = "h_0 = torch.zeros(1, 7, 4)\nNet(2).lstm(torch.randn(5, 7, 3), (h_0, torch.zeros(2, 7, 4)))\n"
    write(folder, {**WRONG, "other.py": "import torch\nfrom model import Net\n\n" + call})
    expected = [f"./{path}:{line}: {code}" for code, path, line in places("other.py")]
    assert expected == ["./other.py:4: LST101"]
    lines = flake8(folder, "--select", "LST", ".").stdout.splitlines()
    assert [line.replace(":7:", ":").split(" h_0")[0] for line in lines] == expected


# -- the cache ---------------------------------------------------------------------------------------------------------
def _in_front(folder: Path) -> None:
    """A package takes the place of a file."""
    (folder / "sizes.py").rename(folder / "elsewhere.py")
    write(folder, {"sizes/__init__.py": ""})


CHANGES: Mapping[str, Callable[[Path], object]] = {
    "two hops away": lambda folder: (folder / "sizes.py").write_text("LAYERS = 2\n"),
    "beside": lambda folder: (folder / "helper.py").write_text(HELPER.replace("LAYERS, b", "2, b")),
    "vanished": lambda folder: (folder / "sizes.py").unlink(),
    "replaced": _in_front,
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_cache_notices_what_happens_to_imported_files(folder: Path, name: str) -> None:
    write(folder, WRONG)
    kept = {"cache": True, "cache_dir": "kept"}
    assert places("train.py", **kept) == places("train.py", **kept) == FOUND
    CHANGES[name](folder)
    assert places("train.py", **kept) == places("train.py") == []


def test_the_cache_notices_a_file_that_appears(folder: Path) -> None:
    write(folder, {name: text for name, text in WRONG.items() if name != "sizes.py"})
    kept = {"cache": True, "cache_dir": "kept"}
    assert places("train.py", **kept) == []
    write(folder, {"sizes.py": "LAYERS = 1\n"})
    assert places("train.py", **kept) == FOUND


@pytest.mark.parametrize(
    ("imports", "layers"),
    [
        ("import lib.deep.sizes", "lib.deep.sizes.LAYERS"),
        ("import lib.deep.sizes as s", "s.LAYERS"),
        ("from lib.deep import (  # the (only) one\n    sizes as s,\n)", "s.LAYERS"),
        ("from lib import \\\n    deep", "deep.sizes.LAYERS"),
        ("import lib as package", "package.deep.sizes.LAYERS"),
        ("import os; import lib.deep.sizes", "lib.deep.sizes.LAYERS"),
        ("import os, lib.deep.sizes as s", "s.LAYERS"),
        ("if True: from lib.deep.sizes import LAYERS", "LAYERS"),
        ("from lib import *", "LAYERS"),
        ("from lib import deep", "deep.LAYERS"),
    ],
)
def test_the_cache_knows_every_way_to_import(folder: Path, imports: str, layers: str) -> None:
    packages = {"lib/__init__.py": "from .deep import *", "lib/deep/__init__.py": "from .sizes import LAYERS"}
    write(folder, {**packages, "lib/deep/sizes.py": "LAYERS = 1", "use.py": USES_LAYERS.format(imports=imports, layers=layers)})
    kept = {"cache": True, "cache_dir": "kept"}
    assert [place[0] for place in places("use.py", **kept)] == ["LST101"]
    write(folder, {"lib/deep/sizes.py": "LAYERS = 2"})
    assert places("use.py", **kept) == []


def test_the_hash_seed_changes_nothing(folder: Path) -> None:
    write(folder, {**WRONG, "also.py": TRAIN.replace("7", "9")})
    command = [sys.executable, "-m", "lstm_lint", "--no-cache", "--confirm", "never", "--output-format", "json", "."]
    outputs = set()
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        outputs.add(subprocess.run(command, capture_output=True, text=True, env=env, cwd=folder, timeout=120).stdout)
    assert len(outputs) == 1 and "LST101" in outputs.pop()
