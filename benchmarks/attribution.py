"""Attribution against Captum doing the same.

Promises: Grad-CAM at four layers in at most half the time of four Captum calls; occlusion for ten
classes in at most a fifth of ten Captum runs. SmoothGrad with 32 samples and peak memory are
reported beside them. Run: python -m benchmarks.attribution
"""

from __future__ import annotations

import resource
import statistics
from collections.abc import Callable
from typing import Any

import torch
from captum.attr import LayerGradCam, NoiseTunnel, Occlusion, Saliency

from benchmarks.common import cat, in_turn, milliseconds, network, report
from vision_core.attribution import Question, ask
from vision_core.attribution.cam import gradcam
from vision_core.attribution.gradients import smoothgrad
from vision_core.attribution.occlusion import sweep
from vision_core.inference import trace
from vision_core.records.targets import ClassTarget

MODEL, CLASSES = "resnet18", 10
LAYERS = ("layer1", "layer2", "layer3", "layer4")


def compared(ours: Callable[[], Any], captum: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Medians of both, and ours as a share of Captum's."""
    mine, theirs = in_turn(ours, captum, repeats)
    return {
        "ours_ms": round(mine, 1),
        "captum_ms": round(theirs, 1),
        "share": round(mine / theirs, 3),
    }


def gradcams(question: Question, module: torch.nn.Module, index: int) -> dict[str, float]:
    """Grad-CAM at four layers."""
    cams = [LayerGradCam(module, module.get_submodule(name)) for name in LAYERS]

    def captum() -> None:
        for cam in cams:
            cam.attribute(question.input, target=index, relu_attributions=True)

    return compared(lambda: gradcam(question, LAYERS), captum, 9)


def occlusions(question: Question, module: torch.nn.Module) -> dict[str, float]:
    """Occlusion maps of ten classes: one sweep here, a run for each class there."""
    method, labels = Occlusion(module), question.labels[:CLASSES]

    def ours() -> None:
        *_, done = sweep(question, patch=56, stride=28)
        for label in labels:
            done.values(label)

    def captum() -> None:
        with torch.no_grad():
            for index in range(CLASSES):
                method.attribute(
                    question.input,
                    (3, 56, 56),
                    strides=(3, 28, 28),
                    target=index,
                    baselines=0,
                    perturbations_per_eval=8,
                )

    return compared(ours, captum, 3)


def smoothgrads(question: Question, module: torch.nn.Module, index: int) -> dict[str, float]:
    """SmoothGrad with 32 samples; Captum's default runs them all at once."""
    tunnel = NoiseTunnel(Saliency(module))

    def captum() -> None:
        tunnel.attribute(question.input.clone(), nt_samples=32, target=index, abs=False)

    return compared(lambda: list(smoothgrad(question, 32)), captum, 3)


def main() -> None:
    """Compare on ResNet-18 with random weights: the time does not depend on them."""
    photo, model = cat(), network(MODEL)
    found = trace(model, photo)
    label = found.info.labels[0]
    question = ask(model, photo, found, ClassTarget(label))
    figures: dict[str, Any] = {
        "gradcam_at_four_layers": {**gradcams(question, model.module, 0), "promised_share": 0.5},
        "occlusion_of_ten_classes": {**occlusions(question, model.module), "promised_share": 0.2},
        "smoothgrad_32": smoothgrads(question, model.module, 0),
    }
    small = network("resnet_s")
    seen = trace(small, photo)
    own = ask(small, photo, seen, ClassTarget("cat"))
    figures["bundled_ms"] = {
        "gradient": round(statistics.median(milliseconds(lambda: own.gradients(own.input), 9)), 1),
        "occlusion": round(statistics.median(milliseconds(lambda: list(sweep(own)), 3)), 1),
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report("attribution", **figures, peak_megabytes=round(peak))


if __name__ == "__main__":
    main()
