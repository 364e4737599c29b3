"""The grid detector against a decoder and a loss written slowly from the paper's text."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tests.inference.reference import picture, tensor_of
from vision_core.attribution.heads import box as box_score
from vision_core.attribution.heads import transformed
from vision_core.attribution.words import product_of
from vision_core.inference import trace
from vision_core.inference.families import network
from vision_core.models.zoo.fcos_s import LABELS
from vision_core.models.zoo.yolo_s import (
    GridDetector,
    decode,
    grid_loss,
    responsible,
    small_yolo,
)
from vision_core.records import targets
from vision_core.selection import Thresholds

C, B = len(LABELS), 2


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@pytest.fixture(scope="module")
def module() -> GridDetector:
    """Random weights whose boxes, confidences and classes differ from cell to cell."""
    torch.manual_seed(0)
    network = small_yolo()
    with torch.no_grad():
        network.train()
        for seed in range(8):  # BatchNorm statistics of pictures like those of the tests
            network.transform.training = False
            batch, _ = network.transform([tensor_of(picture(200, 160, seed))])
            network.head([network.backbone(batch.tensors)])
        network.head.output.weight.normal_(std=0.15)
        network.head.output.bias.normal_(std=0.3)
    network.transform.training = True
    network.score_thresh = 0.05
    return network.eval()


def raw_grid(module: GridDetector, photo) -> np.ndarray:
    with torch.no_grad():
        batch, _ = module.transform([tensor_of(photo)])
        return module.head([module.backbone(batch.tensors)])["grid"][0].double().numpy()


def slow_candidates(grid: np.ndarray, width: int, height: int) -> list[tuple]:
    """(score, label, box in photo pixels) of every cell, box and class, as the paper says it."""
    s = round(math.sqrt(len(grid)))
    found = []
    for row in range(s):
        for column in range(s):
            values = grid[row * s + column]
            exp = [math.exp(v - max(values[5 * B :])) for v in values[5 * B :]]
            for b in range(B):
                x, y, w, h, confidence = (sigmoid(v) for v in values[5 * b : 5 * b + 5])
                cx, cy = (column + x) / s, (row + y) / s
                box = [cx - w * w / 2, cy - h * h / 2, cx + w * w / 2, cy + h * h / 2]
                box = [min(max(v, 0.0), 1.0) for v in box]
                scaled = [box[0] * width, box[1] * height, box[2] * width, box[3] * height]
                for label in range(C):
                    found.append((confidence * exp[label] / sum(exp), label, scaled))
    return found


def slow_iou(a: list[float], b: list[float]) -> float:
    w = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    h = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = w * h
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def slow_detections(grid: np.ndarray, width: int, height: int, score: float, iou: float) -> list:
    kept: list[tuple] = []
    for candidate in sorted(slow_candidates(grid, width, height), key=lambda c: -c[0]):
        same = [k for k in kept if k[1] == candidate[1]]
        if candidate[0] > score and all(slow_iou(k[2], candidate[2]) <= iou for k in same):
            kept.append(candidate)
    return kept[:50]


@pytest.mark.parametrize("size", [(200, 160), (90, 300), (640, 480)])
def test_trace_and_forward_equal_the_slow_decoder(module: GridDetector, size) -> None:
    photo = picture(*size, seed=3)
    expected = slow_detections(raw_grid(module, photo), *size, 0.05, 0.5)
    with torch.no_grad():
        forward = module([tensor_of(photo)])[0]
    found = trace(module, photo)
    chosen = found.select(Thresholds.torchvision(module))
    assert len(expected) >= 20 and len({label for _, label, _ in expected}) >= 2
    assert chosen.counts()["suppressed"] >= 1
    for labels, scores, boxes in (
        (forward["labels"].numpy(), forward["scores"].numpy(), forward["boxes"].numpy()),
        (chosen.detections.label_ids, chosen.detections.scores, chosen.detections.boxes),
    ):
        assert labels.tolist() == [label for _, label, _ in expected]
        np.testing.assert_allclose(scores, [s for s, _, _ in expected], rtol=1e-4)
        np.testing.assert_allclose(boxes, [b for _, _, b in expected], atol=1e-2)


def test_the_trace_holds_every_cell(module: GridDetector) -> None:
    photo = picture(200, 160, seed=3)
    found = trace(module, photo)
    field = found.field
    assert field is not None and len(field.scores) == 10 * 10 * B
    assert found.info.family == "yolo" and found.info.network_size == (320, 320)
    best = {}
    for k, (score, _, _) in enumerate(slow_candidates(raw_grid(module, photo), 200, 160)):
        best[k // C] = max(best.get(k // C, 0.0), score)
    np.testing.assert_allclose(field.scores, list(best.values()), rtol=1e-4)
    assert field.anchors_net[2 * 13].tolist() == [96, 32, 128, 64]  # cell 13: column 3, row 1


def slow_loss(grid: torch.Tensor, target: dict[str, torch.Tensor], side: int) -> dict[str, float]:
    """The five sums of the paper's equation 3 for one picture, in plain loops."""
    s = round(math.sqrt(len(grid)))
    owner: dict[int, int] = {}
    boxes = target["boxes"].tolist()
    area = [(b[2] - b[0]) * (b[3] - b[1]) for b in boxes]
    for k, (x1, y1, x2, y2) in enumerate(boxes):
        cell = int((y1 + y2) / 2 / side * s) * s + int((x1 + x2) / 2 / side * s)
        if cell not in owner or area[k] < area[owner[cell]]:
            owner[cell] = k
    sums = {"middle": 0.0, "size": 0.0, "classes": 0.0, "confidence": 0.0}
    for cell in range(s * s):
        values = grid[cell].tolist()
        parts = [[sigmoid(v) for v in values[5 * b : 5 * b + 5]] for b in range(B)]
        answer = [0.0] * B
        if cell in owner:
            x1, y1, x2, y2 = boxes[owner[cell]]
            ious = []
            for x, y, w, h, _ in parts:
                cx, cy = (cell % s + x) * side / s, (cell // s + y) * side / s
                half_w, half_h = w * w * side / 2, h * h * side / 2
                ious.append(
                    slow_iou([x1, y1, x2, y2], [cx - half_w, cy - half_h, cx + half_w, cy + half_h])
                )
            best = ious.index(max(ious))
            answer[best] = ious[best]
            x, y, w, h, _ = parts[best]
            tx, ty = (x1 + x2) / 2 / side * s - cell % s, (y1 + y2) / 2 / side * s - cell // s
            sums["middle"] += 5 * ((x - tx) ** 2 + (y - ty) ** 2)
            roots = math.sqrt((x2 - x1) / side), math.sqrt((y2 - y1) / side)
            sums["size"] += 5 * ((w - roots[0]) ** 2 + (h - roots[1]) ** 2)
            exp = [math.exp(v) for v in values[5 * B :]]
            for label in range(len(exp)):
                wanted = float(label == int(target["labels"][owner[cell]]))
                sums["classes"] += (exp[label] / sum(exp) - wanted) ** 2
        for b in range(B):
            weight = 1.0 if answer[b] else 0.5
            sums["confidence"] += weight * (parts[b][4] - answer[b]) ** 2
    return sums


def test_loss_equals_the_papers_equation() -> None:
    rng = torch.Generator().manual_seed(1)
    grid = torch.randn(2, 49, 5 * B + C, generator=rng, dtype=torch.float64)
    one = {
        "boxes": torch.tensor([[10.0, 10, 100, 90], [40, 30, 60, 70], [200, 150, 223, 224]]),
        "labels": torch.tensor([3, 1, 0]),
    }
    none = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.long)}
    one["boxes"], none["boxes"] = one["boxes"].double(), none["boxes"].double()
    got = grid_loss(grid, [one, none], B, side=224)
    slow = [slow_loss(grid[n], t, 224) for n, t in enumerate((one, none))]
    for name, value in got.items():
        assert float(value) == pytest.approx((slow[0][name] + slow[1][name]) / 2, rel=1e-9)


