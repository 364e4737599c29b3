"""Filters: the weights of a convolution as pictures, beside those of an untrained network."""

from __future__ import annotations

from pages.widgets import shell
from pages.widgets.guard import guarded

shell.through_app()
with guarded("showing the filters"):
    shell.wait_for_networks("Filters")
    from pages.widgets import filters_page  # imports PyTorch, which takes seconds the first time

    filters_page.main()
