"""The same answers as ``inference`` and ``attribution`` give, computed by a service."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import replace
from typing import Any

import torch

from vision_core.attribution.estimates import Attribution
from vision_core.attribution.explain import Progress
from vision_core.attribution.occlusion import Sweep
from vision_core.images import Photo
from vision_core.inference import DetectionTrace, PartSource, Trace
from vision_core.inference.parts import Regions, Rows
from vision_core.models import Model
from vision_core.records.targets import Target
from vision_core.serving.client import Client, ServiceFault
from vision_core.serving.travelling import fingerprints, mark_of


def trace(client: Client, model: Model, photo: Photo) -> Trace:
    """What ``inference.trace`` gives where the service runs.

    Args:
        client: asks the service.
        model: of the catalogue (``travelling.in_catalogue``); its module is not run.
        photo: the photo; its name and its file's hash do not travel.

    Raises:
        UserError: as of ``inference.trace``, or the service does not answer.
        ServiceFault: a fault of the service.
    """
    made = _only(client.ask("trace", photo, **_named(model)))["value"]
    info = replace(made.info, photo_sha256=photo.sha256, photo_name=photo.name)
    return replace(made, info=info)


class RemoteParts(PartSource):
    """A part source whose heads run at the service; what they said is kept here.

    Args:
        client: asks the service.
        model, photo, trace: as of ``PartSource``.
        turn: entered around every question, as a line in front of the service.
    """

    def __init__(
        self,
        client: Client,
        model: Model,
        photo: Photo,
        trace: DetectionTrace,
        turn: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        super().__init__(model, photo, trace)
        self._client, self._model, self._turn = client, model, turn

    def _heads(self, regions: Regions) -> tuple[Rows, bool]:
        told = _named(self._model)
        with self._turn():
            answer = _only(self._client.ask("parts", self._photo, regions=regions, **told))
        return answer["value"], bool(answer["reran"])


def explain_steps(
    client: Client,
    model: Model,
    photo: Photo,
    trace: Trace,
    target: Target,
    method: str,
    settings: Mapping[str, Any],
) -> Generator[Progress, None, None]:
    """What ``attribution.in_steps`` gives for the question, step by step.

    A method of many passes has a map at its last step only: those on the way are not sent. Close
    the generator to stop it.

    Args:
        client: asks the service.
        model, photo, trace, target: as of ``attribution.ask``.
        method, settings: as of ``attribution.in_steps``.

    Raises:
        UserError: as of these, or the service does not answer.
    """
    told = _asking(model, trace, target) | {"method": method, "settings": dict(settings)}
    with closing(client.ask("explain", photo, **told)) as pieces:
        for piece in pieces:
            if "done" in piece:
                value = piece.get("value")
                draw = None if value is None else _giving(value)
                yield Progress(piece["done"], piece["total"], draw)


def sweep_parts(
    client: Client,
    model: Model,
    photo: Photo,
    trace: Trace,
    target: Target,
    settings: Mapping[str, Any],
) -> Generator[Sweep, None, None]:
    """What ``occlusion.sweep`` gives for the question; each part travels once.

    Args and errors as of ``explain_steps``.
    """
    told = _asking(model, trace, target) | {"settings": dict(settings)}
    drops: list[torch.Tensor] = []
    corners: list[torch.Tensor] = []
    own = torch.empty(0)
    with closing(client.ask("sweep", photo, **told)) as pieces:
        for piece in pieces:
            if "done" not in piece:
                return
            value = piece["value"]
            drops.append(torch.tensor(value["drops"]))
            corners.append(torch.tensor(value["corners"]))
            own = torch.tensor(value["own"]) if "own" in value else own
            yield Sweep(
                torch.cat(corners),
                torch.cat(drops),
                value["patch"],
                own,
                value["labels"],
                value["size"],
                piece["done"],
                piece["total"],
            )


def _named(model: Model) -> dict[str, Any]:
    return {"model": model.name, "fingerprints": fingerprints(model)}


def _asking(model: Model, trace: Trace, target: Target) -> dict[str, Any]:
    return _named(model) | {"mark": mark_of(trace), "target": target, "trace": trace}


def _only(pieces: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """The one piece of a short answer."""
    found = list(pieces)
    if len(found) != 1 or "value" not in found[0]:
        raise ServiceFault("an answer in another form than was asked for")
    return found[0]


def _giving(value: Attribution) -> Any:
    return lambda: value
