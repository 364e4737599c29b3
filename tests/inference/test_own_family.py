"""A family of heads as the guide writes it: traced, explained and offered without other changes."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import batched_nms, clip_boxes_to_image

from tests.methods.test_one_file import code_of
from vision_core import devices
from vision_core.attribution import ask, explain, parse
from vision_core.attribution.words import meaning
from vision_core.errors import UserError
from vision_core.inference import families, trace
from vision_core.records import Thresholds
from vision_core.samples import sample

SIDE, STEP, CLASSES = 96, 16, 3


class Head(nn.Module):
    """Class logits and shifts of a box as large as two cells, in every cell."""

    num_classes = CLASSES

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Conv2d(8, CLASSES + 4, 1)

    def forward(self, maps: list[Tensor]) -> dict[str, Tensor]:
        out = self.out(maps[0]).flatten(2).transpose(1, 2)
        middle = (torch.arange(SIDE // STEP) + 0.5) * STEP
        y, x = (v.flatten() for v in torch.meshgrid(middle, middle, indexing="ij"))
        cells = torch.stack([x - STEP, y - STEP, x + STEP, y + STEP], 1)
        return {"logits": out[..., :CLASSES], "shifts": 9 * out[..., CLASSES:], "cells": cells}


class CenterDetector(nn.Module):
    """The network of the guide, with a forward of its own, one picture at a time."""

    score_thresh, nms_thresh, detections_per_img = 0.45, 0.4, 12

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        mean, std = [0.5] * 3, [0.25] * 3
        self.transform = GeneralizedRCNNTransform(SIDE, SIDE, mean, std, fixed_size=(SIDE, SIDE))
        self.backbone = nn.Sequential(nn.Conv2d(3, 8, STEP, STEP), nn.Tanh())
        self.head = Head()

    def forward(self, pictures: list[Tensor]) -> list[dict[str, Tensor]]:
        images, _ = self.transform(pictures)
        out = self.head([self.backbone(images.tensors)])
        boxes = clip_boxes_to_image(out["cells"] + out["shifts"][0], (SIDE, SIDE))
        scores = out["logits"][0].sigmoid()
        cell, label = torch.where(scores > self.score_thresh)
        flat = scores[cell, label]
        kept = batched_nms(boxes[cell], flat, label, self.nms_thresh)[: self.detections_per_img]
        made = {"boxes": boxes[cell][kept], "scores": flat[kept], "labels": label[kept]}
        sizes = [(p.shape[-2], p.shape[-1]) for p in pictures]
        return self.transform.postprocess([made], images.image_sizes, sizes)


@pytest.fixture
def detector(monkeypatch) -> CenterDetector:
    home = ModuleType("vision_core.models.zoo.centers")
    home.CenterDetector = CenterDetector  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, home.__name__, home)
    guide = ModuleType("centers_of_the_guide")
    exec(compile(code_of("A family of detectors"), "centers.py", "exec"), guide.__dict__)
    monkeypatch.setattr(families, "FAMILIES", [*families.FAMILIES, guide.CenterHeads()])
    return CenterDetector().eval()


def test_its_selection_is_that_of_its_own_forward(detector) -> None:
    photo = sample("cat")
    found = trace(detector, photo)
    assert found.info.family == "centers" and len(found.info.labels) == CLASSES
    chosen = found.select(Thresholds.torchvision(detector)).detections
    with torch.inference_mode():
        [expected] = detector([devices.image_tensor(photo, torch.device("cpu"))])
    assert 3 < len(chosen) < len(found)
    torch.testing.assert_close(torch.tensor(chosen.boxes), expected["boxes"])
    torch.testing.assert_close(torch.tensor(chosen.scores), expected["scores"])
    assert chosen.label_ids.tolist() == expected["labels"].tolist()


def test_its_boxes_can_be_explained(detector) -> None:
    photo = sample("cat")
    found = trace(detector, photo)
    best = int(found.scores.argmax())
    score = explain(ask(detector, photo, found, parse(f"candidate:{best}")), "gradient")
    assert score.values.any()
    assert torch.tensor(score.score).sigmoid().item() == pytest.approx(found.scores[best], abs=1e-5)
    assert "before the sigmoid" in meaning(parse(f"candidate:{best}"), found)
    for number, edge in enumerate(("x1", "y1", "x2", "y2")):
        made = explain(ask(detector, photo, found, parse(f"candidate:{best}:{edge}")), "gradient")
        assert made.score == pytest.approx(float(found.boxes[best, number]), abs=1e-2)
    with pytest.raises(UserError, match="has no objectness"):
        ask(detector, photo, found, parse(f"candidate:{best}:objectness"))


def test_without_it_the_network_is_unknown() -> None:
    with pytest.raises(UserError, match="is not a torchvision detector"):
        trace(CenterDetector().eval(), sample("cat"))
