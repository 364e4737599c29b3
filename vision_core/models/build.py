"""Modules of the catalogue: torchvision's builders with weights that are already here.

An official weights file goes through torchvision's own builder, so that frozen batch
normalisation, its epsilon, GoogLeNet's input transform and the auxiliary heads are exactly as
torchvision sets them; nothing is downloaded.
"""

from __future__ import annotations

import copy
import math
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torchvision.models import get_model_builder, get_model_weights, regnet
from torchvision.models.detection import FasterRCNN
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.poolers import _filter_input, _setup_scales

from vision_core.models import table
from vision_core.models.checkpoints import StateDict

_lock = threading.RLock()
_PROBE = 64  # side of the empty picture that measures strides; a multiple of every stride
_FIXED_SIZE = "vit_"  # builders of networks that take pictures of one size only
_FILLS = ("normal_", "uniform_", "trunc_normal_", "kaiming_uniform_")
"""Names of tensors' methods and of functions in ``nn.init``."""
_SLOW_INIT = ("googlenet", "inception_v3")  # warn unless told whether to initialise


def official(builder: str, sha256: str) -> Any | None:
    """The member of a builder's weights enum that a file is, known by its hash, or ``None``."""
    for member in get_model_weights(builder):
        prefix = member.url.rpartition("-")[2].partition(".")[0]
        # Members without categories are backbones, not whole models.
        if sha256.startswith(prefix) and member.meta.get("categories"):
            return member
    return None


def build_official(builder: str, member: Any, state: StateDict) -> nn.Module:
    """What ``builder(weights=member)`` returns, with ``state`` in place of the download."""
    state = _versioned(builder, state)
    with _lock, _quiet_rng(), Unfilled(), _in_place_of_download(member, state):
        return get_model_builder(builder)(weights=member, progress=False)


def _versioned(builder: str, state: StateDict) -> StateDict:
    """With the version that MNASNet asks for; the first one had a stem of 32 channels always."""
    if not builder.startswith("mnasnet"):
        return state
    first = state["layers.0.weight"].shape[0] == 32 and builder != "mnasnet1_0"
    told: Any = OrderedDict(state)
    told._metadata = {"": {"version": 1 if first else 2}}
    return told


def build_plain(builder: str, seed: int = 0, **settings: Any) -> nn.Module:
    """What the builder returns without weights; initialised from ``seed``, deterministic.

    Args:
        builder: name of a torchvision builder.
        seed: of the initialisation; the global random state stays as it was.
        settings: arguments of the builder, such as ``num_classes``.
    """
    if table.BY_BUILDER[builder].task != "classification":
        settings["weights_backbone"] = None
    if builder.startswith(_FIXED_SIZE):  # as large as the default preset cuts its pictures
        settings.setdefault("image_size", get_model_weights(builder).DEFAULT.meta["min_size"][0])
    if builder in _SLOW_INIT:
        settings["init_weights"] = True
    with _lock, _quiet_rng(), _widths_on_cpu():
        torch.manual_seed(seed)
        return get_model_builder(builder)(weights=None, **settings)


