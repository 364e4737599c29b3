"""Tabs that tests share: nothing of one test is left for the next."""

from __future__ import annotations

import pytest

from tests.browser.tab import Tabs

pytestmark = pytest.mark.browser
_KEEP = "() => { localStorage.a = sessionStorage.a = 1; document.cookie = 'a=1'; }"
_LEFT = """() => [localStorage.length, sessionStorage.length, document.cookie,
  matchMedia("(prefers-color-scheme: dark)").matches]"""


def test_nothing_of_a_test_remains_in_its_tab(tabs: Tabs, server: str) -> None:
    tab = tabs.tab({"locale": "en-GB"}, ())  # no other test has this one
    page = tab.page()
    page.goto(f"{server}/nms")
    page.locator("h1").first.wait_for()
    page.evaluate(_KEEP)
    page.emulate_media(color_scheme="dark")
    counted = page.evaluate(_LEFT)
    assert min(counted[:2]) >= 1 and "a=1" in counted[2] and counted[3]
    tab.clean(f"{server}/nms")
    local, session, cookies, dark = page.evaluate(_LEFT)
    assert tab.page() is page and local == session == 0 and not dark
    assert "a=1" not in cookies  # the server gives every visitor a cookie of its own


def test_each_page_of_a_test_has_a_tab_and_a_closed_one_is_replaced(tabs: Tabs) -> None:
    options = {"locale": "en-GB"}
    first = tabs.tab(options, ())
    second = tabs.tab(options, {first})
    assert tabs.tab(options, {second}) is first and second is not first
    page = first.page()
    page.close()
    assert not first.page().is_closed() and first.page() is not page
    second.throw_away()
