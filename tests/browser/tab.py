"""A tab of the browser that many tests use, one after the other.

A new tab compiles Streamlit's JavaScript anew, which takes several seconds; a tab that stays has
it. Between two tests nothing of the first one remains: its session ends as the page is left, and
cookies, storage, window, pointer and colour scheme are as in a new tab.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Error, Page

SIZE = (1280, 720)


class Tab:
    """One tab, opened when it is first wanted and again after it was thrown away.

    Args:
        browser: where it is opened.
        rest: the address of a small page, of the same origin as the tests' pages.
    """

    def __init__(self, browser: Browser, rest: str) -> None:
        self._browser, self._rest = browser, rest
        self._context: BrowserContext | None = None
        self._page: Page | None = None

    def page(self) -> Page:
        """The tab, empty."""
        if self._context is None or self._page is None or self._page.is_closed():
            self.throw_away()
            self._context = self._browser.new_context(accept_downloads=True)
            self._page = self._context.new_page()
            self._page.goto(self._rest)
        return self._page

    def clean(self, visited: list[str]) -> None:
        """Leave no trace of a test.

        Args:
            visited: the addresses that it opened.
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


def _empty(context: BrowserContext, page: Page, visited: list[str]) -> None:
    page.evaluate("() => { sessionStorage.clear(); localStorage.clear(); }")
    page.mouse.up()
    page.mouse.move(-1, -1)
    page.unroute_all()
    page.emulate_media(media="null", color_scheme="null", reduced_motion="null")
    context.clear_cookies()
    context.clear_permissions()
    client: Any = context.new_cdp_session(page)
    for origin in {"{0.scheme}://{0.netloc}".format(urlsplit(address)) for address in visited}:
        client.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    client.detach()
