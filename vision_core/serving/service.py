"""The service: a request in, the pieces of its answer out; without a network or Ray.

Every answer depends on its request alone, so that one which was lost may be asked for again, here
or elsewhere. A photo is kept by the digest of its pixels; neither its name nor its file's hash
comes here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import torch

from vision_core import devices, methods, models
from vision_core.attribution import Question, ask, in_steps
from vision_core.attribution.occlusion import sweep
from vision_core.environment import MEGABYTE, megabytes
from vision_core.errors import UserError, WeightsMissing
from vision_core.images import Photo
from vision_core.inference import Trace, trace
from vision_core.inference.cache import ByteLRU
from vision_core.inference.families import network
from vision_core.inference.parts import Regions, run_heads
from vision_core.models import Model
from vision_core.records.targets import Target
from vision_core.serving.edition import edition
from vision_core.serving.travelling import fingerprints, mark_of, photo_of
from vision_core.serving.wire import BadMessage, pack, unpack

MOST_REQUEST = 128 * MEGABYTE
"""Bytes of a request when unpacked: a photo has at most 12 MB, a trace that is sent about 50."""
Answer = dict[str, Any]
T = TypeVar("T")
log = logging.getLogger("convscope")


class Wanted(Exception):
    """What a request left out is not known here; the text says what: ``pixels`` or ``trace``."""


class Service:
    """Loads networks when they are asked for and answers requests, from any number of threads.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        most: how many replicas like this one there may be, told to those who ask.
    """

    def __init__(self, device: str = "auto", most: int = 1) -> None:
        self._device = str(devices.resolve(device))
        self._most = most
        self._photos: ByteLRU[Photo] = ByteLRU(
            megabytes("CONVSCOPE_PHOTO_MB", 256), lambda photo: photo.pixels.nbytes, "photos"
        )
        self._models: ByteLRU[Model] = ByteLRU(
            megabytes("CONVSCOPE_MODEL_MB", 1536), _bytes_of, "models"
        )
        self._traces: ByteLRU[Trace] = ByteLRU(128 * MEGABYTE, name="traces")
        # a recorded pass of an input that rarely exceeds a megapixel, under three rules at the most
        self._known: ByteLRU[dict[str, Any]] = ByteLRU(
            96 * MEGABYTE, lambda _: 12 * MEGABYTE, "recorded passes"
        )
        self._operations: dict[str, Callable[[Answer], Iterator[Answer]]] = {
            "hello": self._hello,
            "trace": self._run_trace,
            "parts": self._run_parts,
            "explain": self._run_explain,
            "sweep": self._run_sweep,
        }
        self._lock = threading.Lock()
        self.answered = 0

    def answer(self, request: bytes) -> Generator[bytes, None, None]:
        """The pieces of an answer, each a message; the last one has ``"last": True``.

        A piece is ``value`` (a trace, parts, a map or the next part of a sweep, with ``done`` and
        ``total``; ``most`` tells how many replicas there may be) or, as the only one, ``wanted``
        (send this too), ``sentence`` (a mistake, in one sentence) or ``fault`` (of ours; the log
        has it). Close the iterator to stop the work.
        """
        try:
            for piece in self._pieces(request):
                yield pack(piece | {"most": self._most})
        except Wanted as wanted:
            yield pack({"last": True, "wanted": str(wanted)})
        except UserError as error:
            yield pack({"last": True, "sentence": str(error)})
        except BadMessage as error:
            log.warning("a request was refused: %s", error)
            yield pack({"last": True, "fault": str(error)})
        except torch.OutOfMemoryError:
            log.exception("no memory left for a request")
            torch.cuda.empty_cache()
            yield pack({"last": True, "sentence": NO_MEMORY})
        except Exception as error:
            log.exception("fault in a request")
            yield pack({"last": True, "fault": type(error).__name__})
        with self._lock:
            self.answered += 1

    def _pieces(self, request: bytes) -> Iterator[Answer]:
        told = unpack(request, MOST_REQUEST)
        if not isinstance(told, dict):
            raise BadMessage("a request that is no object")
        if told.get("edition") != edition():
            raise UserError(
                f"The computing service runs another edition of ConvScope ({edition()}) than this "
                f"server ({str(told.get('edition'))[:60]}); start both from the same files."
            )
        work = self._operations.get(_of(told, "operation", str))
        if work is None:
            raise BadMessage("a request for something else")
        yield from work(told)

    def _hello(self, _: Answer) -> Iterator[Answer]:
        words = devices.describe(self._device)
        value = {"device": words, "answered": self.answered}
        yield {"last": True, "value": value}

    def _run_trace(self, told: Answer) -> Iterator[Answer]:
        model = self._model(told)
        made = self._trace(model, self._photo(told))
        yield {"last": True, "value": made}

    def _run_parts(self, told: Answer) -> Iterator[Answer]:
        regions = _of(told, "regions", Regions)
        model, photo = self._model(told), self._photo(told)
        rows, again = run_heads(network(model), photo, regions)
        yield {"last": True, "value": rows, "reran": again}

    def _run_explain(self, told: Answer) -> Iterator[Answer]:
        method, settings = methods.method(_of(told, "method", str)), _of(told, "settings", dict)
        question = self._question(told)
        steps = in_steps(question, method.name, **settings)
        for step in _patiently(steps) if method.in_parts else steps:
            piece: Answer = {"last": False, "done": step.done, "total": step.total}
            # a map so far would take longer to send than anybody looks at it
            if step.draw is not None and (not method.in_parts or step.done == step.total):
                piece["value"] = step.draw()
            yield piece
        yield {"last": True}

    def _run_sweep(self, told: Answer) -> Iterator[Answer]:
        steps = sweep(self._question(told), **_of(told, "settings", dict))
        before = 0
        for part in _patiently(steps):
            new = slice(before, part.done)
            value = {"drops": part.drops[new].numpy(), "corners": part.corners[new].numpy()}
            if not before:
                value["own"] = part.own.numpy()
            before = part.done
            rest = {"patch": part.patch, "labels": part.labels, "size": tuple(part.size)}
            yield {"last": False, "done": part.done, "total": part.total, "value": value | rest}
        yield {"last": True}

    def _model(self, told: Answer) -> Model:
        name, wanted = _of(told, "model", str), _of(told, "fingerprints", tuple)
        try:
            model = self._models.get_or_make(name, lambda: models.load(name, device=self._device))
        except WeightsMissing as missing:
            raise UserError(
                f"The computing service has no weights of {missing.card.name}; on its machine, run "
                f"python -m vision_core weights download {missing.card.name}."
            ) from None
        if fingerprints(model) != wanted:
            raise UserError(
                f"The computing service has other weights of {name} than this server; give both "
                "the same files."
            )
        return model

    def _photo(self, told: Answer) -> Photo:
        digest = _of(told, "photo", str)
        if (found := self._photos.get(digest)) is not None:
            return found
        if told.get("pixels") is None:
            raise Wanted("pixels")
        photo = photo_of(told["pixels"], digest)
        self._photos.put(digest, photo)
        return photo

    def _trace(self, model: Model, photo: Photo) -> Trace:
        key = (model.name, *fingerprints(model), photo.key)  # two networks may share a file
        return self._traces.get_or_make(key, lambda: trace(model, photo))

    def _question(self, told: Answer) -> Question:
        """The question about a trace that is the asker's own, which matters for candidates."""
        mark, target = _of(told, "mark", str), _of(told, "target", Target)
        model, photo = self._model(told), self._photo(told)
        made = told.get("trace")
        if made is None:
            made = self._trace(model, photo)
            if mark_of(made) != mark:  # on another kind of device, numbers differ a little
                raise Wanted("trace")
        question = ask(model, photo, made, target)
        key = (model.name, *fingerprints(model), photo.key, mark, str(target))
        return replace(question, known=self._known.get_or_make(key, dict))


NO_MEMORY = (
    "The computing service has too little memory left for this; choose a smaller model or a "
    "smaller photo."
)


def _of(told: Answer, name: str, kind: Any) -> Any:
    """What a request says under a name."""
    value = told.get(name)
    if not isinstance(value, kind):
        raise BadMessage(f"a request without, or with a wrong, {name}")
    return value


def _patiently(steps: Iterator[T]) -> Iterator[T]:
    """The steps of long work, each of which lets shorter work go first."""
    while True:
        with devices.patiently():
            step = next(steps, None)
        if step is None:
            return
        yield step


def _bytes_of(model: Model) -> int:
    tensors = [*model.module.parameters(), *model.module.buffers()]
    return sum(t.nbytes for t in tensors) + (_bytes_of(model.detector) if model.detector else 0)
