"""The model card that lies beside a weights file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vision_core.errors import UserError
from vision_core.evaluation.sets import images_in
from vision_core.inference.pose import JOINTS, SKELETON
from vision_core.models import zoo
from vision_core.models.zoo.facts import FACTS
from vision_core.models.zoo.wording import LICENCE, TERMS
from vision_core.training.export import save_half


def write(
    names: Sequence[str],
    network: nn.Module,
    folder: Path,
    *,
    data: Path,
    training: Mapping[str, Any],
    history: Sequence[Mapping[str, float]],
) -> Path:
    """Write the weights (float16) and a card for each network in them into ``folder``.

    Scores and speed stay empty until ``vision_core.evaluation.score`` has measured them.

    Args:
        names: of the bundled networks that ``network`` holds; they share one stored file.
        network: with the weights to keep.
        folder: made if it is missing.
        data: folder of the data sets, for the number of pictures.
        training: command, seed, minutes, epochs, hardware.
        history: rows with epoch, loss and score.

    Returns:
        The path of the first card.
    """
    weights = folder / f"{zoo.stem(names[0])}.safetensors"
    digest = save_half(network, weights)
    for name in names:
        card = {
            **describe(name, data),
            "file": weights.name,
            "bytes": weights.stat().st_size,
            "sha256": digest,
            "training": dict(training),
            "history": [dict(row) for row in history],
        }
        save(card, folder / f"{name}.json")
    return folder / f"{names[0]}.json"


def describe(name: str, data: Path) -> dict[str, Any]:
    """Return what a card says that no run changes; weights and scores are still empty."""
    facts = FACTS[name]
    title, authors, year = facts.paper
    card: dict[str, Any] = {
        "name": name,
        "title": facts.title,
        "task": facts.task,
        "family": facts.family,
        "labels": list(facts.labels),
        "architecture": facts.architecture,
        "parameters": sum(p.numel() for p in zoo.build(name).parameters()),
        "file": None,
        "bytes": None,
        "sha256": None,
        "data": [
            {"name": d, "split": "train", "images": images_in(data, d), "terms": TERMS[d]}
            for d in facts.data
        ],
        "training": {},
        "scores": [],
        "speed_ms_640x480": None,
        "paper": {"title": title, "authors": authors, "year": year},
        "licence": LICENCE,
        "input": facts.input,
        "limits": facts.limits,
        "history": [],
    }
    if facts.task == "pose":
        card |= {"joints": list(JOINTS), "skeleton": [list(pair) for pair in SKELETON]}
    return card


def carry_over(name: str, old: Path, folder: Path, weights: Path) -> None:
    """Copy the card of a network whose unchanged tensors now lie in another stored file."""
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    card = read(old) | {"bytes": weights.stat().st_size, "sha256": digest, "scores": []}
    save(card, folder / f"{name}.json")


def save(card: Mapping[str, Any], path: Path) -> Path:
    """Write a card as readable JSON."""
    path.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read(path: Path) -> dict[str, Any]:
    """Read a card.

    Raises:
        UserError: if it is missing or is no JSON.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"The model card {path} cannot be read: {error}.") from error
    return content


def hardware(device: str) -> str:
    """Say in words what a run runs on."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} thread{'s' * (torch.get_num_threads() > 1)}"
