"""One network for everybody: nothing is changed on it, and heads run once per candidate."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from tests.inference.reference import built, picture
from vision_core.errors import UserError
from vision_core.inference import PartSource, detection, trace
from vision_core.selection import NMS_VARIANTS, Thresholds


class Spy:
    """Counts forward calls of some submodules without touching the others."""

    def __init__(self, modules: dict[str, nn.Module]) -> None:
        self.calls = dict.fromkeys(modules, 0)
        self._hooks = [m.register_forward_hook(self._count(name)) for name, m in modules.items()]

    def _count(self, name: str):
        def hook(*_: object) -> None:
            self.calls[name] += 1

        return hook

    def close(self) -> None:
        for hook in self._hooks:
            hook.remove()


@pytest.fixture
def mask_model():
    return built("maskrcnn_resnet50_fpn")


def test_sliders_run_no_network_and_a_mask_head_once_per_candidate(mask_model):
    heads = mask_model.roi_heads
    spy = Spy(
        {
            "backbone": mask_model.backbone,
            "rpn": mask_model.rpn.head,
            "box": heads.box_head,
            "predictor": heads.box_predictor,
        }
    )
    masked: list[int] = []
    hook = heads.mask_head.register_forward_hook(lambda _m, i, _o: masked.append(len(i[0])))
    try:
        photo = picture(333, 777)
        found = trace(mask_model, photo)
        parts = PartSource(mask_model, photo, found)
        assert spy.calls == {"backbone": 1, "rpn": 1, "box": 1, "predictor": 1}
        assert masked == []
        shown: set[int] = set()
        for score in (0.05, 0.1, 0.3, 0.05):
            for iou in (0.3, 0.6):
                for nms in NMS_VARIANTS:
                    t = Thresholds(score, iou, nms, max_detections=20, agnostic=score > 0.2)
                    kept = found.select(t).detections.candidate
                    shown |= set(kept.tolist())
                    assert parts.masks(kept).shape == (len(kept), 28, 28)
        assert spy.calls == {"backbone": 1, "rpn": 1, "box": 1, "predictor": 1}
        assert sum(masked) == len(shown) > 20
        assert not parts.reran
    finally:
        spy.close()
        hook.remove()


def test_one_by_one_equals_the_batch(mask_model):
    photo = picture(333, 777)
    found = trace(mask_model, photo)
    kept = found.select(found.defaults).detections.candidate[:12]
    batch = PartSource(mask_model, photo, found).masks(kept)
    single = PartSource(mask_model, photo, found)
    np.testing.assert_allclose(batch, np.concatenate([single.masks([c]) for c in kept]), atol=1e-6)


def test_features_let_go_run_the_backbone_once_more_and_say_so(mask_model):
    photo = picture(320, 240, 4)
    found = trace(mask_model, photo)
    kept = found.select(found.defaults).detections.candidate[:5]
    before = PartSource(mask_model, photo, found).masks(kept)
    detection.features_cache.clear()
    late = PartSource(mask_model, photo, found)
    np.testing.assert_allclose(late.masks(kept), before, atol=1e-6)
    assert late.reran


def test_no_parts_for_no_candidates(mask_model):
    photo = picture(333, 777)
    parts = PartSource(mask_model, photo, trace(mask_model, photo))
    assert parts.kind == "masks"
    assert parts.masks([]).shape == (0, 28, 28)
    with pytest.raises(ValueError, match="no keypoints"):
        parts.keypoints([])


def state_of(module: nn.Module) -> list[object]:
    """Everything that a trace could leave behind on a module."""
    state: list[object] = []
    for name, m in module.named_modules():
        hooks = (len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks))
        plain = {k: id(v) for k, v in vars(m).items() if not k.startswith("_")}
        state.append((name, m.training, hooks, plain))
    for name, p in module.named_parameters():
        state.append((name, p.grad is None, p.requires_grad, p._version))
    return state


@pytest.mark.parametrize(
    "name", ["maskrcnn_resnet50_fpn", "retinanet_resnet50_fpn", "ssdlite320_mobilenet_v3_large"]
)
def test_a_trace_leaves_no_mark_on_the_network(name):
    module = built(name)
    before = state_of(module)
    found = trace(module, picture(10, 2000))
    trace(module, picture(333, 777)).select(Thresholds(score=0.1))
    assert found is not None and state_of(module) == before


def test_a_trace_cannot_be_written_to():
    found = trace(built("ssdlite320_mobilenet_v3_large"), picture(320, 240))
    for name in ("boxes", "scores", "class_scores", "label_ids", "source_boxes_net"):
        with pytest.raises(ValueError):
            getattr(found, name)[...] = 0


def test_training_mode_is_refused_in_one_sentence():
    module = nn.Module()
    module.train()
    with pytest.raises(UserError, match="training mode"):
        trace(module, picture(32, 32))
    with pytest.raises(UserError, match="not a torchvision detector"):
        trace(nn.Linear(2, 2).eval(), picture(32, 32))


@pytest.mark.parametrize("name", ["maskrcnn_resnet50_fpn", "fcos_resnet50_fpn"])
def test_eight_threads_equal_one(name):
    """Different photos and thresholds at the same time on one shared network."""
    module = built(name)
    jobs = [
        (
            picture(160 + 31 * i, 240 - 13 * i, i),
            Thresholds(0.05 + 0.02 * i, 0.3 + 0.05 * i, NMS_VARIANTS[i % 4], max_detections=8),
        )
        for i in range(8)
    ]
    start = threading.Barrier(8)

    def work(job, wait=False):
        photo, thresholds = job
        if wait:
            start.wait()
        found = trace(module, photo)
        chosen = found.select(thresholds).detections
        parts = PartSource(module, photo, found)
        extra = parts.masks(chosen.candidate) if parts.kind else np.zeros(0)
        return chosen.boxes, chosen.scores, chosen.label_ids, extra

    serial = [work(job) for job in jobs]
    detection.features_cache.clear()
    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda job: work(job, wait=True), jobs))
    assert sum(len(s[1]) for s in serial) > 40
    for one, other in zip(serial, parallel, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_grad_mode_of_the_caller_is_left_alone():
    module = built("ssdlite320_mobilenet_v3_large")
    assert torch.is_grad_enabled()
    trace(module, picture(64, 64))
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()


def test_masks_are_held_up_to_a_cap_and_those_just_shown_stay(mask_model, monkeypatch):
    photo = picture(333, 777)
    found = trace(mask_model, photo)
    monkeypatch.setattr("vision_core.inference.parts.MAX_BYTES", 10 * 28 * 28 * 4)
    runs: list[int] = []
    hook = mask_model.roi_heads.mask_head.register_forward_hook(
        lambda _m, i, _o: runs.append(len(i[0]))
    )
    try:
        parts = PartSource(mask_model, photo, found)
        first = parts.masks(range(12))
        np.testing.assert_array_equal(parts.masks(range(12)), first)
        assert runs == [12]  # more than the cap, but all of them on show
        parts.masks([12])
        assert len(parts._held) == 10
        parts.masks(range(3, 12))
        assert runs == [12, 1]
        parts.masks([0])
        assert runs == [12, 1, 1]  # the longest unseen one had gone
    finally:
        hook.remove()


def test_a_photo_that_would_shrink_to_nothing_is_refused_in_one_sentence():
    with pytest.raises(UserError, match="too long and thin") as caught:
        trace(built("fcos_resnet50_fpn"), picture(4000, 10))
    assert "4000 x 10" in str(caught.value) and "\n" not in str(caught.value)
