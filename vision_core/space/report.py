"""A gallery in the space of a layer as plain values: what the command line writes as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from vision_core.errors import UserError
from vision_core.space import maps, patches
from vision_core.space.neighbours import Metric, Nearest, nearest
from vision_core.space.pictures import SmallPicture
from vision_core.space.vectors import LayerVectors, measure, pixel_vectors

_WIDE = 64
Kind = Literal["pca", "tsne"]


def usual_layer(known: Mapping[str, tuple[int, ...]]) -> str:
    """The last layer with many channels, where pictures that mean the same lie together.

    Args:
        known: layers in the order in which they run, with their shapes (C, h, w).
    """
    names = trunk_of(known)
    return max(names, key=lambda name: (known[name][0] >= _WIDE, names.index(name)))


def trunk_of(known: Mapping[str, tuple[int, ...]]) -> list[str]:
    """The layers of a network's trunk: of a detector those before its pyramid and heads."""
    for lead in ("backbone.trunk.", "backbone.body.", "backbone."):
        if names := [name for name in known if name.startswith(lead)]:
            return names
    return list(known)


def record(
    model: Any,
    pictures: Sequence[SmallPicture],
    layer: str,
    *,
    count: int = 5,
    metric: Metric = "euclidean",
    kind: Kind = "pca",
    perplexity: float = 15.0,
    channel: int | None = None,
) -> dict[str, Any]:
    """Vectors, neighbours and a map of pictures; with a channel also what excites it most.

    Args:
        model: the network.
        pictures: at least two.
        layer: name of a layer.
        count: neighbours of each picture.
        metric: of the neighbours at the layer; pixels are compared by their Euclidean distance.
        kind: of the map.
        perplexity: of a t-SNE.
        channel: of the layer.

    Raises:
        UserError: fewer pictures than that, or no such layer or channel.
    """
    if len(pictures) < 2:
        raise UserError("A gallery needs at least two photos; name more.")
    if kind == "tsne" and len(pictures) < 4:
        raise UserError(
            f"A t-SNE needs at least 4 pictures, and the gallery holds {len(pictures)}."
        )
    photos = [p.photo for p in pictures]
    *_, last = measure(model, photos, layer)
    assert last.vectors is not None
    found = last.vectors
    return {
        "layer": layer,
        "metric": metric,
        "pictures": _pictures(pictures, found, count, metric),
        "map": _map(found, kind, perplexity),
        "patches": None if channel is None else _patches(model, photos, found, channel),
    }


def _pictures(
    pictures: Sequence[SmallPicture], found: LayerVectors, count: int, metric: Metric
) -> list[dict[str, Any]]:
    """Each picture with its vector and its neighbours."""
    pixels, rows = pixel_vectors([p.photo for p in pictures]), []
    for i, one in enumerate(pictures):
        here = nearest(found.means, found.means[i], count, metric, i)
        plain = nearest(pixels, pixels[i], count, "euclidean", i)
        rows.append(
            {
                "name": one.name,
                "class": one.label,
                "vector": found.means[i],
                "nearest": _rows(here),
                "nearest_by_pixels": _rows(plain),
            }
        )
    return rows


def _rows(found: Nearest) -> list[dict[str, Any]]:
    pairs = zip(found.index, found.distance, strict=True)
    return [{"picture": i, "distance": d} for i, d in pairs]


def _map(found: LayerVectors, kind: Kind, perplexity: float) -> dict[str, Any]:
    if kind == "pca":
        made = maps.pca(found.means)
        return {"kind": kind, "points": made.points, "variance_share": made.share}
    used = min(perplexity, maps.most_perplexity(len(found.means)))
    *_, last = maps.tsne(found.means, used)
    return {
        "kind": kind,
        "points": last.points,
        "perplexity": used,
        "steps": last.total,
        "kl_divergence": last.divergence,
    }


def _patches(
    model: Any, photos: Sequence[Any], found: LayerVectors, channel: int
) -> dict[str, Any]:
    made = patches.strongest(model, photos, found, channel)
    return {
        "channel": channel,
        "strongest": [
            {"picture": p.index, "value": p.value, "unit": [p.row, p.column], "box": p.box}
            for p in made
        ],
    }
