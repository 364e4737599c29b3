"""What is taken home as one HTML file shows, with the network off, what the app shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser.driver import settled
from tests.browser.runs import idle, redrawn
from vision_core import models, samples
from vision_core.attribution import ask, default_target, explain
from vision_core.cli import main
from vision_core.figures.saliency import over_photo, own_limit, signed_colours
from vision_core.inference import trace

pytestmark = pytest.mark.browser
FRAME = """box => ({
  cells: [...box.querySelectorAll('[data-cell]')].map(c => [c.dataset.view, c.dataset.operand,
    c.dataset.cell, c.dataset.on, c.querySelector('text').textContent,
    c.querySelector('rect').getAttribute('fill-opacity')].join(' ')).sort(),
  titles: [...box.querySelectorAll('svg > text')].map(t => t.textContent).join(' '),
  maths: box.querySelector('.maths').textContent,
  count: box.querySelector('.count').textContent})"""
REPLAY = """root => ({index: root.replay.index, ids: root.replay.data.ids, words: root.replay.words,
  fates: root.replay.states.map(s => Array.from(s.fate)),
  now: root.replay.states.map(s => Array.from(s.now))})"""


@pytest.fixture
def offline(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens a file without a network; nothing may go wrong, and nothing may be loaded."""
    contexts, faults, asked = [], [], []

    def opener(file: Path, size: tuple[int, int] = (1280, 720), scheme: str = "light") -> Page:
        context = browser.new_context(
            offline=True,
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,  # type: ignore[arg-type]
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.on("request", lambda r: asked.append(r.url))
        page.goto(file.as_uri())
        return page

    yield opener
    for context in contexts:
        context.close()
    assert faults == []
    local = ("data:", "blob:", tmp_path.as_uri())
    assert [url[:80] for url in asked if not url.startswith(local)] == []


def taken(page: Page, folder: Path) -> Path:
    """The file behind the page's button."""
    with page.expect_download(timeout=60_000) as coming:
        page.get_by_role("button", name="Take home (HTML)").click()
    file = folder / coming.value.suggested_filename
    coming.value.save_as(file)
    assert file.suffix == ".html" and file.stat().st_size < 2_000_000
    return file


def frames(page: Page, count: int) -> list[dict[str, Any]]:
    """Every step of the first player, by its keyboard."""
    player = page.locator(".player").first
    player.focus()
    page.mouse.move(2, 2)  # a cell below the pointer would be shown in place of the step
    page.keyboard.press("Home")
    found = []
    for k in range(count):
        page.locator(f".player[data-step='{k}']").first.wait_for(timeout=30_000)
        found.append(player.evaluate(FRAME))
        page.keyboard.press("ArrowRight")
    return found


@pytest.mark.parametrize("path", ["transposed_convolution?step=0", "convolution?step=0"])
def test_a_walkthrough_has_the_frames_of_the_app(open_again, offline, tmp_path, path) -> None:
    page = open_again(f"/{path}")
    page.wait_for_selector(".player[data-step]", timeout=120_000)
    idle(page)
    count = int(page.locator(".scrub").first.get_attribute("max") or 0) + 1
    file = taken(page, tmp_path)
    saved = offline(file)
    ours, theirs = frames(saved, count), frames(page, count)
    assert count > 3 and ours == theirs
    assert len({str(frame["cells"]) for frame in ours}) == count, "every frame is another one"
    saved.keyboard.press("Home")
    saved.keyboard.press("Space")
    saved.locator(".player[data-step='1']").wait_for(timeout=15_000)
    with saved.expect_download() as coming:
        saved.locator("button.svg").click()
    assert coming.value.suggested_filename.endswith(".svg")


def test_a_walkthrough_fits_a_phone_in_the_dark(open_again, offline, tmp_path) -> None:
    page = open_again("/transposed_convolution?step=0")
    page.wait_for_selector(".player[data-step]", timeout=120_000)
    saved = offline(taken(page, tmp_path), (390, 844), "dark")
    saved.wait_for_selector(".player[data-step='0']")
    assert saved.evaluate("document.documentElement.scrollWidth") <= 390
    assert saved.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 22, 29)"
    box = saved.locator(".player svg").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 391


