from __future__ import annotations

import argparse
import os

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from vision_core.errors import UserError
from vision_core.models import build as building
from vision_core.models import card, load

SMALL = "mobilenet_v3_small"


def small_state(**settings) -> dict[str, torch.Tensor]:
    return building.build_plain(SMALL, 3, **settings).state_dict()


def output(module: nn.Module) -> torch.Tensor:
    image = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return module.eval()(image)


@pytest.mark.parametrize("form", ["plain", "wrapped", "parallel", "safetensors", "half"])
def test_a_checkpoint_of_ones_own(tmp_path, form):
    expected = building.build_plain(SMALL, 3)
    state = expected.state_dict()
    file = tmp_path / ("own.safetensors" if form in ("safetensors", "half") else "own.pth")
    if form == "plain":
        torch.save(state, file)
    elif form == "wrapped":  # as torchvision's reference scripts save it
        torch.save({"model": state, "epoch": 3, "args": argparse.Namespace(lr=0.1)}, file)
    elif form == "parallel":
        torch.save({f"module.{k}": v for k, v in state.items()}, file)
    elif form == "safetensors":
        save_file(state, file)
    else:
        save_file({k: v.half() if v.is_floating_point() else v for k, v in state.items()}, file)
        rounded = {k: v.half().float() if v.is_floating_point() else v for k, v in state.items()}
        expected.load_state_dict(rounded)
    model = load(SMALL, device="cpu", weights=file)
    assert torch.equal(output(model.module), output(expected))
    assert {p.dtype for p in model.module.parameters()} == {torch.float32}
    assert model.labels == card(SMALL).labels and len(model.fingerprint) == 64


def test_models_come_ready_to_predict(tmp_path):
    torch.save(small_state(), tmp_path / "own.pth")
    model = load(SMALL, device="cpu", weights=tmp_path / "own.pth")
    assert not any(m.training for m in model.module.modules())
    assert not any(p.requires_grad for p in model.module.parameters())
    with pytest.raises(AttributeError):
        model.device = None  # type: ignore[misc]


def test_other_classes_get_numbers_and_no_scores(tmp_path):
    torch.save(small_state(num_classes=4), tmp_path / "own.pth")
    model = load(SMALL, device="cpu", weights=tmp_path / "own.pth")
    assert model.labels == ("class 1", "class 2", "class 3", "class 4")
    assert model.card.scores == () and output(model.module).shape == (2, 4)
    name = "ssdlite320_mobilenet_v3_large"
    torch.save(building.build_plain(name, num_classes=3).state_dict(), tmp_path / "ssd.pth")
    model = load(name, device="cpu", weights=tmp_path / "ssd.pth")
    assert model.labels == ("__background__", "class 1", "class 2")
    assert model.card.classes == ("class 1", "class 2")


def test_auxiliary_heads_and_counters_may_be_missing_or_extra(tmp_path):
    name = "deeplabv3_mobilenet_v3_large"
    with_aux = building.build_plain(name, 5, aux_loss=True)
    state = {
        k: v for k, v in with_aux.state_dict().items() if not k.endswith("num_batches_tracked")
    }
    assert any(k.startswith("aux_classifier") for k in state)
    torch.save(state, tmp_path / "aux.pth")
    model = load(name, device="cpu", weights=tmp_path / "aux.pth")
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model.module(image)["out"], with_aux.eval()(image)["out"])


def test_what_does_not_fit_is_listed_in_one_sentence(tmp_path):
    state = small_state()
    for name in [k for k in state if k.startswith("features.0.")]:
        del state[name]
    state["features.1.block.0.0.weight"] = torch.zeros(16, 2, 3, 3)
    state["surprise"] = torch.zeros(3)
    torch.save(state, tmp_path / "odd.pth")
    with pytest.raises(UserError) as caught:
        load(SMALL, device="cpu", weights=tmp_path / "odd.pth")
    text = str(caught.value)
    start = "odd.pth does not fit mobilenet_v3_small: 5 missing: features.0.0.weight"
    assert text.startswith(start)
    assert "and 2 more" in text and "1 unknown: surprise" in text
    assert "features.1.block.0.0.weight (16x2x3x3 instead of 16x1x3x3)" in text
    assert text.endswith(".") and "\n" not in text


