"""The pages of docs/ keep up with the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
CALLS = ("UserError", "WeightsMissing")


def literal_pieces(node: ast.AST) -> list[str]:
    """The constant parts of a string or f-string, in order."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [p.value for p in node.values if isinstance(p, ast.Constant)]
    return []


def sentences() -> list[tuple[str, str]]:
    """(place, longest constant part) of every UserError that is raised with a string."""
    found = []
    for file in sorted((ROOT / "vision_core").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in CALLS:
                continue
            pieces = literal_pieces(node.args[0]) if node.args else []
            longest = max(pieces, key=len, default="").strip()
            if len(longest) > 8:
                found.append((f"{file.relative_to(ROOT)}:{node.lineno}", longest))
    return found


SENTENCES = sentences()


@pytest.mark.parametrize(("place", "words"), SENTENCES, ids=[p for p, _ in SENTENCES])
def test_every_message_is_explained(place, words):
    plain = " ".join(re.sub(r"[`|]", " ", DOCS).split())
    start = " ".join(words.split())[:24].rstrip()
    assert start in plain, f"add a row for {words!r} to docs/troubleshooting.md"


def test_the_check_sees_messages():
    assert len(SENTENCES) > 30


def test_readme_starts_with_the_two_commands():
    head = (ROOT / "README.md").read_text("utf-8").splitlines()[:8]
    assert any("make run" in line for line in head)
    assert any("make test" in line for line in head)
