"""The losses of Gatys, Ecker and Bethge, "Image Style Transfer Using CNNs" (CVPR 2016)."""

from __future__ import annotations

from torch import Tensor


def gram(features: Tensor) -> Tensor:
    """The Gram matrix of a layer: which channels are active at the same places.

    The paper's matrix is the sum over places; this is the mean, so that pictures of any size can
    be compared.

    Args:
        features: ``[1, C, H, W]``.

    Returns:
        ``[C, C]``, symmetric: the mean over places of the product of every two channels.
    """
    flat = features.flatten(2)[0]
    return flat @ flat.T / flat.shape[1]


def style_loss(features: Tensor, target: Tensor) -> Tensor:
    """E of the paper (its equation 4), for sums over M places and N channels.

    ``1 / (4 N² M²) Σ (G - A)²`` with Gram matrices that are sums equals ``1 / (4 N²) Σ (G - A)²``
    with means.

    Args:
        features: ``[1, N, H, W]`` of the picture.
        target: ``[N, N]``, ``gram`` of the style.
    """
    return (gram(features) - target).square().sum() / (4 * target.shape[0] ** 2)


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Half the mean square of the differences.

    The paper's equation 1 has the sum; with the mean a ratio of weights means the same at all
    sizes.

    Args:
        features, target: ``[1, N, H, W]`` of picture and content photo.
    """
    return (features - target).square().mean() / 2


def total_variation(picture: Tensor) -> Tensor:
    """Mean square of the differences of neighbours, across and down (Mahendran and Vedaldi 2015).

    Args:
        picture: ``[1, 3, H, W]`` in 0..1; a side of one pixel has no neighbours and adds 0.
    """
    down = picture[:, :, 1:] - picture[:, :, :-1]
    across = picture[:, :, :, 1:] - picture[:, :, :, :-1]
    parts = [part.square().mean() for part in (down, across) if part.numel()]
    return sum(parts, picture.new_zeros(()))
