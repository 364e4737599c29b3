"""Scores of the bundled networks on data they never saw: top-1, AP, mean IoU, PCK."""

from __future__ import annotations
