"""Tabs of the browser that many tests use, one after the other.

A new tab compiles Streamlit's JavaScript anew, which takes several seconds; a tab that stays has
it. Between two tests nothing of the first one remains: its session ends as the page is left, and
cookies, storage, window, pointer and colour scheme are as in a new tab.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Error, Page

from tests.browser.runs import LISTEN

WINDOW: Any = {"width": 1280, "height": 720}


class Tab:
    """One tab, opened when it is first wanted and again after it was thrown away.

    Args:
        browser: where it is opened.
        rest: the address of a small page, of the same origin as the tests' pages.
        options: of its context, such as ``has_touch``.
    """

    def __init__(self, browser: Browser, rest: str, options: dict[str, Any]) -> None:
        self._browser, self._rest, self._options = browser, rest, options
        self._context: BrowserContext | None = None
        self._page: Page | None = None

    def page(self) -> Page:
        """The tab, empty."""
        if self._context is None or self._page is None or self._page.is_closed():
            self.throw_away()
            self._context = self._browser.new_context(
                viewport=WINDOW, accept_downloads=True, **self._options
            )
            self._context.add_init_script(LISTEN)
            self._page = self._context.new_page()
            self._page.goto(self._rest)
        return self._page

    def clean(self, visited: str) -> None:
        """Leave no trace of a test.

        Args:
            visited: the address that it opened.
        """
        if self._context is None or self._page is None:
            return
        try:
            _empty(self._context, self._page, visited)
            self._page.goto(self._rest)
        except Error:  # closed or crashed
            self.throw_away()

    def throw_away(self) -> None:
        """Close it; the next test gets a new one."""
        if self._context is not None:
            self._context.close()
        self._context = self._page = None


class Tabs:
    """The tabs by their options; a test that opens several pages gets a tab for each."""

    def __init__(self, browser: Browser, rest: str) -> None:
        self._browser, self._rest = browser, rest
        self._tabs: dict[str, list[Tab]] = {}
        self.kept: set[Tab] = set()
        """What somebody goes on using after a test has ended."""

    def tab(self, options: dict[str, Any], taken: Collection[Tab]) -> Tab:
        """A tab that is neither taken nor kept."""
        tabs = self._tabs.setdefault(repr(sorted(options.items())), [])
        for tab in tabs:
            if tab not in taken and tab not in self.kept:
                return tab
        tabs.append(Tab(self._browser, self._rest, options))
        return tabs[-1]

    def throw_away(self) -> None:
        """Close all of them."""
        for tab in [tab for tabs in self._tabs.values() for tab in tabs]:
            tab.throw_away()


def let_go(page: Page) -> None:
    """Take hand, stores and wishes of a test away from the page that it leaves."""
    page.evaluate("() => { sessionStorage.clear(); localStorage.clear(); }")
    page.mouse.up()
    page.mouse.move(-1, -1)
    page.unroute_all()
    page.emulate_media(media="null", color_scheme="null", reduced_motion="null")


def _empty(context: BrowserContext, page: Page, visited: str) -> None:
    let_go(page)
    context.clear_cookies()
    context.clear_permissions()
    client: Any = context.new_cdp_session(page)
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(visited))
    client.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    client.detach()
