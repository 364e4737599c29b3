"""Traces, parts and maps from the service are those of this process, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from tests.serving.alike import differences, hosted
from vision_core import methods, models
from vision_core.attribution import ask, in_steps
from vision_core.attribution.occlusion import sweep
from vision_core.attribution.question import default_target
from vision_core.images import Photo
from vision_core.inference import PartSource, trace
from vision_core.records.targets import BoxTarget, JointTarget
from vision_core.serving import remote
from vision_core.serving.client import Client

DETECTORS = ["fcos_s", "yolo_s", "faster_rcnn_s", "mask_rcnn_s"]
OTHERS = ["resnet_s", "fcn_voc_s", "pose_heatmap_s", "pose_regression_s"]


@pytest.fixture(scope="module")
def client():
    with hosted() as host:
        yield Client([host.url])


@pytest.mark.parametrize("name", [*DETECTORS, *OTHERS])
def test_a_trace_is_the_same(name, client, cat) -> None:
    model = models.load(name, device="cpu")
    here, there = trace(model, cat), remote.trace(client, model, cat)
    assert differences(here, there) == []
    assert list(here.info.timing_ms) == list(there.info.timing_ms)
    arrays = [v for v in vars(there).values() if isinstance(v, np.ndarray)]
    assert arrays and not any(array.flags.writeable for array in arrays)


@pytest.mark.parametrize("name", ["mask_rcnn_s", "pose_heatmap_s", "pose_regression_s"])
def test_masks_and_joints_are_the_same(name, client, cat) -> None:
    model = models.load(name, device="cpu")
    made = trace(model, cat)
    here, there = PartSource(model, cat, made), remote.RemoteParts(client, model, cat, made)
    some = np.argsort(-made.scores)[:7].tolist()
    assert here.kind == there.kind is not None
    if here.kind == "masks":
        assert differences(here.masks(some), there.masks(some)) == []
    else:
        assert differences(here.keypoints(some), there.keypoints(some)) == []
    if name == "pose_heatmap_s":
        assert differences(here.heatmaps(some[:2]), there.heatmaps(some[:2])) == []
    asked = client.asked
    there._get(some[:3], there.kind)
    assert client.asked == asked, "what came is kept"


QUESTIONS = [("resnet_s", method.name) for method in methods.every()] + [
    ("fcos_s", "gradient"),
    ("fcos_s", "gradcam"),
    ("mask_rcnn_s", "gradient"),
    ("fcn_voc_s", "gradcam"),
    ("pose_heatmap_s", "gradient"),
]
FEW = {
    "smoothgrad": {"samples": 4},
    "integrated_gradients": {"steps": 6},
    "occlusion": {"patch": 64},
}


@pytest.mark.parametrize(("name", "method"), QUESTIONS)
def test_a_map_is_the_same(name, method, client, cat) -> None:
    model = models.load(name, device="cpu")
    made = trace(model, cat)
    target = default_target(made)
    settings = FEW.get(method, {})
    here = list(in_steps(ask(model, cat, made, target), method, **settings))
    there = list(remote.explain_steps(client, model, cat, made, target, method, settings))
    assert [(s.done, s.total) for s in here] == [(s.done, s.total) for s in there]
    assert here[-1].draw is not None and there[-1].draw is not None
    assert differences(here[-1].draw(), there[-1].draw()) == []


def test_every_map_of_a_strip_is_the_same(client, cat) -> None:
    model = models.load("resnet_s", device="cpu")
    made = trace(model, cat)
    target = default_target(made)
    layers = {"layers": ("trunk.stages.0", "trunk.stages.2")}
    here = list(in_steps(ask(model, cat, made, target), "gradcam", **layers))
    there = list(remote.explain_steps(client, model, cat, made, target, "gradcam", layers))
    maps = [[step.draw() for step in steps if step.draw] for steps in (here, there)]
    assert len(maps[0]) == 2 and differences(*maps) == []


@pytest.mark.parametrize("name", ["resnet_s", "yolo_s"])
def test_a_sweep_is_the_same_part_by_part(name, client, cat) -> None:
    model = models.load(name, device="cpu")
    made = trace(model, cat)
    target = default_target(made)
    question = ask(model, cat, made, target)
    here = list(sweep(question, patch=64))
    there = list(remote.sweep_parts(client, model, cat, made, target, {"patch": 64}))
    assert len(here) == len(there) > 1
    for one, other in zip(here, there, strict=True):
        assert differences(_plain(one), _plain(other)) == []


def test_boxes_and_joints_can_be_asked_for(client, cat) -> None:
    model = models.load("pose_heatmap_s", device="cpu")
    made = trace(model, cat)
    for target in (BoxTarget(1, "x1"), JointTarget(1, made.joints[3])):
        here = list(in_steps(ask(model, cat, made, target), "gradient"))[-1].draw
        there = list(remote.explain_steps(client, model, cat, made, target, "gradient", {}))[
            -1
        ].draw
        assert differences(here(), there()) == [] and np.abs(here().values).max() > 0


def test_the_name_and_the_hash_of_the_file_stay_at_home(client, cat) -> None:
    own = Photo(cat.pixels, "ab" * 32, "my holiday.jpg", cat.source_size)
    seen: list[bytes] = []
    posted = client._posted
    client._posted = lambda connection, body: (seen.append(body), posted(connection, body))[1]
    try:
        model = models.load("yolo_s", device="cpu")
        there = remote.trace(client, model, own)
    finally:
        del client._posted
    from vision_core.serving.wire import unpack

    assert differences(trace(model, own), there) == []
    assert seen and "holiday" not in repr(unpack(seen[0])) and "abab" not in repr(unpack(seen[0]))


def test_a_trace_that_differs_from_the_services_own_is_sent(client, cat) -> None:
    """As from another kind of device: the candidates are those of who asks."""
    from dataclasses import replace

    model = models.load("yolo_s", device="cpu")
    made = trace(model, cat)
    turned = {
        name: np.ascontiguousarray(getattr(made, name)[::-1])
        for name in ("boxes", "boxes_net", "scores", "label_ids", "source", "level", "group")
        if getattr(made, name) is not None
    }
    other = replace(made, **turned, position=None, field=None)
    target = BoxTarget(0)
    here = list(in_steps(ask(model, cat, other, target), "gradient"))[-1].draw
    there = list(remote.explain_steps(client, model, cat, other, target, "gradient", {}))[-1].draw
    assert differences(here(), there()) == []
    first = list(in_steps(ask(model, cat, made, target), "gradient"))[-1].draw
    assert differences(first(), here()), "candidate 0 of the two traces is not the same one"


def _plain(sweep) -> dict:
    return {k: v.numpy() if hasattr(v, "numpy") else v for k, v in vars(sweep).items()}
