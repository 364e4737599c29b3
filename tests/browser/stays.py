"""Pages that stay loaded while one test after the other uses them.

Loading Streamlit takes most of the time of a test that moves a slider and looks. Between two tests
the page goes by an empty one, where the server forgets the session's state and everything that was
drawn leaves the document: the next page is drawn from nothing, as after a load.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.browser.runs import idle
from tests.browser.tab import Tab, Tabs, let_go
from tests.browser.watch import Watch

# As a link inside the page does it. Streamlit asks its server for the address's own picture.
_GO = """address => { history.pushState(null, "", address);
  dispatchEvent(new PopStateEvent("popstate")); }"""

_DRAWN = "[data-testid=stElementContainer]"


class Stays:
    """One page for each set of a tab's options, loaded when it is first wanted.

    Args:
        server: the address of a script that forgets everything at ``/?anew``.
        tabs: where the pages' tabs are from.
    """

    def __init__(self, server: str, tabs: Tabs) -> None:
        self._server, self._tabs = server, tabs
        self._open: dict[str, tuple[Tab, Watch]] = {}

    def open(
        self, path: str = "/predictions", *, size: tuple[int, int] = (1280, 720), **options: Any
    ) -> Page:
        """A page in a session that has just begun.

        Args:
            path: of its address, and what it asks for.
            size: of the window.
            options: of the tab, such as ``has_touch``.
        """
        key = repr(sorted(options.items()))
        window: Any = {"width": size[0], "height": size[1]}
        if key in self._open:
            page = self._open[key][1].page
            let_go(page)
            page.evaluate(_GO, "/?anew=1")
            page.locator(_DRAWN).first.wait_for(state="detached", timeout=120_000)
            idle(page)
            page.set_viewport_size(window)
            page.evaluate(_GO, path)
        else:
            tab = self._tabs.tab(options, ())
            self._tabs.kept.add(tab)
            page = tab.page()
            page.set_viewport_size(window)
            self._open[key] = tab, Watch(page)
            page.goto(self._server + path)
        return page

    def check(self) -> None:
        """Nothing went wrong in any of them so far."""
        for _, watch in self._open.values():
            watch.check()

    def give_back(self) -> None:
        """Leave the tabs to other tests."""
        for tab, watch in self._open.values():
            watch.end()
            tab.clean(self._server)
            self._tabs.kept.discard(tab)
        self._open.clear()

    def throw_away(self) -> None:
        """Close the tabs; the next test gets new ones."""
        for tab, watch in self._open.values():
            watch.end()
            tab.throw_away()
            self._tabs.kept.discard(tab)
        self._open.clear()
