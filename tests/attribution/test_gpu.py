"""Attribution on a GPU agrees with the CPU, and comes back to it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vision_core import methods, models, samples
from vision_core.attribution import ask, default_target, explain
from vision_core.features.activations import activations
from vision_core.inference import trace

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]


@pytest.mark.parametrize("name", ["resnet_s", "fcos_s"])
@pytest.mark.parametrize("method", methods.names())
def test_a_map_on_the_gpu_is_that_of_the_cpu(name: str, method: str) -> None:
    photo, maps = samples.sample("cat"), []
    here = trace(models.load(name, device="cpu"), photo)
    target = default_target(here)
    for device in ("cpu", "cuda"):
        model = models.load(name, device=device)
        maps.append(explain(ask(model, photo, here, target), method).values)
    assert isinstance(maps[1], np.ndarray)
    scale = np.abs(maps[0]).max()
    assert np.abs(maps[1] - maps[0]).max() <= 1e-2 * scale


def test_activations_on_the_gpu_are_those_of_the_cpu() -> None:
    photo = samples.sample("cat")
    found = [
        activations(models.load("resnet_s", device=d), photo, "trunk.stages.2").values
        for d in ("cpu", "cuda")
    ]
    np.testing.assert_allclose(found[1], found[0], atol=1e-3 * np.abs(found[0]).max())
