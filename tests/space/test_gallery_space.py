"""Pictures, vectors, neighbours and patches of a gallery, against slow second versions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from vision_core import models, samples
from vision_core.errors import UserError
from vision_core.features.activations import activations, view_of
from vision_core.images import from_array
from vision_core.space.neighbours import METRICS, agreement, nearest
from vision_core.space.patches import Fields, strongest
from vision_core.space.pictures import (
    SIDE,
    cut,
    gallery_key,
    label_of,
    windowed,
    windows,
)
from vision_core.space.report import usual_layer
from vision_core.space.vectors import LayerVectors, measure, pixel_vectors

LAYER = "trunk.stages.2"


@pytest.fixture(scope="module")
def gallery():
    return [p for name in ("cat", "coffee") for p in windowed(samples.sample(name), name)]


@pytest.fixture(scope="module")
def model():
    return models.load("resnet_s", device="cpu")


def whole(model, photos, layer) -> LayerVectors:
    *_, last = measure(model, photos, layer)
    assert last.vectors is not None and last.done == last.total == len(photos)
    return last.vectors


def test_windows_cover_the_photo_and_overlap():
    photo = samples.sample("cat")
    boxes = list(windows(photo, (1, 2, 3)))
    assert len(boxes) == 14 and boxes[0] == (0, 0, photo.width, photo.height)
    covered = np.zeros((photo.height, photo.width), int)
    for x1, y1, x2, y2 in boxes[5:]:
        covered[round(y1) : round(y2), round(x1) : round(x2)] += 1
    assert covered.min() == 1 and covered.max() == 4


def test_a_cut_is_the_part_of_the_photo_at_most_so_large():
    rng = np.random.default_rng(0)
    photo = from_array(rng.integers(0, 255, (120, 200, 3)).astype(np.uint8))
    part = cut(photo, (10.2, 20.7, 60, 70), "part")
    np.testing.assert_array_equal(part.pixels, photo.pixels[20:70, 10:60])
    assert part.name == "part"
    tiny = cut(photo, (199, 119, 199.5, 119.2))
    assert (tiny.width, tiny.height) == (8, 8)
    np.testing.assert_array_equal(tiny.pixels, photo.pixels[112:, 192:])
    large = cut(from_array(np.zeros((600, 300, 3), np.uint8)))
    assert (large.width, large.height) == (SIDE // 2, SIDE)
    line = cut(from_array(np.zeros((1, 900, 3), np.uint8)))
    assert (line.width, line.height) == (SIDE, 1)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cat_12.png", "cat"),
        ("cat (3).jpg", "cat"),
        ("dogs/001.jpg", "dogs"),
        ("a\\b\\c.png", "b"),
        ("IMG_2231.jpeg", "IMG"),
        ("42.png", "photo"),
        ("noending", "noending"),
        (".png", "photo"),
    ],
)
def test_the_class_is_told_by_folder_or_name(name, label):
    assert label_of(name) == label


def test_two_galleries_share_a_key_only_where_they_are_equal(gallery):
    assert gallery_key(gallery) == gallery_key(list(gallery))
    assert gallery_key(gallery) != gallery_key(gallery[::-1]) != gallery_key(gallery[1:])


@pytest.mark.parametrize("name", ["resnet_s", "vgg_s", "faster_rcnn_s", "fcn_voc_s"])
def test_vectors_are_means_and_peaks_of_the_activations(name, gallery):
    net = models.load(name, device="cpu")
    layer = {"faster_rcnn_s": "backbone.trunk.stages.1", "vgg_s": "trunk.stacks.2"}.get(name)
    photos = [p.photo for p in gallery[:19]]
    layer = layer or LAYER
    if name == "fcn_voc_s":
        photos = photos[:3]
    found = whole(net, photos, layer)
    for i in (0, 1, len(photos) - 1):
        values = activations(net, photos[i], layer).values
        np.testing.assert_allclose(found.means[i], values.mean((1, 2)), rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(found.peaks[i], values.max((1, 2)), rtol=1e-3, atol=1e-5)
        at = found.places[i]
        there = values[np.arange(len(values)), at[:, 0], at[:, 1]]
        np.testing.assert_allclose(there, values.max((1, 2)), rtol=1e-3, atol=1e-5)


def test_the_layer_that_opens_is_a_deep_one_of_the_trunk():
    shapes = {"stem": (16, 80, 80), "stage": (128, 10, 10), "pool": (256, 1, 1), "fc": (9, 1, 1)}
    assert usual_layer(shapes) == "pool"
    detector = {f"backbone.trunk.{name}": shape for name, shape in shapes.items()}
    detector |= {"backbone.fpn.0": (64, 40, 40), "rpn.head.conv": (64, 40, 40)}
    assert usual_layer(detector) == "backbone.trunk.pool"
    assert usual_layer({"a": (3, 9, 9), "b": (8, 5, 5)}) == "b"


def test_progress_is_told_and_a_missing_layer_is_a_sentence(model, gallery):
    steps = list(measure(model, [p.photo for p in gallery], LAYER))
    assert [s.done for s in steps] == [16, len(gallery)] and steps[0].vectors is None
    with pytest.raises(UserError, match="nowhere"):
        next(measure(model, [gallery[0].photo], "nowhere"))


def test_the_shared_network_is_left_alone(model, gallery):
    before = {n: len(m._forward_hooks) for n, m in model.module.named_modules()}
    list(measure(model, [gallery[0].photo], LAYER))
    assert {n: len(m._forward_hooks) for n, m in model.module.named_modules()} == before


@pytest.mark.parametrize("metric", METRICS)
def test_neighbours_are_scikit_learns(metric):
    x = np.random.default_rng(0).normal(size=(80, 16)) + 0.3
    theirs = NearestNeighbors(n_neighbors=9, metric=metric, algorithm="brute").fit(x)
    for row in (0, 17, 79):
        found = nearest(x, x[row], 8, metric, without=row)
        far, index = theirs.kneighbors(x[row : row + 1])
        np.testing.assert_array_equal(found.index, index[0][1:])
        np.testing.assert_allclose(found.distance, far[0][1:], atol=1e-6)
    assert len(nearest(x[:3], x[9], 8, metric).index) == 3


def test_a_vector_of_zeros_has_no_direction():
    found = nearest(np.array([[0.0, 0], [1, 0]]), np.array([2.0, 0]), 2, "cosine")
    np.testing.assert_allclose(found.distance, [0, 1])
    assert agreement(["a", "b"], found, "b") == 0.5


def test_pixels_at_a_small_size(gallery):
    found = pixel_vectors([p.photo for p in gallery[:4]])
    assert found.shape == (4, 3072) and 0 <= found.min() < found.max() <= 1
    square = from_array(np.random.default_rng(1).integers(0, 255, (32, 32, 3)).astype(np.uint8))
    np.testing.assert_allclose(pixel_vectors([square])[0], square.pixels.ravel() / 255, atol=1e-6)


def test_patches_are_the_largest_activations_and_hold_all_that_the_unit_sees(model, gallery):
    photos = [p.photo for p in gallery]
    layer, channel = "trunk.stages.1", 5
    found = whole(model, photos, layer)
    patches = strongest(model, photos, found, channel, 4)
    peaks = [activations(model, p, layer).values[channel].max() for p in photos]
    assert [p.index for p in patches] == np.argsort(-np.array(peaks), kind="stable")[:4].tolist()
    for patch in patches:
        module, x, window, run = view_of(model, photos[patch.index])
        x1, y1, x2, y2 = patch.box
        kept = torch.zeros_like(x)
        left, right = ((v - window.left) / window.scale_x for v in (x1, x2))
        top, bottom = ((v - window.top) / window.scale_y for v in (y1, y2))
        rows = slice(max(int(np.floor(top)), 0), int(np.ceil(bottom)))
        columns = slice(max(int(np.floor(left)), 0), int(np.ceil(right)))
        kept[:, :, rows, columns] = x[:, :, rows, columns]
        out: dict[str, torch.Tensor] = {}
        module.get_submodule(layer).register_forward_hook(
            lambda _m, _x, y, out=out: out.update(y=y)
        )
        with torch.no_grad():
            run(module, kept)
        alone = float(out["y"][0, channel, patch.row, patch.column])
        assert alone == pytest.approx(patch.value, rel=1e-4), "nothing outside the patch counts"
        np.testing.assert_array_equal(patch.pixels, photos[patch.index].pixels[y1:y2, x1:x2])


def test_fields_of_a_detector_and_a_channel_that_is_not_there(gallery):
    net = models.load("faster_rcnn_s", device="cpu")
    photos = [p.photo for p in gallery[:3]]
    found = whole(net, photos, "backbone.trunk.stages.1")
    patches = strongest(net, photos, found, 3, 2, Fields(net))
    assert all(p.pixels.size and p.value == found.peaks[p.index, 3] for p in patches)
    with pytest.raises(UserError, match="no channel 9999"):
        strongest(net, photos, found, 9999)
