"""Several facets of a unit: groups against scikit-learn, starts against means by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from tests.attribution.nets import same_state, state_of
from vision_core import models, samples
from vision_core.attribution import ask
from vision_core.errors import UserError
from vision_core.features.activations import activations, view_of
from vision_core.features.maximise import (
    FROM_NOISE,
    FROM_PICTURES,
    Regularisers,
    maximise,
)
from vision_core.inference import trace
from vision_core.records.targets import BoxTarget, ClassTarget, UnitTarget
from vision_core.space.clusters import in_a_plane, kmeans, lloyd
from vision_core.space.facets import CLOSEST, MOST, Facet, Gallery
from vision_core.space.pictures import windowed

LAYER, CHANNEL = "trunk.stages.2", 7


def points(seed: int, count: int = 60, size: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, size))


def groups(seed: int, kinds: int, each: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Points around well parted centres, and which belong together."""
    rng = np.random.default_rng(seed)
    centres = rng.permutation(np.eye(kinds, 8) * 20)
    labels = np.repeat(np.arange(kinds), each)
    return centres[labels] + rng.normal(size=(kinds * each, 8)), labels


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [2, 4, 6])
def test_from_the_same_starts_the_groups_are_those_of_scikit_learn(seed, count) -> None:
    x = points(seed)
    ours = lloyd(x, x[:count])
    theirs = KMeans(count, init=x[:count], n_init=1, tol=0, algorithm="lloyd").fit(x)
    assert (ours.labels == theirs.labels_).all()
    np.testing.assert_allclose(ours.centres, theirs.cluster_centers_)
    assert ours.inertia == pytest.approx(theirs.inertia_)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [2, 3, 6])
def test_the_best_of_many_starts_is_as_good_as_scikit_learns(seed, count) -> None:
    x = points(seed, 40, 2)
    theirs = KMeans(count, n_init=50, random_state=0).fit(x)
    assert kmeans(x, count, seed).inertia <= theirs.inertia_ * 1.01


def test_groups_that_are_apart_are_found_and_the_largest_comes_first() -> None:
    x, labels = groups(0, 4)
    x, labels = x[5:], labels[5:]  # the first group has 7 points, the others 12
    found = kmeans(x, 4)
    assert adjusted_rand_score(labels, found.labels) == 1
    sizes = np.bincount(found.labels).tolist()
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] == 7
    members = found.members(3, x)
    assert sorted(members) == np.flatnonzero(found.labels == 3).tolist()
    away = np.linalg.norm(x[members] - found.centres[3], axis=1)
    assert (np.diff(away) >= 0).all()


def test_equal_points_make_groups_that_are_never_empty() -> None:
    x = np.repeat([[0.0, 0.0], [5.0, 5.0]], 4, axis=0)
    for count in (1, 2, 3, 8):
        assert sorted(set(kmeans(x, count).labels.tolist())) == list(range(count))
    with pytest.raises(ValueError, match="1 to 8 groups"):
        kmeans(x, 9)


@pytest.mark.parametrize("kinds", [2, 3, 5])
def test_groups_stay_apart_in_the_plane(kinds) -> None:
    x, labels = groups(1, kinds)
    flat = in_a_plane(x)
    assert flat.shape == (len(x), 2)
    assert adjusted_rand_score(labels, kmeans(flat, kinds).labels) == 1
    assert in_a_plane(x[:3]).shape == (3, 2), "too few for a t-SNE"


@pytest.fixture(scope="module")
def resnet():
    return models.load("resnet_s")


@pytest.fixture(scope="module")
def shown():
    return [
        p for name in ("cat", "astronaut", "coffee") for p in windowed(samples.sample(name), name)
    ]


def question(model, target):
    photo = samples.sample("cat")
    return ask(model, photo, trace(model, photo), target)


def unit(model, layer: str, channel: int) -> UnitTarget:
    values = activations(model, samples.sample("cat"), layer).values[channel]
    row, column = np.unravel_index(values.argmax(), values.shape)
    return UnitTarget(layer, channel, int(row), int(column))


def searched(gallery: Gallery):
    steps = list(gallery.search())
    assert [s.done for s in steps] == sorted(s.done for s in steps)
    assert all(s.excited is None for s in steps[:-1])
    return steps[-1].excited


def test_what_excites_a_channel_is_found(resnet, shown) -> None:
    photos = [p.photo for p in shown]
    gallery = Gallery(question(resnet, unit(resnet, LAYER, CHANNEL)), resnet, photos)
    excited = searched(gallery)
    peaks = np.array([activations(resnet, p, LAYER).values[CHANNEL].max() for p in photos])
    best = [int(i) for i in np.argsort(-peaks, kind="stable") if peaks[i] > 0][:MOST]
    np.testing.assert_allclose(excited.scores, peaks[best], atol=1e-4)
    assert set(excited.rows) == set(best) and excited.asked == len(photos)
    for at in (0, 5):
        below = activations(resnet, photos[excited.rows[at]], "trunk.stages.1").values
        assert excited.features[at].shape == (len(below),)
        assert (excited.features[at] <= below.max((1, 2)) + 1e-4).all()


