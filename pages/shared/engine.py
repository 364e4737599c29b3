"""What all sessions share: models, traces and the parts made from them, each with a cap.

The network runs once per photo and model; who asks second is served from the cache.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st
import torch

from pages.shared import caps, counters, guard, own_networks, serving, state
from vision_core import devices, models
from vision_core.images import Photo
from vision_core.inference import DetectionTrace, PartSource, Trace, trace
from vision_core.inference.cache import ByteLRU
from vision_core.inference.parts import MAX_BYTES
from vision_core.models import Model
from vision_core.models.loading import on_cpu
from vision_core.models.own_file import is_own

TRACE_BYTES = 256 * 2**20
PART_BYTES = 256 * 2**20  # each source counts as what it may come to hold
MAX_COUNTED = 5000  # pairs of model and photo whose passes are remembered

Key = tuple[str, str, str, str]


@dataclass
class Engine:
    """The caches, one set for all users of the server; keyed so that nothing is mixed up."""

    traces: ByteLRU[Trace] = field(default_factory=lambda: ByteLRU(TRACE_BYTES, name="traces"))
    parts: ByteLRU[PartSource] = field(
        default_factory=lambda: ByteLRU(PART_BYTES, lambda _: MAX_BYTES, "masks and joints")
    )
    passes: Counter[Key] = field(default_factory=Counter)
    ran: int = 0  # passes of all models over all photos
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, key: Key) -> None:
        """Note that the network ran once for this model and photo."""
        with self.lock:
            self.passes[key] += 1
            self.ran += 1
            while len(self.passes) > MAX_COUNTED:
                del self.passes[next(iter(self.passes))]


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """The one engine of this server."""
    made = Engine()
    counters.keep(lambda: made.ran, serving.numbers)
    devices.slot.still_wanted = guard.leave_if_not_wanted
    return made


def bytes_of(model: Model) -> int:
    """Bytes of a model's weights and buffers, at most the cap: the largest is kept alone."""
    tensors = [*model.module.parameters(), *model.module.buffers()]
    own = sum(t.nbytes for t in tensors)
    return min(own + (bytes_of(model.detector) if model.detector else 0), caps.models())


@st.cache_resource(show_spinner=False)
def _models(kind: str) -> ByteLRU[Model]:
    """The loaded models of one kind of device."""
    return ByteLRU(caps.models(), bytes_of, f"models on {kind}")


def load_model(name: str, device: str, folder: Path | None = None) -> Model:
    """The model, loaded once and shared; the least recently used ones make room, by bytes.

    Raises:
        UserError: no such model, or its weights do not fit.
        WeightsMissing: its weights are not here.
    """
    if is_own(name):
        return own_networks.load(name, device)
    kept = _models(str(device).partition(":")[0])
    key = (name, device, folder)
    return kept.get_or_make(key, lambda: models.load(name, device=device, folder=folder))


def untrained(name: str, device: str) -> Model:
    """The same architecture with random weights, always the same ones."""
    return own_networks.fresh(name, device) if is_own(name) else _untrained(name, device)


@st.cache_resource(max_entries=2, show_spinner=False)
def _untrained(name: str, device: str) -> Model:
    return models.load(name, device=device, random_seed=0)


def key_of(model: Model, photo: Photo) -> Key:
    """What a trace depends on."""
    return (model.name, model.fingerprint, photo.sha256, str(model.device))


def trace_of(model: Model, photo: Photo) -> Trace:
    """The trace of a photo, made now if no session asked for it before."""
    shared, key = engine(), key_of(model, photo)

    def run() -> Trace:
        shared.count(key)
        if (there := serving.at_service(model)) is not None:
            return there.trace(photo)
        try:
            return trace(model, photo)
        except torch.OutOfMemoryError:
            if model.device.type == "cpu":
                raise
        torch.cuda.empty_cache()
        state.note(f"The device had too little memory for {model.name}, so it ran on the CPU.")
        return trace(_cpu_copy(model), photo)

    return shared.traces.get_or_make(key, run)


def _cpu_copy(model: Model) -> Model:
    """The model on the CPU, kept beside the others there, if it is everybody's."""
    if is_own(model.name):
        return on_cpu(model)
    key = (model.name, "copy", model.fingerprint)
    return _models("cpu").get_or_make(key, lambda: on_cpu(model))


def queue_words() -> str:
    """Who computes before somebody who comes now, as the end of a sentence; empty for nobody."""
    link = serving.link()
    line = devices.slot if link is None else link.line
    ahead = line.waiting
    if not ahead:
        return ""
    return f" ({ahead} before you, about {max(1, round(line.expected_wait()))} s)"


def is_traced(model: Model, photo: Photo) -> bool:
    """Whether the trace is there already, so that showing it takes no time."""
    return key_of(model, photo) in engine().traces


def passes(model: Model, photo: Photo) -> int:
    """How often the network has run for this model and photo since the server started."""
    return engine().passes[key_of(model, photo)]


def parts_of(model: Model, photo: Photo, made: DetectionTrace) -> PartSource:
    """Where masks and keypoints of a trace's candidates come from, each made at most once."""

    def make() -> PartSource:
        if (there := serving.at_service(model)) is not None:
            return there.parts(photo, made)
        fell_back = made.info.device == "cpu" and model.device.type != "cpu"
        return PartSource(_cpu_copy(model) if fell_back else model, photo, made)

    return engine().parts.get_or_make(key_of(model, photo), make)
