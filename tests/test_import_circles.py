"""No module of the core imports itself by a roundabout way, not even for its types."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.test_layering import CORE, DOORS, ROOT


def named(file) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    # a trace makes a selection and a selection knows its trace: one house, one node
    return "vision_core.records" if name.startswith("vision_core.records.") else name


def graph(files) -> dict[str, set[str]]:
    """Module -> modules that it imports anywhere, under TYPE_CHECKING and in functions too."""
    modules = {named(file) for file in files}
    found: dict[str, set[str]] = {name: set() for name in modules}
    for file in files:
        tree = ast.parse(file.read_text("utf-8"))
        skipped = {
            id(node)
            for method in ast.walk(tree)
            if isinstance(method, ast.FunctionDef) and (file.name, method.name) in DOORS
            for node in ast.walk(method)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or id(node) in skipped:
                continue
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found[named(file)].add(whole if whole in modules else str(node.module))
    return {name: {i for i in used if i in modules and i != name} for name, used in found.items()}


def test_there_is_no_import_circle():
    TopologicalSorter(graph(CORE)).prepare()  # raises CycleError and names the circle


def test_a_circle_would_be_found():
    made = graph(CORE)
    made["vision_core.records"].add("vision_core.selection.select")
    with pytest.raises(CycleError):
        TopologicalSorter(made).prepare()


def test_records_come_without_pytorch():
    code = "import sys, vision_core.records; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
