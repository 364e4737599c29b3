"""Every page of the navigation runs as it stands, and is reachable from the start page."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.pages.conftest import APP, sound, start

PAGES = sorted(
    f"pages/{file.name}" for file in (APP.parent / "pages").glob("*.py") if file.stem != "__init__"
)


@pytest.mark.parametrize("page", PAGES)
def test_it_runs_without_a_warning_about_old_calls(page: str, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        sound(start(page))
    assert "deprecat" not in caplog.text.lower()


def test_the_navigation_and_the_start_page_name_every_page() -> None:
    navigation = APP.read_text("utf-8")
    home = (APP.parent / "pages" / "home.py").read_text("utf-8")
    for page in PAGES:
        assert f'"{page}"' in navigation
        name = Path(page).stem
        assert name == "home" or f'("{name}",' in home