def test_another_architecture_and_a_bundled_one(tmp_path):
    torch.save(small_state(), tmp_path / "small.pth")
    for name in ("resnet18", "fcos_s"):
        with pytest.raises(UserError, match=rf"small.pth does not fit {name}: \d+ missing"):
            load(name, device="cpu", weights=tmp_path / "small.pth")


class Evil:
    def __reduce__(self):
        return os.mkdir, (os.environ["EVIL"],)


def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("EVIL", str(tmp_path / "ran"))
    torch.save({"fc.weight": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(UserError, match="could run code"):
        load("resnet18", device="cpu", weights=tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


def test_files_that_are_no_state_dict(tmp_path):
    contents = {
        "text.pth": b"hello",
        "empty.pth": b"",
        "text.safetensors": b"hello",
        "empty.safetensors": b"",
        "zip.pth": b"PK\x03\x04" + b"\0" * 50,
    }
    for name, body in contents.items():
        (tmp_path / name).write_bytes(body)
        with pytest.raises(UserError, match="is damaged or is no"):
            load(SMALL, device="cpu", weights=tmp_path / name)
    for name, value in (("list", [1, 2]), ("number", 3), ("nothing", {}), ("plain", {"a": 1})):
        torch.save(value, tmp_path / "odd.pth")
        with pytest.raises(UserError, match="no state dict"):
            load(SMALL, device="cpu", weights=tmp_path / "odd.pth")
        assert name
    with pytest.raises(UserError, match="There is no weights file"):
        load(SMALL, device="cpu", weights=tmp_path / "gone.pth")
    state = small_state()
    state["classifier.3.bias"][7] = float("nan")
    torch.save(state, tmp_path / "nan.pth")
    with pytest.raises(UserError, match=r"no finite numbers in classifier.3.bias"):
        load(SMALL, device="cpu", weights=tmp_path / "nan.pth")


def test_a_whole_pickled_module_is_refused(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "module.pth")
    with pytest.raises(UserError, match=r"state_dict\(\)"):
        load(SMALL, device="cpu", weights=tmp_path / "module.pth")


def test_random_seeds_repeat_and_leave_the_global_state_alone():
    torch.manual_seed(11)
    before = torch.get_rng_state()
    models = [load(SMALL, device="cpu", random_seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(torch.get_rng_state(), before)
    outputs = [output(m.module) for m in models]
    assert torch.equal(outputs[0], outputs[1]) and not torch.equal(outputs[0], outputs[2])
    assert [m.fingerprint for m in models] == ["random-0", "random-0", "random-1"]
    with pytest.raises(UserError, match="64 bits"):
        load(SMALL, device="cpu", random_seed=2**70)


@pytest.mark.parametrize("name", ["fcos_s", "fcn_voc_s", "resnet_s", "pose_heatmap_s"])
def test_bundled_models_load(name):
    model = load(name, device="cpu")
    assert model.fingerprint == card(name).sha256 and not model.module.training
    parameters = list(model.module.parameters())
    assert {p.dtype for p in parameters} == {torch.float32}
    assert sum(p.numel() for p in parameters) == card(name).parameters
    assert (model.detector is not None) == (name == "pose_heatmap_s")
    if model.detector is not None:
        assert model.detector.name == "fcos_s" and model.detector.detector is None
    assert (model.preset is not None) == (name in ("fcn_voc_s", "resnet_s"))


def test_an_extreme_first_photo_does_not_harm_later_ones():
    """torchvision would keep the scales that a 10x2000 photo gives."""
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    model, fresh = (load(name, device="cpu", random_seed=0) for _ in range(2))
    for module in (model.module, fresh.module):
        module.roi_heads.score_thresh = 0.0
    photo, strip = torch.rand(3, 200, 300), torch.rand(3, 10, 2000)
    pool = model.module.roi_heads.box_roi_pool
    scales = list(pool.scales)
    with torch.no_grad():
        model.module([strip])
        after = model.module([photo])[0]
        expected = fresh.module([photo])[0]
    assert pool.scales == scales
    assert len(expected["boxes"]) > 0
    assert all(torch.equal(after[k], expected[k]) for k in expected)


def test_fixed_scales_are_the_strides_that_a_normal_photo_gives():
    """Against torchvision's own inference at the first forward of an untouched model."""
    for name in ("fasterrcnn_mobilenet_v3_large_320_fpn", "keypointrcnn_resnet50_fpn"):
        untouched = building.build_plain(name, 0, min_size=256, max_size=256).eval()
        poolers = ("box_roi_pool", "keypoint_roi_pool")
        with torch.no_grad():
            features = untouched.backbone(torch.zeros(1, 3, 256, 256))
            boxes = [torch.tensor([[0.0, 0.0, 60.0, 60.0]])]
            for pooler in poolers:
                if (pool := getattr(untouched.roi_heads, pooler)) is not None:
                    pool(features, boxes, [(256, 256)])
        inferred = [getattr(getattr(untouched.roi_heads, p), "scales", None) for p in poolers]
        building.fix_roi_scales(untouched)
        fixed = [getattr(getattr(untouched.roi_heads, p), "scales", None) for p in poolers]
        assert fixed == inferred and inferred[0]


@pytest.mark.parametrize("kind", ["meta", "sparse", "quantised", "complex", "int8", "bool"])
def test_tensors_that_cannot_be_weights_are_refused(tmp_path, kind):
    make = {
        "meta": lambda v: v.to("meta"),
        "sparse": lambda v: v.to_sparse(),
        "quantised": lambda v: torch.quantize_per_tensor(v, 0.1, 0, torch.qint8),
        "complex": lambda v: v.to(torch.complex64),
        "int8": lambda v: v.to(torch.int8),
        "bool": lambda v: v.bool(),
    }[kind]
    state = small_state()
    state["classifier.3.bias"] = make(state["classifier.3.bias"])
    torch.save(state, tmp_path / "odd.pth")
    with pytest.raises(UserError, match=r"cannot be weights here: classifier.3.bias"):
        load(SMALL, device="cpu", weights=tmp_path / "odd.pth")


class Drawn(TorchDispatchMode):
    """Counts the random numbers that are drawn, in this thread."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.name().split("::")[1].rstrip("_") in ("normal", "uniform"):
            self.count += args[0].numel()
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", ["resnet_s", "mask_rcnn_s", "pose_heatmap_s", "squeezenet1_1"])
def test_no_random_numbers_are_drawn_for_weights_that_are_loaded(name):
    with Drawn() as filled:
        building.build_to_fill(name)
    with Drawn() as drawn:
        module = building.build_any(name)
    assert filled.count == 0 < drawn.count
    again = building.build_any(name)  # nothing is left out any longer
    assert all(map(torch.equal, module.state_dict().values(), again.state_dict().values()))


@pytest.mark.parametrize("aux", [True, False])
def test_heads_that_a_file_lacks_are_zero_and_all_others_are_the_files(tmp_path, aux):
    wanted = building.build_plain("googlenet", 1, aux_logits=True).state_dict()
    given = {k: v for k, v in wanted.items() if aux or not k.startswith("aux")}
    torch.save(given, tmp_path / "own.pth")
    loaded = load("googlenet", device="cpu", weights=tmp_path / "own.pth").module.state_dict()
    assert loaded.keys() == wanted.keys()
    for key, found in loaded.items():
        assert torch.equal(found, given.get(key, torch.zeros_like(found))), key


@pytest.mark.parametrize("value", [3e38, float("nan"), float("inf")])
def test_large_numbers_are_weights_and_infinite_ones_are_not(tmp_path, value):
    state = small_state()
    state["classifier.3.bias"].fill_(value)  # the sum of the large ones is infinite
    torch.save(state, tmp_path / "own.pth")
    if value == 3e38:
        module = load(SMALL, device="cpu", weights=tmp_path / "own.pth").module
        assert (module.state_dict()["classifier.3.bias"] == torch.tensor(3e38)).all()
    else:
        with pytest.raises(UserError, match=r"no finite numbers in classifier\.3\.bias"):
            load(SMALL, device="cpu", weights=tmp_path / "own.pth")
