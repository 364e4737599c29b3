"""PCK and OKS of a person: against pycocotools, by hand, and against each other."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from vision_core.comparison.people import COCO_JOINTS, TruePerson, read_people
from vision_core.errors import UserError
from vision_core.inference.pose import JOINTS
from vision_core.metrics.joint_scores import joint_scores
from vision_core.metrics.oks import SIGMAS, similarities
from vision_core.metrics.pck import pck


def coco_oks(true: np.ndarray, seen: np.ndarray, found: np.ndarray, area: float) -> float:
    """What pycocotools' computeOks says of one person."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    person = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": [0, 0, 90, 90]}
    data, result = COCO(), COCO()
    rows = np.column_stack([true, 2 * seen]).ravel().tolist()
    data.dataset = {
        "images": [{"id": 1}],
        "categories": [{"id": 1}],
        "annotations": [
            {**person, "keypoints": rows, "num_keypoints": int(seen.sum()), "area": area}
        ],
    }
    data.createIndex()
    said = np.column_stack([found, np.ones(17)]).ravel().tolist()
    result.dataset = {
        **data.dataset,
        "annotations": [{**person, "keypoints": said, "area": area, "score": 1.0}],
    }
    result.createIndex()
    judge = COCOeval(data, result, "keypoints")
    judge._prepare()
    return float(judge.computeOks(1, 1)[0, 0])


@pytest.mark.parametrize("seed", range(8))
def test_oks_is_that_of_pycocotools(seed) -> None:
    rng = np.random.default_rng(seed)
    true = rng.uniform(0, 200, (17, 2))
    seen = rng.random(17) < 0.7
    seen[0] = True
    found = true + rng.normal(0, 12, (17, 2))
    area = float(rng.uniform(500, 20_000))
    person = TruePerson(tuple(COCO_JOINTS), true, seen, area)
    scores = joint_scores(COCO_JOINTS, found, person)
    assert scores.oks == pytest.approx(coco_oks(true, seen, found, area), abs=1e-12)
    assert scores.names == tuple(n for n, s in zip(COCO_JOINTS, seen, strict=True) if s)


def test_the_sigmas_are_those_of_pycocotools() -> None:
    from pycocotools.cocoeval import Params

    ours = [SIGMAS[name.split("_")[-1]] for name in COCO_JOINTS]
    np.testing.assert_allclose(ours, Params("keypoints").kpt_oks_sigmas, atol=1e-12)


def test_a_person_by_hand() -> None:
    """Torso 100; a wrist 20 off is just correct at 0.2, an ankle 20.5 off is not."""
    names = ("left_shoulder", "right_hip", "left_wrist", "left_ankle", "neck")
    true = np.array([[0, 0], [60, 80], [10, 10], [50, 50], [5, 5]], float)
    found = true + np.array([[0, 0], [0, 0], [20, 0], [0, 20.5], [3, 4]])
    person = TruePerson(names, true, np.ones(5, bool))
    scores = joint_scores(names, found, person, 0.2)
    assert scores.torso == 100 and scores.radius == 20
    assert scores.correct.tolist() == [True, True, True, False, True] and scores.pck == 0.8
    assert scores.area == 60 * 80
    wrist = math.exp(-(20**2) / (2 * 4800 * 0.124**2))
    ankle = math.exp(-(20.5**2) / (2 * 4800 * 0.178**2))
    assert scores.oks == pytest.approx((1 + 1 + wrist + ankle) / 4)
    assert np.isnan(scores.terms[4]), "COCO has no neck"
    first, second = scores.formulas()
    assert (first.name, first.numbers, first.value) == ("PCK@0.2", "4 / 5", 0.8)
    assert second.numbers == f"(1.00 + 1.00 + {wrist:.2f} + {ankle:.2f}) / 4"
    reach = scores.reach(0.5)
    np.testing.assert_allclose(similarities(reach, 4800, names)[:4], 0.5)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.5])
def test_pck_is_that_of_the_evaluation(share) -> None:
    rng = np.random.default_rng(3)
    true = rng.uniform(0, 100, (14, 2))
    found = true + rng.normal(0, 15, (14, 2))
    scores = joint_scores(JOINTS, found, TruePerson(JOINTS, true, np.ones(14, bool)), share)
    joints = torch.from_numpy(np.column_stack([true, np.ones(14)]))[None]
    each = pck(torch.from_numpy(found)[None], joints, share)
    assert scores.pck == pytest.approx(each[-1].item())
    assert scores.correct.tolist() == [bool(v) for v in each[:-1]]


def test_without_a_torso_there_is_no_pck_and_without_a_joint_nothing() -> None:
    person = TruePerson(("left_wrist",), np.zeros((1, 2)), np.ones(1, bool), 100.0)
    scores = joint_scores(JOINTS, np.ones((14, 2)), person)
    assert scores.pck is None and scores.oks is not None
    with pytest.raises(UserError, match="None of the true joints"):
        joint_scores(("nose",), np.ones((1, 2)), person)


def file(**more: object) -> dict:
    points = [[10, 20, 2]] * 16 + [[0, 0, 0]]
    note = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 50, 50], "area": 900}
    return {
        "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 100}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [{**note, "keypoints": np.ravel(points).tolist(), **more}],
    }


def test_persons_are_read_and_scaled() -> None:
    [person] = read_people(json.dumps(file()).encode(), 200, 50)
    assert person.names == tuple(COCO_JOINTS) and person.labelled.sum() == 16
    assert person.xy[0].tolist() == [20, 10] and person.scale == 900
    named = file(keypoints=[1, 2, 1, 3, 4, 0])
    named["categories"][0]["keypoints"] = ["left_hip", "nose"]
    [person] = read_people(json.dumps(named).encode(), 100, 100)
    assert person.names == ("left_hip", "nose") and person.labelled.tolist() == [True, False]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (file(keypoints=[1, 2]), "no COCO annotation file"),
        (file(keypoints=None), "Nobody on this photo has keypoints"),
        (file(keypoints=[0] * 51), "Nobody on this photo has keypoints"),
        (file(iscrowd=1), "Nobody on this photo has keypoints"),
        (file(area="much"), "no COCO annotation file"),
        ({"images": []}, "no COCO annotation file"),
    ],
)
def test_files_that_tell_no_joints_are_refused_in_a_sentence(broken, words) -> None:
    with pytest.raises(UserError, match=words):
        read_people(json.dumps(broken).encode(), 100, 100)
