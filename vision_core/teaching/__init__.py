"""A small network that learns while one watches, and what a trained trunk is worth.

``settings`` are plain values; ``data`` makes a ``LearningSet`` of digits, photos or crops;
``run.LearningRun`` learns epoch by epoch and goes back to any epoch that it still holds;
``transfer`` teaches ``resnet_s`` in three ways; ``looks`` says what can be seen; ``keeping`` writes
a file.
"""

from __future__ import annotations

from vision_core.teaching.settings import LearningSettings

__all__ = ["LearningSettings"]
