"""The operators' pages in Streamlit's simulator: every section, example and rule."""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch.nn import functional as F

from pages.operators import real_layer
from pages.receptive_field import field_view
from pages.receptive_field.page import edited_text
from tests.pages.conftest import sound, start, text_of, visit
from tests.walkthroughs.test_convolution import tensor
from vision_core.attribution.geometry import Window
from vision_core.features import transposed
from vision_core.features.receptive import Graph
from vision_core.models.zoo.streets import Transposed
from vision_core.walkthroughs import PRESETS

SECTIONS = {
    "convolution": ("window", "matrix", "film", "cost"),
    "transposed_convolution": ("steps", "overlap", "names", "tied"),
    "pooling": ("pool", "backward", "shift", "unpool", "channels", "real"),
    "roi_pooling": ("numbers", "photo", "backward", "corner", "pairs", "anchors"),
    "nms": ("boxes",),
    "sentence": ("read",),
    "receptive_field": ("photo", "growth"),
}
EVERY = [(page, section) for page, sections in SECTIONS.items() for section in sections]
OPERATORS = {
    ("convolution", "window"): "convolution",
    ("convolution", "matrix"): "convolution_matrix",
    ("transposed_convolution", "steps"): "transposed_convolution",
    ("pooling", "pool"): "max_pool",
    ("roi_pooling", "numbers"): "roi_align",
    ("nms", "boxes"): "nms",
    ("convolution", "film"): "convolution_3d",
    ("transposed_convolution", "tied"): "tied_weights",
    ("pooling", "channels"): "channel_pool",
}


def stage(app: Any, at: int = 0) -> dict[str, Any]:
    """What a player was given."""
    found = [json.loads(e.proto.json) for e in app.get("bidi_component")]
    return [data for data in found if "stage" in data][at]


def result(app: Any, view: int = 0) -> np.ndarray:
    return np.array(stage(app)["stage"]["views"][view]["walk"]["result"])


