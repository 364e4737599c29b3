"""Every widget of every page is moved once to another value, and nothing goes wrong.

Each move starts from a fresh session. What stands behind a section, a task or a tab is opened
first, and a widget that only comes up after another one's move is moved as well.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.state.common import TESTING_KEY, user_key_from_element_id
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import (
    Block,
    Button,
    ButtonGroup,
    Checkbox,
    ElementTree,
    Multiselect,
    NumberInput,
    Radio,
    Selectbox,
    SelectSlider,
    Slider,
    TextArea,
    TextInput,
    Toggle,
    Widget,
)

from pages.race import page as race
from pages.shared import galleries
from tests.pages.branching import twin
from tests.pages.conftest import start, text_of
from tests.pages.test_every_page import PAGES
from vision_core.images import Photo, from_array
from vision_core.race import proposals
from vision_core.samples import sample as decoded

DOORS = ("section", "task", "kind", "numbers", "answers", "lesson")
"""Widgets behind which lie other widgets: all their values are opened, not only one."""
ALIKE = "space_channel_"
"""Buttons in a row of which one is as good as all: each opens another channel."""
_OTHERS = ("DownloadButton", "FileUploader", "CameraInput")
"""Widgets whose value is a file; other tests press and fill them."""


class Move(NamedTuple):
    """One widget or row of tabs, by its key, and the value that it gets."""

    key: str
    value: Any


Way = tuple[Move, ...]
Fresh = Callable[[], AppTest]
BEFORE: dict[str, Way] = {
    "climb_go": (Move("climb_steps", 8),),
    "league_start": (Move("rivals", ["Gradient"]), Move("steps_of_curve", 4)),
    "style_go": (Move("grow_side", 128), Move("grow_steps", 20)),
    "dream_go": (Move("dream_side", 128), Move("dream_steps", 2)),
}
"""Moves that make a slow one short."""
EXPECTED = {
    "activations": {"layer", "part", "climb_go", "climb_seed"},
    "attribution": {"methods", "samples", "seed", "league_start", "league_table"},
    "compare": {"model_b", "compare_tabs", "map_method_0", "reset_comparison"},
    "convolution": {"stride", "flip", "start_over"},
    "feature_space": {"layer", "gallery", "metric", "map", "perplexity", "channel"},
    "filters": {"untrained"},
    "metrics": {
        "threshold",
        "match_iou",
        "kind_of_error",
        "lit",
        "bins",
        "score_from",
        "measure",
        "pck_share",
    },
    "models": {"kind", "here"},
    "training": {
        "learn_start",
        "learn_one",
        "batch_norm",
        "learn_rate",
        "transfer_start",
        "own_add",
    },
    "style": {"section", "style_go", "method", "average", "octaves", "dream_go"},
    "surgery": {"skip", "cut_factor", "keep_channels", "bits", "paths_start", "undo_all"},
    "predictions": {"score", "mask", "ask", "download_weights", "use_bundled"},
}
"""Some of what must have been moved, also behind tabs, tasks and models that are not here."""


def faults(app: AppTest, log: pytest.LogCaptureFixture) -> list[str]:
    """What went wrong in the app's last run, including faults that a page told in a sentence."""
    found = [e.message for e in app.exception] + [e.value for e in app.error]
    found += ["a traceback on the page"] * ("Traceback" in text_of(app))
    for record in log.records:
        if record.levelno >= logging.ERROR:
            cause = record.exc_info[1] if record.exc_info else None
            found.append(f"{record.getMessage()}: {cause!r}")
    return found


def moves(app: AppTest) -> Iterator[tuple[str, list[Move]]]:
    """The moves to make, by the key of the widget or of the row of tabs."""
    for node in _nodes(app):
        if isinstance(node, Widget) and not node.disabled and type(node).__name__ not in _OTHERS:
            yield _key(node), [Move(_key(node), value) for value in _values(node)]
        elif isinstance(node, Block) and node.type == "tab_container":
            key = user_key_from_element_id(node.proto.tab_container.id)
            if key:  # others draw all their tabs at once
                yield key, [Move(key, tab.label) for tab in node.children.values()][1:]


def _nodes(app: AppTest) -> Iterator[Any]:
    """Everything on the page, from the top."""
    return chain(app.main, app.sidebar)


def _key(widget: Widget) -> str:
    return widget.key or f"{widget.type} {widget.label}"


def _values(widget: Widget) -> list[Any]:
    """Another valid value, or all of them for a door; none where there is no other one."""
    match widget:
        case Button():
            return [True]
        case Checkbox() | Toggle():
            return [not widget.value]
        case Slider() | NumberInput():
            return _numbers(widget)
        case TextInput() | TextArea():
            return ["12, 34"]
        case Multiselect():
            others = [o for o in widget.options if o not in widget.values]
            return [[*widget.values, others[0]]] if others else [[]]
        case ButtonGroup():
            now = [widget.options[i] for i in widget.indices]
        case Selectbox() | SelectSlider() | Radio():
            now = [widget.format_func(widget.value)]
        case _:
            raise AssertionError(f"no move is known for {type(widget).__name__}")
    others = [o for o in widget.options if o not in now]
    return others if widget.key in DOORS else others[:1]


