"""The Predictions page in a real Chromium, with the network off."""

from __future__ import annotations

import io
import json
from base64 import b64decode

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.driver import passes, scene, serve, settled, stage, wait_scene
from vision_core import samples

pytestmark = pytest.mark.browser
SCORE = "Score threshold"


def jpeg_file(pixels: np.ndarray, orientation: int = 1) -> bytes:
    """A JPEG file of pixels that are stored as the orientation says and upright when read."""
    turn = {1: lambda a: a, 6: lambda a: np.rot90(a, 1), 3: lambda a: np.rot90(a, 2)}[orientation]
    image = Image.fromarray(np.ascontiguousarray(turn(pixels)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    image.save(out, "JPEG", quality=98, subsampling=0, exif=exif)
    return out.getvalue()


def upload(page, *files: tuple[str, bytes]) -> None:
    page.locator("input[type=file]").set_input_files(
        [{"name": n, "mimeType": "image/jpeg", "buffer": data} for n, data in files]
    )


def canvas_pixels(page) -> np.ndarray:
    url = page.locator("canvas[role=application]").last.evaluate("c => c.toDataURL('image/png')")
    return np.asarray(Image.open(io.BytesIO(b64decode(url.split(",")[1]))).convert("RGB"))


def test_the_first_page_leads_to_the_cat(open_again) -> None:
    page = open_again("/")
    page.get_by_role("button", name="Show me the cat").click()
    settled(page)
    assert "cat" in scene(page)["labels"]


_SEEN = """() => {
  globalThis.seen = [];
  const look = () => {
    const dialog = [...document.querySelectorAll('[role=dialog]')]
      .find(one => one.textContent.startsWith('Page not found'));
    const shown = dialog && getComputedStyle(dialog).visibility === 'visible';
    if (shown && document.querySelector('.open-rail')) seen.push(location.pathname);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def test_the_sample_cat_has_a_box_called_cat(open_again) -> None:
    page = open_again()
    settled(page)
    shown = scene(page)
    assert "cat" in shown["labels"]
    x1, y1, x2, y2 = shown["boxes"][shown["labels"].index("cat")]
    photo = samples.sample("cat")
    assert (x2 - x1) * (y2 - y1) > 0.2 * photo.width * photo.height, "the cat fills the photo"


def test_exif_rotation_picture_and_boxes_agree(open_again) -> None:
    photo, shown = samples.sample("cat").pixels, {}
    for turned in (1, 3, 6):
        page = open_again("/predictions?source=upload&captions=0")
        page.wait_for_selector("input[type=file]", state="attached")
        upload(page, (f"cat{turned}.jpg", jpeg_file(photo, turned)))
        settled(page)
        shown[turned] = scene(page), canvas_pixels(page)
    upright = shown[1][0]
    height, width = photo.shape[:2]
    wanted = cv2.resize(photo, (8, 6), interpolation=cv2.INTER_AREA).astype(int)
    for orientation, (found, picture) in shown.items():
        assert found["labels"] and found["labels"] == upright["labels"], orientation
        assert np.allclose(found["boxes"], upright["boxes"], atol=6), orientation
        assert (found["photo"]["width"], found["photo"]["height"]) == (width, height)
        small = cv2.resize(picture, (8, 6), interpolation=cv2.INTER_AREA).astype(int)
        assert np.abs(small - wanted).mean() < 12, orientation


def test_the_score_slider_moves_the_picture_and_not_the_network(open_again) -> None:
    page = open_again()
    settled(page)
    before, ran = len(scene(page)["boxes"]), passes(page)
    slider = page.get_by_role("slider", name=SCORE)
    slider.focus()
    page.keyboard.press("Home")
    wait_scene(page, f"view.scene.boxes.length > {before}")
    page.keyboard.press("End")
    wait_scene(page, "view.scene.boxes.length === 0")
    settled(page)
    assert passes(page) == ran == 1
    assert "score=1" in page.url


def test_the_picture_keeps_its_place_while_a_slider_moves(open_again) -> None:
    page = open_again()
    settled(page)
    page.get_by_role("slider", name=SCORE).focus()
    before = stage(page).bounding_box()
    page.keyboard.press("End")
    wait_scene(page, "view.scene.boxes.length === 0")
    settled(page)
    assert stage(page).bounding_box() == before


def test_clicking_a_box_selects_its_row_and_a_row_its_box(open_again) -> None:
    page = open_again("/predictions?score=0.02&max=4")
    settled(page)
    shown = scene(page)
    assert len(shown["boxes"]) > 1
    sizes = [(b[2] - b[0]) * (b[3] - b[1]) for b in shown["boxes"]]
    least = int(np.argmin(sizes))
    x1, y1, x2, y2 = shown["boxes"][least]
    scale = shown["width"] / shown["photo"]["width"]
    page.locator("canvas[role=application]").last.click(
        position={"x": (x1 + x2) / 2 * scale, "y": (y1 + y2) / 2 * scale}
    )
    page.get_by_text("Class probabilities of the selected").wait_for()
    settled(page)
    assert scene(page)["selected"] == shown["ids"][least]
    assert f"box={shown['ids'][least]}" in page.url
    # The table is a canvas with a hidden grid for screen readers, which tells what is selected.
    rows = page.locator("[data-testid=stDataFrame] [role=row][aria-selected=true]")
    expect(rows).to_have_count(1)
    assert int(rows.first.get_attribute("aria-rowindex")) == least + 2
    other = 0 if least else 1
    box = page.locator("[data-testid=stDataFrame]").bounding_box()
    page.mouse.click(box["x"] + 16, box["y"] + 36 + 34 * other + 17)
    wait_scene(page, f"view.chosen === {other}")
    settled(page)
    assert scene(page)["selected"] == shown["ids"][other]


def test_arrow_keys_walk_the_boxes_and_escape_leaves(open_again) -> None:
    page = open_again("/predictions?score=0.02&max=3")
    settled(page)
    ids = scene(page)["ids"]
    page.locator("canvas[role=application]").last.focus()
    for expected in (*ids, ids[0]):
        page.keyboard.press("ArrowRight")
        wait_scene(page, f"view.scene.ids[view.chosen] === {expected}")
    settled(page)
    page.keyboard.press("Escape")
    wait_scene(page, "view.chosen === -1")


def test_a_link_with_state_reopens_the_same_view(open_page) -> None:
    page = open_page()
    settled(page)
    page.get_by_role("slider", name=SCORE).focus()
    page.keyboard.press("Home")
    wait_scene(page, "view.scene.boxes.length > 2")
    settled(page)
    page.locator("canvas[role=application]").last.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**box=*")
    settled(page)
    first = scene(page)
    page.goto(page.url)
    settled(page)
    second = scene(page)
    for part in ("boxes", "labels", "scores", "selected", "photo"):
        ignored = {"url"} if part == "photo" else set()
        a, b = (
            {k: v for k, v in s[part].items() if k not in ignored} if ignored else s[part]
            for s in (first, second)
        )
        assert a == b


def test_several_uploads_are_walked_and_a_bad_one_says_why(open_again) -> None:
    page = open_again("/predictions?source=upload")
    page.wait_for_selector("input[type=file]", state="attached")
    cat, face = samples.sample("cat").pixels, samples.sample("astronaut").pixels
    upload(page, ("a.jpg", jpeg_file(cat)), ("b.jpg", b"not a picture"), ("c.jpg", jpeg_file(face)))
    wait_scene(page, f"view.scene?.photo.width === {cat.shape[1]}")
    settled(page)
    assert scene(page)["photo"]["width"] == cat.shape[1]
    page.keyboard.press("Shift+ArrowRight")
    page.get_by_text("b.jpg is").first.wait_for()
    page.keyboard.press("Shift+ArrowRight")
    page.locator("canvas[role=application]").nth(1).wait_for()
    settled(page)
    wait_scene(page, f"view.scene?.photo.width === {face.shape[1]}")
    settled(page)
    strip = page.locator("canvas[role=application]").first
    strip.focus()
    page.keyboard.press("ArrowRight")
    wait_scene(page, f"view.scene?.photo.width === {cat.shape[1]}")


def test_an_upload_that_is_taken_off_the_list_goes_and_the_others_stay(open_again) -> None:
    page = open_again("/predictions?source=upload")
    page.wait_for_selector("input[type=file]", state="attached")
    cat, face = samples.sample("cat").pixels, samples.sample("astronaut").pixels
    upload(page, ("a.jpg", jpeg_file(cat)), ("c.jpg", jpeg_file(face)))
    wait_scene(page, f"view.scene?.photo.width === {cat.shape[1]}")
    settled(page)
    page.get_by_role("spinbutton", name=SCORE).fill("0.31")  # a run after the files were released
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "score=0.31" in url)
    settled(page)
    page.get_by_role("button", name="Remove a.jpg").click()
    page.get_by_text("Photo: c.jpg").wait_for()
    settled(page)
    wait_scene(page, f"view.scene?.photo.width === {face.shape[1]}")


def test_phone_has_no_horizontal_overflow_and_shows_the_picture(open_again) -> None:
    page = open_again(size=(390, 844), is_mobile=True, has_touch=True)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = stage(page).bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["width"] > 300


def test_picture_and_rail_and_numbers_fit_a_projector(open_again) -> None:
    page = open_again()
    settled(page)
    box, table = stage(page).bounding_box(), page.get_by_test_id("stDataFrame").bounding_box()
    assert box["y"] + box["height"] <= 720
    assert table["x"] > box["x"] + box["width"] and table["x"] + table["width"] <= 1280
    assert page.get_by_role("spinbutton", name=SCORE).bounding_box()["x"] < box["x"]
    assert page.get_by_role("slider", name=SCORE).bounding_box()["y"] > box["y"]


@pytest.mark.parametrize("task", ["segmentation", "pose", "classification"])
def test_the_other_tasks_show_their_result(open_again, task) -> None:
    page = open_again(f"/predictions?task={task}&photo=astronaut")
    settled(page)
    if task == "segmentation":
        page.locator("canvas[role=application]").last.click(position={"x": 60, "y": 60})
        page.get_by_text("Classes at pixel").wait_for()
        settled(page)
        assert "at=" in page.url


def test_downloads_hold_what_is_shown(open_again) -> None:
    page = open_again("/predictions?score=0.02&max=3")
    settled(page)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Numbers").click()
    with open(coming.value.path(), encoding="utf-8") as stream:
        numbers = json.load(stream)
    assert [d["label"] for d in numbers["detections"]] == scene(page)["labels"]
    with page.expect_download() as coming:
        page.get_by_role("button", name="Picture").click()
    photo = samples.sample("cat")
    assert Image.open(coming.value.path()).size == (photo.width, photo.height)


def test_a_link_to_a_server_that_just_started_says_what_it_waits_for_and_is_followed(
    open_page, tmp_path
) -> None:
    with serve(tmp_path) as address:
        # A tab that no other test asks for: it keeps the script.
        page = open_page(f"{address}/_stcore/health", timezone_id="UTC")
        page.add_init_script(f"({_SEEN})()")
        page.goto(f"{address}/predictions?photo=astronaut")
        page.get_by_text("Loading PyTorch").wait_for(timeout=30_000)
        assert page.get_by_role("heading", name="Predictions").count() == 1
        settled(page)
        assert page.get_by_text("Loading PyTorch").count() == 0
        # Before st.navigation ran once, Streamlit would run the file in pages/ by itself.
        assert page.get_by_role("link", name="Start").count() == 1
        expect(page.get_by_text("Page not found")).to_have_count(0)
        assert scene(page)["photo"]["width"] == samples.sample("astronaut").width
        assert page.evaluate("seen") == [], "a dialog stood over the page of a fresh server"
        page.goto(f"{address}/no_such_page")
        page.get_by_role("dialog").get_by_text("Page not found").wait_for(timeout=60_000)
