"""A target's score is the number that the trace holds, and its map lies where the photo is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.transforms.functional import resize

from tests.inference.reference import built, picture
from vision_core import models, samples
from vision_core.attribution import ask, default_target, explain, parse
from vision_core.attribution.geometry import of_preset
from vision_core.errors import UserError
from vision_core.images import from_array
from vision_core.inference import PartSource, trace
from vision_core.records.targets import (
    BoxTarget,
    ClassTarget,
    JointTarget,
    RegionTarget,
    UnitTarget,
    resolved,
)

DETECTORS = [
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "retinanet_resnet50_fpn",
    "fcos_resnet50_fpn",
    "ssd300_vgg16",
]


@pytest.fixture(scope="module")
def seen():
    """Traces of one picture by detector."""
    photo = picture(333, 277, seed=3, smooth=True)
    return photo, {name: trace(built(name), photo) for name in DETECTORS}


def score_of(model, photo, found, text: str) -> float:
    question = ask(model, photo, found, parse(text))
    with torch.no_grad():
        return float(question.run(question.input)[0][0])


@pytest.mark.parametrize("name", DETECTORS)
def test_the_score_of_a_box_is_the_logit_behind_the_score_of_the_trace(name, seen) -> None:
    photo, found = seen[0], seen[1][name]
    for candidate in (0, len(found) // 2):
        logit = score_of(built(name), photo, found, f"candidate:{candidate}")
        row = found.class_scores[found.source[candidate]].astype(float)
        label = int(found.label_ids[candidate])
        if name.startswith(("retinanet", "fcos")):
            assert 1 / (1 + np.exp(-logit)) == pytest.approx(row[label], rel=1e-4)
            continue
        twin = [
            c
            for c in range(len(found))
            if found.source[c] == found.source[candidate] and c != candidate
        ]
        for other in twin[:2]:  # softmax: differences of logits are ratios of probabilities
            ratio = np.log(row[label] / row[int(found.label_ids[other])])
            difference = logit - score_of(built(name), photo, found, f"candidate:{other}")
            assert difference == pytest.approx(ratio, abs=2e-3)
        assert twin or len(set(found.source.tolist())) == len(found)


@pytest.mark.parametrize("name", DETECTORS)
def test_the_edges_of_a_box_are_those_of_the_trace(name, seen) -> None:
    photo, found = seen[0], seen[1][name]
    w, h = photo.width, photo.height
    inside = [
        c
        for c in range(len(found))
        if (found.boxes[c] > 1).all() and found.boxes[c][2] < w - 1 and found.boxes[c][3] < h - 1
    ]
    assert inside, "a clipped edge does not move with the input"
    for edge, value in zip(("x1", "y1", "x2", "y2"), found.boxes[inside[0]], strict=True):
        got = score_of(built(name), photo, found, f"candidate:{inside[0]}:{edge}")
        assert got == pytest.approx(float(value), abs=0.05)


@pytest.mark.parametrize("name", DETECTORS)
def test_an_edge_on_the_border_is_that_of_the_box_shown_and_nothing_moves_it(name, seen) -> None:
    photo = seen[0]
    model, found = built(name), seen[1][name]
    sides = {"x1": 0.0, "y1": 0.0, "x2": float(photo.width), "y2": float(photo.height)}
    for row, (edge, limit) in enumerate(sides.items()):
        cut = np.flatnonzero(np.abs(found.boxes[:, row] - limit) < 1e-3)
        large = ((found.boxes[:, 2:] - found.boxes[:, :2]) > 2).all(1)
        free_corner = (found.boxes[:, :2] > 1).any(1)
        candidate = next((int(c) for c in cut if large[c] and free_corner[c]), None)
        if candidate is None:
            continue
        question = ask(model, photo, found, parse(f"candidate:{candidate}:{edge}"))
        told = explain(question, "gradient")
        assert told.score == pytest.approx(limit, abs=1e-3) and not told.values.any()
        [note] = told.notes
        assert f"The edge {edge} lies on the border of the photo" in note
        named = note.partition("explain ")[2].removesuffix(" instead.").split(" or ")
        free = [e for i, e in enumerate(sides) if abs(found.boxes[candidate][i] - sides[e]) > 1e-3]
        assert named == free
        for other in free[:1]:
            moved = explain(
                ask(model, photo, found, parse(f"candidate:{candidate}:{other}")), "gradient"
            )
            assert moved.values.any() and not moved.notes
        return
    pytest.fail("no box of this picture reaches the border")


def test_objectness(seen) -> None:
    photo, traces = seen
    for name in DETECTORS[:1] + DETECTORS[2:3]:
        found = traces[name]
        logit = score_of(built(name), photo, found, "candidate:0:objectness")
        expected = found.source_objectness[found.source[0]]
        assert 1 / (1 + np.exp(-logit)) == pytest.approx(float(expected), rel=1e-4)
    with pytest.raises(UserError, match="has no objectness"):
        ask(built("ssd300_vgg16"), photo, traces["ssd300_vgg16"], BoxTarget(0, "objectness"))


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("method", ["guided_backprop", "gradcam"])
def test_a_detection_can_be_explained(name, method, seen) -> None:
    photo, found = seen[0], seen[1][name]
    settings = {"relu": False} if method == "gradcam" else {}
    result = explain(ask(built(name), photo, found, default_target(found)), method, **settings)
    assert result.values.shape[:2] == (photo.height, photo.width)
    assert np.isfinite(result.values).all() and abs(result.values).max() > 0


def test_classes_go_by_name() -> None:
    photo = samples.sample("cat")
    model = models.load("resnet_s")
    found = trace(model, photo)
    assert default_target(found) == ClassTarget(found.top(1)[0][0])
    for name in ("cat", "golf ball"):
        at = found.info.labels.index(name)
        assert score_of(model, photo, found, name) == pytest.approx(
            float(found.logits[at]), abs=1e-4
        )
    with pytest.raises(UserError, match="no class 'Cat'"):
        ask(model, photo, found, ClassTarget("Cat"))


def test_a_region_of_a_segmentation() -> None:
    photo = samples.sample("cat")
    model = next(
        models.load(c.name) for c in models.cards("segmentation") if c.bundled and "cat" in c.labels
    )
    found = trace(model, photo)
    at = found.info.labels.index("cat")
    own = found.logits.argmax(0) == at
    got = score_of(model, photo, found, "region:cat")
    assert got == pytest.approx(float(found.logits[at][own].mean()), abs=1e-3)
    half = score_of(model, photo, found, f"region:cat:0,0,{photo.width / 2},{photo.height}")
    left = own.copy()
    left[:, own.shape[1] // 2 :] = False
    assert half == pytest.approx(float(found.logits[at][left].mean()), abs=1e-2)
    with pytest.raises(UserError, match="No pixel there"):
        ask(model, photo, found, RegionTarget("cat", (-9, -9, -5, -5)))


def test_a_joint_of_a_pose() -> None:
    photo = samples.sample("astronaut")
    model = models.load("pose_heatmap_s")
    found = trace(model, photo)
    best = int(found.scores.argmax())
    heatmaps = PartSource(model, photo, found).heatmaps([best])[0]
    for joint in ("neck", "left_wrist"):
        got = score_of(model, photo, found, f"candidate:{best}:joint:{joint}")
        assert got == pytest.approx(float(heatmaps[found.joints.index(joint)].max()), abs=1e-3)
    result = explain(ask(model, photo, found, parse(f"candidate:{best}:joint:neck")), "gradient")
    x1, y1, x2, y2 = result.seen
    ys, xs = np.nonzero(result.signed)
    assert xs.min() >= x1 - 1 and xs.max() <= x2 + 1 and ys.min() >= y1 - 1 and ys.max() <= y2 + 1


def test_a_joint_of_keypoint_rcnn() -> None:
    photo, model = picture(333, 277, seed=3, smooth=True), built("keypointrcnn_resnet50_fpn")
    found = trace(model, photo)
    heatmaps = PartSource(model, photo, found).heatmaps([0])[0]
    got = score_of(model, photo, found, f"candidate:0:joint:{found.joints[2]}")
    assert got == pytest.approx(float(heatmaps[2].max()), rel=1e-3)


def test_a_unit_of_any_layer(seen) -> None:
    photo = samples.sample("cat")
    model = models.load("resnet_s")
    found = trace(model, photo)
    question = ask(model, photo, found, UnitTarget("trunk.stages.1", 5, 3, 2))
    with torch.no_grad():
        expected = model.module.trunk(question.input)[1][0, 5, 3, 2]
    got = score_of(model, photo, found, "unit:trunk.stages.1:5,3,2")
    assert got == pytest.approx(float(expected), abs=1e-5)
    at = list(found.info.labels).index("cat")
    assert score_of(model, photo, found, f"unit:fc:{at}") == pytest.approx(
        float(found.logits[at]), abs=1e-4
    )
    for layer, words in [
        ("trunk.stages.1:5,99,2", "there is no unit 5,99,2"),
        ("nowhere:1,1,1", "no layer 'nowhere'"),
        ("trunk:1,1,1", "several tensors"),
    ]:
        with pytest.raises(UserError, match=words):
            ask(model, photo, found, parse(f"unit:{layer}"))
    detector = built(DETECTORS[0])
    with pytest.raises(UserError, match="does not run"):
        ask(detector, seen[0], seen[1][DETECTORS[0]], parse("unit:roi_heads.box_head.fc6:1"))


@pytest.mark.parametrize(
    "text",
    [
        "cat",
        "box:3",
        "box:3:objectness",
        "box:0:y2",
        "region:cat",
        "region:cat:1,2,3.5,4",
        "joint:2:left_wrist",
        "candidate:3",
        "candidate:3:objectness",
        "candidate:2:joint:left_wrist",
        "unit:features.0:3,4,5",
        "unit:a.b:c:1,2,3",
        "golf ball",
    ],
)
def test_targets_as_text_come_back(text) -> None:
    assert str(parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "box:x",
        "box:1:area",
        "box:-1",
        "region:cat:1,2",
        "joint:3",
        "candidate:2:joint:",
        "candidate:x",
        "unit:layer",
        "unit:layer:1,b",
        "",
        "unit:layer:1,2,3,4",
    ],
)
def test_targets_that_cannot_be_read(text) -> None:
    with pytest.raises(UserError, match=r"write NAME, box:N"):
        parse(text)


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("resnet_s", "box:0"),
        ("fcos_s", "cat"),
        ("fcos_s", "box:999999"),
        ("fcos_s", "candidate:999999"),
        ("fcos_s", "joint:0:neck"),
        ("resnet_s", "region:cat"),
    ],
)
def test_targets_of_another_kind_of_network_are_refused(task, text) -> None:
    photo, model = samples.sample("cat"), models.load(task)
    with pytest.raises(UserError):
        ask(model, photo, trace(model, photo), parse(text))


@pytest.mark.parametrize("size", [(451, 300), (300, 451), (128, 128), (90, 400), (1000, 999)])
def test_a_place_of_the_input_is_that_place_of_the_photo(size) -> None:
    width, height = size
    ramp_x = np.linspace(0, 255, width)[None].repeat(height, 0)
    ramp_y = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    photo = from_array(np.stack([ramp_x, ramp_y, 0 * ramp_x], 2).round().astype(np.uint8))
    model = models.load("resnet_s")
    tensor = torch.from_numpy(photo.pixels.copy()).permute(2, 0, 1)
    x = model.preset(tensor)
    window = of_preset(model.preset, x, size)
    back = window.to_photo(
        x[:2] * torch.tensor([0.229, 0.224])[:, None, None]
        + torch.tensor([0.485, 0.456])[:, None, None]
    )
    x1, y1, x2, y2 = (round(v) for v in window.box)
    inner = (slice(y1 + 4, y2 - 4), slice(x1 + 4, x2 - 4))
    per_pixel = np.array([1 / width, 1 / height])
    off = (back[inner] - photo.pixels[inner][..., :2] / 255) / per_pixel
    assert abs(off.mean((0, 1))).max() < 0.2, "a part of a pixel of the photo"
    outside = back.copy()
    outside[max(y1 - 1, 0) : y2 + 1, max(x1 - 1, 0) : x2 + 1] = 0
    assert not outside.any()


def test_one_cell_of_a_coarse_map_lights_its_share_of_the_photo() -> None:
    photo = samples.sample("cat")
    model = models.load("resnet_s")
    question = ask(model, photo, trace(model, photo), ClassTarget("cat"))
    cam = torch.zeros(1, 4, 4)
    cam[0, 1, 2] = 1
    lit = question.on_photo(cam)
    y, x = np.unravel_index(lit.argmax(), lit.shape)
    x1, y1, x2, y2 = question.window.box
    assert x == pytest.approx(x1 + (2.5 / 4) * (x2 - x1), abs=3)
    assert y == pytest.approx(y1 + (1.5 / 4) * (y2 - y1), abs=3)


def test_resize_rounds_as_the_window_thinks() -> None:
    for width, height in [(451, 300), (301, 777), (90, 400), (145, 144)]:
        out = resize(torch.zeros(3, height, width), [144], antialias=True)
        short, long = sorted((width, height))
        assert sorted(out.shape[1:]) == [144, int(144 * long / short)]


def test_a_listed_detection_is_that_of_the_list_and_a_candidate_that_of_the_trace() -> None:
    model, photo = models.load("faster_rcnn_s"), samples.sample("cat")
    found = trace(model, photo)
    more = found.select(replace(found.defaults, score=0.05)).detections
    assert len(more) >= 2 and more.candidate.tolist() != list(range(len(more)))
    for number, candidate in enumerate(more.candidate.tolist()):
        assert resolved(parse(f"box:{number}:x1"), more) == BoxTarget(candidate, "x1")
        assert resolved(parse(f"candidate:{candidate}"), more) == BoxTarget(candidate)
    with pytest.raises(UserError, match=f"no detection {len(more)}; at these .* {len(more)}"):
        resolved(parse(f"box:{len(more)}"), more)
    own = found.select(found.defaults).detections
    assert ask(model, photo, found, parse("box:0")).target == BoxTarget(int(own.candidate[0]))


@pytest.mark.parametrize("name", ["pose_heatmap_s", "pose_regression_s", "fcos_s"])
def test_the_default_target_can_be_explained(name) -> None:
    model, photo = models.load(name), samples.sample("astronaut")
    found = trace(model, photo)
    best = int(found.select(found.defaults).detections.candidate[0])
    target = default_target(found)
    assert target.candidate == best and isinstance(target, JointTarget) == ("heatmap" in name)
    assert abs(explain(ask(model, photo, found, target), "gradient").values).max() > 0
