"""A network of one's own: its file, its architecture, its class names, and what does not fit."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile

from pages.shared import caps, model_picker, own_networks, photo_store, state
from pages.shared.guard import guarded
from pages.shared.own_files import Waiting
from pages.shared.plain import plain, sentence, short
from vision_core import models
from vision_core.environment import MEGABYTE
from vision_core.errors import UserError
from vision_core.models import Card
from vision_core.models.checkpoints import DoesNotFit
from vision_core.models.class_names import read_names
from vision_core.models.own_file import architecture_of, guess
from vision_core.teaching import taught

_SHOWN = 20
_TEXT_MB = 1
_BRACKETS = str.maketrans("<>", "\u2039\u203a")


def show() -> None:
    """The section, open while a file waits."""
    file = own_networks.waiting()
    with st.expander("Your own network", icon=":material/upload_file:", expanded=file is not None):
        st.caption(
            f"A state dict as .safetensors, or as .pth of PyTorch, read with weights_only=True; at "
            f"most {caps.NETWORK_FILE_MB} MB (half precision halves a file). It stays in this "
            "browser session: no other session sees it, and a reload of the page ends the session "
            f"with it. {_room()}"
        )
        misfit = st.session_state.get("_network_misfit")
        if file is not None and misfit is not None and misfit[0] is file.path:
            _misfit(misfit[1])
        left, right = st.columns(2, gap="medium")
        with left:
            _file(file)
        with right:
            names = _names()
        with left:
            if file is not None:
                _take(file, names)


def _room() -> str:
    mega = MEGABYTE
    used, most = own_networks.used() / mega, own_networks.allowed() / mega
    return f"Your networks take {used:,.0f} of {most:,.0f} MB."


def _file(file: Waiting | None) -> None:
    st.file_uploader(
        "File with the weights",
        type=list(own_networks.KINDS),
        max_upload_size=caps.NETWORK_FILE_MB,
        key=f"network_file_{own_networks.turn()}",
        on_change=_given,
        args=(own_networks.turn(),),
    )
    if file is None:
        return
    st.markdown(f":material/draft: **{plain(file.name)}**, {file.size / MEGABYTE:.1f} MB")
    if (known := architecture_of(file.path)) is not None:
        form = taught.usual(known)
        what = "A small network" if form is None else f"A network of the form {form.title}"
        st.caption(f"{what} that was taught here; it knows its class names.")
        return
    cards = {card.name: card for card in models.cards()}
    st.selectbox(
        "Architecture",
        list(cards),
        key="network_form",
        format_func=lambda name: (
            f"{cards[name].title} ({model_picker.TASK_WORDS[cards[name].task].lower()})"
        ),
        help="The number of classes is read from its last layer.",
    )


def _given(turn: int) -> None:
    """Keep the file on disk, and let Streamlit forget its copy."""
    given: Any = st.session_state.get(f"network_file_{turn}")
    if given is None or isinstance(given, DeletedFile):
        return
    with guarded("keeping the file"):
        own_networks.wait(short(given.name), given.getvalue())
        photo_store.release(given)
        st.session_state["network_title"] = short(given.name, 36).rpartition(".")[0]
        if (form := guess(given.name)) is not None:
            st.session_state["network_form"] = form.name


def _names() -> tuple[str, ...]:
    """Class names from the field or the file; none where neither has any."""
    st.text_area(
        "Class names, one a line",
        key="network_names",
        height=110,
        placeholder="cat\ndog\n…",
        help="In the order of the outputs. Without them the classes have numbers, or the names of "
        "the architecture's own data where their count is the same. Boxes and class maps: the "
        "background, which comes first, may be left out.",
    )
    given = st.file_uploader(
        "Or a file with them",
        type=["txt", "json"],
        max_upload_size=_TEXT_MB,
        key="network_names_file",
        help="One a line, or JSON: a list, or an object from number to name.",
    )
    typed: str = st.session_state["network_names"]
    try:
        if typed.strip():
            return _shown(read_names(typed))
        return () if given is None else _shown(read_names(given.getvalue().decode("utf-8")))
    except UnicodeDecodeError:
        st.warning("The file with class names is no text in UTF-8; save it as such.")
    except UserError as error:
        st.warning(sentence(str(error)), icon=":material/report:")
    return ()


def _shown(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names with other brackets, so that none can be taken for HTML by a browser."""
    return tuple(short(name.translate(_BRACKETS)) for name in names)


def _take(file: Waiting, names: tuple[str, ...]) -> None:
    st.text_input("Its name", key="network_title", max_chars=40)
    row = st.container(horizontal=True, gap="small")
    row.button(
        "Use it",
        key="network_take",
        type="primary",
        icon=":material/check:",
        on_click=_taken,
        args=(file, names),
    )
    row.button("Drop the file", key="network_drop", icon=":material/close:", on_click=_dropped)


def _taken(file: Waiting, names: tuple[str, ...]) -> None:
    """Load the file; what is wrong is told on the page, and the file waits for another try."""
    st.session_state.pop("_network_misfit", None)
    form = st.session_state.get("network_form") or models.cards()[0].name
    title = st.session_state.get("network_title", "")
    with guarded("reading the network"):
        try:
            card = own_networks.take(file, form, title, names)
        except UserError as error:
            st.session_state["_network_misfit"] = (file.path, error)
            return
        own_networks.forget_file()
        model_picker.use(card)
        state.put("card", card.name)
        if st.session_state.get("kind") not in ("all", card.task):
            state.put("kind", "all")


def _dropped() -> None:
    st.session_state.pop("_network_misfit", None)
    own_networks.forget_file()


def _misfit(error: UserError) -> None:
    """The sentence, and for weights of another network the names that do not match."""
    st.warning(sentence(str(error)), icon=":material/report:")
    if not isinstance(error, DoesNotFit):
        return
    lists = (
        ("missing in the file", error.missing),
        ("unknown to the architecture", error.unknown),
        ("of another shape", [f"{k}: {there}, not {here}" for k, there, here in error.shapes]),
    )
    for words, found in lists:
        if found:
            more = f"\n… and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            st.caption(f"{len(found)} {words}")
            st.code("\n".join(short(n) for n in found[:_SHOWN]) + more, language=None, height=120)


def remove_button(card: Card) -> None:
    """Remove a network of one's own."""
    st.button(
        "Remove it",
        key="network_remove",
        icon=":material/delete:",
        on_click=_removed,
        args=(card.name,),
        width="stretch",
        help="Frees its memory at once.",
    )


def _removed(name: str) -> None:
    own_networks.forget(name)
    state.put("card", models.cards()[0].name)
    if state.held("model") == name:
        state.put("model", models.cards(state.held("task"))[0].name)
