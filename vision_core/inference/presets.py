"""A photo through torchvision's presets, with a bound on what a long thin photo may ask for.

A preset scales the shorter side to a fixed length. A photo of 4096x1 pixels would become one of
200 megapixels, and take the server with it.
"""

from __future__ import annotations

import copy
import math
from typing import Any

from torch import Tensor
from torchvision.transforms.functional import center_crop

from vision_core import devices
from vision_core.images import Photo
from vision_core.inference.families import Network

MAX_PIXELS = 4_000_000  # after the preset's resize; reached from about 15:1 on at 520 pixels


def prepared(net: Network, photo: Photo) -> Tensor:
    """The network's input, float32 [3, h, w], as the network's preset makes it.

    Only where the resized photo would exceed ``MAX_PIXELS``: a classifier gets the central square
    of the photo first, which holds all that its crop shows; a segmenter gets a smaller picture.
    """
    image, preset = devices.uint8_tensor(photo, net.device), net.preset
    assert preset is not None
    short, long = sorted((photo.width, photo.height))
    if not too_long(net, photo):
        return preset(image)
    if hasattr(preset, "crop_size"):
        return preset(center_crop(image, [short, short]))
    smaller: Any = copy.copy(preset)
    smaller.resize_size = [max(1, int(math.sqrt(MAX_PIXELS * short / long)))]
    return smaller(image)


def too_long(net: Network, photo: Photo) -> bool:
    """Whether the preset would make more than ``MAX_PIXELS`` of a photo that is long and thin."""
    short, long = sorted((photo.width, photo.height))
    side = int(net.preset.resize_size[0])  # type: ignore[union-attr]
    return side * side * long / short > MAX_PIXELS
