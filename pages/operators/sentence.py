"""Convolution on a sentence: filters over words, one maximum each, a score (Kim 2014)."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.components.player import player
from pages.shared import charts, operator_page, state
from pages.shared.guard import guarded
from pages.shared.operator import keep_step
from pages.shared.plain import sentence as plain_sentence
from vision_core.errors import UserError
from vision_core.figures.stage import Stage
from vision_core.figures.stage_views import view_of
from vision_core.figures.teaching import word_bars
from vision_core.teaching.sentences import (
    HELD_OUT,
    LEARNED,
    VOCABULARY,
    SentenceNet,
    ids_of,
    learned,
    numbers_of,
    right,
)
from vision_core.walkthroughs import Walkthrough, build
from vision_core.walkthroughs.sentence import saliency

FIRST = "the film is not good"
_LEDE = (
    "Words are rows of numbers, and a filter lies over two to four of them. Of all its places it "
    "keeps the **largest** (1-max pooling): which words won, and do they explain the score? "
    "Kim (2014), in miniature."
)


@st.cache_resource(show_spinner="A small network learns to read …")
def _network() -> SentenceNet:
    """The network of the page, learned once for everybody; nothing of it depends on a user."""
    return learned()


def main() -> None:
    """The page: a sentence, the player, and what each word is worth."""
    menu, lede, fields = operator_page.head("Sentence", {"read": "Read a sentence"})
    operator_page.say(lede, _LEDE)
    text = state.Field("text", FIRST, _readable)
    step = state.Field("step", 0, state.whole(0, 10**6))
    state.use(text, step)
    with menu:
        _choose()
    with guarded("reading a sentence"):
        shown = st.session_state.get("_read_sentence", FIRST)
        try:
            ids_of(st.session_state["text"])
            shown = st.session_state["text"]
        except UserError as error:
            st.warning(plain_sentence(str(error)), icon=":material/report:")
        st.session_state["_read_sentence"] = shown
        _show(shown)
    state.write(*fields, text, step)
    operator_page.notes(lede)


def _readable(text: str) -> str:
    try:
        ids_of(text)
    except UserError as error:
        raise ValueError("words that the network has read") from error
    return text


def _choose() -> None:
    known = [line for line, _ in (*HELD_OUT, *LEARNED)]
    now: str = st.session_state["text"]
    options = list(dict.fromkeys([FIRST, *known, now]))
    st.selectbox(
        "Sentence",
        options,
        key="text",
        accept_new_options=True,
        label_visibility="collapsed",
        on_change=_first_step,
        help=f"Or write one of 4 to 9 of these words: {', '.join(VOCABULARY)}.",
    )


def _first_step() -> None:
    state.put("step", 0)


def _show(text: str) -> None:
    network = _network()
    walk = build("sentence", None, **numbers_of(network, text))
    stage = Stage((view_of(walk),))
    if st.session_state["step"] >= len(stage.timeline):
        state.put("step", len(stage.timeline) - 1)
    player(
        stage,
        key="player_sentence",
        step=st.session_state["step"],
        scene=f"sentence/{text}",
        above=operator_page.above({}),
        stem="sentence",
        on_step=keep_step,
    )
    left, right_side = st.columns(2, gap="large")
    with left:
        _answer(walk)
        operator_page.files(stage, "sentence")
    with right_side:
        _words(walk)
    st.caption(
        f"Learned from {len(LEARNED)} sentences written for this page: "
        f"{right(network, LEARNED):.0%} of them right, and {right(network, HELD_OUT):.0%} of "
        f"{len(HELD_OUT)} others, which are so few that another start would give another share. "
        "Its numbers are rounded to two decimals."
    )


def _answer(walk: Walkthrough) -> None:
    facts = walk.facts
    scores = walk.result[-len(facts["classes"]) :]
    best = int(np.argmax(scores))
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    st.markdown(f"**{facts['classes'][best]}**, probability {shares[best]:.3f}")
    kept = walk.result[-len(facts["classes"]) - len(facts["grams"]) : -len(facts["classes"])]
    st.dataframe(
        [
            {
                "filter": f"{f + 1} ({facts['widths'][f]} words)",
                "won on": facts["grams"][f] if facts["passes"][f] else "nothing above 0",
                "keeps": kept[f],
                f"for {facts['classes'][best]}": walk.operands["weight"].array[best, f] * kept[f],
            }
            for f in range(len(kept))
        ],
        hide_index=True,
        width="stretch",
        key="sentence_winners",
    )


def _words(walk: Walkthrough) -> None:
    scores = walk.result[-2:]
    best = int(np.argmax(scores))
    given = saliency(walk, best, 1 - best)
    worth = (given * walk.operands["input"].array).sum(1)
    st.markdown(f"**What each word does** for {walk.facts['classes'][best]}")
    charts.show(
        word_bars(walk.facts["words"], worth),
        "sentence_words",
        "Gradient times input of each word",
    )
    st.caption(
        "Gradient of the difference of both scores, times the word's own numbers: vermilion speaks "
        "for it, blue against it. Words that won no filter get 0."
    )
