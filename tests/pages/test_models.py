"""The catalogue page in Streamlit's simulator."""

from __future__ import annotations

import pytest
import torch
import torchvision

from pages.models.model_card import shape_words
from tests.pages.conftest import sound, start, text_of
from vision_core import models
from vision_core.models import weights
from vision_core.models.anatomy import skeleton
from vision_core.models.layout import not_maps

PAGE = "models"


def titles(app) -> list[str]:
    return list(app.dataframe[0].value["model"])


def test_the_table_lists_the_whole_catalogue_and_shows_the_first() -> None:
    app = sound(start(PAGE))
    assert titles(app) == [c.title for c in models.cards()]
    first = models.cards()[0]
    assert first.title in [s.value for s in app.subheader]
    assert f"{first.parameters:,}" in text_of(app) and first.limits in text_of(app)


@pytest.mark.parametrize("task", models.TASKS)
def test_filter_by_task(task: str) -> None:
    app = sound(start(PAGE, kind=task))
    assert titles(app) == [c.title for c in models.cards(task)]
    assert app.subheader[0].value == models.cards(task)[0].title


def test_only_those_here_leaves_out_what_is_to_be_downloaded() -> None:
    app = sound(start(PAGE, here="1"))
    expected = [c.title for c in models.cards() if weights.status(c) != "downloadable"]
    assert titles(app) == expected and len(expected) < len(models.cards())


def test_a_link_opens_a_model_and_offers_its_download() -> None:
    app = sound(start(PAGE, card="vgg16"))
    card = models.card("vgg16")
    assert app.subheader[0].value == card.title
    labels = [b.label for b in app.button]
    assert (f"Download {card.bytes / 2**20:.0f} MB" in labels) == (
        weights.status(card) == "downloadable"
    )
    layers = next(d.value for d in app.dataframe if "kernel" in d.value)
    assert layers["parameters"].sum() == card.parameters
    assert layers["multiply-adds (M)"].sum() / 1e3 == pytest.approx(15.47, abs=0.01)


def test_receptive_fields_of_textbooks() -> None:
    from pages.models.model_card import _receptive_fields

    seen = _receptive_fields("vgg16")  # 3x3 convolutions and 2x2 pooling, by hand
    assert (seen["features.0"], seen["features.4"], seen["features.30"]) == (
        "3 x 3",
        "6 x 6",
        "212 x 212",
    )
    assert _receptive_fields("resnet18")["layer4.1.conv2"] == "435 x 435"
    assert _receptive_fields("mobilenet_v3_small")["features.12.0"] == "whole picture"


def test_a_failed_download_is_one_sentence(monkeypatch) -> None:
    def broken(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", broken)
    monkeypatch.setattr(weights, "find", lambda card, folder=None: None)
    app = start(PAGE, card="alexnet")
    [button] = [b for b in app.button if b.key == "get"]
    app = button.click().run()
    assert not app.exception and "Traceback" not in text_of(app)
    told = [e.value for e in (*app.error, *app.warning)]
    assert len(told) == 1 and "alexnet" in told[0]


@pytest.mark.parametrize("card", [c.name for c in models.cards() if c.bundled])
def test_bundled_models_show_their_training(card: str) -> None:
    app = sound(start(PAGE, card=card))
    run = models.card(card).extra["training"]
    assert run["command"] in [c.value for c in app.code]
    assert len(app.get("plotly_chart")) == 3


def test_a_model_that_does_not_exist_gives_a_note() -> None:
    app = start(PAGE, card="resnet99")
    assert not app.exception
    assert any("resnet99" in i.value for i in app.info)


def test_the_lecture_set_is_fetched_at_one_press_and_goes_on_after_a_break(
    hub, monkeypatch
) -> None:
    broken: list[str] = []

    def fetch(source, target, *, name, size, right, progress):
        if not broken and "keypoint" in target.name:
            broken.append(target.name)
            raise OSError("connection reset")
        progress(size, size)
        target.write_bytes(b"weights")

    monkeypatch.setattr(weights, "fetch", fetch)
    app = sound(start(PAGE))
    missing = weights.lecture_set()
    total = sum(card.bytes for card in missing) / 2**20
    button = app.button(key="get_lecture_set")
    assert button.label == f"Download all ({total:.0f} MB)"
    assert all(card.title in text_of(app) for card in missing)
    app = button.click().run()
    assert not app.exception and any("keypoint" in w.value for w in app.warning)
    left = weights.lecture_set()
    assert 0 < len(left) < len(missing)
    app = sound(app.button(key="get_lecture_set").click().run())
    assert weights.lecture_set() == () and "pages open with them" in text_of(app)
    assert len(list(hub.iterdir())) == len(missing)


def test_shapes_inside_a_swin_transformer_are_marked_for_their_channels_come_last() -> None:
    """The names that get a star are those whose real output ends in the layer's width."""
    card = models.card("swin_t")
    network = torchvision.models.swin_t(weights=None).eval()
    shapes = {}
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.LayerNorm | torch.nn.Conv2d):
            module.register_forward_hook(
                lambda _m, _i, out, name=name: shapes.update({name: tuple(out.shape[1:])})
            )
    with torch.inference_mode():
        network(torch.zeros(1, 3, 64, 96))
    inner = not_maps(skeleton(card)[0])
    norms = [n for n, m in network.named_modules() if isinstance(m, torch.nn.LayerNorm)]
    assert len(norms) > 20
    for name in norms:
        width = network.get_submodule(name).normalized_shape[0]
        assert name in inner and shapes[name][-1] == width
    assert "features.0.0" not in inner and shapes["features.0.0"][0] == 96
    assert shape_words((7, 7, 768), True) == "7x7x768 *" and shape_words((96, 56), False) == "96x56"
