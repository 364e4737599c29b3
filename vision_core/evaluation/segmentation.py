"""Mean intersection over union of class maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.errors import UserError
from vision_core.evaluation.annotations import AnnotatedPhoto
from vision_core.evaluation.sources import Source, read_photo

IGNORED = 255
VOC_TO_LABEL = {8: 1, 10: 2, 12: 3, 13: 4, 15: 5, 17: 6}
"""VOC's class numbers of cat, cow, dog, horse, person, sheep -> label of ``fcn_voc_s``."""


def relabel() -> Tensor:
    """Return ``[256]`` uint8: VOC's class number -> label; other classes become background."""
    table = torch.zeros(256, dtype=torch.uint8)
    for number, label in VOC_TO_LABEL.items():
        table[number] = label
    table[IGNORED] = IGNORED
    return table


def people_table() -> Tensor:
    """Return ``[256]`` uint8 for ``person_masks``: 1 is a person, everything else background."""
    table = torch.zeros(256, dtype=torch.uint8)
    table[1] = VOC_TO_LABEL[15]
    return table


def street_table() -> Tensor:
    """Return ``[256]`` uint8 for ``camvid``: its eleven classes as they are, the rest ignored."""
    table = torch.full((256,), IGNORED, dtype=torch.uint8)
    table[:11] = torch.arange(11, dtype=torch.uint8)
    return table


def street_photos(data: Path, split: str) -> list[AnnotatedPhoto]:
    """Return the frames of ``camvid`` with their masks; ``split`` is "train", "val" or "test".

    Raises:
        UserError: if the data are not there.
    """
    folder = data / "camvid" / split
    if not (folder / "images").is_dir():
        raise UserError(f"No data set camvid/{split} in {data}; give its folder with --data.")
    none, unlabelled = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    return [
        AnnotatedPhoto(path, none, unlabelled, folder / "masks" / f"{path.stem}.png")
        for path in sorted((folder / "images").iterdir())
    ]


def confusion(truth: Tensor, predicted: Tensor, classes: int) -> Tensor:
    """Return ``[classes, classes]`` counts of pixels: rows are true, columns predicted.

    Pixels whose truth is ``IGNORED`` do not count.
    """
    counted = truth != IGNORED
    index = truth[counted].long() * classes + predicted[counted].long()
    return torch.bincount(index, minlength=classes**2).reshape(classes, classes)


def intersection_over_union(counts: Tensor) -> Tensor:
    """Return each class's IoU from a confusion matrix; NaN for a class that never occurs."""
    both = counts.diag().double()
    return both / (counts.sum(0) + counts.sum(1) - counts.diag())


class Certainty:
    """From which probability on the class of a pixel is right often enough."""

    def __init__(self, background: int | None = None, steps: int = 100) -> None:
        self.background = background
        """Label that is not judged: nobody asks whether the background is really there."""
        self.right = torch.zeros(steps, dtype=torch.long)
        self.all = torch.zeros(steps, dtype=torch.long)

    def add(self, probabilities: Tensor, truth: Tensor) -> None:
        """Count the pixels of a photo.

        Args:
            probabilities: ``[C, H, W]``, which add up to 1 at each pixel.
            truth: ``[H, W]`` labels; ``IGNORED`` ones do not count.
        """
        best, label = probabilities.max(0)
        counted = truth != IGNORED
        if self.background is not None:
            counted &= label != self.background
        steps = len(self.all)
        step = (best[counted] * steps).long().clamp(max=steps - 1)
        right = label[counted] == truth[counted]
        self.all += torch.bincount(step, minlength=steps)
        self.right += torch.bincount(step[right], minlength=steps)

    def sure_from(self, wanted: float = 0.75) -> float:
        """The lowest probability from which the share ``wanted`` of the pixels is right.

        It is 1 where no probability is high enough.
        """
        above = self.all.flip(0).cumsum(0).flip(0)
        right = self.right.flip(0).cumsum(0).flip(0)
        enough = ((above > 0) & (right >= wanted * above)).nonzero()
        return float(enough[0]) / len(self.all) if len(enough) else 1.0


def score_segmenter(
    network: nn.Module,
    preset: Callable[[Any], Tensor],
    photos: Sequence[AnnotatedPhoto],
    names: Sequence[str],
    table: Tensor | None = None,
    certainty: Certainty | None = None,
) -> dict[str, float]:
    """Return the mean IoU and each class's IoU at the size of the masks.

    ``table`` turns a mask's numbers into labels: ``relabel`` (for VOC) unless another is given.
    ``certainty`` counts the pixels too.

    Logits are enlarged to the mask, then argmax, as at inference.
    """
    device = next(network.parameters()).device
    table = relabel() if table is None else table
    counts = torch.zeros(len(names), len(names), dtype=torch.long)
    with torch.inference_mode():
        for photo in photos:
            if photo.mask is None:
                continue
            truth = table[torch.from_numpy(np.array(Image.open(photo.mask))).long()]
            picture = preset(read_photo(Source(photo.path)))
            logits = network(picture[None].to(device))["out"].cpu()
            logits = F.interpolate(logits, size=truth.shape, mode="bilinear", align_corners=False)
            counts += confusion(truth, logits[0].argmax(0), len(names))
            if certainty is not None:
                certainty.add(logits[0].softmax(0), truth)
    each = intersection_over_union(counts)
    return {"mIoU": float(each.nanmean())} | {
        f"IoU {name}": float(value) for name, value in zip(names, each, strict=True)
    }
