"""The NMS replay, driven by keyboard, ends where torchvision ends."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.ops import batched_nms

from tests.browser.driver import link, settled
from vision_core import models, samples
from vision_core.inference import trace

pytestmark = pytest.mark.browser
STATE = """root => ({index: root.replay.index, last: root.replay.last, ids: root.replay.data.ids,
  kept: root.replay.data.variants.map((v, i) => v.steps.slice(0, root.replay.index)
    .map(s => root.replay.data.ids[s[0]])),
  fates: root.replay.states.map(s => Array.from(s.fate))})"""


def opened(open_again, query: str, **options):
    page = open_again(f"/predictions?{query}", **options)
    settled(page)
    page.get_by_role("tab", name="NMS replay").click()
    page.wait_for_selector(".replay[data-ready]", timeout=30_000)
    return page, page.locator(".replay")


def test_by_keyboard_to_the_end(open_again) -> None:
    page, replay = opened(open_again, "photo=cat&score=0.35&iou=0.4")
    replay.focus()
    assert replay.evaluate(STATE)["index"] == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert replay.evaluate(STATE)["index"] == 1
    words = page.locator(".panel .words").first.inner_text()
    assert words.startswith("Keeps ") and "drops" in words
    for _ in range(replay.evaluate(STATE)["last"]):
        page.keyboard.press("ArrowRight")
    shown = replay.evaluate(STATE)
    assert shown["index"] == shown["last"] > 1

    found = trace(models.load("fcos_s"), samples.sample("cat"))
    alive = np.flatnonzero(found.scores > np.float32(0.35))
    keep = batched_nms(
        torch.from_numpy(found.boxes_net[alive]),
        torch.from_numpy(found.scores[alive]),
        torch.from_numpy(found.label_ids[alive]),
        0.4,
    )
    assert shown["kept"][0] == alive[keep.numpy()].tolist()
    assert set(shown["ids"]) == set(alive.tolist())
    kept, out = shown["fates"][0].count(1), shown["fates"][0].count(2)
    assert (kept, out) == (len(keep), len(alive) - len(keep)), "nobody waits at the end"
    page.keyboard.press("Home")
    assert set(replay.evaluate(STATE)["fates"][0]) == {0}


def test_play_pause_and_scrub(open_again) -> None:
    page, replay = opened(open_again, "photo=cat&score=0.3")
    replay.focus()
    page.keyboard.press("Space")
    page.wait_for_function("root => root.replay.index >= 1", arg=replay.element_handle())
    page.keyboard.press("Space")
    held = replay.evaluate(STATE)["index"]
    page.wait_for_timeout(1300)
    assert replay.evaluate(STATE)["index"] == held, "paused"
    page.locator(".replay input[type=range]").fill("2")
    assert replay.evaluate(STATE)["index"] == 2
    assert "step 2 of" in page.locator(".replay output").inner_text()


def test_other_thresholds_start_anew_and_a_phone_shows_it_too(open_again) -> None:
    page, replay = opened(open_again, "photo=cat&score=0.3", size=(390, 844))
    replay.focus()
    page.keyboard.press("End")
    assert replay.evaluate(STATE)["index"] > 0
    box = replay.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 391
    page = open_again(link(page).replace("score=0.3", "score=0.99"), size=(390, 844))
    settled(page)
    page.get_by_role("tab", name="NMS replay").click()
    page.get_by_text("nothing to replay").wait_for(timeout=30_000)
