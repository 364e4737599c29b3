"""From page to page in a real Chromium: photo, model and thresholds go along by every way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from pages.navigation import ENTRIES, SECTIONS
from tests.browser.driver import pick, settled
from tests.browser.runs import idle
from tests.browser.test_predictions import jpeg_file, upload
from vision_core import models, samples

pytestmark = pytest.mark.browser
SCORE = "Score threshold"
TITLES = {
    "": "ConvScope",
    "predictions": "Predictions",
    "compare": "Compare",
    "models": "Models",
    "attribution": "Attribution",
    "activations": "Activations",
    "filters": "Filters",
    "receptive_field": "Receptive field",
    "metrics": "Metrics",
    "inside": "Inside a detector",
    "race": "Race",
    "surgery": "Surgery",
    "feature_space": "Feature space",
    "training": "Training",
    "style": "Style",
    "sentence": "Sentence",
    "relu_rules": "ReLU rules",
    "convolution": "Convolution",
    "transposed_convolution": "Transposed convolution",
    "pooling": "Pooling and unpooling",
    "roi_pooling": "RoI pooling",
    "nms": "NMS",
}
WITH_PHOTO = ("predictions", "compare", "attribution", "activations", "receptive_field")
FILE = "my holiday.jpg"
SIZE = (403, 307)  # of the file; no sample has it
_PHOTOS = """all => all.map(c => c.view?.scene?.photo).filter(Boolean)
  .map(p => [p.width, p.height])"""


@dataclass(frozen=True)
class View:
    """What the user chose on the first page.

    Attributes:
        source: the word on the chosen source.
        address: what the address says of the photo, without the file's hash.
        name: of the photo, as the rail shows it.
        size: width and height of the photo.
        task, model: their names in the address.
        task_words, words: what the lists call them.
        score: the threshold, as its control says it.
    """

    source: str
    address: dict[str, str]
    name: str
    size: tuple[int, int]
    task: str
    task_words: str
    model: str
    words: str
    score: str


# Seven steps of a hundredth to the left of the score at which the network is shown.
MOVED = f"{models.card('mask_rcnn_s').extra['operating_point']['threshold'] - 0.07:g}"
SAMPLE = View(
    "Sample",
    {"photo": "astronaut"},
    samples.info("astronaut").title,
    (samples.sample("astronaut").width, samples.sample("astronaut").height),
    "detection",
    "Objects: boxes",
    "faster_rcnn_s",
    "Faster R-CNN, small (bundled)",
    MOVED,
)
UPLOAD = View(
    "Upload",
    {"source": "upload", "file": FILE},
    FILE,
    SIZE,
    "instance",
    "Objects: boxes and masks",
    "mask_rcnn_s",
    "Mask R-CNN, small (bundled)",
    MOVED,
)


def tour(pages: Sequence[str]) -> list[str]:
    """A closed way on which every page follows every other page exactly once."""
    first, *rest = pages
    if not rest:
        return [first]
    there_and_back = [stop for page in rest[1:] for stop in (first, page)]
    return [*there_and_back, first, *tour(rest), first]


def done(page: Page, path: str) -> None:
    """Wait until a page has been drawn to its end."""
    page.wait_for_url(lambda url: urlsplit(url).path == f"/{path}", timeout=60_000)
    page.locator("h1", has_text=TITLES[path]).first.wait_for(state="attached", timeout=90_000)
    idle(page)


def by_menu(page: Page, path: str) -> None:
    """Choose a page in the menu at the top."""
    entry = page.locator(f"a[data-testid^=stTopNav][href$='/{path}']")
    for section, entries in list(SECTIONS.items())[1:]:  # the first one stands open
        if path in {entry.name for entry in entries}:
            page.locator("[data-testid=stTopNavSection]", has_text=section).click()
    entry.click()
    done(page, path)


def back(page: Page, path: str) -> None:
    """Go back to the page before.

    The menu opens a page without parameters and the page then puts its own into the address:
    Streamlit makes both an entry of the history, so a page takes one or two steps.
    """
    was = urlsplit(page.url).path
    page.go_back()
    if page.evaluate("location.pathname") == was:
        done(page, was.strip("/"))
        page.go_back()
    done(page, path)


def rail(page: Page) -> Any:
    return page.locator("[data-testid=stSidebar]")


def box(page: Page, name: str) -> str:
    """What a list in the rail shows."""
    return rail(page).get_by_role("combobox", name=name).input_value()


def choose(page: Page, name: str, option: str) -> None:
    pick(page, name, option)
    done(page, urlsplit(page.url).path.strip("/"))


def asked(page: Page) -> dict[str, str]:
    """The address's parameters, a file without its hash."""
    found = {n: v[0] for n, v in parse_qs(urlsplit(page.url).query).items()}
    return {n: v.partition("~")[0] if n == "file" else v for n, v in found.items()}


