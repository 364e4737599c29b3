"""The Predictions page with full-size detectors of every family, on calibrated random weights."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import torch

from pages.predictions.funnel import MOST
from pages.shared import engine
from tests.inference.reference import built
from tests.pages.conftest import picture, sound, start, text_of
from vision_core import samples
from vision_core.models import Model, card

NAMES = [
    "maskrcnn_resnet50_fpn",
    "keypointrcnn_resnet50_fpn",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "retinanet_resnet50_fpn",
    "fcos_resnet50_fpn",
    "ssdlite320_mobilenet_v3_large",
]


@pytest.fixture(params=NAMES)
def name(request, monkeypatch) -> str:
    """A model's name; its weights are random ones that say something."""

    def load(wanted: str, device: str, folder=None) -> Model:
        return Model(card(wanted), built(wanted), torch.device("cpu"), f"test-{wanted}", None, None)

    monkeypatch.setattr(engine, "load_model", load)
    return request.param


def test_live_canvas_why_not_and_funnel_on_every_family(name) -> None:
    task = card(name).task
    photo = samples.sample("cat")
    app = sound(
        start(
            task=task,
            model=name,
            score="0.02",
            max="20",
            ask=f"20,20,{photo.width - 20},{photo.height - 20}",
        )
    )
    shown = picture(app)
    live = shown["live"]
    assert shown["ids"] and len(shown["ids"]) <= 20
    assert live["counts"][0] == len(shown["ids"])
    assert len(live["candidates"]["names"]) == len(card(name).labels)
    if task == "instance":
        assert shown["overlay"]["owners"] == shown["ids"]
    if task == "keypoint":
        assert len(shown["skeletons"]) == len(shown["ids"]) and shown["limbs"]
    assert "result: " in text_of(app)
    assert shown["marks"][-1]["text"] == "asked" and len(shown["marks"]) > 1
    stages = app.radio(key="stage").options
    assert len(set(stages)) == len(stages) > 6
    for at in (1, 2, len(stages) // 2, len(stages) - 1):
        sound(app.radio(key="stage").set_value(stages[at]).run())
        crowd = np.frombuffer(base64.b64decode(picture(app)["rects"]["boxes"]), "<f4")
        assert 0 < len(crowd) // 4 <= MOST
        assert "The picture shows" in text_of(app)
