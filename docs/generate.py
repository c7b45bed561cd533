"""Writes docs/rules from the docstrings of the rules, with an index: ``python docs/generate.py``. A test holds them equal."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

from lstm_lint.rules import RULES  # noqa: E402  (from this checkout, whatever is installed)


def pages() -> dict[str, str]:
    """File name -> text of every page."""
    made = {f"{code}.md": rule.page.strip() + "\n" for code, rule in RULES.items()}
    rows = [
        f"| [{code}]({code}.md) | {rule.name} | {rule.severity.value}{'' if rule.default else ', off'} | {summary(rule.page)} |"
        for code, rule in RULES.items()
    ]
    made["README.md"] = "\n".join(["# Rules", "", "| code | name | severity | what it does |", "|---|---|---|---|", *rows, ""])
    return made


def summary(page: str) -> str:
    """The first sentence of a page's "What it does"."""
    paragraph = page.split("## What it does\n", 1)[1].split("\n\n", 1)[0]
    sentence = " ".join(paragraph.split()).split(". ", 1)[0].rstrip(".:")
    return sentence.replace("|", "\\|") + "."


if __name__ == "__main__":
    folder = FOLDER / "rules"
    folder.mkdir(exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
