"""PCA and t-SNE against scikit-learn, the gradient against autograd, and points placed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, _t_sne
from sklearn.metrics import pairwise_distances

from vision_core.space import maps


def clusters(seed: int = 0, each: int = 25, count: int = 4, width: int = 12) -> np.ndarray:
    rng = np.random.default_rng(seed)
    middles = rng.normal(0, 6, (count, width))
    return np.concatenate([m + rng.normal(0, 1, (each, width)) for m in middles])


@pytest.mark.parametrize("shape", [(40, 7), (6, 50), (3, 2), (500, 64)])
def test_pca_is_scikit_learns(shape):
    x = np.random.default_rng(1).normal(size=shape) * np.linspace(3, 1, shape[1])
    found, theirs = maps.pca(x), PCA(2).fit(x)
    np.testing.assert_allclose(found.share, theirs.explained_variance_ratio_, rtol=1e-8)
    np.testing.assert_allclose(np.abs(found.points), np.abs(theirs.transform(x)), atol=1e-7)
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(2), atol=1e-9)
    assert all(axis[np.abs(axis).argmax()] > 0 for axis in found.axes)
    new = np.random.default_rng(2).normal(size=(5, shape[1]))
    np.testing.assert_allclose(np.abs(found.place(new)), np.abs(theirs.transform(new)), atol=1e-7)


def test_pca_of_points_that_do_not_differ_is_a_point():
    found = maps.pca(np.ones((4, 3)))
    assert not found.points.any() and not found.share.any()
    line = maps.pca(np.array([[0.0, 0, 0], [1, 2, 2]]))
    np.testing.assert_allclose(line.share, [1, 0], atol=1e-12)
    np.testing.assert_allclose(np.abs(line.points[:, 0]), [1.5, 1.5])


@pytest.mark.parametrize("perplexity", [5.0, 20.0])
def test_the_joint_probabilities_are_scikit_learns(perplexity):
    x = clusters()
    found = maps.joint(x, perplexity)
    squared = pairwise_distances(x, squared=True).astype(np.float32)
    theirs = _t_sne._joint_probabilities(squared, perplexity, 0)
    full = np.zeros_like(found)
    full[np.triu_indices(len(x), 1)] = theirs
    np.testing.assert_allclose(found, full + full.T, rtol=2e-3, atol=1e-9)
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("perplexity", [2.0, 10.0, 33.0])
def test_every_row_has_the_perplexity(perplexity):
    squared = maps._squared(clusters(3), clusters(3))
    np.fill_diagonal(squared, np.inf)
    p = maps.conditional(squared, perplexity)
    entropy = -np.where(p > 0, p * np.log(np.maximum(p, 1e-300)), 0).sum(1)
    np.testing.assert_allclose(np.exp(entropy), perplexity, rtol=1e-6)
    np.testing.assert_allclose(p.sum(1), 1)


def test_the_gradient_is_autograds():
    p = maps.joint(clusters(5, 6, 3), 4)
    points = np.random.default_rng(0).normal(size=(len(p), 2))
    y = torch.tensor(points, requires_grad=True)
    kernel = 1 / (1 + (y[:, None] - y).square().sum(2))
    kernel = kernel * (1 - torch.eye(len(p)))
    q, wanted = kernel / kernel.sum(), torch.tensor(p)
    seen = wanted > 0
    divergence = (wanted[seen] * (wanted[seen] / q[seen]).log()).sum()
    divergence.backward()
    slope, value = maps.gradient(p, points)
    np.testing.assert_allclose(slope, y.grad, rtol=1e-8, atol=1e-12)
    assert value == pytest.approx(float(divergence.detach()), rel=1e-9)


@pytest.mark.parametrize(("seed", "perplexity"), [(0, 10.0), (1, 25.0)])
def test_the_map_is_as_good_as_scikit_learns(seed, perplexity):
    x = clusters(seed)
    *_, last = maps.tsne(x, perplexity)
    theirs = TSNE(perplexity=perplexity, method="exact", init="pca", random_state=0, max_iter=750)
    theirs.fit(x)
    assert (last.done, last.total) == (maps.STEPS, maps.STEPS)
    assert last.divergence < 1.1 * theirs.kl_divergence_ + 0.01
    far = pairwise_distances(last.points) + np.diag([np.inf] * len(x))
    labels = np.arange(len(x)) // 25
    assert (labels[far.argmin(1)] == labels).mean() > 0.95
    again = [e.points for e in maps.tsne(x, perplexity, 50)]
    np.testing.assert_array_equal(again[-1], list(maps.tsne(x, perplexity, 50))[-1].points)


def test_equal_points_and_few_points_give_a_map_of_numbers():
    x = np.repeat(clusters(7, 2, 3), 3, axis=0)
    *_, last = maps.tsne(x, 30, 120)
    assert np.isfinite(last.points).all() and np.isfinite(last.divergence)
    *_, same = maps.tsne(np.ones((5, 4)), 3, 60)
    assert np.isfinite(same.points).all()
    with pytest.raises(ValueError, match="at least 4"):
        next(maps.tsne(x[:3], 2))


def test_a_new_point_lies_with_its_kin_and_leaves_the_map_as_it_is():
    x = clusters(2)
    *_, last = maps.tsne(x, 15)
    before = last.points.copy()
    rng = np.random.default_rng(9)
    kin = np.repeat(np.arange(4), 3) * 25 + 4
    placed = maps.place(x[kin] + rng.normal(0, 0.3, (12, x.shape[1])), x, last.points)
    np.testing.assert_array_equal(last.points, before)
    middles = np.stack([last.points[i * 25 : i * 25 + 25].mean(0) for i in range(4)])
    nearest = ((placed[:, None] - middles) ** 2).sum(2).argmin(1)
    np.testing.assert_array_equal(nearest, np.repeat(np.arange(4), 3))


def test_no_place_nearby_is_better_than_the_one_that_was_found():
    x = clusters(4)
    *_, last = maps.tsne(x, 15, 400)
    new = clusters(4)[[3, 30, 77]] + 0.2
    placed = maps.place(new, x, last.points)
    squared = pairwise_distances(new, x, squared=True)
    p = maps.conditional(squared, 5.0)
    found = maps.divergences(p, placed, last.points)
    near = np.argsort(squared, axis=1)[:, :5]
    start = maps.divergences(p, np.median(last.points[near], axis=1), last.points)
    assert (found <= start).all()
    for angle in np.linspace(0, 2 * np.pi, 12):
        step = 0.05 * last.points.std() * np.array([np.cos(angle), np.sin(angle)])
        assert (maps.divergences(p, placed + step, last.points) > found - 1e-4).all()