def test_a_class_is_described_by_the_last_hidden_layer(resnet, shown) -> None:
    photos = [p.photo for p in shown]
    excited = searched(Gallery(question(resnet, ClassTarget("cat")), resnet, photos))
    likely = []
    for i, photo in enumerate(photos):
        found = trace(resnet, photo)
        if "cat" in [name for name, _ in found.top(5)]:
            likely.append(i)
    assert sorted(excited.rows) == likely[:MOST]
    module, x, _, run = view_of(resnet, photos[excited.rows[0]])
    seen = []
    module.pool.register_forward_hook(lambda _, __, out: seen.append(out.flatten(1)[0]))
    with torch.no_grad():
        logits = run(module, x)[0]
    np.testing.assert_allclose(excited.features[0], seen[0].numpy(), atol=1e-4)
    assert excited.scores[0] == pytest.approx(float(logits[resnet.labels.index("cat")]), abs=1e-3)


def test_the_start_of_a_class_is_the_mean_of_the_named_pictures(resnet, shown) -> None:
    photos = [p.photo for p in shown]
    gallery = Gallery(question(resnet, ClassTarget("cat")), resnet, photos)
    found = gallery.facets(searched(gallery), 2)
    every = [row for facet in found for row in facet.rows]
    assert len(every) == len(set(every)), "a picture is in one group"
    for facet in found:
        assert facet.used == min(CLOSEST, len(facet.rows))
        inputs = [view_of(resnet, photos[row])[1][0] for row in facet.rows[: facet.used]]
        np.testing.assert_allclose(facet.start[0], torch.stack(inputs).mean(0), atol=1e-5)
    assert not torch.equal(found[0].start, found[1].start)


def test_the_start_of_a_unit_excites_it_as_the_pictures_do(resnet, shown) -> None:
    """Moved so that its peak lies at the unit, a picture gives the unit the value of its peak."""
    layer, channel = "trunk.stages.1", 3
    asked = question(resnet, unit(resnet, layer, channel))
    gallery = Gallery(asked, resnet, [p.photo for p in shown])
    excited = searched(gallery)
    same = 0
    for i, (row, column) in enumerate(excited.places):
        x = gallery.aligned(excited, i)
        value = float(asked.run(x[None])[0])
        inside = 6 <= row < 14 and 6 <= column < 14  # elsewhere padding takes part
        same += inside and value == pytest.approx(float(excited.scores[i]), rel=2e-2)
    assert same >= 3
    facet = gallery.facets(excited, 2)[0]
    mean = torch.stack([gallery.aligned(excited, m) for m in facet.members[: facet.used]]).mean(0)
    assert torch.equal(facet.start[0], mean)
    target = asked.target
    box = gallery._seen(target.row, target.column)
    outside = facet.start.clone()
    outside[:, :, box[1] : box[3], box[0] : box[2]] = 0
    assert not outside.any(), "only what the unit can see is left"
    moved = facet.start.clone()
    moved[:, :, box[1] : box[3], box[0] : box[2]] = 0
    assert float(asked.run(moved)[0]) != float(asked.run(facet.start)[0])


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("resnet_s", LAYER),
        ("resnet_s", "trunk.stem.0"),
        ("fcn_voc_s", "trunk.stages.1"),
        ("fcos_s", "backbone.trunk.stages.1"),
        ("pose_heatmap_s", "trunk.stages.1"),
    ],
)
def test_facets_differ_climb_and_leave_the_network_alone(name, layer, shown) -> None:
    model, few = models.load(name), shown[::2]
    if layer not in dict(model.module.named_modules()):
        pytest.fail(f"{name} has no {layer}")
    before = state_of(model.module)
    asked = question(model, unit(model, layer, 3))
    gallery = Gallery(asked, model, [p.photo for p in few])
    found: list[Facet] = gallery.facets(searched(gallery), 2)
    ends = []
    for facet in found:
        assert facet.start.shape == asked.input.shape
        frames = list(maximise(asked, 16, 0.06, 0, Regularisers(), start=facet.start))
        assert frames[-1].score > frames[0].score
        ends.append(frames[-1].picture)
    assert not np.array_equal(*ends)
    assert same_state(before, state_of(model.module))


def test_what_is_usual_from_pictures_keeps_facets_apart_and_climbs_as_high(resnet, shown) -> None:
    asked = question(resnet, ClassTarget("cat"))
    gallery = Gallery(asked, resnet, [p.photo for p in shown])
    starts = [facet.start for facet in gallery.facets(searched(gallery), 2)]
    apart, high = [], []
    for rate, keep in (FROM_NOISE, FROM_PICTURES):
        *_, one = maximise(asked, 48, rate, 0, keep, every=48, start=starts[0])
        *_, other = maximise(asked, 48, rate, 0, keep, every=48, start=starts[1])
        apart.append(np.square(one.picture.astype(float) - other.picture).mean() ** 0.5)
        high.append((one.score + other.score) / 2)
    assert apart[1] > 1.25 * apart[0]
    assert high[1] > high[0] - 0.3


def test_too_few_pictures_are_told(resnet, shown) -> None:
    gallery = Gallery(question(resnet, ClassTarget("cat")), resnet, [p.photo for p in shown[:4]])
    excited = searched(gallery)
    with pytest.raises(UserError, match=r"of the 4 pictures excite it, and 3 facets need 9"):
        gallery.facets(excited, 3)
    with pytest.raises(UserError, match="from 2 to 6"):
        gallery.facets(excited, 7)


def test_other_targets_have_no_facets() -> None:
    model, photo = models.load("fcos_s"), samples.sample("cat")
    asked = ask(model, photo, trace(model, photo), BoxTarget(0))
    with pytest.raises(UserError, match="of a class or of a unit"):
        Gallery(asked, model, [photo])


def test_a_start_of_another_size_is_refused(resnet) -> None:
    asked = question(resnet, ClassTarget("cat"))
    with pytest.raises(UserError, match="size"):
        next(maximise(asked, start=torch.zeros(1, 3, 8, 8)))
