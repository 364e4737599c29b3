"""The pages that can be taken home: a walkthrough, a prediction, a strip of maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vision_core.figures.browser.detections import detection_scene
from vision_core.figures.browser.playing import player_data
from vision_core.figures.browser.replaying import WIDTH, at_most, replay_data
from vision_core.figures.browser.scene import Scene, numbers
from vision_core.figures.browser.standalone import Part, page
from vision_core.figures.encode import data_url, jpeg
from vision_core.figures.saliency import over_photo, own_limit, scale_words, signed_colours
from vision_core.figures.stage import Stage
from vision_core.images import Photo, from_array
from vision_core.inference import Keypoints
from vision_core.records import Selection

_ABOVE = 270  # pixels of a window that title, controls and words of a walkthrough take
_TALLEST = "calc(100vh - 15rem)"
_BYTES = 1_200_000  # of all pictures of a file, so that it stays under 2 MB
_SIZES = ((1600, 88), (1200, 88), (1200, 75), (900, 75), (640, 75), (480, 70), (320, 70))


def walkthrough_html(stage: Stage, title: str, stem: str = "walkthrough") -> str:
    """A walkthrough with its player.

    Args:
        stage: what is shown.
        title: of the page.
        stem: how single steps are called that are saved from the page.
    """
    data = player_data(stage, above=_ABOVE, stem=stem)
    for view in data["stage"]["views"]:
        for panel in (p for block in view["blocks"] for row in block["rows"] for p in row):
            panel["draw"] = None  # a new box would need the app
            for mark in panel["marks"]:
                mark["drag"] = None
    lines = dict.fromkeys(line for view in stage.views for line in view.walk.formula)
    return page("walkthrough", title, list(lines), [Part("player", data)])


def prediction_html(
    photo: Photo,
    selection: Selection,
    masks: np.ndarray | None = None,
    keypoints: Keypoints | None = None,
    **look: Any,
) -> str:
    """The live picture of a detector with all its candidates, and NMS on them step by step.

    Args:
        photo: the photo.
        selection: what is kept at first; its thresholds are where the sliders start.
        masks: of the kept detections.
        keypoints: of the kept detections.
        look: as ``detection_scene`` takes it.
    """
    trace = selection.trace
    scene = detection_scene(photo, selection, masks, keypoints, **look)
    parts = [Part("canvas", canvas_data(photo, scene))]
    used, above = at_most(trace, selection.thresholds)
    if above:
        url = data_url(jpeg(photo, WIDTH, 80), "jpeg")
        best = "" if used.score == selection.thresholds.score else "the best "
        count = int((trace.scores > np.float32(used.score)).sum())
        said = f"Three variants on {best}{count} candidates with a score above {used.score:.3g}."
        data = replay_data(photo, trace, used, url)
        parts.append(Part("replay", data, "Non-maximum suppression, step by step", said))
    words = [
        f"{trace.info.model} on {photo.name}. Move the sliders: the candidates are in this file, "
        "and the browser selects among them as the network's own code does."
    ]
    if masks is not None or keypoints is not None:
        kind = "Masks" if masks is not None else "Joints"
        words.append(f"{kind} are there for the boxes that were kept when the file was saved.")
    return page("prediction", f"{photo.name}: {trace.info.model}", words, parts)


def canvas_data(photo: Photo, scene: Scene) -> dict[str, Any]:
    """What the picture component is sent where it holds nothing yet and nobody answers it."""
    assert scene.live is not None
    overlay = scene.overlay
    return numbers(scene) | {
        "photo": {
            "id": photo.sha256,
            "width": photo.width,
            "height": photo.height,
            "url": _jpeg_url(photo, _BYTES),
        },
        "overlay": overlay and overlay.message() | {"url": data_url(overlay.make(), "png")},
        "live": scene.live.message() | {"candidates": scene.live.candidates()},
        "selected": -1,
        "tallest": _TALLEST,
        "present": False,
        "asks": "",
    }


def maps_html(photo: Photo, maps: Sequence[tuple[str, np.ndarray, str]], words: str) -> str:
    """A film strip of attribution maps, each on its own scale.

    Args:
        photo: what the maps belong to.
        maps: title, signed values float ``[H, W]`` at the photo's size, and a note, of each.
        words: what the maps explain, a sentence.
    """
    most = _BYTES // (len(maps) + 1)
    items = [{"title": "Photo", "note": photo.name, "url": _jpeg_url(photo, most)}]
    for title, values, note in maps:
        limit = own_limit(values)
        picture = over_photo(photo, signed_colours(values, limit), 0.8)
        said = ", ".join(filter(None, (note, scale_words(limit))))
        url = _jpeg_url(from_array(picture, title), most)
        items.append({"title": title, "note": said, "url": url})
    colours = "Red raises the score, blue lowers it; each map has its own scale."
    return page(
        "maps", f"{photo.name}: attribution", [words, colours], [Part("strip", {"items": items})]
    )


def _jpeg_url(photo: Photo, most: int) -> str:
    """The photo as a JPEG ``data:`` URL of at most so many bytes, or the smallest there is."""
    for width, quality in _SIZES:
        url = data_url(jpeg(photo, width, quality), "jpeg")
        if len(url) <= most:
            break
    return url
