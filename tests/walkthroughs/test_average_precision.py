"""Average precision against pycocotools, a published sample and a slow second version."""

from __future__ import annotations

import contextlib
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from vision_core.cli import main
from vision_core.errors import UserError
from vision_core.walkthroughs import build
from vision_core.walkthroughs.detection_presets import PUBLISHED

RULES = ["eleven_point", "all_point", "hundred_one_point"]


def scene(draw: st.DrawFn) -> tuple[dict, dict]:
    """Boxes on a coarse grid, so that some overlap exactly; scores that may be equal."""
    side = st.integers(1, 8)
    box = st.tuples(st.integers(0, 12), st.integers(0, 12), side, side).map(list)
    score = st.sampled_from([0.1, 0.3, 0.3, 0.5, 0.7, 0.9])
    photos = ["a", "b", "c"]
    truth = {p: draw(st.lists(box, max_size=4)) for p in photos}
    truth["a"].append([1, 1, 4, 4])
    found = {
        p: [[draw(score), *b] for b in draw(st.lists(box, max_size=5))]
        + [[draw(score), *b] for b in truth[p] if draw(st.booleans())]
        for p in photos
    }
    return truth, found


scenes = st.composite(scene)()


def slow(truth: dict, found: dict, limit: float, pixels: int, coco: bool) -> list[float]:
    """A second version, straight from the definitions, without NumPy."""

    def overlap(a: list[float], b: list[float]) -> float:
        w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]) + pixels
        h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]) + pixels
        shared = max(w, 0) * max(h, 0)
        both = (a[2] + pixels) * (a[3] + pixels) + (b[2] + pixels) * (b[3] + pixels)
        return shared / (both - shared)

    order = [(row[0], photo, row[1:]) for photo, rows in found.items() for row in rows]
    order.sort(key=lambda one: -one[0])
    used: set[tuple[str, int]] = set()
    hits = []
    for _, photo, box in order:
        ious = [(overlap(box, other), -k) for k, other in enumerate(truth.get(photo, []))]
        if coco:
            ious = [(iou, k) for iou, k in ious if (photo, -k) not in used]
        best = max(ious, default=(-1.0, 0))
        hit = best[0] >= limit and (photo, -best[1]) not in used
        if hit:
            used.add((photo, -best[1]))
        hits.append(hit)
    total = sum(map(len, truth.values()))
    points = [(sum(hits[: n + 1]) / total, sum(hits[: n + 1]) / (n + 1)) for n in range(len(hits))]

    def best_from(recall: float) -> float:
        return max((p for r, p in points if r >= recall), default=0.0)

    recalls = sorted({r for r, _ in points if r > 0})
    whole = sum(
        (r - before) * best_from(r) for before, r in zip([0, *recalls], recalls, strict=False)
    )
    return [
        sum(best_from(float(r)) for r in np.linspace(0, 1, 11)) / 11,
        whole,
        sum(best_from(float(r)) for r in np.linspace(0, 1, 101)) / 101,
    ]


@settings(deadline=None)
@given(scenes, st.sampled_from([0.3, 0.5, 0.75]), st.booleans(), st.booleans())
def test_it_is_what_the_definitions_say(both, limit, whole_pixels, coco) -> None:
    truth, found = both
    walk = build(
        "average_precision",
        truth=truth,
        detections=found,
        iou_threshold=limit,
        whole_pixels=whole_pixels,
        matching="coco" if coco else "voc",
    )
    expected = slow(truth, found, limit, int(whole_pixels), coco)
    np.testing.assert_allclose(walk.result, expected, atol=1e-9)
    assert walk.plain_result() == dict(zip(RULES, walk.result.tolist(), strict=True))
    json.dumps(walk.to_json(), allow_nan=False)


@settings(deadline=None, max_examples=60)
@given(scenes)
def test_101_points_and_ten_limits_are_those_of_pycocotools(both) -> None:
    truth, found = both
    photos = sorted(truth)
    notes = [
        {"id": 0, "image_id": i, "category_id": 1, "bbox": b, "area": b[2] * b[3], "iscrowd": 0}
        for i, photo in enumerate(photos)
        for b in truth[photo]
    ]
    for number, note in enumerate(notes):
        note["id"] = number + 1
    said = [
        {"image_id": i, "category_id": 1, "bbox": row[1:], "score": row[0]}
        for i, photo in enumerate(photos)
        for row in found[photo]
    ]
    if not said:
        return
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": i} for i in range(len(photos))],
            "categories": [{"id": 1, "name": "thing"}],
            "annotations": notes,
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(said), "bbox")
        judge.evaluate()
        judge.accumulate()
    expected = judge.eval["precision"][:, :, 0, 0, -1].mean(1)
    walk = build("average_precision", truth=truth, detections=found, matching="coco")
    ours = [row["hundred_one_point"] for row in walk.facts["over_ious"]]
    np.testing.assert_allclose(ours, expected, atol=1e-9)
    assert walk.facts["mean_over_ious"]["hundred_one_point"] == pytest.approx(expected.mean())
    assert walk.result[2] == pytest.approx(expected[0])


@pytest.mark.parametrize(
    ("whole_pixels", "hits", "eleven", "every"), [(True, 7, 26.84, 24.57), (False, 6, 26.84, 22.54)]
)
def test_the_published_sample(whole_pixels, hits, eleven, every) -> None:
    walk = build(
        "average_precision",
        truth=PUBLISHED["truth"],
        detections=PUBLISHED["detections"],
        iou_threshold=0.3,
        whole_pixels=whole_pixels,
    )
    assert sum(walk.facts["hits"]) == hits
    assert 100 * walk.result[0] == pytest.approx(eleven, abs=0.006)
    assert 100 * walk.result[1] == pytest.approx(every, abs=0.006)


def test_a_duplicate_says_why_it_is_false() -> None:
    walk = build("average_precision")
    assert walk.facts["hits"] == [True, False, False, True, True]
    assert "a duplicate" in walk.steps[1].text and "precision 1/2 = 0.5" in walk.steps[1].text
    assert walk.facts["matched"] == [0, -1, -1, 1, 2]
    assert math.isclose(walk.result[1], (1 + 0.6 + 0.6) / 3)


def test_the_command_prints_the_three_areas_by_name(capsys) -> None:
    given = {"truth": {"p": [[0, 0, 10, 10]]}, "detections": {"p": [[0.9, 0, 0, 10, 10]]}}
    assert (
        main(["walkthrough", "average_precision", "--params", json.dumps(given), "--json", "-"])
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["result"] == {name: pytest.approx(1.0) for name in RULES}
    assert main(["walkthrough", "average_precision", "--params", json.dumps(given)]) == 0
    assert '"eleven_point": 1.0' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"truth": {}}, "at least one true box"),
        ({"truth": [[0, 0, 1, 1]]}, "truth must name photos"),
        ({"truth": {"p": [[0, 0, 1]]}}, "Each row of truth must be"),
        ({"detections": {"p": [[0.5, 0, 0, -1, 1]]}}, "Each row of detections must be"),
        ({"detections": {"p": 3}}, "detections of p must be a list"),
        ({"iou_threshold": 2}, "iou_threshold must lie between 0 and 1"),
        ({"matching": "best"}, "matching"),
    ],
)
def test_what_does_not_fit_is_said(change, words) -> None:
    fits = {"truth": {"p": [[0, 0, 1, 1]]}, "detections": {"p": [[0.5, 0, 0, 1, 1]]}}
    with pytest.raises(UserError, match=words.replace("[", r"\[")):
        build("average_precision", **(fits | change))
