"""The app on a free port and a Chromium that looks at it, for tests and benchmarks."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.runs import idle, redrawn

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Compiled scripts stay, and their memory is searched less often: a twentieth less work.
    "--js-flags=--no-flush-bytecode --min-semi-space-size=64 --max-semi-space-size=64",
    # Network off: nothing but this machine has an address.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# The headless shell has no window around the page and takes a tenth less time; it goes first.
_NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
_DEAD_PROXY = "http://127.0.0.1:9"


def find_browser() -> str | None:
    """Chromium or Chrome on this machine: on the path, or installed by Playwright."""
    for name in _NAMES:
        if (found := shutil.which(name)) is not None:
            return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


@contextmanager
def serve(home: Path, script: str = "app.py") -> Iterator[str]:
    """``streamlit run`` of a script without a network, and with an empty download cache.

    Args:
        home: a folder that stands in for the torch hub cache.
        script: what Streamlit runs, from the root of the repository.

    Yields:
        the address, without a slash at its end.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    dead = {name: _DEAD_PROXY for name in ("http_proxy", "https_proxy", "HTTPS_PROXY")}
    log = home / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "streamlit",
                "run",
                script,
                "--server.headless=true",
                f"--server.port={port}",
                "--server.address=127.0.0.1",
            ],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **dead, "no_proxy": "127.0.0.1", "TORCH_HOME": str(home)},
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/_stcore/health", server, log)
            yield address
        finally:
            server.terminate()
            server.wait(20)


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(240):
        if server.poll() is not None:
            break
        try:
            opener.open(url, timeout=5)
            return
        except OSError:
            time.sleep(0.25)
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-3000:]}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    path = find_browser()  # beforehand: it may start Playwright itself, which does not nest
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def settled(page: Page) -> None:
    """Wait until the picture is there and the script has finished."""
    page.wait_for_selector(".stage[data-painted]", timeout=120_000)
    idle(page)


def pick(page: Page, name: str, option: str) -> None:
    """Choose from a list in the rail.

    The list is scrolled to before it is pressed: scrolling closes an open one, and the browser may
    tell the page of a scroll only after the press, with the next frame.
    """
    box = page.locator("[data-testid=stSidebar]").get_by_role("combobox", name=name)
    box.scroll_into_view_if_needed()
    redrawn(page)
    box.click()
    page.get_by_role("option", name=option, exact=True).click()


def link(page: Page) -> str:
    """The address of a page without its server, as a test opens one."""
    idle(page)  # a run tells the address at its end, after what it draws
    return page.evaluate("location.pathname + location.search")


def stage(page: Page) -> Any:
    """The element around the large picture."""
    return page.locator(".stage").last


def scene(page: Page) -> dict[str, Any]:
    """What the picture shows: boxes, labels, scores, ids, photo, selected id, canvas width."""
    return page.locator("canvas[role=application]").last.evaluate(
        """c => ({boxes: c.view.scene.boxes, labels: c.view.scene.labels, ids: c.view.scene.ids,
                  scores: c.view.scene.scores, photo: c.view.scene.photo,
                  selected: c.view.chosen < 0 ? -1 : c.view.scene.ids[c.view.chosen],
                  painted: c.view.painted, width: c.view.size.width})"""
    )


def wait_scene(page: Page, wanted: str, timeout: float = 60_000) -> None:
    """Wait until a JavaScript condition on the picture's ``view`` holds.

    The picture is looked for anew each time: until it is drawn, the last canvas may be the strip of
    uploads above it.
    """
    canvas = page.locator("canvas[role=application]").last
    end = time.monotonic() + timeout / 1000
    while not canvas.evaluate(f"canvas => {{ const view = canvas.view; return !!({wanted}); }}"):
        if time.monotonic() > end:
            raise TimeoutError(f"the picture never showed: {wanted}")
        page.wait_for_timeout(50)


def passes(page: Page) -> int:
    """How often the page says that the network has run for this photo."""
    return int(page.locator("[data-passes]").first.get_attribute("data-passes") or -1)
