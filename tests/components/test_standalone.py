"""Saved pages hold what they need and nothing that loads or runs beside it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.builders import make_trace
from vision_core.cli import main
from vision_core.figures.browser.standalone.pages import (
    maps_html,
    prediction_html,
    walkthrough_html,
)
from vision_core.figures.stage_roi import roi_stage
from vision_core.figures.stage_views import stage_of
from vision_core.images import from_array
from vision_core.selection import Thresholds, select
from vision_core.walkthroughs import build
from vision_core.walkthroughs.presets import REGION

EVIL = "</script><script>alert(1)</script><img src=http://x.example/a onerror=alert(2)>.png"


class Reader(HTMLParser):
    """Elements, their attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.bodies: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        if dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"] or ""
        if tag in ("script", "style"):
            self.bodies.append((tag, dict(attrs), []))

    def handle_data(self, data) -> None:
        if self.cdata_elem is not None:
            self.bodies[-1][2].append(data)

    @property
    def texts(self) -> list[tuple[str, dict[str, str | None], str]]:
        return [(tag, attributes, "".join(body)) for tag, attributes, body in self.bodies]

    @property
    def data(self) -> str:
        """The data of the components, JSON."""
        return next(t for _, a, t in self.texts if a.get("type") == "application/json")


def noise(width: int = 400, height: int = 300, name: str = "noise.png"):
    rng = np.random.default_rng(0)
    return from_array(rng.integers(0, 256, (height, width, 3), dtype=np.uint8), name)


def pages() -> dict[str, str]:
    photo = noise(400, 320, EVIL)
    trace = make_trace(1, 60, labels=(EVIL, "dog", "cow"), size=(400, 320))
    trace = replace(trace, info=replace(trace.info, model=EVIL))
    values = np.random.default_rng(1).normal(size=(320, 400))
    return {
        "walkthrough": walkthrough_html(stage_of(build("max_pool", "switches")), EVIL),
        "prediction": prediction_html(photo, select(trace, Thresholds(score=0.3))),
        "maps": maps_html(photo, [(EVIL, values, EVIL)], EVIL),
    }


@pytest.mark.parametrize("name", ["walkthrough", "prediction", "maps"])
def test_a_page_is_closed_and_a_users_text_stays_text(name: str) -> None:
    text = pages()[name]
    page = Reader(text)
    kinds = [tag for tag, _ in page.tags]
    assert kinds.count("script") == 2 and "link" not in kinds and "iframe" not in kinds
    assert not [a for _, a in page.tags if any(k.startswith("on") for k in a)]
    for _, attributes in page.tags:
        for key in ("src", "href", "action", "style"):
            assert key not in attributes, attributes
    assert page.policy.startswith("default-src 'none'; ")
    assert "unsafe" not in page.policy and "http" not in page.policy
    for tag, attributes, body in page.texts:
        if attributes.get("type") == "application/json":
            assert json.loads(body) and "<" not in body
            continue
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in re.search(rf"{tag}-src ([^;]*)", page.policy)[1]


def test_the_page_holds_every_candidate_and_every_step() -> None:
    trace = make_trace(1, 60, size=(400, 320))
    text = prediction_html(noise(400, 320), select(trace, Thresholds(score=0.3)))
    canvas, replay = json.loads(Reader(text).data)
    held = np.frombuffer(base64.b64decode(canvas["live"]["candidates"]["scores"]), "<f4")
    assert np.array_equal(held, trace.scores)
    assert len(replay["ids"]) == (trace.scores > np.float32(0.3)).sum()
    assert canvas["asks"] == "", "nobody answers a question"


def test_large_and_noisy_photos_stay_under_two_megabytes() -> None:
    photo = noise(3000, 2200)
    trace = make_trace(1, 3000, size=(3000, 2200))
    assert len(prediction_html(photo, select(trace, Thresholds())).encode()) < 2_000_000
    values = np.random.default_rng(1).normal(size=(2200, 3000))
    maps = [(f"map {i}", values, "") for i in range(6)]
    assert len(maps_html(photo, maps, "Six maps.").encode()) < 2_000_000


def test_nothing_above_the_threshold_leaves_out_the_replay() -> None:
    trace = make_trace(1, 20, size=(400, 320))
    text = prediction_html(noise(400, 320), select(trace, Thresholds(score=1.0)))
    assert text.count('data-part="') == 1 and 'id="replay"' not in text


def test_nothing_can_be_drawn_or_dragged_that_would_need_the_app() -> None:
    walks = build("roi_pool", **REGION), build("roi_align", **REGION, sampling_ratio=2)
    stage = roi_stage(*walks, REGION["box"], REGION["spatial_scale"])
    whole = json.dumps(stage.to_json(), separators=(",", ":"))
    assert '"drag":{' in whole or '"draw":{' in whole
    body = Reader(walkthrough_html(stage, "RoI Align")).data
    assert '"drag":{' not in body and '"draw":{' not in body and '"marks":[{' in body


def test_the_walkthrough_command_writes_the_page(tmp_path, capsys) -> None:
    file = tmp_path / "w.html"
    argv = ["walkthrough", "max_pool", "--preset", "switches", "--html", str(file)]
    assert main(argv) == 0
    text = file.read_text("utf-8")
    assert "<title>Max pool</title>" in text and "Content-Security-Policy" in text
    assert f"{file}: 4 steps" in capsys.readouterr().out
    assert main([*argv[:-1], str(tmp_path / "no" / "w.html")]) == 2
    assert "no folder" in capsys.readouterr().err


def test_predict_refuses_a_page_without_boxes(tmp_path, capsys) -> None:
    from PIL import Image

    photo = tmp_path / "a.png"
    Image.fromarray(noise().pixels).save(photo)
    argv = ["predict", str(photo), "--html", str(tmp_path / "a.html"), "--model"]
    assert main([*argv, "resnet_s"]) == 2
    assert "needs a model that gives boxes" in capsys.readouterr().err
    assert main([*argv[:3], str(tmp_path / "a.png2"), "--model", "fcos_s"]) == 2
    assert "end its name in .html" in capsys.readouterr().err