@pytest.mark.parametrize(("page", "section"), EVERY)
def test_every_section_runs(page, section, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        app = sound(start(page, section=section))
    assert not app.warning
    assert "deprecat" not in caplog.text.lower()


@pytest.mark.parametrize(("page", "section"), OPERATORS)
def test_every_example_runs_from_a_link(page, section) -> None:
    for chosen in PRESETS[OPERATORS[page, section]]:
        app = sound(start(page, section=section, preset=chosen.name))
        assert stage(app)["stage"]["timeline"]
        assert app.selectbox(key="preset").value == chosen.name


def test_another_example_brings_its_own_parameters() -> None:
    app = sound(start("convolution", stride="3"))
    assert app.number_input(key="stride").value == 3
    sound(app.selectbox(key="preset").set_value("stride-2").run())
    assert app.number_input(key="stride").value == 2
    assert app.number_input(key="padding").value == 1
    assert stage(app)["step"] == 0


def test_controls_and_sizes_change_the_numbers() -> None:
    app = sound(start("transposed_convolution"))
    sound(app.number_input(key="stride").set_value(3).run())
    sound(app.number_input(key="input_columns").set_value(3).run())
    x = np.array(stage(app)["stage"]["views"][0]["walk"]["operands"]["input"]["values"])
    assert x.shape == (2, 3) and x[:, :2].tolist() == [[1, 2], [3, 4]]
    w = [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    expected = F.conv_transpose2d(tensor(x)[None, None], tensor(w)[None, None], None, 3, 1, 1)
    for view in (0, 1):
        np.testing.assert_allclose(result(app, view), expected[0, 0])


def test_a_broken_rule_stands_there_and_the_last_valid_picture_stays() -> None:
    app = sound(start("convolution"))
    sound(app.number_input(key="dilation").set_value(2).run())
    before = result(app)
    sound(app.number_input(key="input_rows").set_value(2).run())
    [rule] = [w.value for w in app.warning]
    assert rule.startswith("The kernel spans 5 cells")
    assert np.array_equal(result(app), before)
    sound(app.number_input(key="padding").set_value(2).run())
    assert not app.warning and result(app).shape == (2, 5)


def test_a_link_holds_numbers_and_a_bad_one_gives_a_note() -> None:
    app = sound(start("convolution", input="1,2;3,4", weight="2"))
    assert "numbers, such as" not in text_of(app)
    app = sound(start("convolution", input="1,2;3,4", weight="1,0;0,1", step="0"))
    assert result(app).tolist() == [[5]]
    app = sound(start("convolution", input="1,x"))
    assert "it takes numbers" in text_of(app)


def test_another_page_starts_with_its_own_numbers() -> None:
    app = sound(start("convolution", stride="3", step="2"))
    visit(app, "transposed_convolution")
    sound(app.run())
    assert app.number_input(key="stride").value == 2


def test_unaligned_points_are_half_a_cell_off() -> None:
    app = sound(start("roi_pooling", preset="half-a-cell-off"))
    # Half a cell of 32 pixels at every edge.
    assert "data-align='16.00'" in text_of(app)
    app = sound(start("roi_pooling"))
    assert "data-align='0.00'" in text_of(app)


def test_a_box_off_the_picture_is_refused_and_the_last_one_stays() -> None:
    app = sound(start("roi_pooling", section="photo", roi="5000,5000,6000,6000"))
    assert any("lies off the picture" in w.value for w in app.warning)
    assert stage(app)["stage"]["views"]


def test_the_stack_of_layers_is_checked() -> None:
    app = sound(start("receptive_field", section="growth", layers="3,2,1,1;3,2,1,1"))
    assert "**7 x 7 pixels** after 2 layers" in text_of(app)
    app = sound(start("receptive_field", section="growth", layers="3,2;1,1"))
    assert any("four whole numbers" in w.value for w in app.warning)


@pytest.mark.parametrize(
    ("edits", "layers"),
    [
        ({"edited_rows": {"1": {"kernel": 5}}}, "3,2,1,1;5,1,1,1"),
        ({"added_rows": [{"dilation": 2}, {}]}, "3,2,1,1;3,1,1,1;3,1,1,2;3,1,1,1"),
        ({"deleted_rows": [0]}, "3,1,1,1"),
        ({"deleted_rows": [0, 1]}, "3,2,1,1"),
    ],
)
def test_edits_of_the_table_of_layers_become_the_stack(edits, layers) -> None:
    assert edited_text("3,2,1,1;3,1,1,1", edits) == layers


def test_the_page_says_why_a_unit_sees_the_whole_picture(monkeypatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(field_view.st, "markdown", shown.append)
    x = torch.ones(1, 3, 96, 128)
    graph = Graph(torchvision.models.mobilenet_v3_small(weights=None).eval(), x)
    window = Window(0, 0, 1, 1, 128, 96, (128, 96))
    made = field_view.Layers(graph, torch.nn.Identity(), x, window, {})
    for layer, whole in (("features.1.block.0.0", False), ("features.12.0", True)):
        shown.clear()
        field_view.words(made, layer, (0, 0), made.box(layer, (0, 0)), np.ones((96, 128)))
        assert ("global pooling" in " ".join(shown)) == whole
        assert ("**128 x 96 pixels**" in " ".join(shown)) == whole


def test_a_network_with_a_transposed_convolution_gets_its_section(monkeypatch) -> None:
    app = sound(start("transposed_convolution"))
    assert "layer" not in app.button_group(key="section").options
    torch.manual_seed(0)
    part = Transposed(3).deconv
    x = torch.rand(1, 3, 6, 8)
    with torch.no_grad():
        found = transposed.captured("up", part, x, part(x))
    monkeypatch.setattr(real_layer, "networks", lambda: {"some": ("up",)})
    monkeypatch.setattr(real_layer, "_captured", lambda *_: found)
    app = sound(start("transposed_convolution", section="layer"))
    assert "3 to 3 channels, kernel 4x4, stride 2" in text_of(app)
    assert result(app).shape == (6, 6)


def test_a_rule_from_a_link_stands_under_the_control_that_it_names() -> None:
    app = sound(start("transposed_convolution", output_padding="3"))
    drawn = [
        e.label if e.type == "number_input" else e.type
        for e in app.sidebar
        if e.type in ("number_input", "warning")
    ]
    assert drawn.index("Output padding") < drawn.index("warning")
