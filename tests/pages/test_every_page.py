"""Every page of the navigation runs as it stands, and is reachable from the start page."""

from __future__ import annotations

import logging

import pytest

from pages import navigation
from tests.pages.conftest import APP, sound, start

PAGES = sorted(navigation.ENTRIES)


@pytest.mark.parametrize("page", PAGES)
def test_it_runs_without_a_warning_about_old_calls(page: str, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        sound(start(page))
    assert "deprecat" not in caplog.text.lower()


def test_every_page_lies_in_the_table_and_the_start_page_links_to_it() -> None:
    rooms = {
        f for f in (APP.parent / "pages").rglob("*.py") if "\ndef main() -> None:" in f.read_text()
    }
    table = {APP.parent / (e.module.replace(".", "/") + ".py") for e in navigation.ENTRIES.values()}
    assert rooms == table
    links = [link.proto.page for link in sound(start(None)).get("page_link")]
    assert {*PAGES} - {"home"} <= {*links}
