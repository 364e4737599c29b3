"""What is imported is required, what is required is imported, and the locks lie in the ranges."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
OWN = {"app", "benchmarks", "deploy", "pages", "tests", "vision_core"}


DEPLOYMENT = str(Path("vision_core/serving/deployment.py"))
"""The one file that may import what only requirements-serve.txt names."""
APP = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "vision_core").rglob("*.py")]


def imported(files: list[Path]) -> dict[str, str]:
    """Every package from elsewhere that the files import, and a file that does."""
    found: dict[str, str] = {}
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            found |= {name.split(".")[0]: str(file.relative_to(ROOT)) for name in names}
    return {n: f for n, f in found.items() if n not in sys.stdlib_module_names and n not in OWN}


def listed(file: str) -> list[Requirement]:
    """The rows of a requirements file, without comments and references to other files."""
    rows = (ROOT / file).read_text("utf-8").splitlines()
    return [Requirement(row) for row in rows if row.strip() and not row.startswith(("#", "-"))]


def names(file: str) -> set[str]:
    return {canonicalize_name(row.name) for row in listed(file)}


def test_the_app_imports_what_it_requires_and_nothing_else() -> None:
    distributions = packages_distributions()
    needed: dict[str, str] = {}
    for name, file in imported(APP).items():
        if name == "ray" and file == DEPLOYMENT:  # not installed for the tests
            continue
        assert name in distributions, f"{file} imports {name}, which is not installed"
        needed[canonicalize_name(distributions[name][0])] = file
    required, service = names("requirements.txt"), names("requirements-serve.txt")
    elsewhere = {n: f for n, f in needed.items() if n not in required}
    assert set(elsewhere.values()) <= {DEPLOYMENT} and set(elsewhere) <= service
    assert required - set(needed) == set(), "required, but never imported"


def test_the_tests_import_nothing_that_is_not_required() -> None:
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    required = names("requirements.txt") | names("requirements-dev.txt")
    distributions = packages_distributions()
    for name, file in imported(files).items():
        offered = {canonicalize_name(d) for d in distributions.get(name, [])}
        assert offered & required, f"{file} imports {name}, which no requirements file names"


@pytest.mark.parametrize("stem", ["requirements", "requirements-dev", "requirements-serve"])
def test_a_lock_names_a_version_in_each_range(stem) -> None:
    ranges = {canonicalize_name(row.name): row.specifier for row in listed(f"{stem}.txt")}
    locked = listed(f"{stem}.lock")
    assert ranges.keys() <= names(f"{stem}.lock")
    for row in locked:
        (exact,) = row.specifier
        assert exact.operator == "==", row
        assert ranges.get(canonicalize_name(row.name), row.specifier).contains(exact.version), row


def test_the_locks_agree() -> None:
    kinds = ("", "-dev", "-serve")
    run, dev, serve = ({str(row) for row in listed(f"requirements{s}.lock")} for s in kinds)
    assert run < dev and run < serve


@pytest.mark.parametrize(
    "file", ["requirements.lock", "requirements-dev.lock", "requirements-serve.lock"]
)
def test_a_lock_names_no_registry_and_no_folder(file) -> None:
    assert not re.search(r"https?:|file:|index|find-links|/", (ROOT / file).read_text("utf-8"))


def test_torch_and_torchvision_are_a_pair() -> None:
    locked = {row.name: next(iter(row.specifier)).version for row in listed("requirements.lock")}
    (asked,) = (
        row for row in map(Requirement, requires("torchvision") or ()) if row.name == "torch"
    )
    assert asked.specifier.contains(locked["torch"]), "what torchvision itself asks for"
    for row in listed("requirements.txt"):
        if row.name in ("torch", "torchvision"):
            first, second, *_ = locked[row.name].split(".")
            assert not row.specifier.contains(f"{first}.{int(second) + 1}.0"), "one minor version"
