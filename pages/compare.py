"""Compare: two to four models on one photo, and what differs between them."""

from __future__ import annotations

from pages.widgets import shell
from pages.widgets.guard import guarded

shell.through_app()
with guarded("preparing the page"):
    shell.wait_for_networks("Compare")
    from pages.widgets import compare_page  # imports PyTorch, which takes seconds the first time

    compare_page.main()
