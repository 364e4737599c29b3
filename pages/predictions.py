"""Predictions: run a network on a photo once, then move the thresholds while it follows."""

from __future__ import annotations

from pages.widgets import shell
from pages.widgets.guard import guarded

shell.through_app()
with guarded("preparing the page"):
    shell.wait_for_networks("Predictions")
    from pages.widgets import predicting  # imports PyTorch, which takes seconds the first time

    predicting.main()
