"""What the network lab costs: python -m benchmarks.lab

A gallery of 500 crops of the sample photos: vectors in passes of one picture, and the exact t-SNE
against scikit-learn's, whose final divergence stands beside ours. LRP with its composite of rules
against zennit's, in turn, on the bundled classifiers.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.manifold import TSNE
from zennit.attribution import Gradient
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.composites import EpsilonGammaBox
from zennit.torchvision import ResNetCanonizer

from benchmarks.common import cat, in_turn, network, report
from vision_core import samples
from vision_core.attribution import ask, default_target
from vision_core.attribution.lrp import lrp
from vision_core.attribution.shadow import shadow
from vision_core.inference import trace
from vision_core.space import maps
from vision_core.space.pictures import MOST, cut
from vision_core.space.vectors import measure
from vision_core.style.cost import seconds_of_step
from vision_core.style.patterns import pattern
from vision_core.style.settings import OPTIMISERS, StyleSettings
from vision_core.style.transfer import StyleRun

LAYER = "trunk.stages.2"
PERPLEXITY = 30.0


def main() -> None:
    """Print the seconds of each part as a ratio to what it is compared with."""
    _lrp()
    _space()


def _space() -> None:
    """Vectors, t-SNE and placing."""
    model, crops = network("resnet_s"), _crops(MOST)
    list(measure(model, crops[:16], LAYER))
    began = time.perf_counter()
    for crop in crops[:32]:
        list(measure(model, [crop], LAYER))
    each = (time.perf_counter() - began) / 32
    began = time.perf_counter()
    *_, last = measure(model, crops, LAYER)
    whole = time.perf_counter() - began
    assert last.vectors is not None
    x = last.vectors.means
    report("lab", what="vectors", crops=MOST, seconds=whole, ratio_to_single=whole / (each * MOST))
    began = time.perf_counter()
    *_, made = maps.tsne(x, PERPLEXITY)
    ours = time.perf_counter() - began
    for method in ("exact", "barnes_hut"):
        theirs = TSNE(perplexity=PERPLEXITY, method=method, init="pca", max_iter=maps.STEPS)
        began = time.perf_counter()
        theirs.fit(x.astype(np.float64))
        seconds = time.perf_counter() - began
        report(
            "lab",
            what="t-SNE",
            crops=MOST,
            seconds=ours,
            divergence=made.divergence,
            against=method,
            ratio=ours / seconds,
            their_divergence=float(theirs.kl_divergence_),
        )
    began = time.perf_counter()
    maps.place(x[:1], x, made.points)
    placing = time.perf_counter() - began
    report("lab", what="one picture placed", seconds=placing, ratio_to_map=placing / ours)
    _style_step()


def _style_step(steps: int = 20, side: int = 192) -> None:
    """Seconds of a style step, beside what the page tells before the start."""
    model, photo = network("vgg_s"), samples.sample("cat")
    for optimiser in OPTIMISERS:
        settings = StyleSettings(side=side, optimiser=optimiser)
        told = seconds_of_step(model, settings, (photo.width, photo.height))
        made = StyleRun(model, photo, pattern("mosaic"), settings)
        began = time.perf_counter()
        made.grow(steps)
        each = (time.perf_counter() - began) / steps
        report(
            "lab",
            what="a style step",
            optimiser=optimiser,
            side=side,
            seconds=each,
            ratio_to_told=each / told,
        )


def _lrp() -> None:
    """Relevance of the best class, ours and zennit's; the largest difference as a share."""
    for name in ("alexnet_s", "vgg_s", "resnet_s"):
        model, photo = network(name), cat()
        found = trace(model, photo)
        target = default_target(found)
        question = ask(model, photo, found, target)
        chosen = torch.nn.functional.one_hot(
            torch.tensor([question.labels.index(str(target))]), len(question.labels)
        )
        mean, std = (torch.tensor(v)[None, :, None, None] for v in (question.mean, question.std))
        canon = [ResNetCanonizer() if name == "resnet_s" else SequentialMergeBatchNorm()]
        composite = EpsilonGammaBox(low=-mean / std, high=(1 - mean) / std, canonizers=canon)
        net = shadow(model.module, lambda p: torch.nn.Parameter(p.detach().clone()))

        def theirs(
            net: Any = net, made: Any = composite, q: Any = question, c: Any = chosen
        ) -> Any:
            with Gradient(net, made) as attributor:
                return attributor(q.input.clone(), lambda out: out * c)[1][0]

        ours = lrp(question).values
        apart = float((ours - theirs()).abs().max() / ours.abs().max())
        own, other = in_turn(partial(lrp, question), theirs, 9)
        report("lab", what="LRP", model=name, ms=own, ratio_to_zennit=own / other, apart=apart)


def _crops(count: int) -> list:  # type: ignore[type-arg]
    """Crops of all sample photos, drawn once and for all."""
    rng, made = np.random.default_rng(0), []
    photos = [samples.sample(name) for name in samples.names()]
    for i in range(count):
        photo = photos[i % len(photos)]
        size = np.array([photo.width, photo.height]) * rng.uniform(0.25, 0.7)
        x, y = rng.uniform(0, [photo.width - size[0], photo.height - size[1]])
        made.append(cut(photo, (x, y, x + size[0], y + size[1])))
    return made


if __name__ == "__main__":
    main()
