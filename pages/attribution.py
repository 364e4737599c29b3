"""Attribution: which parts of the photo drive a prediction, by several methods at once."""

from __future__ import annotations

from pages.widgets import shell
from pages.widgets.guard import guarded

shell.through_app()
with guarded("preparing the page"):
    shell.wait_for_networks("Attribution")
    from pages.widgets import (
        attribution_page,  # imports PyTorch, which takes seconds the first time
    )

    attribution_page.main()
