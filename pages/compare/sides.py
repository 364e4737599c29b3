"""The models of a comparison: which ones, and what each of them said of the photo."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import streamlit as st

from pages.shared import catalogue, engine, model_picker, own_networks, state
from pages.shared.model_picker import TASK_WORDS
from pages.shared.plain import plain
from pages.shared.state import Field
from vision_core import devices, models
from vision_core.errors import UserError, WeightsMissing
from vision_core.images import Photo
from vision_core.inference import DetectionTrace, Trace
from vision_core.inference.measuring import Timing, measure
from vision_core.models import Card, Model

log = logging.getLogger("convscope")

KINDS = {
    "boxes": ("detection", "instance", "keypoint", "pose"),
    "segmentation": ("segmentation",),
    "classification": ("classification",),
}
"""Tasks whose results can be compared."""
_WORDS = {"boxes": "Objects", "segmentation": "Pixels", "classification": "Classes"}
LETTERS = ("a", "b", "c", "d")
NONE = ""
KIND = Field("kind", "boxes", state.one_of(KINDS))
RANDOM = Field("random_of", [], state.some_of(LETTERS), ",".join)


@dataclass(frozen=True, eq=False)
class Side:
    """One model of a comparison, and what it said.

    Attributes:
        letter: of its column, one of ``LETTERS``.
        card: of the model.
        random: it has random weights.
        model, trace, timing: ``None`` where it failed.
        error: the sentence that takes the place of a result.
        offer: a bundled model to take in its place.
    """

    letter: str
    card: Card
    random: bool = False
    model: Model | None = None
    trace: Trace | None = None
    error: str = ""
    offer: Card | None = None
    timing: Timing | None = None

    @property
    def title(self) -> str:
        """What the column is called."""
        return f"{self.letter.upper()}: {self.name}"

    @property
    def name(self) -> str:
        """The model's title, with a word on random weights."""
        return self.card.title + (" (random weights)" if self.random else "")


def _cards(kind: str) -> dict[str, Card]:
    found = [c for task in KINDS[kind] for c in catalogue.cards(task)]
    found.sort(key=lambda c: not (c.bundled or c.own))
    return {c.name: c for c in found}


def _alike(cards: Sequence[Card]) -> tuple[Card, Card]:
    """The first two bundled models of which one knows all that the other knows."""
    known = {card.name: set(card.classes) for card in cards}
    pairs = (
        (a, b)
        for a, b in combinations([card for card in cards if card.bundled], 2)
        if known[a.name] <= known[b.name] or known[a.name] >= known[b.name]
    )
    return next(pairs, (cards[0], cards[1]))


def fields() -> tuple[Field, ...]:
    """The fields of the pickers; which models there are depends on the kind."""
    state.use(KIND)
    by_name = _cards(st.session_state["kind"])
    names = list(by_name)
    first, second = _alike(list(by_name.values()))
    one, some = own_networks.parser(names), own_networks.parser([NONE, *names])
    return (
        KIND,
        Field("model_a", first.name, one),
        Field("model_b", second.name, one),
        Field("model_c", NONE, some),
        Field("model_d", NONE, some),
        RANDOM,
        model_picker.device_field(),
    )


def pick() -> list[Side]:
    """Draw the pickers; the sides have said nothing yet."""
    state.use(*fields())
    st.segmented_control(
        "Compare",
        list(KINDS),
        key="kind",
        format_func=_WORDS.__getitem__,
        required=True,
        width="stretch",
    )
    by_name = _cards(st.session_state["kind"])
    status = {name: models.status(card) for name, card in by_name.items()}
    several = len(KINDS[st.session_state["kind"]]) > 1

    def words(name: str) -> str:
        if not name:
            return "none"
        line = model_picker.line(by_name[name], status[name])
        return f"{line}, {TASK_WORDS[by_name[name].task].lower()}" if several else line

    for letter in LETTERS:
        options = [*by_name] if letter in "ab" else [NONE, *by_name]
        st.selectbox(f"Model {letter.upper()}", options, key=f"model_{letter}", format_func=words)
    chosen = [(k, st.session_state[f"model_{k}"]) for k in LETTERS]
    st.multiselect(
        "With random weights",
        LETTERS,
        key="random_of",
        format_func=str.upper,
        placeholder="none of them",
        help="The same architecture before training: what is learned, and what is not.",
    )
    model_picker.pick_device()
    random = st.session_state["random_of"]
    return [Side(k, by_name[name], k in random) for k, name in chosen if name]


def run(sides: Sequence[Side], photo: Photo) -> list[Side]:
    """Let every model say something; one that fails takes its own column down and no other."""
    return [_run(side, photo) for side in sides]


def _run(side: Side, photo: Photo) -> Side:
    card = side.card

    def failed(error: str, offer: Card | None = None) -> Side:
        return Side(side.letter, card, side.random, error=error, offer=offer)

    try:
        device = str(devices.resolve(st.session_state.get("device", "auto")))
        words = f"Running {side.name} on {plain(photo.name)}{engine.queue_words()} …"
        with st.spinner(words, show_time=True):
            load = engine.untrained if side.random else engine.load_model
            model = load(card.name, device)
            trace = engine.trace_of(model, photo)
            timing = measure(model, photo)
        return Side(side.letter, card, side.random, model, trace, timing=timing)
    except WeightsMissing as missing:
        return failed(str(missing), models.bundled_alternative(card))
    except UserError as error:
        return failed(str(error))
    except Exception:
        log.exception("fault while running %s for a comparison", card.name)
        return failed(
            f"Something went wrong while running {card.title}; the details are in the server's log."
        )


def detectors(sides: Sequence[Side]) -> list[tuple[Side, DetectionTrace]]:
    """The sides that found boxes."""
    return [(s, s.trace) for s in sides if isinstance(s.trace, DetectionTrace)]


def pair_field(sides: Sequence[Side]) -> Field:
    """Which two sides are looked at: two letters."""
    pairs = pairs_of(sides)
    return Field("pair", pairs[0], state.one_of(pairs))


def pairs_of(sides: Sequence[Side]) -> list[str]:
    """Every two of the sides, as two letters."""
    letters = [s.letter for s in sides]
    return [a + b for i, a in enumerate(letters) for b in letters[i + 1 :]]


def pick_pair(sides: Sequence[Side]) -> tuple[Side, Side]:
    """The two sides that are looked at; a choice where there are more."""
    by_letter = {s.letter: s for s in sides}
    if len(sides) > 2:
        st.segmented_control(
            "Which two",
            pairs_of(sides),
            key="pair",
            required=True,
            format_func=lambda p: f"{p[0].upper()} and {p[1].upper()}",
        )
    a, b = st.session_state["pair"]
    return by_letter[a], by_letter[b]
