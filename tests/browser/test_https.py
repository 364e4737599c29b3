"""The app behind the project's proxy, over TLS: what phones need for their camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.driver import scene, settled, wait_scene
from tests.browser.runs import LISTEN
from tests.browser.test_predictions import jpeg_file, upload
from tests.browser.watch import Watch
from tests.proxying import proxied
from vision_core import samples

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser, server: str, tmp_path: Path) -> Iterator[Page]:
    """A tab at the proxy's address, whose certificate is of its own making."""
    port = urlsplit(server).port
    assert port is not None
    with proxied(tmp_path, [port], scheme="https") as site:
        context = browser.new_context(ignore_https_errors=True, base_url=site)
        context.add_init_script(LISTEN)
        yield context.new_page()
        context.close()


def test_the_app_works_behind_the_proxy_and_may_ask_for_the_camera(page: Page) -> None:
    watch, sockets = Watch(page), []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto("/predictions?source=upload")
    page.wait_for_selector("input[type=file]", state="attached")
    cat = samples.sample("cat").pixels
    upload(page, ("mine.jpg", jpeg_file(cat)))
    wait_scene(page, f"view.scene?.photo.width === {cat.shape[1]}")
    settled(page)
    assert "cat" in scene(page)["labels"]
    assert page.evaluate("isSecureContext && !!navigator.mediaDevices.getUserMedia")
    assert page.evaluate("fetch('/_stcore/metrics').then(answer => answer.status)") == 404, (
        "figures for whoever runs the server"
    )
    assert sockets and all(urlsplit(one).scheme == "wss" for one in sockets)
    (sticky,) = (c for c in page.context.cookies() if c["name"] == "convscope")
    assert sticky["path"] == "/"
    assert watch.faults == [], "the content security policy lets all of the app through"
