"""Activations: what the layers of a network put out for a photo, and what makes a unit speak."""

from __future__ import annotations

from pages.widgets import shell
from pages.widgets.guard import guarded

shell.through_app()
with guarded("showing the activations"):
    shell.wait_for_networks("Activations")
    from pages.widgets import (
        activations_page,  # imports PyTorch, which takes seconds the first time
    )

    activations_page.main()
