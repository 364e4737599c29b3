"""Layers, parameters and multiply-adds against torchvision's published numbers."""

from __future__ import annotations

import functools

import pytest
import torch
from torchvision.models import get_model_weights

from vision_core.models import anatomy as costs
from vision_core.models import build, card, cards

anatomy = functools.cache(costs.anatomy)  # which forgets the first of so many networks
CLASSIFIERS = [c.name for c in cards("classification") if not c.bundled]
EVERY = [c.name for c in cards()]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_multiply_adds_are_those_that_torchvision_publishes(name: str) -> None:
    published = get_model_weights(name).DEFAULT.meta["_ops"]
    assert anatomy(card(name)).multiply_adds / 1e9 == pytest.approx(published, abs=6e-4)


@pytest.mark.parametrize("name", EVERY)
def test_layers_add_up_to_the_network(name: str) -> None:
    laid_out = anatomy(card(name))
    assert sum(layer.multiply_adds for layer in laid_out.layers) == laid_out.multiply_adds > 0
    assert laid_out.layers[0].kind in ("Conv2d", "MaxPool2d")
    assert len({layer.name for layer in laid_out.layers}) == len(laid_out.layers)


@pytest.mark.parametrize("name", [n for n in EVERY if card(n).bundled])
def test_bundled_networks_have_all_their_parameters_in_layers(name: str) -> None:
    entry = card(name)
    assert sum(layer.parameters for layer in anatomy(entry).layers) == entry.parameters


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "resnet_s"])
def test_shapes_are_those_of_a_real_forward_pass(name: str) -> None:
    entry = card(name)
    laid_out = anatomy(entry)
    make = build.build_bundled if entry.bundled else build.build_plain
    module = make(name).eval()
    seen: dict[str, list[tuple[int, ...]]] = {}
    for path, leaf in module.named_modules():
        if list(leaf.children()):
            continue
        leaf.register_forward_hook(
            lambda _, __, out, path=path: seen.setdefault(path, []).append(tuple(out.shape[1:]))
        )
    with torch.no_grad():
        module(torch.zeros(1, *laid_out.input_shape))
    for layer in laid_out.layers:
        assert list(layer.shapes) == seen[layer.name]


def test_a_detector_says_what_it_was_counted_for() -> None:
    assert "1,000 proposals" in anatomy(card("maskrcnn_resnet50_fpn")).note
    names = [layer.name for layer in anatomy(card("maskrcnn_resnet50_fpn")).layers]
    assert any(name.startswith("roi_heads.mask_predictor") for name in names)
    heads = [x for x in anatomy(card("retinanet_resnet50_fpn")).layers if "cls_logits" in x.name]
    assert len(heads[0].shapes) == 5, "one shape for each level of the pyramid"


def test_text_of_a_layer() -> None:
    first = anatomy(card("alexnet")).layers[0]
    assert (first.kind, first.text) == ("Conv2d", "11x11, stride 4")
    assert first.parameters == 64 * 3 * 11 * 11 + 64
    assert any("groups" in layer.text for layer in anatomy(card("mobilenet_v2")).layers)
