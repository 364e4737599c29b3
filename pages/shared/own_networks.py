"""Networks that users bring: in one bounded store, and only the session that gave one has its key.

A file lies on the server's disk, in a folder of its session, until it is taken or replaced; its
network lies in memory. Both go with the session, which a reload of the page ends.
"""

from __future__ import annotations

import secrets
import weakref
from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

import streamlit as st

from pages.shared import caps
from pages.shared.own_files import Waiting, own_words
from vision_core import devices
from vision_core.environment import MEGABYTE
from vision_core.errors import UserError
from vision_core.inference.cache import ByteLRU
from vision_core.models import Card, Model
from vision_core.models.loading import untrained
from vision_core.models.own_file import TAUGHT, TRUNK, is_own
from vision_core.teaching import taught

MOST = 8
"""Networks of one session."""
KINDS = ("safetensors", "pth", "pt", "bin", "ckpt")
_KEY = "_own_networks"


@st.cache_resource(show_spinner=False)
def _store() -> ByteLRU[Model]:
    """The networks of all sessions, by keys that nobody can guess: nobody asks for another's."""
    return ByteLRU(caps.own_networks(), weight, "own networks")


def weight(model: Model) -> int:
    """Bytes of a network's weights and buffers; a pose network's detector is everybody's."""
    return sum(t.nbytes for t in (*model.module.parameters(), *model.module.buffers()))


@dataclass
class _Held:
    """What a session knows of its networks.

    Attributes:
        cards: by name, the oldest first.
        sizes: bytes in memory by name.
        tokens: keys in the store by name; the list goes when the session does.
        fresh: keys of their twins with random weights.
        waiting: the file that was given last.
        given: how often a file was taken up, for the uploader's key.
    """

    cards: dict[str, Card] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    fresh: dict[str, str] = field(default_factory=dict)
    waiting: Waiting | None = None
    given: int = 0


def _held() -> _Held:
    found: _Held | None = st.session_state.get(_KEY)
    if found is None:
        st.session_state[_KEY] = found = _Held()
        # The dictionaries live on in the finalizer: it drops what they name at the end.
        weakref.finalize(found, _drop, _store(), found.tokens, found.fresh)
    return found


def _drop(store: ByteLRU[Model], *keys: dict[str, str]) -> None:
    for some in keys:
        for token in some.values():
            store.drop(token)


def cards(task: str | None = None) -> tuple[Card, ...]:
    """The session's own networks, optionally of one task."""
    return tuple(c for c in _held().cards.values() if task in (None, c.task))


def card(name: str) -> Card | None:
    """The card of one of them."""
    return _held().cards.get(name)


def allowed() -> int:
    """Bytes that the networks of one session may take."""
    return caps.own_networks() // 2


def used() -> int:
    """Bytes that the session's networks take."""
    return sum(_held().sizes.values())


def waiting() -> Waiting | None:
    """The file that was given last and is not taken yet."""
    return _held().waiting


def turn() -> int:
    """How often a file was taken up: an uploader with this in its key starts empty each time."""
    return _held().given


def wait(name: str, data: bytes) -> None:
    """Keep a file until it is taken; it replaces the one before."""
    mine = _held()
    mine.waiting = Waiting.of(name, data)
    mine.given += 1


def forget_file() -> None:
    """Throw the waiting file away."""
    _held().waiting = None


def take(file: Waiting, architecture: str, title: str, labels: Sequence[str]) -> Card:
    """Load a file as a network of the session.

    Raises:
        UserError: it cannot be read, does not fit, or there is no room; it speaks of the file
            under its owner's name.
    """
    # The same file under the same title takes the place of the one before.
    with devices.forward_slot(), own_words(file):
        made = taught.open_own(file.path, architecture, title, labels, "cpu", allowed())
    return keep(made)


def adopt(name: str, data: bytes) -> Card:
    """Take up a network that was taught here, from the file that tells of it.

    Raises:
        UserError: there is no room.
    """
    return take(Waiting.of(f"{name}.safetensors", data), TRUNK, name, ())


