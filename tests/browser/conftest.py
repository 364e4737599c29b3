"""One server and one browser for all browser tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Browser, Page

from tests.browser import driver


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if driver.find_browser() is None:
        pytest.skip("no Chromium or Chrome found; run: playwright install chromium")
    with driver.chromium() as found:
        yield found


@pytest.fixture(scope="session")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with driver.serve(tmp_path_factory.mktemp("torch")) as address:
        yield address


@pytest.fixture(scope="session")
def canvas_server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The detector's panel on made-up traces; see ``canvas_app.py``."""
    with driver.serve(tmp_path_factory.mktemp("torch"), "tests/browser/canvas_app.py") as address:
        yield address


class Watch:
    """What went wrong in a page."""

    def __init__(self, page: Page) -> None:
        self.faults: list[str] = []
        self.outside: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._console)
        page.on("request", self._request)

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
def open_page(browser: Browser, server: str) -> Iterator[Any]:
    """Opens a page of the app in a fresh session; afterwards nothing must have gone wrong."""
    contexts, watches, pages = [], [], []

    def opener(
        path: str = "/predictions", *, size: tuple[int, int] = (1280, 720), **options: Any
    ) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, accept_downloads=True, **options
        )
        page = context.new_page()
        contexts.append(context)
        watches.append(Watch(page))
        pages.append(page)
        page.goto(path if path.startswith("http") else server + path)
        return page

    yield opener
    try:
        for page, watch in zip(pages, watches, strict=True):
            assert watch.faults == []
            assert watch.outside == [], "the page must work without a network"
            assert "Traceback" not in page.inner_text("body")
    finally:
        for context in contexts:
            context.close()
