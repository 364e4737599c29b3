"""A target on a photo as a function of the network's input that can be differentiated.

The candidate of a detector stays the same anchor or proposal however the input is changed: its
class logit, its objectness and its box are followed there, and no NMS takes part.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core import devices
from vision_core.attribution import heads
from vision_core.attribution.geometry import Window, of_preset
from vision_core.attribution.rules import counted_activations, relu_rule
from vision_core.attribution.shadow import recording, shadow
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference import ClassificationTrace, DetectionTrace, SegmentationTrace, Trace
from vision_core.inference.families import Network, network
from vision_core.inference.presets import prepared
from vision_core.records import Detections
from vision_core.records.targets import (
    BoxTarget,
    ClassTarget,
    JointTarget,
    ListedTarget,
    RegionTarget,
    Target,
    UnitTarget,
    resolved,
)

NO_HEATMAPS = "pose_regression"  # the family whose joints are two numbers, without a logit
Recorded = dict[str, list[Tensor]]
Score = Callable[[nn.Module, Tensor, Recorded], Tensor]


class Gradients(NamedTuple):
    """What a pass back to the input gives.

    Attributes:
        scores: ``[N]``.
        grads: ``[N, 3, h, w]``, of the scores at the inputs.
        activations: how often each activation function was called, by name.
    """

    scores: Tensor
    grads: Tensor
    activations: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Question:
    """One target of one network on one photo.

    Attributes:
        module: a shadow of the network, for this question alone.
        input: float32 ``[1, 3, h, w]``, what the network is given, on its device.
        window: where the input lies on the photo.
        target: what is explained.
        score: maps (module, inputs ``[N, 3, h, w]``, recorded layers) to N numbers.
        logits: maps (module, inputs) to the logits of all classes ``[N, C]``; classifiers only.
        labels: the classes of those logits.
        mean, std: of the normalisation, to find black and to show the input; ``[3]``.
        needed: layers that the score reads.
        known: gradients at the input itself by rule, so that methods share one pass.
        kind: identifies the weights and the kind of target: questions of one kind depend on the
            same layers. Empty where that is not known.
        notes: what a reader of every map of this target must know, sentences.
    """

    module: nn.Module
    input: Tensor
    window: Window
    target: Target
    score: Score
    logits: Callable[[nn.Module, Tensor], Tensor] | None
    labels: tuple[str, ...]
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    needed: tuple[str, ...] = field(default=())
    known: dict[str, Gradients] = field(default_factory=dict)
    kind: tuple[Hashable, ...] = ()
    notes: tuple[str, ...] = ()

    def on_photo(self, values: Tensor) -> np.ndarray:
        """Carry a map over the whole input, padding included, to the photo.

        Args:
            values: ``[C, h, w]`` of any resolution.

        Returns:
            float32 ``[H, W]`` for one channel, else ``[H, W, C]``; 0 where nothing was seen.
        """
        whole = self.input.shape[-2:]
        if values.shape[-2:] != whole:
            values = F.interpolate(
                values[None].float(), size=whole, mode="bilinear", align_corners=False
            )[0]
        return self.window.to_photo(values[:, : self.window.height, : self.window.width])

    def run(
        self, x: Tensor, layers: Sequence[str] = (), every_map: bool = False
    ) -> tuple[Tensor, Recorded]:
        """The target's score for a batch of inputs, in the graph, and what layers put out."""
        names = tuple(dict.fromkeys((*layers, *self.needed)))
        with devices.forward_slot(), recording(self.module, names, every_map) as kept:
            return self.score(self.module, x, kept), kept

    def own_gradients(self, rule: str = "plain") -> Gradients:
        """``gradients`` at the input itself, computed once for each rule."""
        if rule not in self.known:
            self.known[rule] = self.gradients(self.input, rule)
        return self.known[rule]

    def gradients(self, x: Tensor, rule: str = "plain") -> Gradients:
        """Scores of inputs ``[N, 3, h, w]`` and their gradients under a ReLU rule."""
        with differentiable():
            x = x.detach().clone().requires_grad_(True)
            with relu_rule(rule), counted_activations() as calls:  # the inner one counts
                scores, _ = self.run(x)
            (grad,) = torch.autograd.grad(scores.sum(), x)
        return Gradients(scores.detach(), grad, dict(calls))


@contextmanager
def differentiable() -> Iterator[None]:
    """Gradients on, whatever the caller switched off; one pass at a time on the device."""
    with torch.inference_mode(False), torch.enable_grad(), devices.forward_slot():
        yield


def ask(model: Any, photo: Photo, trace: Trace, target: Target) -> Question:
    """Bind a target to a network and a photo.

    Args:
        model: a ``vision_core.models.Model`` or a torchvision detection module, in eval mode.
        photo: the photo of the trace.
        trace: what the network said of it.
        target: what to explain; a listed detection is one at the network's own thresholds.

    Raises:
        UserError: the target does not fit the network, or does not occur.
    """
    net = network(model)
    if isinstance(target, ListedTarget) and isinstance(trace, DetectionTrace):
        target = resolved(target, trace.select(trace.defaults).detections)
    with torch.inference_mode(False), torch.no_grad(), devices.forward_slot():
        if isinstance(trace, DetectionTrace):
            found = _of_detector(net, photo, trace, target)
        else:
            found = _of_preset_network(net, photo, trace, target)
    return replace(found, kind=(net.name, net.fingerprint, *_kind(trace, target)))


