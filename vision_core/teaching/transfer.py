"""What a trained trunk is worth: ``resnet_s`` with a new last layer, taught in three ways."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core import devices
from vision_core.models import Model
from vision_core.models.zoo.resnet_s import ResNetS
from vision_core.teaching.data import LearningSet
from vision_core.teaching.network import first_weights
from vision_core.teaching.run import LearningRun
from vision_core.teaching.settings import LearningSettings

TRUNK = "resnet_s"
WAYS = {
    "head": "only the last layer",
    "all": "everything",
    "scratch": "from scratch",
}
"""The trunk is frozen; it is taught as well; it starts from random weights."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the colours, 0..1, as ``resnet_s`` was trained with them."""
_AT_ONCE = 16


class Transferred(nn.Module):
    """``resnet_s`` with a last layer for other classes.

    ``forward`` takes pictures ``[N, 3, H, W]`` in 0..1 and returns logits ``[N, classes]``.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: ResNetS, classes: int, seed: int) -> None:
        super().__init__()
        self.network = network
        self.network.fc = nn.Linear(network.fc.in_features, classes)
        first_weights(self.network.fc, seed)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def features(self, x: Tensor) -> Tensor:
        """What the last layer is given: the mean of each channel of the trunk, ``[N, F]``."""
        maps = self.network.trunk((x - self.mean) / self.std)[-1]
        return self.network.pool(maps).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        return self.network.fc(self.features(x))


def student(way: str, model: Model, data: LearningSet, settings: LearningSettings) -> LearningRun:
    """A run of one of the three ways; the last layers start with the same weights.

    Pictures are not augmented, since the features of a frozen trunk are computed once.

    Args:
        way: one of ``WAYS``.
        model: ``resnet_s``; it is not changed.
        data: pictures ``[N, 3, H, W]``.
        settings: width, depth, dropout and BatchNorm do not count.
    """
    settings, count = replace(settings, augment=False), len(data.classes)
    if way == "head":
        linear = nn.Linear(model.module.fc.in_features, count)  # type: ignore[union-attr, arg-type]
        first_weights(linear, settings.seed)
        return LearningRun(features_of(model, data), settings, linear, most=0)
    return LearningRun(data, settings, _whole(way, model, count, settings.seed), most=0)


def _whole(way: str, model: Model, classes: int, seed: int) -> Transferred:
    network = copy.deepcopy(model.module).cpu()
    assert isinstance(network, ResNetS)
    network.requires_grad_(True)
    if way == "scratch":
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()
        first_weights(network, seed)
    return Transferred(network, classes, seed)


def features_of(model: Model, data: LearningSet) -> LearningSet:
    """The same set with what the frozen trunk makes of each picture, float32 ``[N, F]``."""
    network = copy.deepcopy(model.module).cpu()
    assert isinstance(network, ResNetS)
    frozen = Transferred(network, len(data.classes), 0).eval()
    found = []
    with torch.inference_mode():
        for part in torch.from_numpy(data.pictures.copy()).split(_AT_ONCE):
            with devices.forward_slot():
                found.append(frozen.features(part))
    return replace(data, pictures=torch.cat(found).numpy().copy())


def whole_network(way: str, run: LearningRun, model: Model) -> nn.Module:
    """The taught network with its trunk, whichever part of it was taught."""
    if way != "head":
        return run.network
    network = _whole("all", model, len(run.data.classes), 0)
    network.network.fc.load_state_dict(run.network.state_dict())
    return network.eval()


def converged(data: LearningSet, decay: float) -> nn.Linear:
    """The linear layer of least loss on the training part: logistic regression, to its end.

    It minimises the mean cross-entropy plus ``decay / 2`` times the sum of the squared weights, by
    L-BFGS in double precision. scikit-learn calls ``1 / (N decay)`` C.

    Args:
        data: features ``[N, F]``.
        decay: above 0; without a penalty classes that a plane separates have no least loss.
    """
    x = torch.from_numpy(data.pictures[data.training]).double()
    labels = torch.from_numpy(data.labels[data.training].copy())
    linear = nn.Linear(x.shape[1], len(data.classes)).double()
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    search = torch.optim.LBFGS(
        linear.parameters(),
        max_iter=2000,
        tolerance_grad=1e-9,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        search.zero_grad()
        value = F.cross_entropy(linear(x), labels) + decay / 2 * linear.weight.square().sum()
        value.backward()
        return value

    with devices.forward_slot():
        search.step(loss)
    return linear


def right(linear: nn.Linear, data: LearningSet, part: np.ndarray) -> float:
    """The share of right answers of a linear layer on some features of a set."""
    x = torch.from_numpy(data.pictures[part]).to(linear.weight.dtype)
    with torch.inference_mode():
        return float((linear(x).argmax(1).numpy() == data.labels[part]).mean())