def _numbers(widget: Slider | NumberInput) -> list[Any]:
    """The low end; for a number that is there the high one, or the next where there is no end."""
    low, high, now = widget.min, widget.max, widget.value
    if isinstance(now, tuple | list):  # a range: its low end alone
        return [(low, low)]
    low = now if low is None else low
    high = now + widget.step if high is None else high
    return [type(now)(low if now != low else high)] if low != high else []


class Stand(NamedTuple):
    """A session after some moves."""

    app: AppTest
    way: Way


def moved(fresh: Fresh, way: Way, before: Stand | None) -> AppTest:
    """A fresh session after some moves; the last of them shows in the app's last run.

    Args:
        fresh: starts it.
        way: the moves.
        before: one that has made the first of them and stays as it is.
    """
    app, done = (twin(before.app), len(before.way)) if before else (None, 0)
    if app is None:
        app, done = fresh(), 0
    for move in way[done:]:
        found = [n for n in _nodes(app) if isinstance(n, Widget) and _key(n) == move.key]
        if found:
            app._run(_states(app._tree, found[0], move.value))
        else:
            app.session_state[move.key] = move.value  # a row of tabs
            app._run(app._tree.get_widget_states())  # ``run`` would run the tree's own session
    return app


def _states(tree: ElementTree, widget: Widget, value: Any) -> WidgetStates:
    """What a browser sends that shows a tree and where one widget is moved; the tree stays."""
    assert tree._runner is not None
    formats = tree._runner.session_state[TESTING_KEY]
    was, known = dict(vars(widget)), dict(formats)
    if hasattr(widget, "options"):  # labels are sent, as browsers do
        formats[widget.id] = str
    widget.set_value(value)
    states = tree.get_widget_states()
    vars(widget).update(was)
    formats.update(known)
    return states


def walk(fresh: Fresh, log: pytest.LogCaptureFixture) -> tuple[set[str], list[str]]:
    """Move every widget of a page, each in a fresh session.

    Args:
        fresh: starts a session on the page and runs it once.
        log: where logged faults are found.

    Returns:
        the keys of what was moved, and a sentence for each move that went wrong.
    """
    seen: set[tuple[Any, str]] = set()
    told: list[str] = []
    ways: list[tuple[Way, Stand | None]] = [((), None)]
    while ways:
        log.clear()
        way, before = ways.pop(0)
        app = moved(fresh, way, before)
        if found := faults(app, log):
            words = " > ".join(f"{m.key} = {m.value}" for m in way)
            told.append(f"{words or 'fresh'}: {'; '.join(found)}")
            continue
        for key, group in moves(app):
            # A widget is another one in another section, although it has the same key.
            alike = ALIKE if key.startswith(ALIKE) else key
            which = (None if key in DOORS else dict(way).get("section"), alike)
            if group and which not in seen:
                seen.add(which)
                stand = Stand(app, way)
                ways += [((*way, *BEFORE.get(key, ()), move), stand) for move in group]
    return {key for _, key in seen}, told


@functools.cache
def small_sample(name: str) -> Photo:
    """A sample in half its width and height: a quarter of the computing, the same widgets."""
    large = Image.fromarray(decoded(name).pixels)
    small = large.resize((large.width // 2, large.height // 2), Image.Resampling.BOX)
    return from_array(np.asarray(small), name=name)


@pytest.mark.parametrize("page", PAGES)
def test_every_widget_moves(page: str, caplog, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("urllib.request.urlopen", _refused)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # only the bundled models are here
    # Each network reads the gallery, in windows; two of its photos are as good as all.
    monkeypatch.setattr(galleries.samples, "names", lambda: ("cat", "astronaut"))
    if page != "training":  # which cuts classes out of the samples, at places of the large ones
        monkeypatch.setattr(galleries.samples, "sample", small_sample)
    # Few regions and windows: the page of the race is the same.
    monkeypatch.setattr(race, "selective_search", partial(race.selective_search, most=24))
    monkeypatch.setattr(proposals, "SCALES", (0.9,))
    seen, told = walk(lambda: start(page), caplog)
    assert not told, "\n".join(told)
    assert seen >= {"present", *EXPECTED.get(page, ())}


def test_a_fault_behind_a_widget_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    def script() -> None:
        import streamlit as st

        from pages.shared.guard import guarded

        def fail() -> None:
            raise KeyError("in a callback")

        st.toggle("Sound", key="sound")
        st.button("Fails", on_click=fail, key="fails")
        with guarded("choosing"):
            if st.selectbox("Chosen", ["a", "b"], key="chosen") == "b":
                raise KeyError("in the page")
        if st.toggle("More", key="more") and st.number_input("Deep", 0, 9, 5, key="deep") == 0:
            raise KeyError("behind another widget")

    seen, told = walk(lambda: AppTest.from_function(script).run(), caplog)
    assert seen == {"sound", "fails", "chosen", "more", "deep"}
    assert [line.partition(":")[0] for line in told] == [
        "fails = True",
        "chosen = b",
        "more = True > deep = 0",
    ]
    assert "in a callback" in told[0]
    assert "Something went wrong while choosing" in told[1]
    assert "behind another widget" in told[2]


def _refused(*args: Any, **kwargs: Any) -> None:
    raise OSError("no network in tests")
