"""The picture in the design stays true: data flows one way, and what costs start-up time is imported only where it must be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import RIGHT, ROOT, WRONG

PACKAGE = ROOT / "lstm_lint"

ROWS: list[tuple[str, ...]] = [
    ("",),  # lstm_lint/__init__.py: the version
    ("source",),
    ("syntax",),
    ("notebook",),
    ("patterns",),
    ("discover",),
    ("modules",),
    ("project",),
    ("dims",),
    ("proofs",),
    ("lineage",),
    ("regrouping",),
    ("shapes",),
    ("values",),
    ("keywords",),
    ("ops",),
    ("facts",),
    ("judge",),
    ("alternatives",),
    ("interpret",),
    ("findings",),
    ("remedies",),
    ("rules",),
    ("config_keys",),
    ("config",),
    ("fixes",),
    ("outline",),
    ("inventory",),
    ("cache",),
    ("confirm",),
    ("check",),
    ("rewriting",),
    ("apply",),
    ("report",),
    ("calc",),
    ("cli", "flake8_plugin", "lsp"),
    ("__main__",),
]
"""From top to bottom. A file imports from rows above its own, and a package's files from each other."""

SIBLINGS = ("rules/lst*.py", "report/[!_]*.py", "cli.py", "flake8_plugin.py")
"""Files that do not import each other: one rule another, one format another."""

SHARED = ("report/lines.py", "report/excerpt.py")
"""What the formats have in common."""

STANDALONE = "confirm/worker.py"
"""Runs under another Python, without this package."""

FILES = sorted(PACKAGE.rglob("*.py"))


def row_of(module: str) -> int:
    """The row of ``lstm_lint.ops.creation``."""
    name = module.removeprefix("lstm_lint").removeprefix(".").split(".")[0]
    for number, names in enumerate(ROWS):
        if name in names:
            return number
    raise AssertionError(f"{module} has no row in tests/test_imports.py: say where it belongs")


def module_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every import with each module it names; of ``from package import name`` the submodule, where it is one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"a relative import in line {node.lineno}"
            base = PACKAGE.parent.joinpath(*str(node.module).split("."))
            for alias in node.names:
                is_module = (base / alias.name).is_dir() or (base / f"{alias.name}.py").is_file()
                yield node, f"{node.module}.{alias.name}" if is_module else str(node.module)


def late(tree: ast.AST) -> Iterator[ast.stmt]:
    """The imports inside functions."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from (node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_file_imports_from_the_rows_above_it(file: Path) -> None:
    module = module_of(file)
    own = row_of(module)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node, imported in imports(tree):
        if imported.split(".")[0] != "lstm_lint":
            continue
        same_package = "." in module and imported.split(".")[:2] == module.split(".")[:2]
        assert same_package or row_of(imported) < own, f"{module} imports {imported} in line {node.lineno}"


@pytest.mark.parametrize("pattern", SIBLINGS)
def test_siblings_do_not_import_each_other(pattern: str) -> None:
    files = {module_of(file): file for file in PACKAGE.glob(pattern)}
    shared = {module_of(PACKAGE / name) for name in SHARED}
    assert files
    for module, file in files.items():
        imported = {name for _, name in imports(ast.parse(file.read_text(encoding="utf-8")))}
        assert not imported & (set(files) - shared - {module}), module


def test_late_imports_are_marked_as_such() -> None:
    """They are for start-up time: the analysis (libcst), the colours (rich). One comment may stand for the lines under it."""
    for file in FILES:
        if file == PACKAGE / STANDALONE or file.parent.name == "confirm":
            continue  # torch is imported there, in a process of its own
        text = file.read_text(encoding="utf-8")
        marked = {number for number, row in enumerate(text.splitlines(), 1) if re.search("# late[:,] ", row)}
        for node in sorted(late(ast.parse(text)), key=lambda node: node.lineno):
            assert marked & {node.lineno, node.lineno - 1}, f"{file}:{node.lineno}"
            marked.add(node.lineno)


def test_only_the_worker_imports_torch() -> None:
    for file in FILES:
        if file.parent.name == "confirm":
            continue
        assert not [name for _, name in imports(ast.parse(file.read_text(encoding="utf-8"))) if name.split(".")[0] == "torch"]


def test_the_worker_needs_nothing_but_the_standard_library_and_torch() -> None:
    worker = PACKAGE / STANDALONE
    tree = ast.parse(worker.read_text(encoding="utf-8"))
    for node in ast.walk(tree):  # what only type checkers read
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    names = {name.split(".")[0] for _, name in imports(tree)}
    helpers = {file.stem for file in worker.parent.glob("*.py")}
    assert names <= {*sys.stdlib_module_names, "torch", *helpers}


# -- what a run loads --------------------------------------------------------------------------------------------------
HEAVY = ("libcst", "rich", "torch", "hypothesis", "pygments", "markdown_it", "numpy", "asyncio")


def loaded(folder: Path, *arguments: str) -> set[str]:
    """The heavy packages in memory after a run of the command in this process's own kind of Python."""
    program = (
        "import sys\nfrom lstm_lint.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    return set(done.stdout.split("LOADED")[1].split())


def test_a_run_without_recurrent_layers_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "linear.py").write_text("import torch\nlayer = torch.nn.Linear(3, 4)\n", encoding="utf-8")
    assert loaded(tmp_path, "check", ".") == set()
    assert loaded(tmp_path, "check", "--output-format", "json", ".") == set()
    assert loaded(tmp_path, "shapes", ".") == set()
    assert loaded(tmp_path, "--version") == set()


def test_a_run_without_findings_loads_no_torch(tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(RIGHT, encoding="utf-8")
    assert loaded(tmp_path, "check", "--no-cache", ".") == {"libcst"}


def test_torch_is_never_loaded_here_but_in_the_worker(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    assert loaded(tmp_path, "check", "--no-cache", "--confirm", "auto", ".") <= {"libcst"}


def test_a_cached_result_needs_no_libcst(tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(RIGHT, encoding="utf-8")
    assert loaded(tmp_path, "check", ".") == {"libcst"}
    assert loaded(tmp_path, "check", ".") == set()


def test_start_up_takes_as_long_as_its_imports(tmp_path: Path) -> None:
    """Modules are counted, not seconds, which would differ from machine to machine. An empty Python has some 40."""
    program = "import sys, lstm_lint.cli; print(len(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 260
