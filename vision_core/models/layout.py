"""Layers whose output is no map of channels, rows and columns: those of transformers, mostly.

A transformer computes with a list of patches (ViT, Dosovitskiy et al. 2020), with rows, columns and
channels in this order (Swin, Liu et al. 2021, and the inside of a ConvNeXt block) or with windows
(MaxViT, Tu et al. 2022). Read as channels, rows and columns, such numbers give a wrong picture.
"""

from __future__ import annotations

from torch import nn
from torchvision.models.convnext import CNBlock
from torchvision.models.maxvit import PartitionAttentionLayer
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.models.vision_transformer import VisionTransformer

_BETWEEN_PERMUTES = range(1, 6)  # of the layers of a ConvNeXt block


def not_maps(network: nn.Module) -> frozenset[str]:
    """Names of a network's modules whose output has no channels, rows and columns."""
    found: set[str] = set()
    for name, part in network.named_modules():
        start = f"{name}." if name else ""
        inside = {start + inner for inner, _ in part.named_modules() if inner}
        if isinstance(part, SwinTransformer):
            patches = {n for n in inside if n.startswith((f"{start}features", f"{start}norm"))}
            found |= patches - {f"{start}features.0.0"}  # the convolution that makes them
        elif isinstance(part, VisionTransformer):
            found |= {n for n in inside if n.startswith(f"{start}encoder")}
        elif isinstance(part, CNBlock):
            found |= {f"{start}block.{i}" for i in _BETWEEN_PERMUTES}
        elif isinstance(part, PartitionAttentionLayer):
            found |= inside
    return frozenset(found)
