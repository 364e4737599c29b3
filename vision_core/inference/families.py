"""Which family of heads a network has, and what its own forward would use as thresholds."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from vision_core.errors import UserError
from vision_core.inference.grid import GridHeads
from vision_core.inference.head_family import HeadFamily
from vision_core.inference.one_stage import AnchorHeads, FcosHeads, SsdHeads
from vision_core.inference.two_stage import TwoStage
from vision_core.records import Thresholds

UNMEASURED_LIKELY = 0.2
"""Probability from which the best class counts as likely where a model's card does not tell it.

Bundled classifiers have it measured (``vision_core.evaluation.classification.likely_from``); for
torchvision's, with 1,000 classes and weights from several trainings, this is a convention.
"""
FAMILIES: list[HeadFamily] = [TwoStage(), AnchorHeads(), FcosHeads(), SsdHeads(), GridHeads()]
FLOOR = 0.001  # candidates at or below are never held, unless the family keeps even lower ones


@dataclass(frozen=True, eq=False)
class Network:
    """A network with what inference needs to know about it; made from a model or a bare module.

    Attributes:
        module: the network, in eval mode; never changed here.
        name, family, labels, fingerprint: as on ``vision_core.models.Model``.
        device: where the parameters live.
        preset: torchvision preset for classification and segmentation, else ``None``.
        joints, skeleton: joint names and limbs of keypoint networks.
        detector: for top-down pose, the network that finds the persons.
        likely_from: of classifiers, the probability from which the best class counts as likely.
    """

    module: nn.Module
    name: str
    family: str
    labels: tuple[str, ...]
    fingerprint: str
    device: torch.device
    preset: Callable[[torch.Tensor], torch.Tensor] | None = None
    joints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    detector: Any = None
    likely_from: float = 0.0


_serials: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()
_counter = itertools.count()


def network(model: Any) -> Network:
    """View a ``vision_core.models.Model`` or a torchvision detection module as a ``Network``.

    Raises:
        UserError: the network is in training mode, or belongs to no known family.
    """
    if isinstance(model, Network):
        return model
    module = model if isinstance(model, nn.Module) else model.module
    if module.training:
        raise UserError("The network is in training mode; call model.eval() before predicting.")
    if isinstance(model, nn.Module):
        return _bare(model)
    card = model.card
    return Network(
        module=module,
        name=card.name,
        family=card.family,
        labels=tuple(card.labels),
        fingerprint=model.fingerprint,
        device=model.device,
        preset=model.preset,
        joints=tuple(card.joints),
        skeleton=tuple((int(a), int(b)) for a, b in card.skeleton),
        detector=model.detector,
        likely_from=float(card.extra.get("likely_from") or UNMEASURED_LIKELY),
    )


def _bare(module: nn.Module) -> Network:
    """A torchvision detection module as it is, with a fingerprint that no other module gets."""
    heads = heads_of(module)
    if heads is None:
        raise UserError(
            f"{type(module).__name__} is not a torchvision detector; "
            "load it by its catalogue name with vision_core.models.load."
        )
    serial = _serials.setdefault(module, next(_counter))
    device = next(module.parameters()).device
    joints: tuple[str, ...] = ()
    if heads.part_kind(module) == "keypoints":
        predictor: Any = module.roi_heads.keypoint_predictor  # type: ignore[union-attr]
        joints = tuple(f"joint {i}" for i in range(predictor.kps_score_lowres.out_channels))
    return Network(
        module=module,
        name=type(module).__name__,
        family=heads.name(module),
        labels=tuple(f"class {i}" for i in range(heads.label_count(module))),
        fingerprint=f"module-{serial}",
        device=device,
        joints=joints,
    )


def heads_of(module: nn.Module) -> HeadFamily | None:
    """The family of heads of a detector; ``None`` for any other network."""
    return next((f for f in FAMILIES if isinstance(module, f.kind)), None)


def heads_named(name: str) -> HeadFamily | None:
    """The family of heads of that name; ``None`` where it is none of a detector."""
    return next((f for f in FAMILIES if name in f.names), None)


def default_thresholds(model: Any) -> Thresholds:
    """The thresholds that the network's own forward applies; see ``Thresholds.torchvision``."""
    net = network(model)
    if net.detector is not None:
        return default_thresholds(net.detector)
    heads = heads_of(net.module)
    if heads is None:
        raise UserError(f"{net.name} is not a detector, so it has no detection thresholds.")
    holder = heads.threshold_holder(net.module)
    return Thresholds(
        score=float(holder.score_thresh),
        iou=float(holder.nms_thresh),
        max_detections=int(holder.detections_per_img),
    )
