"""Official weights give exactly the network that torchvision's builder gives."""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict

import pytest
import torch
import torchvision.models._api as api
from safetensors.torch import save_file
from torch import nn
from torchvision.models import get_model_builder, get_model_weights
from torchvision.models import resnet18 as torchvision_resnet18

from vision_core.models import build as building
from vision_core.models import card, load, loading, table

QUICK = {
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "keypointrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn",
    "retinanet_resnet50_fpn",
    "fcos_resnet50_fpn",
    "ssdlite320_mobilenet_v3_large",
    "fcn_resnet50",
    "deeplabv3_mobilenet_v3_large",
    "lraspp_mobilenet_v3_large",
    "googlenet",
    "densenet121",
    "resnet18",
    "mobilenet_v3_small",
    "mnasnet0_5",
    "regnet_x_400mf",
    "shufflenet_v2_x0_5",
    "swin_t",
    "vit_b_32",
}
ALL = [
    r.builder if r.builder in QUICK else pytest.param(r.builder, marks=pytest.mark.long)
    for r in table.ROWS
]


def official_state(builder: str, monkeypatch) -> dict[str, torch.Tensor]:
    """A random state dict with the names and shapes of a model's official weights."""
    with monkeypatch.context() as patch, torch.random.fork_rng():
        torch.manual_seed(7)
        patch.setattr(api, "load_state_dict_from_url", lambda *a, **k: {})
        state: OrderedDict[str, torch.Tensor] = OrderedDict()

        def keep(module, *args, **kwargs) -> None:
            whole = module.state_dict()
            state.update(whole)
            state._metadata = whole._metadata

        patch.setattr(nn.Module, "load_state_dict", keep)
        get_model_builder(builder)(weights="DEFAULT")
        for name, value in state.items():
            if name.endswith(("running_mean", "running_var")):  # make epsilon matter
                value.uniform_(0.5, 1.5)  # less, and the signal of a deep network overflows
    return state


@pytest.mark.parametrize("builder", ALL)
def test_official_weights_give_torchvisions_own_network(builder, monkeypatch):
    state = official_state(builder, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(api, "load_state_dict_from_url", lambda *a, **k: copy.copy(state))
        expected = get_model_builder(builder)(weights="DEFAULT").eval()
    digest = card(builder).sha256 + "0" * 56
    monkeypatch.setattr(loading, "require", lambda *a: "file")
    monkeypatch.setattr(loading, "verify", lambda *a: digest)
    monkeypatch.setattr(loading.checkpoints, "read", lambda *a: dict(state))
    monkeypatch.setattr(api, "load_state_dict_from_url", None)  # a download would fail
    model = load(builder, device="cpu")
    assert repr(model.module) == repr(expected)
    assert model.fingerprint == digest and model.labels == card(builder).labels
    own, theirs = model.module.state_dict(), expected.state_dict()
    assert own.keys() == theirs.keys()
    assert all(torch.equal(own[k], theirs[k]) for k in own)
    for attribute in ("transform_input", "aux_logits", "score_thresh", "detections_per_img"):
        assert getattr(model.module, attribute, None) == getattr(expected, attribute, None)
    side = 300 if builder == "ssd300_vgg16" else 96  # its last maps vanish on less
    if builder.startswith(("vit", "maxvit")):  # of one size only
        side = get_model_weights(builder).DEFAULT.transforms().crop_size[0]
    image = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    part = "backbone" if hasattr(expected, "backbone") else None
    with torch.no_grad():
        a, b = (getattr(m, part)(image) if part else m(image) for m in (model.module, expected))
    if isinstance(a, dict):
        assert all(torch.equal(a[k], b[k]) for k in b)
    else:
        assert torch.equal(a, b)
    if card(builder).task in ("classification", "segmentation"):
        own_preset = get_model_weights(builder).DEFAULT.transforms()
        assert repr(model.preset) == repr(own_preset)
    else:
        assert model.preset is None


@pytest.mark.parametrize("row", table.ROWS, ids=lambda r: r.builder)
def test_the_number_of_classes_is_read_from_any_checkpoint(row):
    settings = {} if row.task == "classification" else {"weights_backbone": None}
    if row.builder in ("googlenet", "inception_v3"):
        settings["init_weights"] = False
    with torch.device("meta"), building.Unfilled(), building._widths_on_cpu():
        module = get_model_builder(row.builder)(weights=None, num_classes=5, **settings)
    size = {"image_size": 224} if row.builder == "vit_h_14" else {}  # its weights are for 518
    assert building.settings_of(row.builder, module.state_dict()) == {"num_classes": 5, **size}


def test_a_file_of_ones_own_for_mnasnet_needs_no_version(tmp_path):
    module = get_model_builder("mnasnet0_5")(weights=None)
    save_file(module.state_dict(), tmp_path / "own.safetensors")
    own = load("mnasnet0_5", device="cpu", weights=tmp_path / "own.safetensors").module
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(own(picture), module.eval()(picture))


def test_a_file_of_ones_own_that_is_an_official_one_is_known_by_its_hash(tmp_path, monkeypatch):
    state = official_state("googlenet", monkeypatch)
    torch.save(state, tmp_path / "renamed.bin")
    prefix = card("googlenet").sha256
    monkeypatch.setattr(loading, "sha256_of", lambda file: prefix + "f" * 56)
    model = load("googlenet", device="cpu", weights=tmp_path / "renamed.bin")
    assert model.module.transform_input and model.module.aux1 is None
    monkeypatch.setattr(loading, "sha256_of", lambda file: "0" * 64)
    model = load("googlenet", device="cpu", weights=tmp_path / "renamed.bin")
    assert not model.module.transform_input


def test_old_and_new_official_weights_are_told_apart():
    members = get_model_weights("resnet50")
    for member in members:
        prefix = member.url.rpartition("-")[2][:8]
        assert building.official("resnet50", prefix + "0" * 56) is member
    assert building.official("resnet50", "0" * 64) is None
    backbone = get_model_weights("vgg16")["IMAGENET1K_FEATURES"].url.rpartition("-")[2][:8]
    assert building.official("vgg16", backbone + "0" * 56) is None


def test_another_threads_download_is_not_replaced():
    member = get_model_weights("resnet18").DEFAULT
    state = torchvision_resnet18(weights=None).state_dict()
    seen = {}

    def other() -> None:
        try:
            seen["url"] = member.get_state_dict.__closure__ is not None
            original = api.load_state_dict_from_url
            api.load_state_dict_from_url = lambda url, **k: url
            try:
                seen["other"] = member.get_state_dict(progress=False)
            finally:
                api.load_state_dict_from_url = original
        except Exception as error:
            seen["other"] = error

    with building._in_place_of_download(member, state):
        assert member.get_state_dict().keys() == state.keys()
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert seen["other"] == member.url
    assert "get_state_dict" not in vars(member)