def _kind(trace: Trace, target: Target) -> tuple[Hashable, ...]:
    """What decides which layers a target depends on: its form, and the level of its anchor."""
    told: tuple[Hashable, ...] = (type(target).__name__, getattr(target, "part", ""))
    if isinstance(target, BoxTarget | JointTarget) and isinstance(trace, DetectionTrace):
        return (*told, int(trace.level[target.candidate]))
    return (*told, target.layer) if isinstance(target, UnitTarget) else told


def default_target(trace: Trace, found: Detections | None = None) -> Target:
    """The top prediction: best class, best box, largest region; a joint of the best person.

    Args:
        trace: what a network said.
        found: the detections that a reader sees, best first; those at the network's own
            thresholds if left out. Where there are none, the best candidate is taken.

    Raises:
        UserError: the network found nothing.
    """
    if isinstance(trace, ClassificationTrace):
        return ClassTarget(trace.top(1)[0][0])
    if isinstance(trace, SegmentationTrace):
        pixels = trace.pixel_counts().items()
        counts = [(n, name) for name, n in pixels if name.strip("_") != "background"]
        if not counts:
            raise UserError("The network calls the whole photo background; there is no region.")
        return RegionTarget(max(counts)[1])
    if not len(trace):
        raise UserError("The detector has no candidate on this photo, so there is no box.")
    found = trace.select(trace.defaults).detections if found is None else found
    best = int(found.candidate[0]) if len(found) else int(trace.scores.argmax())
    if trace.joints and trace.info.family != NO_HEATMAPS:
        return JointTarget(best, trace.joints[-1])
    return BoxTarget(best)


def _of_preset_network(
    net: Network, photo: Photo, trace: ClassificationTrace | SegmentationTrace, target: Target
) -> Question:
    x = prepared(net, photo)
    window = of_preset(net.preset, x, (photo.width, photo.height))
    module, labels = shadow(net.module), net.labels

    def logits(module: nn.Module, batch: Tensor) -> Tensor:
        return module(batch)

    if isinstance(target, UnitTarget):
        return _unit(module, x[None], window, target, heads.preset_network, labels)
    if isinstance(trace, SegmentationTrace) and isinstance(target, RegionTarget):
        score = heads.region(trace, window, target, _index(labels, target.label))
        return Question(module, x[None], window, target, score, None, labels)
    if isinstance(trace, ClassificationTrace) and isinstance(target, ClassTarget):
        score = heads.class_logit(_index(labels, target.label))
        return Question(module, x[None], window, target, score, logits, labels)
    raise UserError(f"{net.name} has no target {target}; it is a {_KINDS[type(trace)]}.")


_KINDS = {
    ClassificationTrace: "classifier: name one of its classes",
    SegmentationTrace: "segmenter: write region:NAME",
}


def _of_detector(net: Network, photo: Photo, trace: DetectionTrace, target: Target) -> Question:
    candidate = getattr(target, "candidate", None)
    if candidate is not None and not 0 <= candidate < len(trace):
        raise UserError(f"There is no candidate {candidate}; the photo has {len(trace)} of them.")
    if isinstance(target, JointTarget):
        return _of_joint(net, photo, trace, target)
    if net.detector is not None:
        if isinstance(target, UnitTarget) and target.layer in dict(net.module.named_modules()):
            x, window = heads.best_person(net, photo, trace)
            person = heads.preset_network
            return _unit(shadow(net.module), x, window, target, person, net.labels)
        net = network(net.detector)
    x, window, size = heads.transformed(net, photo)
    module = shadow(net.module)
    if isinstance(target, UnitTarget):
        return _unit(module, x, window, target, heads.dense_parts, net.labels)
    if not isinstance(target, BoxTarget):
        raise UserError(f"{net.name} has no target {target}; it is a detector: write box:N.")
    label = _index(net.labels, trace.label(target.candidate))
    score = heads.box(net.module, trace, target, label, size, window)
    note = heads.border_note(trace, target, size)
    return Question(
        module,
        x,
        window,
        target,
        score,
        None,
        net.labels,
        *heads.statistics(module),
        notes=(note,) if note else (),
    )


def _of_joint(net: Network, photo: Photo, trace: DetectionTrace, target: JointTarget) -> Question:
    if target.joint not in trace.joints:
        known = ", ".join(trace.joints) or "none"
        raise UserError(f"{net.name} has no joint {target.joint!r}; its joints: {known}.")
    joint = trace.joints.index(target.joint)
    if net.detector is not None:
        x, window = heads.person_crop(net, photo, trace, target.candidate)
        module = shadow(net.module)
        return Question(module, x, window, target, heads.crop_joint(module, x, joint), None, ())
    x, window, size = heads.transformed(net, photo)
    module = shadow(net.module)
    score = heads.roi_joint(module, x, trace, target.candidate, joint, size)
    return Question(module, x, window, target, score, None, net.labels, *heads.statistics(module))


def _unit(
    module: nn.Module,
    x: Tensor,
    window: Window,
    target: UnitTarget,
    run: Callable[[nn.Module, Tensor], Any],
    labels: tuple[str, ...],
) -> Question:
    def score(module: nn.Module, batch: Tensor, recorded: Recorded) -> Tensor:
        run(module, batch)
        return heads.unit_of(recorded[target.layer], target)

    question = Question(module, x, window, target, score, None, labels, needed=(target.layer,))
    with torch.no_grad():
        question.run(x)  # says now whether the unit is there
    return question


def _index(labels: Sequence[str], name: str) -> int:
    if name not in labels:
        shown = ", ".join(list(labels)[:8])
        raise UserError(
            f"The network has no class {name!r}; its classes are {shown}"
            f"{' ...' if len(labels) > 8 else ''}."
        )
    return list(labels).index(name)
