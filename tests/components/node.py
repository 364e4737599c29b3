"""Node and the linter, where they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NODE = shutil.which("node") or shutil.which("nodejs")
ESLINT = ROOT / "node_modules" / "eslint" / "bin" / "eslint.js"
needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed (Debian: nodejs)")
needs_linter = pytest.mark.skipif(
    NODE is None or not ESLINT.exists(), reason="ESLint is not installed (npm install)"
)