def photos(page: Page) -> set[tuple[int, int]]:
    """Sizes of the photos under the pictures of a page, once they are painted."""
    page.locator(".stage[data-painted]").first.wait_for(timeout=60_000)
    return {tuple(size) for size in page.locator("canvas[role=application]").evaluate_all(_PHOTOS)}


def check(page: Page, view: View, *, there: bool = True) -> None:
    """Everything that the user chose is still there.

    Args:
        page: after a step.
        view: what was chosen.
        there: the photo itself; a reload forgets the files that a user gave.
    """
    path, address = urlsplit(page.url).path.strip("/"), asked(page)
    assert "None" not in address.values()
    assert view.address.items() <= address.items()
    assert address.keys() & {"source", "photo", "file"} == view.address.keys()
    assert page.locator("video, [data-testid=stCameraInput]").count() == 0, "the camera is open"
    assert page.locator("[data-testid=stException]").count() == 0
    assert address.get("task", "detection") == view.task
    assert address.get("model", view.model) == view.model
    if path not in WITH_PHOTO:
        return
    assert rail(page).get_by_role("radio", name=view.source, exact=True).is_checked()
    shown = box(page, "Sample") if view.source == "Sample" else rail(page).inner_text()
    assert view.name in shown
    assert (page.get_by_text("No photo yet").count() == 0) == there
    if path in ("predictions", "compare", "receptive_field") and there:
        assert photos(page) == {view.size}
    if path != "compare":
        assert box(page, "Model") == view.words
    if path == "predictions" and there:
        # Streamlit's number starts at 0 and is set a moment after the page is there
        expect(page.get_by_role("spinbutton", name=SCORE)).to_have_value(view.score)


def start(open_page: Any, view: View) -> Page:
    """The Predictions page after a user has chosen photo, task, model and score there."""
    page = open_page("/predictions")
    done(page, "predictions")
    if view.source == "Upload":
        rail(page).get_by_role("radio", name="Upload").click()
        give_file(page)
    else:
        choose(page, "Sample", view.name)
    settled(page)
    choose(page, "Task", view.task_words)
    choose(page, "Model", view.words)
    settled(page)
    page.get_by_role("slider", name=SCORE).focus()
    for _ in range(7):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => location.search.includes('score=')", timeout=60_000)
    settled(page)
    check(page, view)
    return page


def give_file(page: Page) -> None:
    chooser = page.locator("input[type=file]")
    chooser.wait_for(state="attached", timeout=60_000)
    pixels = samples.sample("astronaut").pixels[: SIZE[1], : SIZE[0]]
    upload(page, (FILE, jpeg_file(pixels)))
    page.wait_for_function("() => location.search.includes('file=')", timeout=60_000)


def test_the_tour_follows_every_pair_once() -> None:
    way = tour(WITH_PHOTO)
    pairs = list(pairwise(way))
    n = len(WITH_PHOTO)
    assert len(pairs) == len(set(pairs)) == n * (n - 1)
    assert way[0] == way[-1] and all(a != b for a, b in pairs)


def the_menu_takes_everything_along(page: Page, view: View) -> None:
    for path in tour(WITH_PHOTO)[1:]:
        by_menu(page, path)
        check(page, view)


