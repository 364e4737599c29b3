"""The three backward rules of a ReLU, on numbers and in a real network."""

from __future__ import annotations

from pages.widgets import shell
from pages.widgets.guard import guarded

shell.through_app()
with guarded("showing the rules"):
    shell.wait_for_networks("ReLU rules")
    from pages.widgets import relu_rules_page  # imports PyTorch, which takes seconds the first time

    relu_rules_page.main()
