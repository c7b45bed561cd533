"""Every rule has its file, its page and its function, and docs/rules holds the pages."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from conftest import ROOT

from lstm_lint.rules import RULES

HEADINGS = ["What it does", "Why it is bad", "Example", "Instead", "What torch says", "Fix safety"]


@pytest.mark.parametrize("code", list(RULES))
def test_every_rule_has_its_file_its_page_and_its_function(code: str) -> None:
    rule = RULES[code]
    (file,) = (ROOT / "lstm_lint" / "rules").glob(f"{code.lower()}_*.py")
    assert file.stem == f"{code.lower()}_{rule.name.replace('-', '_')}"
    assert ast.get_docstring(ast.parse(file.read_text()), clean=False) == rule.page
    assert rule.page.startswith(f"# {code} {rule.name}\n")
    assert [line[3:] for line in rule.page.splitlines() if line.startswith("## ")] == HEADINGS
    assert f"**Severity:** {rule.severity.value}" in rule.page
    assert sum("RULE = " in line for line in file.read_text().splitlines()) == 1


def test_the_pages_in_docs_are_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write them with ``python docs/generate.py``."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import generate  # type: ignore[import-not-found]

    folder = ROOT / "docs" / "rules"
    assert {path.name: path.read_text(encoding="utf-8") for path in Path(folder).glob("*.md")} == generate.pages()


def test_the_text_people_search_for_stands_on_the_page() -> None:
    text = "Expected hidden[0] size (4, 10, 4), got [2, 10, 4]"
    assert text in RULES["LST101"].page and text in (ROOT / "docs" / "rules" / "LST101.md").read_text()
