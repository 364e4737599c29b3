"""One server, one browser and a few tabs for all browser tests of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Browser, Page

from tests.browser import driver
from tests.browser.tab import Tab, Tabs


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if driver.find_browser() is None:
        pytest.skip("no Chromium or Chrome found; run: playwright install chromium")
    with driver.chromium() as found:
        yield found


@pytest.fixture(scope="package")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with driver.serve(tmp_path_factory.mktemp("torch")) as address:
        yield address


@pytest.fixture(scope="package")
def canvas_server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The detector's panel on made-up traces; see ``canvas_app.py``."""
    with driver.serve(tmp_path_factory.mktemp("torch"), "tests/browser/canvas_app.py") as address:
        yield address


@pytest.fixture(scope="package")
def tabs(browser: Browser, server: str) -> Iterator[Tabs]:
    found = Tabs(browser, f"{server}/_stcore/health")
    yield found
    found.throw_away()


class Watch:
    """What went wrong in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.outside: list[str] = []
        self._heard = {
            "pageerror": lambda error: self.faults.append(str(error)),
            "console": self._console,
            "request": self._request,
        }
        for event, hear in self._heard.items():
            page.on(event, hear)  # type: ignore[call-overload]

    def check(self) -> None:
        """Nothing went wrong so far."""
        assert self.faults == []
        assert self.outside == [], "the page must work without a network"
        assert "Traceback" not in self.page.inner_text("body")

    def end(self) -> None:
        """Listen no longer."""
        for event, hear in self._heard.items():
            self.page.remove_listener(event, hear)

    def _console(self, message: Any) -> None:
        # Streamlit looks for its server under the page's own path first, and gets a 404.
        probing = "/_stcore/" in (message.location or {}).get("url", "")
        # Of a fresh server Streamlit looks for a page among files before it runs app.py. The page
        # closes the dialog that says so; a test of the fresh server looks for it.
        looking = message.text.startswith("The page that you have requested does not seem to exist")
        if message.type == "error" and not probing and not looking:
            self.faults.append(message.text)

    def _request(self, request: Any) -> None:
        local = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")
        if not request.url.startswith(local):
            self.outside.append(request.url)


@pytest.fixture
def open_page(server: str, tabs: Tabs, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Opens a page of the app in a fresh session; afterwards nothing must have gone wrong."""
    taken: dict[Tab, str] = {}
    watches: list[Watch] = []
    failed = request.session.testsfailed

    def opener(
        path: str = "/predictions", *, size: tuple[int, int] = (1280, 720), **options: Any
    ) -> Page:
        address = path if path.startswith("http") else server + path
        tab = tabs.tab(options, taken)
        taken[tab] = address
        page = tab.page()
        page.set_viewport_size({"width": size[0], "height": size[1]})
        watches.append(Watch(page))
        page.goto(address)
        return page

    yield opener
    sound = False
    try:
        for watch in watches:
            watch.check()
        sound = request.session.testsfailed == failed
    finally:
        for watch in watches:
            watch.end()
        for tab, address in taken.items():
            if sound:
                tab.clean(address)
            else:  # whatever went wrong, the next test is not to see it
                tab.throw_away()
