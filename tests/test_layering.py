"""What may import what: read from the source, without running it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from vision_core.models.cards import bundled_cards

ROOT = Path(__file__).resolve().parents[1]
CORE = sorted((ROOT / "vision_core").rglob("*.py"))
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]
LAYOUT_LIMIT = 320  # "about 300" lines

# Package (or module) of vision_core -> what it must not import: everything above it.
_ABOVE = ["figures", "cli", "training", "evaluation", "export"]
_UPPER = ["attribution", "comparison", "features", *_ABOVE]
# The three methods of records that call upwards, for whoever holds one; nothing else may.
DOORS = {("traces.py", "select"), ("traces.py", "unsure"), ("thresholds.py", "torchvision")}
FORBIDDEN = {
    "records": ["images", "devices", "models", "inference", "selection", "samples", *_UPPER],
    "errors": ["images", "devices", "models", "inference", "selection", "samples", *_UPPER],
    "images": ["devices", "models", "inference", "selection", "samples", *_UPPER],
    "pixels": ["images", "devices", "models", "inference", "selection", "samples", *_UPPER],
    "sniff": ["images", "devices", "models", "inference", "selection", "samples", *_UPPER],
    "samples": ["devices", "models", "inference", "selection", *_UPPER],
    "devices": ["models", "inference", "selection", "samples", *_UPPER],
    "models": ["inference", "selection", "samples", *_UPPER],
    "inference": ["samples", *_UPPER],
    "selection": ["models", "samples", *_UPPER],
    "export": [
        "attribution",
        "comparison",
        "features",
        "samples",
        "figures",
        "cli",
        "training",
        "evaluation",
    ],
    "figures": ["attribution", "comparison", "models", "cli", "training", "evaluation", "samples"],
    "walkthroughs": ["images", "devices", "models", "inference", "selection", "samples", *_UPPER],
    "comparison": ["attribution", "features", "samples", "cli", "training", "evaluation"],
    "metrics": ["attribution", "features", "samples", *_ABOVE],
    "gallery": ["attribution", "features", "samples", "cli", "training", "evaluation"],
    "labels": ["images", "devices", "models", "inference", "selection", "samples", *_UPPER],
    "attribution": ["comparison", "features", "samples", *_ABOVE],
    "surgery": ["features", "samples", *_ABOVE],
    "space": ["comparison", "samples", *_ABOVE],
    "teaching": ["attribution", "comparison", "samples", *_ABOVE],
    "inside": ["comparison", "features", "samples", *_ABOVE],
    "features": ["samples", *_ABOVE],
    "serving": ["comparison", "features", "samples", *_ABOVE],
    "evaluation": ["attribution", "figures", "cli"],
    "training": ["attribution", "figures", "cli"],
}


def imports(file: Path) -> set[str]:
    """Dotted names that a file imports for use; those under TYPE_CHECKING are not run."""
    tree = ast.parse(file.read_text("utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for child in block.body
        for node in ast.walk(child)
    }
    typing_only |= {
        id(node)
        for method in ast.walk(tree)
        if isinstance(method, ast.FunctionDef) and (file.name, method.name) in DOORS
        for node in ast.walk(method)
    }
    package = list(file.relative_to(ROOT).with_suffix("").parts[:-1])
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            found |= {start} | {f"{start}.{alias.name}" for alias in node.names}
    return found


def layer(file: Path) -> str:
    return file.relative_to(ROOT / "vision_core").with_suffix("").parts[0]


@pytest.mark.parametrize("file", CORE, ids=lambda f: str(f.relative_to(ROOT)))
def test_the_core_imports_no_streamlit_and_nothing_above_itself(file):
    names = imports(file)
    assert not {n for n in names if n.split(".")[0] in ("streamlit", "pages", "app")}
    above = FORBIDDEN.get(layer(file), [])
    wrong = {n for n in names for a in above if f"{n}.".startswith(f"vision_core.{a}.")}
    assert not wrong, f"{file.name} imports {sorted(wrong)}"


def room(name: str) -> str:
    """The room of the pages that a dotted name lies in: ``compare`` of ``pages.compare.sides``."""
    parts = name.split(".")
    return parts[1] if parts[0] == "pages" and len(parts) > 1 else ""


@pytest.mark.parametrize("file", PAGES, ids=lambda f: str(f.relative_to(ROOT)))
def test_pages_never_import_each_other_and_shared_never_a_page(file):
    own = file.relative_to(ROOT).parts[1] if file.parent != ROOT else "app.py"
    allowed = {
        "components": {"components"},
        "shared": {"shared", "components", "navigation.py"},
        "navigation.py": {"shared"},
        "app.py": {"shared", "navigation.py"},
    }.get(own, {own, "shared", "components", "navigation.py"})
    rooms = {room(n) + (".py" if room(n) == "navigation" else "") for n in imports(file)} - {""}
    assert rooms <= allowed, f"{file.relative_to(ROOT)} imports {sorted(rooms - allowed)}"


def test_the_check_would_find_a_wrong_import(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    file = tmp_path / "vision_core" / "images.py"
    file.parent.mkdir()
    file.write_text("def f():\n    from .figures import draw\n    import streamlit as st\n")
    assert {"vision_core.figures", "vision_core.figures.draw", "streamlit"} <= imports(file)


def test_importing_every_module_brings_no_streamlit():
    code = (
        "import importlib, pkgutil, sys, vision_core\n"
        "for m in pkgutil.walk_packages(vision_core.__path__, 'vision_core.'):\n"
        "    if not m.name.endswith('__main__'): importlib.import_module(m.name)\n"
        "sys.exit('streamlit' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file", [*CORE, *PAGES], ids=lambda f: str(f.relative_to(ROOT)))
def test_files_stay_short_and_use_no_deprecated_width(file):
    text = file.read_text("utf-8")
    assert text.count("\n") <= LAYOUT_LIMIT
    assert "use_container_width" not in text and "use_column_width" not in text


def test_weights_and_photos_of_the_repository():
    weights = list((ROOT / "assets" / "weights").glob("*.safetensors"))
    assert sum(f.stat().st_size for f in weights) <= 60 * 2**20
    cards = bundled_cards(ROOT / "assets" / "weights")
    assert {f.name for f in weights} == {card.filename for card in cards}, "none without a card"
