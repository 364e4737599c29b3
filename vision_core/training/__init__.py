"""The recipes that made the bundled weights; anyone with the data can run them again.

Each task is one file that reads from top to bottom: the data, the augmentation, the loss, the
score. What they share (the loop, weight averaging, the schedule, the picture cache) stands beside
them. ``python -m vision_core train RECIPE --data DIR`` runs one.
"""

from __future__ import annotations
