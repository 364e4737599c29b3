"""The zoo's networks go through the same trace, selection and parts as torchvision's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torchvision.models.detection.roi_heads import paste_masks_in_image

from tests.inference.reference import picture, tensor_of
from vision_core.inference import PartSource, trace
from vision_core.inference.families import Network, network
from vision_core.inference.pose import JOINTS, NO_SCORE, SKELETON, crop_boxes
from vision_core.inference.presets import prepared
from vision_core.models import build, zoo
from vision_core.models.zoo import streets
from vision_core.selection import Thresholds

CPU = torch.device("cpu")


def seeded(name: str) -> torch.nn.Module:
    return build.build_bundled(name, seed=3).eval().requires_grad_(False)


@pytest.mark.parametrize("name", ["faster_rcnn_s", "mask_rcnn_s"])
def test_two_stages_equal_torchvisions_forward(name: str) -> None:
    module, photo = seeded(name), picture(333, 477)
    module.roi_heads.score_thresh = 0.1  # random weights give each class about 1/7
    build.fix_roi_scales(module)
    with torch.no_grad():
        expected = module([tensor_of(photo)])[0]
    found = trace(module, photo)
    shown = found.select(Thresholds.torchvision(module)).detections
    assert len(expected["scores"]) >= 10
    assert shown.label_ids.tolist() == expected["labels"].tolist()
    np.testing.assert_allclose(shown.boxes, expected["boxes"].numpy(), rtol=1e-5, atol=1e-3)
    parts = PartSource(module, photo, found)
    assert parts.kind == ("masks" if name == "mask_rcnn_s" else None)
    if parts.kind == "masks":
        masks = torch.from_numpy(parts.masks(shown.candidate))
        assert masks.shape[1:] == (28, 28)
        size = (photo.height, photo.width)
        pasted = paste_masks_in_image(masks[:, None], torch.tensor(shown.boxes), size)
        np.testing.assert_allclose(pasted.numpy(), expected["masks"].numpy(), atol=1e-4)


def test_boxes_are_read_at_the_level_of_their_size() -> None:
    """7x7 cells of a box below 112 pixels come from stride 8, of a larger one from stride 16."""
    heads = seeded("faster_rcnn_s").roi_heads
    maps = {str(s): torch.full((1, 64, 160 // s, 160 // s), float(s)) for s in (8, 16, 32)}
    boxes = torch.tensor([[10.0, 10, 60, 60], [10, 10, 130, 130]])
    read = heads.box_roi_pool(maps, [boxes], [(160, 160)])
    assert read.amax((1, 2, 3)).tolist() == [8.0, 16.0]


def test_regressed_joints_have_no_score() -> None:
    finder = seeded("fcos_s")
    labels = ("cat", "cow", "dog", "horse", "person", "sheep")
    detector = Network(finder, "fcos_s", "fcos", labels, "seed", CPU)
    module = seeded("pose_regression_s")
    pose = Network(
        module,
        "pose",
        "pose_regression",
        ("person",),
        "seed",
        CPU,
        joints=JOINTS,
        skeleton=SKELETON,
        detector=detector,
    )
    photo = picture(120, 160)
    found = trace(pose, photo)
    parts = PartSource(pose, photo, found)
    area = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(1)
    rows = np.argsort(area)[-2:]
    joints = parts.keypoints(rows)
    assert joints.score_kind == NO_SCORE and (joints.scores == 1).all()
    boxes = found.boxes[rows]
    crops, _ = crop_boxes(tensor_of(photo), torch.tensor(boxes))
    unit = module(crops).numpy()
    side = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) * 1.15
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    expected = middle[:, None] + (unit - 0.5) * side[:, None, None]
    np.testing.assert_allclose(joints.xy, expected, atol=0.01)
    with pytest.raises(ValueError, match="no heatmaps"):
        parts.heatmaps(rows)


@pytest.mark.parametrize("name", streets.DECODERS)
def test_streets_share_the_trunk(name: str) -> None:
    """A network taken out of the joint one says what the joint one says."""
    torch.manual_seed(5)
    joint = streets.Streets().eval()
    one = zoo.build(name).eval()
    one.load_state_dict(zoo.own_part(name, joint.state_dict()))
    x = torch.rand(1, 3, 37, 50)
    with torch.no_grad():
        torch.testing.assert_close(one(x)["out"], joint(x)[name])


def test_only_the_enlargement_differs() -> None:
    decoders = {name: streets.Decoder(kind) for name, kind in streets.DECODERS.items()}
    kept = [
        [(n, p.shape) for n, p in decoder.named_parameters() if not n.startswith("ups.")]
        for decoder in decoders.values()
    ]
    assert kept[0] == kept[1] == kept[2]


def test_transposed_convolution_starts_as_bilinear() -> None:
    x = torch.rand(1, 3, 9, 12)
    like = torch.zeros(1, 3, 18, 24)
    expected = F.interpolate(x, scale_factor=2, mode="bilinear")
    got = streets.Transposed(3)(x, like, like)
    torch.testing.assert_close(got[:, :, 1:-1, 1:-1], expected[:, :, 1:-1, 1:-1])


def test_unpooling_puts_values_where_they_came_from() -> None:
    x = torch.rand(1, 2, 7, 10)
    pooled, switches = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
    back = streets.Unpooling()(pooled, x, switches)
    assert back.shape == x.shape
    assert torch.equal(back[back > 0], x[back > 0]) and int((back > 0).sum()) == pooled.numel()


@pytest.mark.parametrize("name", zoo.CLASSIFIERS)
def test_a_classifier_says_when_nothing_is_likely(name: str) -> None:
    module = seeded(name)
    net = Network(
        module,
        name,
        "classifier",
        tuple(f"class {i}" for i in range(90)),
        "seed",
        CPU,
        preset=zoo.preprocessing(name),
        likely_from=0.95,
    )
    photo = picture(90, 140)
    found = trace(net, photo)
    with torch.no_grad():
        expected = module(prepared(net, photo)[None])[0].softmax(0)
    np.testing.assert_allclose(found.probabilities, expected.numpy(), rtol=1e-4)
    assert not found.likely and found.sentence.startswith("None of these 90 classes is likely")
    sure = trace(Network(**{**vars(net), "likely_from": 0.0}), photo)
    assert sure.likely and sure.sentence.startswith("Most likely ")


def test_network_of_a_full_size_model_keeps_the_convention() -> None:
    from vision_core.inference.families import UNMEASURED_LIKELY
    from vision_core.models import load

    assert network(load("squeezenet1_1", random_seed=0)).likely_from == UNMEASURED_LIKELY