class Unfilled(TorchFunctionMode):
    """Zeros in place of the random numbers of an initialisation, for this thread: weights follow.

    Zeros, because PyTorch draws until all numbers lie within the limits of ``trunc_normal_``.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        if getattr(func, "__name__", None) not in _FILLS:
            return func(*args, **named)
        tensor = named["tensor"] if "tensor" in named else args[0]
        with torch.no_grad():
            return tensor if tensor.is_meta else tensor.zero_()


def build_to_fill(builder: str, **settings: Any) -> nn.Module:
    """An architecture of the catalogue whose parameters are still to be filled.

    Random numbers would take half of the time of a load.
    """
    with Unfilled():
        return build_any(builder, **settings)


def build_bundled(name: str, seed: int = 0, num_classes: int | None = None) -> nn.Module:
    """A network of ``vision_core.models.zoo``, initialised from ``seed``."""
    from vision_core.models import zoo

    with _lock, _quiet_rng():
        torch.manual_seed(seed)
        return zoo.build(name, num_classes)


def bundled(builder: str) -> bool:
    """Whether an architecture is one of ``vision_core.models.zoo``."""
    from vision_core.models import zoo

    return builder in zoo.NAMES


def build_any(builder: str, seed: int = 0, **settings: Any) -> nn.Module:
    """An architecture of the catalogue with random weights; see the two functions above."""
    make = build_bundled if bundled(builder) else build_plain
    return make(builder, seed, **settings)


def own_part(name: str, state: StateDict) -> StateDict:
    """The tensors of a weights file that belong to a bundled network; some share their file."""
    from vision_core.models import zoo

    return zoo.own_part(name, state)


def settings_of(builder: str, state: StateDict) -> dict[str, int]:
    """The builder's arguments that a checkpoint's last layers ask for.

    Returns:
        ``num_classes``, ``num_keypoints`` and ``image_size``, where the checkpoint tells them and
        they differ from the official ones.
    """
    if bundled(builder):
        return _settings_of_bundled(builder, state)
    row = table.BY_BUILDER[builder]
    meta = get_model_weights(builder).DEFAULT.meta
    settings = {}
    head = state.get(row.head)
    if head is not None and head.ndim and head.shape[0] // row.per_class != len(meta["categories"]):
        settings["num_classes"] = max(head.shape[0] // row.per_class, 1)
    joints = state.get("roi_heads.keypoint_predictor.kps_score_lowres.weight")
    if row.task == "keypoint" and joints is not None and joints.ndim == 4:
        if joints.shape[1] != len(meta["keypoint_names"]):
            settings["num_keypoints"] = joints.shape[1]
    places, patch = state.get("encoder.pos_embedding"), state.get("conv_proj.weight")
    if places is not None and patch is not None and places.ndim == 3 and patch.ndim == 4:
        # one place for each patch of the picture, and one for the class
        side = math.isqrt(max(places.shape[1] - 1, 0)) * patch.shape[-1]
        if side != meta["min_size"][0]:
            settings["image_size"] = side
    return settings


def _settings_of_bundled(name: str, state: StateDict) -> dict[str, int]:
    from vision_core.models import zoo
    from vision_core.models.cards import card

    head = state.get(zoo.HEADS.get(name, ""))
    if head is None or not head.ndim or head.shape[0] in (0, len(card(name).labels)):
        return {}
    return {"num_classes": head.shape[0]}


def fix_roi_scales(module: nn.Module) -> None:
    """Set the scales of every RoI align of a two-stage network from its backbone's strides.

    torchvision infers them from the first picture that comes and keeps them; a first picture of
    10x2000 would leave every later one without boxes.
    """
    if not isinstance(module, FasterRCNN):
        return
    heads: Any = module.roi_heads
    poolers = (heads.box_roi_pool, heads.mask_roi_pool, heads.keypoint_roi_pool)
    with torch.no_grad():
        pyramid = module.backbone(torch.zeros(1, 3, _PROBE, _PROBE))
    for pooler in poolers:
        if isinstance(pooler, MultiScaleRoIAlign):
            features = _filter_input(pyramid, pooler.featmap_names)
            pooler.scales, pooler.map_levels = _setup_scales(
                features, [(_PROBE, _PROBE)], pooler.canonical_scale, pooler.canonical_level
            )


@contextmanager
def _widths_on_cpu() -> Iterator[None]:
    """Let RegNet work out its widths with real numbers, also while building on the meta device.

    What others get meanwhile is the same as ever; the class is as before afterwards.
    """
    original = regnet.BlockParams.__dict__["from_init_params"]

    def from_init_params(cls: Any, *args: Any, **kwargs: Any) -> Any:
        with torch.device("cpu"):
            return original.__func__(cls, *args, **kwargs)

    regnet.BlockParams.from_init_params = classmethod(from_init_params)
    try:
        yield
    finally:
        regnet.BlockParams.from_init_params = original


@contextmanager
def _quiet_rng() -> Iterator[None]:
    """Keep the global random state, which initialisation would advance."""
    with torch.random.fork_rng(devices=[]):
        yield


@contextmanager
def _in_place_of_download(member: Any, state: StateDict) -> Iterator[None]:
    """Let this thread's ``member.get_state_dict`` return ``state``; other threads see no change.

    Enum members are objects of their own, so that an attribute on one hides the method for that
    member only.
    """
    me = threading.get_ident()
    original = type(member).get_state_dict

    def here(*args: Any, **kwargs: Any) -> Any:
        mine = threading.get_ident() == me
        return copy.copy(state) if mine else original(member, *args, **kwargs)

    member.get_state_dict = here
    try:
        yield
    finally:
        del member.get_state_dict
