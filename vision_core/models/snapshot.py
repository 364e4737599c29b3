"""What torchvision's weights enums tell of its models, as a file: cards need no PyTorch to be read.

``python -m vision_core.models.snapshot`` writes the file anew from the torchvision installed.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("torchvision.json")


@functools.cache
def facts() -> dict[str, Any]:
    """The file's content; see ``taken``."""
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def taken() -> dict[str, Any]:
    """The same from torchvision itself, of each builder's default weights.

    Returns:
        ``categories`` (lists of class names, by the first builder that uses each) and ``models``:
        by builder ``weights`` (``ENUM.MEMBER``), ``url``, ``parameters``, ``bytes``, ``metrics`` by
        data set, ``categories`` (a key of the lists), and where there are any ``joints``,
        ``crop`` and ``resize`` (pixels, of a classifier's preset) and ``licence`` (an address).
    """
    from torchvision.models import get_model_weights

    from vision_core.models.table import ROWS

    lists: dict[tuple[str, ...], str] = {}
    models: dict[str, Any] = {}
    for row in ROWS:
        weights: Any = get_model_weights(row.builder).DEFAULT
        meta = weights.meta
        made: dict[str, Any] = {
            "weights": f"{type(weights).__name__}.{weights.name}",
            "url": weights.url,
            "parameters": meta["num_params"],
            "bytes": round(meta["_file_size"] * 2**20),
            "metrics": meta["_metrics"],
            "categories": lists.setdefault(tuple(meta["categories"]), row.builder),
        }
        if "keypoint_names" in meta:
            made["joints"] = list(meta["keypoint_names"])
        if "license" in meta:
            made["licence"] = meta["license"]
        if row.task == "classification":
            preset = weights.transforms()
            made |= {"crop": preset.crop_size[0], "resize": preset.resize_size[0]}
        models[row.builder] = made
    return {"categories": {key: list(names) for names, key in lists.items()}, "models": models}


def main() -> None:
    """Write the file."""
    FILE.write_text(json.dumps(taken(), indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
