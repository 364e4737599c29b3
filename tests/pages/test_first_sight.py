"""What a newcomer reads on the pages, and what the pages open with."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pages import navigation
from pages.filters.page import FIRST
from pages.models.page import _WIDTHS
from pages.operators.relu_rules import telling
from pages.predictions.knows import broader
from pages.shared import glossary
from tests.pages.conftest import picture, sound, start, text_of, visit
from vision_core import models
from vision_core.figures.colours import INSTANCES
from vision_core.models.anatomy import anatomy

ROOT = Path(__file__).resolve().parents[2]


def test_what_the_first_answer_of_a_server_needs_does_not_import_pytorch() -> None:
    # It takes seconds, in which the browser would have neither menu nor page.
    code = (
        "import sys, streamlit, pages.navigation, pages.shared.shell, pages.shared.state;"
        "print({'torch', 'torchvision', 'scipy'} & {*sys.modules})"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "set()"


def test_every_page_has_a_title_in_the_tab_of_its_own() -> None:
    titles = [navigation.tab_title(path) for path in navigation.ENTRIES]
    assert len(set(titles)) == len(titles) and navigation.tab_title("") == "ConvScope"


@pytest.mark.parametrize("page", sorted({*navigation.ENTRIES} - {"home"}))
def test_every_page_shows_its_name(page) -> None:
    shown = text_of(sound(start(page)))
    assert f"<h1 class='name'>{navigation.ENTRIES[page].title}" in shown
    assert "on the left" not in shown


def test_predictions_says_what_the_network_knows() -> None:
    assert "Knows: bus, cat, cow, dining table, dog, horse, motorcycle, person, sheep." in text_of(
        sound(start())
    )


def test_where_nothing_is_found_the_page_says_what_to_do() -> None:
    app = sound(start(score="0.99"))
    [words] = [i.value for i in app.info if "Nothing found" in i.value]
    assert "lower the score threshold" in words and "bus, cat, cow" in words
    offer = app.button(key="broader")
    card = broader(models.card("fcos_s"))
    assert card is not None and card.title in offer.label
    assert len(card.classes) > len(models.card("fcos_s").classes)


def test_instances_have_a_colour_each() -> None:
    shown = picture(sound(start(task="instance", score="0.05", iou="0.9")))
    assert len(shown["ids"]) > 2
    assert shown["colours"] == [INSTANCES[i % 8] for i in range(len(shown["ids"]))]


def test_left_and_right_limbs_are_told_apart() -> None:
    shown = picture(sound(start(task="pose", photo="astronaut", score="0.1")))
    assert {"left", "right"} <= {side for _, _, side in shown["limbs"]}


def test_four_models_stand_as_two_by_two() -> None:
    app = sound(start("compare", model_c="mask_rcnn_s", model_d="faster_rcnn_s"))
    rows = [[round(c.proto.weight, 3) for c in app.get("column")]]
    titles = [m.value for m in app.markdown if re.match(r"\*\*[ABCD]: ", m.value)]
    assert len(titles) == 4
    assert rows[0].count(0.5) >= 4 and 0.25 not in rows[0]


def first_kernel(name: str) -> int:
    layers = anatomy(models.card(name)).layers
    text = next(layer.text for layer in layers if layer.kind.startswith("Conv"))
    return int(re.search(r"\d+", text)[0])


def test_filters_open_on_the_largest_first_kernels() -> None:
    bundled = [c.name for c in models.cards() if c.bundled]
    assert first_kernel(FIRST) == max(first_kernel(name) for name in bundled)
    app = sound(start("filters"))
    assert app.selectbox(key="model").value == FIRST
    assert app.selectbox(key="conv").value


def test_a_filter_is_chosen_by_keyboard_too() -> None:
    app = sound(start("filters"))
    assert "Filter 3**" not in text_of(app)
    sound(app.number_input(key="filter").set_value(3).run())
    assert "Filter 3**, one kernel for each input channel" in text_of(app)


def test_filters_change_the_model_only_where_nobody_chose_one() -> None:
    app = start()
    own = app.selectbox(key="model").value
    sound(visit(app, "filters").run())
    sound(visit(app, "predictions").run())
    assert app.selectbox(key="model").value == own, "nobody chose the model of Filters"
    sound(app.selectbox(key="task").set_value("classification").run())
    assert app.selectbox(key="model").value != FIRST
    sound(app.selectbox(key="model").set_value(FIRST).run())
    sound(visit(app, "filters").run())
    sound(visit(app, "predictions").run())
    assert (app.selectbox(key="task").value, app.selectbox(key="model").value) == (
        "classification",
        FIRST,
    )


def test_relu_rules_choose_a_channel_with_both_signs() -> None:
    x, g = np.ones((3, 2, 2)), np.full((3, 2, 2), 9.0)
    x[1, 0], g[1, :, 0] = -1, -9
    view = SimpleNamespace(forward=x, above=g, liveliest=lambda: 0)
    assert telling(view) == 1
    view = SimpleNamespace(forward=np.ones((3, 2, 2)), above=g, liveliest=lambda: 2)
    assert telling(view) == 2


def test_terms_are_explained_by_the_glossary_alone() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text()
    assert len(glossary.terms()) > 40
    for term in ("NMS", "IoU", "candidates", "RoI Align", "Recall", "Switches", "channel"):
        meaning = glossary.meaning(term)
        assert meaning and meaning.split()[-1] in text
    slider = sound(start()).number_input(key="iou")
    assert glossary.meaning("IoU") in slider.help
    assert "<abbr" in text_of(sound(start("filters")))
    assert glossary.meaning("no such term") == ""


def test_the_columns_of_the_catalogue_fit_and_hold_their_headings() -> None:
    assert sum(_WIDTHS.values()) + 34 <= 1280 - 290 - 48
    headings = {"parameters": "parameters (M)", "megabytes": "MB"}
    for name, wide in _WIDTHS.items():
        assert wide >= 7.2 * len(headings.get(name, name)) + 10, name
    [table] = [t for t in sound(start("models")).get("arrow_data_frame")][:1] or [None]
    assert table is None or set(json.loads(table.proto.columns)) >= set(_WIDTHS)
