"""What goes wrong in a page while a test uses it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page


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
