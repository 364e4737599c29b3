from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest
import torchvision.models
from torchvision.models import detection, get_model_weights, list_models, segmentation

from vision_core.errors import UserError
from vision_core.models import TASKS, bundled_alternative, card, cards, default_card, snapshot
from vision_core.models.cards import ASSETS, bundled_cards, full_size_cards

BUNDLED = {
    "fcos_s": "detection",
    "faster_rcnn_s": "detection",
    "yolo_s": "detection",
    "mask_rcnn_s": "instance",
    "fcn_voc_s": "segmentation",
    "fcn_s": "segmentation",
    "fcn_deconv_s": "segmentation",
    "segnet_s": "segmentation",
    "pose_heatmap_s": "pose",
    "pose_regression_s": "pose",
    "resnet_s": "classification",
    "vgg_s": "classification",
    "alexnet_s": "classification",
}


def test_every_model_of_torchvision_is_there():
    full = {c.name: c for c in full_size_cards()}
    assert set(list_models(detection)) <= set(full)
    assert set(list_models(segmentation)) <= set(full)
    tasks = Counter(c.task for c in full.values())
    assert tasks["detection"] + tasks["instance"] + tasks["keypoint"] == 12
    assert tasks["segmentation"] == 6
    names = [c.name for c in full_size_cards() if c.task == "classification"]
    assert len(names) == len(set(names)) == 80 and set(names) == set(
        list_models(torchvision.models)
    )


def test_the_file_of_facts_is_what_torchvision_tells():
    assert snapshot.taken() == snapshot.facts(), "python -m vision_core.models.snapshot"


def test_the_size_of_the_input_is_that_of_torchvisions_preset():
    for name in ("vit_h_14", "efficientnet_b3", "swin_v2_t", "resnet50"):
        preset = get_model_weights(name).DEFAULT.transforms()
        assert f"{preset.crop_size[0]} x {preset.crop_size[0]} cut" in card(name).input
        assert f"resized to {preset.resize_size[0]} pixels" in card(name).input


def test_weights_that_may_not_be_sold_say_so():
    noncommercial = {c.name for c in full_size_cards() if "CC BY-NC" in c.licence}
    assert noncommercial == {"regnet_y_128gf", "vit_h_14"}


@pytest.mark.parametrize("entry", full_size_cards(), ids=lambda c: c.name)
def test_facts_are_torchvisions_own(entry):
    weights = get_model_weights(entry.name).DEFAULT
    meta = weights.meta
    assert entry.weights == str(weights)
    assert entry.parameters == meta["num_params"]
    assert list(entry.labels) == list(meta["categories"])
    assert entry.bytes == pytest.approx(meta["_file_size"] * 2**20, rel=1e-6)
    assert entry.url == weights.url and entry.url.endswith(entry.filename)
    assert len(entry.sha256) in (8, 10) and int(entry.sha256, 16) >= 0
    assert f"-{entry.sha256}." in entry.filename
    published = {v for values in meta["_metrics"].values() for v in values.values()}
    assert {s.value for s in entry.scores} == published
    assert entry.paper.title and 2012 < entry.paper.year < 2026 and entry.licence
    assert entry.task in TASKS and entry.input and entry.limits


def test_cocos_ids_keep_their_holes_and_users_never_see_them():
    entry = card("fasterrcnn_resnet50_fpn")
    assert len(entry.labels) == 91 and entry.labels[90] == "toothbrush"
    assert entry.labels.count("N/A") == 10 and entry.labels[0] == "__background__"
    assert len(entry.classes) == 80 and "N/A" not in entry.classes
    assert card("keypointrcnn_resnet50_fpn").classes == ("person",)
    assert len(card("fcn_resnet50").classes) == 20


def test_the_joints_of_keypoint_rcnn_and_its_limbs():
    entry = card("keypointrcnn_resnet50_fpn")
    assert len(entry.joints) == 17 and entry.joints[0] == "nose"
    limbs = {(entry.joints[a], entry.joints[b]) for a, b in entry.skeleton}
    assert ("left_shoulder", "left_elbow") in limbs and ("right_knee", "right_hip") in limbs
    assert not {(a, b) for a, b in limbs if {a, b} == {"left_ear", "right_ear"}}
    assert len(limbs) == 19


def test_bundled_models_come_first_and_serve_each_task():
    bundled = {c.name: c.task for c in cards() if c.bundled}
    assert bundled == BUNDLED
    assert [c.name for c in cards()][: len(BUNDLED)] == list(BUNDLED)
    assert default_card().name == "fcos_s"
    assert default_card("segmentation").name == "fcn_voc_s"


def test_bundled_cards_describe_their_files():
    for entry in bundled_cards(ASSETS):
        file = ASSETS / entry.filename
        assert file.stat().st_size == entry.bytes
        assert len(entry.sha256) == 64
        assert entry.extra["data"] and entry.extra["training"] and entry.licence
        if entry.task == "pose":
            assert len(entry.joints) == 14
            assert all(0 <= i < 14 for limb in entry.skeleton for i in limb)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("retinanet_resnet50_fpn", "fcos_s"),
        ("maskrcnn_resnet50_fpn", "mask_rcnn_s"),
        ("keypointrcnn_resnet50_fpn", "pose_heatmap_s"),
        ("fcn_resnet50", "fcn_voc_s"),
        ("vgg16", "resnet_s"),
    ],
)
def test_a_bundled_model_stands_in(name, other):
    assert bundled_alternative(card(name)).name == other


def test_wrong_names_get_suggestions():
    with pytest.raises(UserError, match="did you mean resnet50"):
        card("resnet-50")
    with pytest.raises(UserError, match="vision_core models"):
        card("zzz")
    with pytest.raises(UserError, match="choose one of detection"):
        cards("tracking")


def test_a_json_card_is_read_whole(tmp_path):
    data = {
        "name": "x",
        "title": "X",
        "task": "detection",
        "family": "fcos",
        "labels": ["cat"],
        "parameters": 3,
        "bytes": 6,
        "sha256": "ab",
        "licence": "free",
        "paper": None,
        "scores": [{"metric": "AP50", "value": 0.5, "dataset": "voc", "split": "val", "n": 9}],
        "joints": ["a", "b"],
        "skeleton": [[0, 1]],
        "history": [1, 2],
    }
    (tmp_path / "x.json").write_text(json.dumps(data))
    (entry,) = bundled_cards(tmp_path)
    assert entry.scores == (("AP50", 0.5, "voc val"),)
    assert entry.skeleton == ((0, 1),) and entry.extra["history"] == [1, 2]
    assert entry.bundled and entry.filename == "x.safetensors" and hash(entry)


def test_listing_builds_no_model():
    code = (
        "from vision_core.models import cards, status\n"
        "states = [status(c) for c in cards()]\n"
        "import sys\n"
        "assert 'torch' not in sys.modules and 'torchvision' not in sys.modules\n"
        "import torch\n"
        "from vision_core.models.weights import hub_folder\n"
        "import torch.hub\n"
        "del sys.modules['torch.hub']\n"
        "assert str(hub_folder()) == torch.hub.get_dir() + '/checkpoints'\n"
        "def no(*a, **k): raise SystemExit('a module was built')\n"
        "torch.nn.Module.__init__ = no\n"
        "from vision_core.models import cards, status\n"
        "print(len([status(c) for c in cards()]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 30
