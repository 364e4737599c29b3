"""On a GPU the same code gives the same answer, and results come back to the CPU."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from tests.inference.reference import built, picture, tensor_of
from vision_core.inference import PartSource, trace
from vision_core.selection import Thresholds

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]


@pytest.mark.parametrize(
    "name", ["maskrcnn_resnet50_fpn", "fcos_resnet50_fpn", "ssdlite320_mobilenet_v3_large"]
)
def test_trace_on_the_gpu_equals_torchvision_there(name: str) -> None:
    module = copy.deepcopy(built(name)).cuda()
    photo = picture(333, 777, smooth=True)
    with torch.no_grad():
        expected = module([tensor_of(photo).cuda()])[0]
    found = trace(module, photo)
    kept = found.select(Thresholds.torchvision(module)).detections
    assert found.info.device.startswith("cuda") and isinstance(found.boxes, np.ndarray)
    assert kept.label_ids.tolist() == expected["labels"].tolist()
    np.testing.assert_allclose(kept.scores, expected["scores"].cpu(), rtol=1e-3)
    np.testing.assert_allclose(kept.boxes, expected["boxes"].cpu(), rtol=1e-3, atol=1e-2)


def test_masks_made_on_the_gpu_agree_with_the_cpu() -> None:
    photo = picture(333, 777, smooth=True)
    on_cpu = built("maskrcnn_resnet50_fpn")
    on_gpu = copy.deepcopy(on_cpu).cuda()
    found = trace(on_cpu, photo)
    kept = found.select(found.defaults).detections.candidate[:8]
    here = PartSource(on_cpu, photo, found).masks(kept)
    there = PartSource(on_gpu, photo, found).masks(kept)
    np.testing.assert_allclose(there, here, atol=5e-3)
