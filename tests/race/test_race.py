"""The race against torchvision's own forward and slow second versions."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import nms

from vision_core import devices, models
from vision_core.errors import UserError
from vision_core.images import from_array
from vision_core.inference import trace
from vision_core.race import Contest, Lap, Regions, proposals, race, selective_search, windows
from vision_core.race.crops import normalised, warped
from vision_core.race.rcnn import CONTEXT, WARPED, crops_of
from vision_core.race.record import covered, record


@pytest.fixture(scope="module")
def contest() -> Contest:
    from vision_core import samples

    photo = samples.sample("cat")
    boxes = windows(photo.width, photo.height)[::29]
    return Contest(
        photo,
        models.load("faster_rcnn_s", device="cpu"),
        models.load("resnet_s", device="cpu"),
        {"fcos_s": models.load("fcos_s", device="cpu")},
        Regions(boxes, len(boxes), 1.0),
    )


@pytest.fixture(autouse=True)
def quick_search(monkeypatch) -> None:
    """Selective search in a small picture: 0.6 s in place of 3 s, and still hundreds of boxes."""
    monkeypatch.setattr(proposals, "SEARCHED", 160)


@pytest.fixture
def large_windows(monkeypatch) -> None:
    """Few windows: what happens to each of them is the same."""
    monkeypatch.setattr(proposals, "SCALES", (0.7,))


@given(st.integers(8, 300), st.integers(8, 300))
def test_windows_lie_in_the_photo_have_their_size_and_leave_no_gap(width, height) -> None:
    boxes = windows(width, height).astype(np.float64)
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= np.array([width, height]) + 1e-3).all()
    shorter = min(width, height)
    sizes = {(s, r) for s in proposals.SCALES for r in proposals.RATIOS}
    seen = set()
    for x1, y1, x2, y2 in boxes:
        scale = math.sqrt((x2 - x1) * (y2 - y1)) / shorter
        seen |= {
            (s, r)
            for s, r in sizes
            if abs(s - scale) < 1e-3 and abs((y2 - y1) / (x2 - x1) - r) < 1e-2
        }
    fits = {
        (s, r)
        for s, r in sizes
        if s * shorter / math.sqrt(r) <= width and s * shorter * math.sqrt(r) <= height
    }
    assert seen == fits
    small = boxes[np.isclose(boxes[:, 2] - boxes[:, 0], proposals.SCALES[0] * shorter, atol=1e-3)]
    steps = np.diff(np.unique(small[:, 0].round(3)))
    assert (steps <= proposals.STEP * proposals.SCALES[0] * shorter + 2e-3).all()


def test_selective_search_gives_the_same_boxes_within_the_photo(cat) -> None:
    regions, again = selective_search(cat), selective_search(cat, most=100)
    assert {tuple(box) for box in again.boxes} <= {tuple(box) for box in regions.boxes}
    assert len(again.boxes) == 100 and again.found == regions.found
    assert 300 < len(regions.boxes) == regions.found and regions.seconds > 0
    area = (regions.boxes[:, 2:] - regions.boxes[:, :2]).prod(1)
    assert (np.diff(area) <= 0).all()
    assert (regions.boxes[:, :2] >= 0).all()
    assert (regions.boxes[:, 2:] <= [cat.width, cat.height]).all()
    assert (regions.boxes[:, 2:] > regions.boxes[:, :2]).all()


def test_two_flat_halves_are_two_regions() -> None:
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[:, 120:] = 200, 40, 40
    boxes = selective_search(from_array(pixels)).boxes
    halves = np.array([[0, 0, 120, 100], [120, 0, 200, 100]])
    assert covered(boxes, halves, 0.9) == 1.0


def test_without_the_contributed_modules_the_search_says_what_to_install(cat, monkeypatch) -> None:
    monkeypatch.delattr(cv2, "ximgproc")
    with pytest.raises(UserError, match="opencv-contrib-python-headless"):
        selective_search(cat)


@pytest.mark.parametrize("context", [0.0, CONTEXT])
def test_a_warped_crop_is_what_grid_sample_reads(cat, context) -> None:
    boxes = np.array([[10.5, 20.25, 200.0, 150.5], [300.0, 100.0, 451.0, 300.0]], np.float32)
    crops = warped(cat, boxes, 64, context)
    photo = torch.from_numpy(cat.pixels.copy()).permute(2, 0, 1)[None].double()
    at = (torch.arange(64, dtype=torch.float64) + 0.5) / 64
    for crop, (x1, y1, x2, y2) in zip(crops, boxes.tolist(), strict=True):
        w, h = (x2 - x1) / (1 - 2 * context), (y2 - y1) / (1 - 2 * context)
        x = (x1 + x2) / 2 + (at - 0.5) * w
        y = (y1 + y2) / 2 + (at - 0.5) * h
        grid = torch.stack(
            [
                (2 * x / cat.width - 1)[None, :].expand(64, 64),
                (2 * y / cat.height - 1)[:, None].expand(64, 64),
            ],
            -1,
        )
        there = ((x >= 1) & (x < cat.width - 1))[None, :] & ((y >= 1) & (y < cat.height - 1))[
            :, None
        ]
        read = F.grid_sample(photo, grid[None], align_corners=False)[0].permute(1, 2, 0).numpy()
        away = np.abs(crop.astype(float) - read)[there.numpy()]
        assert away.mean() < 0.5 and np.quantile(away, 0.99) <= 3  # OpenCV: 1/32 of a pixel


def test_fast_rcnn_on_the_networks_own_proposals_is_the_network(contest) -> None:
    module = contest.two_stage.module
    said = trace(contest.two_stage, contest.photo)
    ratio = np.tile(np.divide(said.info.photo_size, said.info.network_size), 2)
    own = (said.source_boxes_net.astype(np.float64) * ratio).astype(np.float32)
    (*_, last) = crops_of(contest, own, {})
    with torch.inference_mode():
        (expected,) = module([devices.image_tensor(contest.photo, "cpu")])
    assert len(expected["scores"]) > 0
    assert last.found.labels == tuple(contest.two_stage.labels[i] for i in expected["labels"])
    np.testing.assert_allclose(last.found.scores, expected["scores"], rtol=1e-4)
    np.testing.assert_allclose(last.found.boxes, expected["boxes"], rtol=1e-3, atol=1e-2)


def test_rcnn_is_the_whole_network_on_each_warped_region(contest) -> None:
    few = replace(contest, regions=Regions(contest.regions.boxes[:20], 20, 1.0))
    (*_, last) = race(few, "rcnn")
    module, edge = contest.two_stage.module, CONTEXT * WARPED
    mean, std = module.transform.image_mean, module.transform.image_std
    logits, codes = [], []
    with torch.inference_mode():
        for box in few.regions.boxes:
            picture = normalised(
                warped(few.photo, box[None], WARPED, CONTEXT), mean, std, torch.device("cpu")
            )
            features = module.backbone(picture)
            roi = torch.tensor([[edge, edge, WARPED - edge, WARPED - edge]])
            pooled = module.roi_heads.box_roi_pool(features, [roi], [(WARPED, WARPED)])
            said = module.roi_heads.box_predictor(module.roi_heads.box_head(pooled))
            logits.append(said[0])
            codes.append(said[1])
        scores = torch.cat(logits).softmax(1)
        given = torch.from_numpy(few.regions.boxes)
        boxes = module.roi_heads.box_coder.decode(torch.cat(codes), [given])
    boxes, scores = boxes.clone(), scores.clone()
    boxes[..., 0::2] = boxes[..., 0::2].clamp(0, few.photo.width)
    boxes[..., 1::2] = boxes[..., 1::2].clamp(0, few.photo.height)
    slow = []
    for label in range(1, scores.shape[1]):
        rows = (scores[:, label] > module.roi_heads.score_thresh).nonzero()[:, 0]
        rows = rows[nms(boxes[rows, label], scores[rows, label], module.roi_heads.nms_thresh)]
        slow += [(float(scores[r, label]), contest.two_stage.labels[label]) for r in rows]
    slow.sort(reverse=True)
    assert slow, "something is found, or this proves nothing"
    np.testing.assert_allclose(last.found.scores, [score for score, _ in slow], rtol=1e-4)
    assert last.found.labels == tuple(label for _, label in slow)


def test_the_sliding_window_is_the_classifier_on_each_window(contest, large_windows) -> None:
    laps = list(race(contest, "sliding_window"))
    last, net = laps[-1], contest.classifier
    boxes = windows(contest.photo.width, contest.photo.height)
    assert last.whole and last.total == len(boxes)
    side, preset = net.preset.crop_size[0], net.preset
    for box, label, score in zip(
        last.found.boxes[:5], last.found.labels[:5], last.found.scores[:5], strict=True
    ):
        picture = normalised(
            warped(contest.photo, box[None], side), preset.mean, preset.std, torch.device("cpu")
        )
        with torch.inference_mode():
            said = net.module(picture)[0].softmax(0)
        assert net.labels[int(said.argmax())] == label
        assert float(said.max()) == pytest.approx(float(score), rel=1e-4)


def test_laps_count_up_and_a_stopped_run_is_extrapolated(contest) -> None:
    laps = list(race(contest, "rcnn"))
    done = [lap.done for lap in laps]
    assert done == sorted(done) and done[-1] == laps[-1].total == len(contest.regions.boxes)
    assert not laps[0].whole and laps[-1].whole
    half = Lap(50, 200, {"selective search": 2.0, "network": 5.0})
    assert half.expected == 2.0 + 20.0
    (entry,) = record({"rcnn": half})
    assert entry["stopped_at"] == 50 and entry["seconds"] == 22.0 and entry["ratio"] is None


def test_the_backbone_runs_once_for_fast_and_once_a_region_for_rcnn(contest) -> None:
    module = contest.two_stage.module
    seen: list[int] = []
    shadow = replace(contest)
    handle = module.backbone.register_forward_pre_hook(lambda _m, given: seen.append(len(given[0])))
    try:
        list(race(shadow, "fast_rcnn"))
        assert seen == [1]
        seen.clear()
        list(race(shadow, "rcnn"))
        assert sum(seen) == len(contest.regions.boxes)
    finally:
        handle.remove()


def test_nothing_of_the_shared_networks_changes(contest, large_windows) -> None:
    nets = [contest.two_stage, contest.classifier, contest.one_stage["fcos_s"]]
    before = [{k: v.clone() for k, v in n.module.state_dict().items()} for n in nets]
    scales = contest.two_stage.module.roi_heads.box_roi_pool.scales
    for name in ("sliding_window", "rcnn", "fast_rcnn", "faster_rcnn", "fcos_s"):
        list(race(contest, name))
    for net, state in zip(nets, before, strict=True):
        assert not net.module.training
        for name, value in net.module.state_dict().items():
            assert torch.equal(value, state[name])
    assert contest.two_stage.module.roi_heads.box_roi_pool.scales == scales


def test_recall_is_the_share_of_objects_with_a_box_on_them() -> None:
    objects = np.array([[0, 0, 10, 10], [20, 20, 30, 30]])
    assert covered(np.array([[0, 0, 10, 9]]), objects) == 0.5
    assert covered(np.zeros((0, 4)), objects) == 0.0
    assert math.isnan(covered(np.array([[0, 0, 1, 1]]), np.zeros((0, 4))))


def test_who_is_not_in_the_race_is_named(contest) -> None:
    with pytest.raises(UserError, match="choose sliding_window, rcnn"):
        list(race(contest, "overfeat"))
    with pytest.raises(UserError, match="yolo_s is not in this race"):
        list(race(contest, "yolo_s"))
    with pytest.raises(UserError, match="fcos_s has no second stage"):
        list(race(replace(contest, two_stage=contest.one_stage["fcos_s"]), "fast_rcnn"))


def test_a_photo_of_one_colour_and_one_on_which_nothing_is_found(contest) -> None:
    flat = replace(contest, photo=from_array(np.full((60, 90, 3), 120, np.uint8)), regions=None)
    laps = {name: list(race(flat, name))[-1] for name in ("rcnn", "fast_rcnn", "faster_rcnn")}
    assert all(lap.whole for lap in laps.values()) and not len(laps["faster_rcnn"].found.boxes)
    entries = record(laps)
    assert [entry["recall"] for entry in entries] == [None] * 3
    json.dumps(entries, allow_nan=False)


def test_a_long_strip_is_refused_before_anything_runs(contest) -> None:
    strip = replace(contest, photo=from_array(np.zeros((10, 900, 3), np.uint8)))
    with pytest.raises(UserError, match="too long and thin for the race"):
        next(race(strip, "sliding_window"))
    with pytest.raises(UserError, match="too long and thin for the race"):
        selective_search(strip.photo)
