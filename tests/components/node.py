"""Node and npm, where they are."""

from __future__ import annotations

import shutil

import pytest

NODE = shutil.which("node") or shutil.which("nodejs")
needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed (Debian: nodejs)")
