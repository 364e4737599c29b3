"""Top-down pose: a detector's persons are the candidates, the pose network runs on their crops."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from tests.inference.reference import built, picture, tensor_of
from vision_core.errors import UserError
from vision_core.inference import PartSource, trace
from vision_core.inference.families import Network, default_thresholds, network
from vision_core.inference.pose import JOINTS, SCORE_KIND, SKELETON, crop_boxes, decode_heatmaps
from vision_core.models import zoo
from vision_core.selection import Thresholds

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def finder() -> Network:
    """A detector of 91 classes, the third of which is called person."""
    names = tuple("person" if i == 2 else f"class {i}" for i in range(91))
    return dataclasses.replace(network(built("fcos_resnet50_fpn")), labels=names)


@pytest.fixture(scope="module")
def pose(finder: Network) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = zoo.build("pose_heatmap_s").eval()
    return Network(
        module,
        "pose",
        "pose_heatmap",
        ("person",),
        "seed",
        CPU,
        joints=JOINTS,
        skeleton=SKELETON,
        detector=finder,
    )


def test_candidates_are_the_detectors_persons(pose, finder):
    photo = picture(333, 777)
    everything, persons = trace(finder, photo), trace(pose, photo)
    rows = np.flatnonzero(everything.label_ids == 2)
    assert len(rows) > 5
    np.testing.assert_array_equal(persons.boxes, everything.boxes[rows])
    np.testing.assert_array_equal(persons.scores, everything.scores[rows])
    assert {persons.label(i) for i in range(len(persons))} == {"person"}
    assert persons.distribution(0) == [
        ("person", pytest.approx(float(everything.class_scores[everything.source[rows[0]], 2])))
    ]
    assert persons.joints == JOINTS and persons.info.id != everything.info.id


def test_thresholds_are_the_detectors(pose, finder):
    assert default_thresholds(pose) == Thresholds.torchvision(finder)


def test_joints_are_those_of_the_crops_and_the_network_runs_once_per_box(pose):
    photo = picture(333, 777)
    found = trace(pose, photo)
    kept = found.select(Thresholds(score=0.05, max_detections=6)).detections.candidate
    assert len(kept) == 6
    seen: list[int] = []
    hook = pose.module.register_forward_hook(lambda _m, i, _o: seen.append(len(i[0])))
    try:
        parts = PartSource(pose, photo, found)
        joints = parts.keypoints(kept)
        again = parts.keypoints(kept[::-1])
    finally:
        hook.remove()
    assert sum(seen) == 6 and parts.kind == "keypoints"
    np.testing.assert_array_equal(again.xy, joints.xy[::-1])
    with torch.no_grad():
        crops, geometry = crop_boxes(tensor_of(photo), torch.tensor(found.boxes[kept]))
        xy, scores = decode_heatmaps(pose.module(crops), geometry)
    np.testing.assert_allclose(joints.xy, xy, atol=1e-2)
    np.testing.assert_allclose(joints.scores, scores, atol=1e-4)
    assert joints.score_kind == SCORE_KIND == "probability"
    assert joints.names == JOINTS and parts.keypoints([]).xy.shape == (0, len(JOINTS), 2)
    assert parts.heatmaps(kept).shape[:2] == (6, len(JOINTS))


def test_a_detector_that_knows_no_person_is_refused(pose, finder):
    blind = dataclasses.replace(finder, labels=tuple(f"class {i}" for i in range(91)))
    with pytest.raises(UserError, match="does not know the class person"):
        trace(dataclasses.replace(pose, detector=blind), picture(32, 32))