def test_the_smaller_of_two_objects_has_the_cell() -> None:
    boxes = torch.tensor([[0.0, 0, 200, 200], [80, 80, 120, 120], [0, 0, 20, 20]])
    assert sorted(responsible(boxes, 49, 224)) == [(1, 24), (2, 0)]


@pytest.mark.parametrize("part", ["score", "objectness", "x1", "y2"])
def test_targets_are_numbers_of_the_candidates_cell(module: GridDetector, part: str) -> None:
    photo = picture(200, 160, seed=3)
    found = trace(module, photo)
    candidate = int(found.select(Thresholds.torchvision(module)).detections.candidate[0])
    view = network(module)
    with torch.no_grad():
        batch, window, size = transformed(view, photo)
        target = targets.BoxTarget(candidate, part)
        label = int(found.label_ids[candidate])
        value = float(box_score(module, found, target, label, size, window)(module, batch, None)[0])
    values = raw_grid(module, photo)
    row = int(found.source_index[found.source[candidate]])
    cell, b = divmod(row, B)
    expected = {
        "score": values[cell, 5 * B + label],
        "objectness": values[cell, 5 * b + 4],
        "x1": found.boxes[candidate, 0],
        "y2": found.boxes[candidate, 3],
    }[part]
    inside = 0 < found.boxes[candidate, 0] and found.boxes[candidate, 3] < photo.height
    if part in ("score", "objectness") or inside:
        assert value == pytest.approx(float(expected), rel=1e-4, abs=1e-3)


def test_the_loss_leads_to_the_box() -> None:
    """Descending on the head's numbers ends at the drawn box, its class and a high confidence."""
    torch.manual_seed(0)
    grid = torch.zeros(1, 49, 5 * B + C, requires_grad=True)
    target = {"boxes": torch.tensor([[30.0, 20, 150, 180]]), "labels": torch.tensor([4])}
    optimiser = torch.optim.Adam([grid], 0.1)
    for _ in range(250):
        loss = torch.stack(list(grid_loss(grid, [target], B, 224).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    boxes, confidence, classes = (part[0] for part in decode(grid.detach(), B, 224))
    cell, box = divmod(int(confidence.argmax()), B)
    assert confidence[cell, box] > 0.9 and confidence.flatten().topk(2).values[1] < 0.1
    assert classes[cell].argmax() == 4 and classes[cell, 4] > 0.9
    assert slow_iou(boxes[cell, box].tolist(), target["boxes"][0].tolist()) > 0.95


def test_a_score_is_class_times_confidence_and_is_said_so(module: GridDetector) -> None:
    found = trace(module, picture(200, 160, seed=3))
    own = found.class_scores[found.source, found.label_ids]
    confidence = found.source_objectness[found.source]
    np.testing.assert_allclose(found.scores, own * confidence, rtol=1e-5)
    np.testing.assert_allclose(found.class_scores.sum(1), 1, rtol=1e-5)  # of the cell, softmax
    words = product_of(found, 0)
    assert words == f"Score {found.scores[0]:.3f} = class {own[0]:.3f} x confidence " + (
        f"{confidence[0]:.3f}."
    )
