"""What can be seen of a network that learns: filters, activations, and which class it takes for
which."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from vision_core import devices
from vision_core.teaching.network import PlainNet


def first_filters(network: nn.Module) -> np.ndarray:
    """Weights of the first convolution, float32 ``[K, C, h, w]``, a copy."""
    first = next(m for m in network.modules() if isinstance(m, nn.Conv2d))
    return first.weight.detach().float().numpy().copy()


def activations(network: PlainNet, picture: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """What each convolution makes of a picture, behind its ReLU and before pooling.

    Args:
        network: it is put into eval mode.
        picture: float32 ``[C, H, W]``.

    Returns:
        (words, float32 ``[K, h, w]``) of each layer.
    """
    network.eval()
    found = []
    x = torch.from_numpy(picture.copy())[None].to(next(network.parameters()).dtype)
    with devices.forward_slot(), torch.inference_mode():
        for at, layer in enumerate(network.layers, 1):
            if not isinstance(layer, nn.Sequential):
                continue
            for part in layer:
                x = part(x)
                if isinstance(part, nn.ReLU):
                    found.append((f"Layer {at}", x[0].float().numpy().copy()))
    return found


def confusion(said: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """How often each class was taken for each.

    Args:
        said: int ``[N]``, the best class of each picture.
        labels: int ``[N]``, the true one.
        classes: how many there are.

    Returns:
        int64 ``[classes, classes]``: true class by row, best class by column.
    """
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (labels, said), 1)
    return matrix
