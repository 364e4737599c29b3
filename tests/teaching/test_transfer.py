"""Transfer learning: the frozen head is logistic regression, and nothing shared changes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from torch import nn

from vision_core import models, samples
from vision_core.errors import UserError
from vision_core.images import from_array
from vision_core.inference import trace
from vision_core.teaching import LearningSettings
from vision_core.teaching.data import STORED, crops, digits, square
from vision_core.teaching.keeping import as_bytes, opened
from vision_core.teaching.looks import activations, confusion, first_filters
from vision_core.teaching.run import LearningRun
from vision_core.teaching.transfer import (
    WAYS,
    Transferred,
    converged,
    features_of,
    student,
    whole_network,
)

NAMES = ("cat", "coffee", "flower")
SETTINGS = LearningSettings(rate=0.01, batch=16, decay=0.01)


@pytest.fixture(scope="module")
def model():
    return models.load("resnet_s", device="cpu")


@pytest.fixture(scope="module")
def data():
    return crops({name: samples.sample(name) for name in NAMES}, STORED)


def regression(data, decay: float) -> LogisticRegression:
    x, y = data.pictures[data.training].astype(np.float64), data.labels[data.training]
    c = 1 / (len(x) * decay)
    return LogisticRegression(C=c, tol=1e-10, max_iter=10_000).fit(x, y)


@pytest.mark.parametrize("decay", [0.001, 0.05])
def test_the_converged_head_is_logistic_regression(model, data, decay) -> None:
    features = features_of(model, data)
    ours, theirs = converged(features, decay), regression(features, decay)
    np.testing.assert_allclose(ours.weight.detach().numpy(), theirs.coef_, atol=1e-4)
    bias = ours.bias.detach().numpy()  # only their differences count
    np.testing.assert_allclose(
        bias - bias.mean(), theirs.intercept_ - theirs.intercept_.mean(), atol=1e-4
    )


def test_the_taught_head_comes_to_logistic_regression(model, data) -> None:
    """Steps with the whole batch until nothing moves, in double precision."""
    features = features_of(model, data)
    linear = nn.Linear(features.pictures.shape[1], len(NAMES)).double()
    many = replace(SETTINGS, rate=0.5, batch=len(data.training), decay=0.05)
    run = LearningRun(features, many, linear)
    for _ in range(8):
        run.history = run.history[-1:]
        run.history[0] = replace(run.history[0], number=0)
        run.learn(190)
    theirs = regression(features, 0.05)
    np.testing.assert_allclose(linear.weight.detach().numpy(), theirs.coef_, atol=1e-3)
    said = run.probabilities(data.validation)
    np.testing.assert_allclose(
        said, theirs.predict_proba(features.pictures[data.validation]), atol=1e-3
    )


def test_features_are_those_of_the_network_itself(model, data) -> None:
    photo = from_array(square(samples.sample("cat").pixels, 160), "cat.png")
    frozen = Transferred(models.load("resnet_s", device="cpu").module, 2, 0).eval()
    own = model.module.fc(
        frozen.features(torch.from_numpy(photo.pixels.transpose(2, 0, 1)[None].copy()) / 255)
    )
    found = trace(model, photo)
    np.testing.assert_allclose(own.softmax(1)[0].detach().numpy(), found.probabilities, atol=1e-4)


def test_three_ways_learn_and_the_shared_network_stays(model, data) -> None:
    before = {k: v.clone() for k, v in model.module.state_dict().items()}
    parts = np.concatenate([data.training[::5], data.validation[::3]])
    assert len(parts) > 8
    made = {}
    for way in WAYS:
        run = student(way, model, data, SETTINGS)
        first = run.network.state_dict()
        first = {k: v.clone() for k, v in first.items()}
        run.learn(1)
        made[way] = run
        moved = {k for k, v in run.network.state_dict().items() if not torch.equal(v, first[k])}
        assert any("fc" in k or k == "weight" for k in moved)
        assert (way == "head") == (not any("trunk" in k for k in moved))
    for key, value in model.module.state_dict().items():
        assert torch.equal(value, before[key]) and value.grad is None
    assert not any(p.requires_grad for p in model.module.parameters())
    head = made["head"]
    whole = whole_network("head", head, model)
    x = torch.from_numpy(data.pictures[data.validation].copy())
    with torch.no_grad():
        said = whole(x).softmax(1).numpy()
    np.testing.assert_allclose(said, head.probabilities(data.validation), atol=1e-5)


def test_validation_crops_share_no_pixel_with_training_crops(monkeypatch) -> None:
    """Pixels that say where they are: left of the border, or right of it."""
    ramp = np.repeat(np.linspace(0, 255, 400).astype(np.uint8)[None, :, None], 300, 0)
    photo = from_array(np.repeat(ramp, 3, 2), "ramp.png")
    data = crops({"a": photo, "b": photo})
    left, right = (data.pixels[part] for part in (data.training, data.validation))
    assert left.max() <= right.min()


def test_a_file_opens_as_the_network_that_was_taught(tmp_path) -> None:
    run = LearningRun(digits(), LearningSettings(batch_norm=True, width=4))
    run.learn(1)
    file = tmp_path / "taught.safetensors"
    file.write_bytes(as_bytes(run))
    network, classes = opened(str(file))
    x = torch.from_numpy(run.data.pictures[:50].copy())
    with torch.no_grad():
        said = network(x).softmax(1).numpy()
    np.testing.assert_allclose(said, run.probabilities(np.arange(50)), atol=1e-6)
    assert classes == tuple("0123456789")
    with safe_open(str(file), "pt") as held:
        told = held.metadata()
    assert json.loads(told["settings"]) == run.settings.record() and told["epoch"] == "1"
    file.write_bytes(b"no")
    with pytest.raises(UserError, match="cannot be read as safetensors"):
        opened(str(file))


def test_what_is_shown_is_what_the_network_does() -> None:
    run = LearningRun(digits(), LearningSettings(batch_norm=True))
    run.learn(1)
    network = run.network.eval()
    picture = run.data.pictures[7]
    (_, one), (_, two) = activations(network, picture)
    with torch.no_grad():
        x = torch.from_numpy(picture.copy())[None]
        first = network.layers[0][:3](x)
        second = network.layers[1][:3](network.layers[0](x))
    np.testing.assert_array_equal(one, first[0].numpy())
    np.testing.assert_array_equal(two, second[0].numpy())
    assert first_filters(network).shape == (8, 1, 3, 3)
    said = run.probabilities(run.data.validation).argmax(1)
    labels = run.data.labels[run.data.validation]
    np.testing.assert_array_equal(confusion(said, labels, 10), confusion_matrix(labels, said))
    assert run.history[-1].val_accuracy == pytest.approx((said == labels).mean())
