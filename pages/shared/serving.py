"""The computing service, where the server has one: who is asked in place of a network here.

Only networks of the catalogue are asked for there. Those that belong to one session, which it made,
operated on or brought, run in this process as ever.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages.shared import guard
from vision_core.attribution import Attribution, Target
from vision_core.attribution.explain import Progress
from vision_core.attribution.occlusion import Sweep
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference import DetectionTrace, PartSource, Trace
from vision_core.models import Model
from vision_core.queueing import FairSlot
from vision_core.serving import remote
from vision_core.serving.client import VARIABLE, Client
from vision_core.serving.host import TOKEN
from vision_core.serving.travelling import in_catalogue


@dataclass
class Link:
    """The service and the line in front of it, which is as wide as it may have replicas.

    Long computations stand in no line here: each of their steps waits for its turn over there.
    """

    client: Client
    line: FairSlot = field(default_factory=FairSlot)

    def turn(self) -> AbstractContextManager[None]:
        """Wait for a turn and hold it."""
        if self.line.width != self.client.most:
            self.line.widen(self.client.most)
        return self.line.turn()


@dataclass(frozen=True)
class AtService:
    """A network of the catalogue, which the service runs."""

    link: Link
    model: Model

    def trace(self, photo: Photo) -> Trace:
        """As ``inference.trace``."""
        with self.link.turn():
            return remote.trace(self.link.client, self.model, photo)

    def parts(self, photo: Photo, made: DetectionTrace) -> PartSource:
        """As ``PartSource``."""
        return remote.RemoteParts(self.link.client, self.model, photo, made, self.link.turn)

    def maps(
        self, photo: Photo, trace: Trace, target: Target, method: str, settings: Mapping[str, Any]
    ) -> list[Attribution]:
        """The maps of a method of one pass: one, or one for each layer."""
        with self.link.turn():
            steps = list(self.steps(photo, trace, target, method, settings))
        return [step.draw() for step in steps if step.draw is not None]

    def steps(
        self, photo: Photo, trace: Trace, target: Target, method: str, settings: Mapping[str, Any]
    ) -> Generator[Progress, None, None]:
        """As ``attribution.in_steps``; the map comes with the last step."""
        asked = (self.link.client, self.model, photo, trace, target)
        return remote.explain_steps(*asked, method, settings)

    def sweep(
        self, photo: Photo, trace: Trace, target: Target, settings: Mapping[str, Any]
    ) -> Generator[Sweep, None, None]:
        """As ``occlusion.sweep``."""
        asked = (self.link.client, self.model, photo, trace, target)
        return remote.sweep_parts(*asked, settings)


def configured() -> bool:
    """Whether this server is told to ask a service."""
    return bool(_told(VARIABLE))


def link() -> Link | None:
    """The link to the service, or ``None`` where the networks run in this process.

    Raises:
        UserError: the setting is no address.
    """
    addresses = _told(VARIABLE)
    return _link(addresses, _told(TOKEN)) if addresses else None


@st.cache_resource(show_spinner=False)
def _link(addresses: str, token: str) -> Link:
    made = Link(Client(addresses.split(","), token))
    made.client.still_wanted = made.line.still_wanted = guard.leave_if_not_wanted
    return made


def at_service(model: object) -> AtService | None:
    """The network at the service, if there is one that can run it."""
    found = link()
    return AtService(found, model) if found is not None and in_catalogue(model) else None


def numbers() -> dict[str, Any] | None:
    """What went to the service since this server started; ``None`` without one."""
    try:
        found = link()
    except UserError:  # the pages say so
        return None
    if found is None:
        return None
    client, line = found.client, found.line
    return {
        "waiting": line.waiting,
        "width": line.width,
        "expected_wait_s": round(line.expected_wait(), 3),
        "asked": client.asked,
        "repeated": client.repeated,
        "sent_bytes": client.sent,
        "received_bytes": client.received,
    }


def _told(name: str) -> str:
    """A setting of the environment, where Streamlit puts what ``.streamlit/secrets.toml`` says."""
    return os.environ.get(name, "").strip()
