"""What the pages of operators share: the head with its sections, the formula, the files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.components.player import player
from pages.shared import downloads, frame, shell, state
from pages.shared.operator import Operator, Shown, keep_step
from pages.shared.state import Field
from vision_core.figures.stage import Stage
from vision_core.figures.stage_files import gif

_BESIDE = 70
"""Room beside the title, in letters; sections that need more have a row of their own."""
_AROUND = 5
"""What the frame of one section takes, in letters."""


def head(title: str, sections: dict[str, str]) -> tuple[Any, Any, tuple[Field, ...]]:
    """The head of a page.

    Args:
        title: of the page.
        sections: name in the address bar to words; the first one opens.

    Returns:
        a place for the menu of examples, one for the sentences, and the fields used.
    """
    names = tuple(sections)
    section = Field("section", names[0], state.one_of(names))
    state.use(frame.PRESENT, section)
    name, middle, switch = st.columns([3.6, 7, 1.6], vertical_alignment="center")
    name.html(f"<h1 class='name'>{title}</h1>")
    if len(names) > 1:
        with st.container() if _own_row(sections) else middle:
            st.segmented_control(
                "Section",
                names,
                key="section",
                required=True,
                format_func=sections.__getitem__,
                label_visibility="collapsed",
            )
    switch.toggle("Present", key="present")
    st.session_state["_sections"] = sections  # for the height of the player, further below
    if _own_row(sections):
        return middle, st.container(), (frame.PRESENT, section)
    lede, menu = st.columns([7.6, 4.4], vertical_alignment="center")
    return menu, lede, (frame.PRESENT, section)


def _own_row(sections: dict[str, str]) -> bool:
    """Whether the sections have no room beside the title."""
    return sum(len(words) + _AROUND for words in sections.values()) > _BESIDE


def above(sections: dict[str, str], more: int = 0) -> int:
    """Pixels that stand above the grids of a player.

    Args:
        sections: as ``head`` was given them.
        more: of what else stands between the head and the player.
    """
    own = _own_row(sections)
    return (325 if shell.presenting() else 345 + 28 * own) + more


def say(lede: Any, text: str) -> None:
    """Two sentences on what to look at; ``**`` for emphasis."""
    lede.html(f"<div class='lede'>{frame.emphasised(text)}</div>")


def notes(lede: Any) -> None:
    """What the address asked for and could not be given; after all fields were used."""
    with lede:
        state.show_notes()


def play(
    operator: Operator,
    shown: Shown,
    stage: Stage,
    head_fields: Sequence[Field],
    editable: Sequence[str] = (),
    **more: Any,
) -> None:
    """The player, and the address bar."""
    if "step" not in st.session_state or shown.step >= len(stage.timeline):
        state.put("step", len(stage.timeline) - 1)
    player(
        stage,
        key=f"player_{operator.scope}",
        step=st.session_state["step"],
        scene=shown.scene,
        editable=editable,
        above=above(st.session_state["_sections"]),
        stem=operator.name,
        on_step=keep_step,
        on_edit=operator.edit,
        **more,
    )
    state.write(*head_fields, *shown.fields)


def explain(shown: Shown) -> None:
    """The derivation of the output's size with the numbers filled in."""
    lines = [line for walk in shown.walks[:1] for line in walk.formula]
    if lines:
        st.markdown("**Output size**  \n" + "  \n".join(f"`{line}`" for line in lines))


def files(stage: Stage, stem: str) -> None:
    """The whole walkthrough as a film and as numbers, made when asked for."""
    downloads.buttons(
        stem,
        {
            **downloads.walkthrough_page(stage, stem),
            "GIF of all steps": (".gif", lambda: gif(stage), "image/gif"),
            "JSON of all steps": (
                ".json",
                lambda: downloads.as_json([view.walk.to_json() for view in stage.views]),
                "application/json",
            ),
        },
    )
