"""Maps as the league compares them: one value for each pixel that the network sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from vision_core.attribution import Question
from vision_core.attribution.estimates import Estimate
from vision_core.attribution.geometry import Window
from vision_core.attribution.sanity import edges
from vision_core.images import from_array


@dataclass(frozen=True, eq=False)
class InputMap:
    """A map over the network's input, padding left out.

    Attributes:
        values: float32 ``[h, w]``, read-only: the sum over the colours, in the method's unit.
        window: where it lies on the photo.
    """

    values: np.ndarray
    window: Window

    def middles(self) -> tuple[np.ndarray, np.ndarray]:
        """x of each column and y of each row, photo pixels."""
        at = self.window
        x = (np.arange(at.width) + 0.5) * at.scale_x + at.left
        y = (np.arange(at.height) + 0.5) * at.scale_y + at.top
        return x, y

    def on_photo(self) -> np.ndarray:
        """float32 ``[H, W]`` at the photo's size; 0 where the network saw nothing."""
        return self.window.to_photo(torch.from_numpy(self.values.copy())[None])


def of_estimate(question: Question, estimate: Estimate) -> InputMap:
    """The map of a method's last estimate."""
    values = estimate.values() if callable(estimate.values) else estimate.values
    assert values is not None, "a method ends with its map"
    signed = values.detach().float().sum(0)[None, None]
    size = question.input.shape[-2:]
    if signed.shape[-2:] != size:
        signed = F.interpolate(signed, size=size, mode="bilinear", align_corners=False)
    return _held(question, signed[0, 0].cpu().numpy())


def of_edges(question: Question) -> InputMap:
    """The Sobel gradient magnitude of what the network sees: a map that knows no network."""
    x = question.input[0].detach().cpu()
    mean, std = (torch.tensor(v)[:, None, None] for v in (question.mean, question.std))
    seen = (x * std + mean).clamp(0, 1).permute(1, 2, 0) * 255
    return _held(question, edges(from_array(seen.round().to(torch.uint8).numpy())))


def _held(question: Question, values: np.ndarray) -> InputMap:
    window = question.window
    own = np.ascontiguousarray(values[: window.height, : window.width], np.float32)
    own.setflags(write=False)
    return InputMap(own, window)
