"""What the feature space and a step of style transfer cost: python -m benchmarks.lab

A gallery of 500 crops of the sample photos: vectors in passes of one picture, and the exact t-SNE
against scikit-learn's, whose final divergence stands beside ours.
"""

from __future__ import annotations

import time

import numpy as np
from sklearn.manifold import TSNE

from benchmarks.common import network, report
from vision_core import samples
from vision_core.space import maps
from vision_core.space.pictures import MOST, cut
from vision_core.space.vectors import measure
from vision_core.style.patterns import pattern
from vision_core.style.settings import OPTIMISERS, StyleSettings
from vision_core.style.transfer import StyleRun, seconds_of_step

LAYER = "trunk.stages.2"
PERPLEXITY = 30.0


def main() -> None:
    """Print seconds of vectors, t-SNE and placing, each as a ratio to what it is compared with."""
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