def links_take_everything_along(page: Page, view: View) -> None:
    for path in ("attribution", "compare", "activations", "receptive_field", "predictions"):
        by_menu(page, "")
        check(page, view)
        page.locator("[data-testid=stMain] a").get_by_text(TITLES[path], exact=True).click()
        done(page, path)
        check(page, view)
    # From a box to its explanation.
    settled(page)
    page.locator("canvas[role=application]").last.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("link", name="Explain this box").click()
    done(page, "attribution")
    check(page, view)
    assert asked(page)["target"].startswith("candidate:")


def it_goes_all_the_way_back(page: Page, view: View) -> None:
    """Back along the links that were just followed, and forward again."""
    for path in ("predictions", "", "receptive_field", "", "activations"):
        back(page, path)
        check(page, view)
    page.go_forward()
    done(page, "")
    check(page, view)
    by_menu(page, "predictions")
    check(page, view)


def the_other_pages_keep_an_upload(page: Page, view: View) -> None:
    for path in ("inside", "race", "surgery", "feature_space"):  # each shows the photo
        by_menu(page, path)
        assert FILE in rail(page).inner_text()
        assert page.get_by_text("No photo yet").count() == 0
        check(page, view)
    for path in ("models", "filters", "convolution", "metrics", "training", "sentence"):
        by_menu(page, path)
        check(page, view)
    parts = {
        "relu_rules": "In a network",
        "pooling": "On the photo",
        "roi_pooling": "On the photo",
        "transposed_convolution": "A real layer",
    }
    for path, part in parts.items():
        by_menu(page, path)
        section = page.get_by_role("radio", name=part, exact=True)
        section.click()
        rail(page).get_by_text(FILE).first.wait_for(timeout=60_000)
        done(page, path)
        assert page.get_by_text("No photo yet").count() == 0
        assert rail(page).get_by_role("radio", name="Upload", exact=True).is_checked()
        check(page, view)
    by_menu(page, "predictions")
    check(page, view)


def a_reload_keeps_all_but_files(page: Page, view: View) -> None:
    page.reload()
    done(page, "predictions")
    if view.source == "Upload":
        check(page, view, there=False)
        page.get_by_text(f"made with the photo “{FILE}”").wait_for()
        by_menu(page, "compare")
        check(page, view, there=False)
        page.get_by_text(f"made with the photo “{FILE}”").wait_for()
        give_file(page)
        page.locator(".stage[data-painted]").first.wait_for(timeout=60_000)
        done(page, "compare")
        check(page, view)
        by_menu(page, "predictions")
    check(page, view)


@pytest.mark.parametrize("view", [SAMPLE, UPLOAD], ids=["sample", "upload"])
def test_what_was_chosen_goes_along_everywhere(open_page, view: View) -> None:
    """One session: choosing it all takes as long as several pages, and every way ends as it began,
    on the Predictions page."""
    page = start(open_page, view)
    the_menu_takes_everything_along(page, view)
    if view.source == "Upload":
        the_other_pages_keep_an_upload(page, view)
    links_take_everything_along(page, view)
    it_goes_all_the_way_back(page, view)
    a_reload_keeps_all_but_files(page, view)


def test_the_tour_knows_every_page() -> None:
    assert set(TITLES) == {name if name != "home" else "" for name in ENTRIES}


def test_the_camera_opens_only_where_it_was_chosen(open_page) -> None:
    page = open_page("/predictions?source=camera")
    done(page, "predictions")
    camera = page.locator("video, [data-testid=stCameraInput]")
    assert camera.count() == 0, "a link opens no camera"
    rail(page).get_by_role("button", name="Open the camera").click()
    camera.first.wait_for(timeout=60_000)
    for path in ("compare", "attribution", "predictions"):
        by_menu(page, path)
        assert camera.count() == 0
        assert asked(page) == {"source": "camera"}
        assert rail(page).get_by_role("radio", name="Camera").is_checked()
