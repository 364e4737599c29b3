"""One server, one browser and a few tabs for all browser tests of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Browser, Page

from tests.browser import driver
from tests.browser.stays import Stays
from tests.browser.tab import Tab, Tabs
from tests.browser.watch import Watch


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if driver.find_browser() is None:
        pytest.skip("no Chromium or Chrome found; run: playwright install chromium")
    with driver.chromium() as found:
        yield found


@pytest.fixture(scope="package")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app; see ``app_anew.py``."""
    with driver.serve(tmp_path_factory.mktemp("torch"), "tests/browser/app_anew.py") as address:
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


@pytest.fixture(scope="package")
def stays(server: str, tabs: Tabs) -> Iterator[Stays]:
    """Loaded pages of the app."""
    yield from _loaded(server, tabs)


@pytest.fixture
def open_again(stays: Stays, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Opens a page of the app in a session that begins anew, where one is loaded already."""
    yield from _checked(stays, request)


@pytest.fixture(scope="package")
def cases(canvas_server: str, tabs: Tabs) -> Iterator[Stays]:
    """Loaded pages of ``canvas_app.py``."""
    yield from _loaded(canvas_server, tabs)


@pytest.fixture
def open_case(cases: Stays, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Opens a case of ``canvas_app.py``; afterwards nothing must have gone wrong."""

    def opener(case: str, **options: Any) -> Page:
        page = cases.open(f"/?case={case}", **options)
        driver.settled(page)
        return page

    for _ in _checked(cases, request):
        yield opener


def _loaded(address: str, tabs: Tabs) -> Iterator[Stays]:
    found = Stays(address, tabs)
    yield found
    found.give_back()


def _checked(stays: Stays, request: pytest.FixtureRequest) -> Iterator[Any]:
    failed = request.session.testsfailed
    yield stays.open
    sound = False
    try:
        stays.check()
        sound = request.session.testsfailed == failed
    finally:
        if not sound:  # whatever went wrong, the next test is not to see it
            stays.throw_away()