def keep(made: Model) -> Card:
    """Let the session have a network.

    Raises:
        UserError: it has as many as it may have.
    """
    mine, name, size = _held(), made.name, weight(made)
    others = used() - mine.sizes.get(name, 0)
    if name not in mine.cards and len(mine.cards) >= MOST:
        raise UserError(f"A session holds {MOST} networks of its own; remove one of them first.")
    if others + size > allowed():
        raise UserError(
            f"{made.card.title} takes {_mb(size)}, and your session has {_mb(allowed() - others)} "
            f"left of {_mb(allowed())}; remove another network of yours first."
        )
    forget(name)
    made = _told_apart(made, {card.title for card in mine.cards.values()})
    mine.tokens[name] = secrets.token_hex(16)
    mine.cards[name], mine.sizes[name] = made.card, size
    _store().put(mine.tokens[name], made)
    return made.card


def _told_apart(made: Model, taken: Collection[str]) -> Model:
    """The network, with a number behind its title where another of the session has that title."""
    title, number = made.card.title, 2
    while title in taken:
        title, number = f"{made.card.title} ({number})", number + 1
    return replace(made, card=replace(made.card, title=title))


def forget(name: str) -> None:
    """Remove a network of the session, and free its memory."""
    mine = _held()
    for keys in (mine.tokens, mine.fresh):
        if (token := keys.pop(name, None)) is not None:
            _store().drop(token)
    mine.cards.pop(name, None)
    mine.sizes.pop(name, None)


def load(name: str, device: str) -> Model:
    """A network of this session, on a device.

    Raises:
        UserError: it is another session's, or the server gave its memory to others.
    """
    mine = _held()
    token = mine.tokens.get(name)
    if token is None:
        raise UserError(elsewhere(name))
    found = _store().get(token)
    if found is None:
        title = mine.cards[name].title
        forget(name)
        raise UserError(
            f"The server no longer holds {title}: it keeps {_mb(caps.own_networks())} of such "
            "networks for everybody, and newer ones took its place. Upload it again on the page "
            "Models."
        )
    return _there(found, token, device)


def fresh(name: str, device: str) -> Model:
    """The same architecture with random weights, for this session alone.

    Raises:
        UserError: it is another session's.
    """
    mine = _held()
    if name not in mine.cards:
        raise UserError(elsewhere(name))
    if mine.cards[name].architecture == TAUGHT:
        raise UserError(
            "A small network that was taught here has no twin with random weights; see its first "
            "epoch on the page Training."
        )
    token = mine.fresh.setdefault(name, secrets.token_hex(16))
    made = _store().get_or_make(token, lambda: _twin(mine.cards[name]))
    return _there(made, token, device)


def _twin(card: Card) -> Model:
    """With a fingerprint of its own: its class names are nobody else's either."""
    return replace(untrained(card, "cpu"), fingerprint=f"random-{secrets.token_hex(16)}")


def _there(model: Model, token: str, device: str) -> Model:
    """The model on a device; it lies on the one where it was used last."""
    wanted = devices.resolve(device)
    if model.device != wanted:
        module = deepcopy(model.module).to(wanted)
        model = replace(model, module=module, device=wanted)
        if model.detector is not None:
            other = replace(model.detector, device=wanted)
            model = replace(
                model, detector=replace(other, module=deepcopy(other.module).to(wanted))
            )
        _store().put(token, model)
    return model


def elsewhere(name: str) -> str:
    """The sentence for a link to a network that this session does not have."""
    return (
        f"The address names the network “{name}”, which lives only in the browser session that "
        "brought it (a reload ends a session), so another model is shown: upload its file again on "
        "the page Models to see it."
    )


def parser(known: Sequence[str]) -> Callable[[str], str]:
    """A parser of names of models that tells links to own networks from mistakes."""
    from pages.shared import state

    some = state.one_of(known)

    def parse(text: str) -> str:
        if is_own(text) and text not in known:
            raise state.Unusable(elsewhere(text))
        return some(text)

    return parse


def _mb(size: int) -> str:
    return f"{size / MEGABYTE:,.0f} MB"
