"""Segmentation: logits are upsampled before the argmax, at any photo size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import get_model
from torchvision.transforms._presets import ImageClassification, SemanticSegmentation

from tests.inference.reference import picture
from vision_core.inference.classification import seen_box, trace_classification
from vision_core.inference.families import Network
from vision_core.inference.presets import MAX_PIXELS
from vision_core.inference.segmentation import confidence, trace_segmentation

LABELS = tuple(f"class {i}" for i in range(21))


def net(module: nn.Module, family: str, preset, labels=LABELS) -> Network:
    return Network(module.eval(), "made_up", family, labels, "seed", torch.device("cpu"), preset)


@pytest.fixture(scope="module")
def lraspp() -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = get_model("lraspp_mobilenet_v3_large", weights=None, weights_backbone=None)
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = None
        module.train()
        with torch.no_grad():
            module(torch.rand(2, 3, 96, 96))
    return net(module, "lraspp", SemanticSegmentation(resize_size=96))


@pytest.mark.parametrize("size", [(97, 61), (200, 150), (1, 1), (300, 20), (64, 129)])
def test_class_map_is_the_argmax_of_upsampled_logits(lraspp, size):
    photo = picture(*size)
    found = trace_segmentation(lraspp, photo)
    logits = torch.from_numpy(found.logits.copy())[None]
    full = F.interpolate(
        logits, size=(photo.height, photo.width), mode="bilinear", align_corners=False
    )[0]
    top = full.topk(2, dim=0).values
    clear = (top[0] - top[1] > 1e-5).numpy()
    assert found.class_map.shape == (photo.height, photo.width)
    assert (found.class_map == full.argmax(0).numpy())[clear].all() and clear.mean() > 0.99
    assert sum(found.pixel_counts().values()) == photo.width * photo.height
    rng = np.random.default_rng(0)
    for _ in range(5):
        x, y = int(rng.integers(photo.width)), int(rng.integers(photo.height))
        expected = full[:, y, x].softmax(0)
        assert confidence(found)[y, x] == pytest.approx(float(expected.max()), abs=1e-4)
        named = dict(found.probabilities_at(x, y))
        in_order = [named[label] for label in found.info.labels]
        np.testing.assert_allclose(in_order, expected, atol=1e-4)
        assert sum(named.values()) == pytest.approx(1, abs=1e-5)


def test_unsure_pixels_are_those_whose_best_class_is_improbable(lraspp):
    photo = picture(97, 61)
    found = trace_segmentation(lraspp, photo)
    level = float(np.median(confidence(found)))
    unsure = found.unsure(level)
    assert 0.02 < unsure.mean() < 0.98 and not found.unsure(0.0).any() and found.unsure(1.01).all()
    for x, y in ((0, 0), (50, 30), (96, 60), (13, 44)):
        assert unsure[y, x] == (found.probabilities_at(x, y)[0][1] < level)
    counts = found.pixel_counts(unsure)
    assert sum(counts.values()) == int((~unsure).sum())
    for name, count in counts.items():
        assert count == int((found.class_map[~unsure] == found.info.labels.index(name)).sum())


def test_logits_are_the_networks_own(lraspp):
    photo = picture(120, 80)
    found = trace_segmentation(lraspp, photo)
    image = lraspp.preset(torch.from_numpy(photo.pixels.copy()).permute(2, 0, 1))
    with torch.no_grad():
        expected = lraspp.module(image[None])["out"][0]
    np.testing.assert_allclose(found.logits, expected, atol=1e-4)


def test_upsampling_labels_would_give_another_map(lraspp):
    photo = picture(333, 250)
    found = trace_segmentation(lraspp, photo)
    labels = torch.from_numpy(found.logits.argmax(0)).float()[None, None]
    nearest = F.interpolate(labels, size=(250, 333), mode="nearest")[0, 0].numpy()
    assert (nearest != found.class_map).any()


@pytest.mark.parametrize("x, y", [(-1, 0), (0, -1), (10, 0), (0, 7)])
def test_a_pixel_outside_is_refused(lraspp, x, y):
    found = trace_segmentation(lraspp, picture(10, 7))
    with pytest.raises(IndexError, match="10x7"):
        found.probabilities_at(x, y)


class Middle(nn.Module):
    """Says how bright the middle of its input is; makes the crop visible."""

    def forward(self, x):
        return x.mean(dim=(2, 3))


def test_classification_sees_the_centre_crop():
    preset = ImageClassification(crop_size=128, resize_size=146)
    photo = picture(300, 200)
    found = trace_classification(net(Middle(), "classifier", preset, ("r", "g", "b")), photo)
    assert found.probabilities.sum() == pytest.approx(1)
    best = np.argsort(-found.logits)[:2]
    assert [n for n, _ in found.top(2)] == [("r", "g", "b")[i] for i in best]
    x1, y1, x2, y2 = found.seen_box
    assert (x1 + x2) / 2 == pytest.approx(150) and (y1 + y2) / 2 == pytest.approx(100)
    assert x2 - x1 == pytest.approx(128 * 200 / 146)
    crop = photo.pixels[round(y1) : round(y2), round(x1) : round(x2)] / 255
    shown = (crop.mean((0, 1)) - preset.mean) / preset.std
    np.testing.assert_allclose(found.logits, shown, atol=0.05)


def test_a_crop_larger_than_the_photo_is_clipped_to_it():
    preset = ImageClassification(crop_size=224, resize_size=224)
    assert seen_box(preset, 50, 500) == (0, 225, 50, 275)


@pytest.mark.parametrize("size", [(4096, 1), (1, 4096), (2000, 10)])
def test_a_long_thin_photo_does_not_ask_for_hundreds_of_megapixels(lraspp, size):
    seen: list[int] = []
    hook = lraspp.module.register_forward_hook(lambda _m, i, _o: seen.append(i[0][0, 0].numel()))
    try:
        found = trace_segmentation(lraspp, picture(*size))
    finally:
        hook.remove()
    assert found.class_map.shape == size[::-1]
    assert 0 < seen[0] <= 1.1 * MAX_PIXELS
    usual = 96 * 96 * max(size) / min(size)
    width, height = found.info.network_size
    if usual <= MAX_PIXELS:
        assert found.info.notes == ()
    else:  # a picture that is not the usual one is told
        (note,) = found.info.notes
        assert f"{width} x {height} pixels" in note and width * height == seen[0]


def test_a_classifier_sees_the_same_middle_of_a_long_thin_photo(monkeypatch):
    preset = ImageClassification(crop_size=128, resize_size=146)
    model, photo = net(Middle(), "classifier", preset, ("r", "g", "b")), picture(2000, 100)
    whole = trace_classification(model, photo)
    monkeypatch.setattr("vision_core.inference.presets.MAX_PIXELS", 146 * 146 * 5)
    bounded = trace_classification(model, photo)
    np.testing.assert_allclose(bounded.logits, whole.logits, atol=0.02)
    assert bounded.seen_box == whole.seen_box