def test_a_prediction_selects_and_replays_as_the_app(open_again, offline, tmp_path) -> None:
    page = open_again("/predictions?photo=cat&score=0.35&iou=0.4")
    settled(page)
    file = taken(page, tmp_path)
    saved = offline(file)
    canvas = saved.locator("canvas[role=application]").first
    saved.wait_for_selector(".stage[data-painted]")
    found = trace(models.load("fcos_s"), samples.sample("cat"))
    for score, iou in [(0.35, 0.4), (0.2, 0.4), (0.2, 0.7), (0.05, 0.3), (0.5, 0.5)]:
        for name, value in (("score", score), ("iou", iou)):
            slider = saved.locator(f"input[name={name}]")
            slider.fill(str(value))
            slider.dispatch_event("change")
        redrawn(saved)
        given = replace(found.defaults, score=score, iou=iou)
        kept = found.select(given).detections
        shown = canvas.evaluate("c => ({ids: c.view.scene.ids, painted: c.view.frame.ids})")
        assert shown["ids"] == shown["painted"] == kept.candidate.tolist(), given
        chips = saved.locator(".chip").first.inner_text()
        assert chips.split()[0] == str(len(kept))
    saved.get_by_role("button", name="All candidates").click()
    assert canvas.evaluate("c => c.view.showGhosts")
    canvas.focus()
    saved.keyboard.press("ArrowRight")
    assert canvas.evaluate("c => c.view.chosen") == 0

    page.get_by_role("tab", name="NMS replay").click()
    page.wait_for_selector(".replay[data-ready]", timeout=30_000)
    for window in (page, saved):
        window.locator(".replay").focus()
        window.keyboard.press("Home")
    last = saved.locator(".replay").evaluate("root => root.replay.last")
    assert last > 1
    for _ in range(last + 1):
        states = [w.locator(".replay").evaluate(REPLAY) for w in (page, saved)]
        assert states[0] == states[1]
        page.keyboard.press("ArrowRight")
        saved.keyboard.press("ArrowRight")


def test_masks_and_joints_come_along(offline, tmp_path) -> None:
    photo = tmp_path / "cat.png"
    Image.fromarray(samples.sample("cat").pixels).save(photo)
    file = tmp_path / "masks.html"
    assert main(["predict", str(photo), "--model", "mask_rcnn_s", "--html", str(file)]) == 0
    saved = offline(file)
    saved.wait_for_selector(".stage[data-painted]")
    view = "c => ({owners: c.view.scene.overlay.owners, ids: c.view.scene.ids})"
    shown = saved.locator("canvas[role=application]").first.evaluate(view)
    assert shown["owners"] == shown["ids"] and shown["ids"]


def test_maps_are_a_film_strip_with_keys(offline, tmp_path) -> None:
    photo = samples.sample("cat")
    source, file = tmp_path / "cat.png", tmp_path / "maps.html"
    Image.fromarray(photo.pixels).save(source)
    argv = ["explain", str(source), "--model", "resnet_s", "--method", "gradient"]
    assert main([*argv, "--html", str(file)]) == 0
    saved = offline(file)
    strip = saved.locator(".strip")
    strip.focus()
    assert saved.locator("figcaption b").inner_text() == "Photo"
    saved.keyboard.press("ArrowRight")
    saved.keyboard.press("ArrowRight")  # stays at the last one
    assert saved.locator("figcaption b").inner_text() == "gradient"
    pixels = saved.locator("figure img").evaluate(
        """async image => {
          await image.decode();
          const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
          const pen = canvas.getContext("2d");
          pen.drawImage(image, 0, 0);
          const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
          return [canvas.height, canvas.width, ...data.filter((_, i) => i % 4 < 3)];
        }"""
    )
    shown = np.array(pixels[2:]).reshape(pixels[0], pixels[1], 3)
    model = models.load("resnet_s")
    found = trace(model, photo)
    made = explain(ask(model, photo, found, default_target(found)), "gradient")
    expected = over_photo(photo, signed_colours(made.signed, own_limit(made.signed)), 0.8)
    assert shown.shape == expected.shape
    assert np.abs(shown - expected.astype(int)).mean() < 12, "JPEG, of the same picture"
