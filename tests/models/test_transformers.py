"""Networks without maps of channels, rows and columns predict, and say no where a map is needed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.models import get_model_builder, get_model_weights

from vision_core import devices
from vision_core.attribution import ask, default_target, explain
from vision_core.attribution.cam import default_layer, map_layers
from vision_core.errors import UserError
from vision_core.features import activations
from vision_core.features.activations import view_of
from vision_core.features.filters import filters
from vision_core.features.receptive import Graph
from vision_core.inference import trace
from vision_core.models import build, load, loading
from vision_core.models.layout import not_maps
from vision_core.records.targets import UnitTarget

NAMES = ("vit_b_32", "swin_t", "swin_v2_t", "maxvit_t")


@pytest.fixture(scope="module", params=NAMES)
def model(request):
    made = load(request.param, device="cpu", random_seed=0)
    if request.param.startswith("vit"):  # torchvision starts its last layer at zero
        torch.nn.init.normal_(made.module.heads.head.weight, std=0.02)
    return made


def test_it_predicts_as_torchvision_does(model, cat) -> None:
    found = trace(model, cat)
    preset = get_model_weights(model.name).DEFAULT.transforms()
    with torch.no_grad():
        own = model.module(preset(devices.uint8_tensor(cat, "cpu"))[None])[0].softmax(0)
    np.testing.assert_allclose(found.probabilities, own.numpy(), atol=1e-6)


def test_gradients_come_and_what_needs_a_relu_or_a_map_says_no(model, cat) -> None:
    found = trace(model, cat)
    question = ask(model, cat, found, default_target(found))
    assert explain(question, "gradient").values.any()
    with pytest.raises(UserError, match=r"this network calls none on the way"):
        explain(question, "guided_backprop")
    if model.name.startswith("vit"):
        with pytest.raises(UserError, match="has one convolution, at its very start"):
            explain(question, "gradcam")
    else:
        layer = default_layer(question)
        assert layer == ("permute" if model.name.startswith("swin") else "blocks.3")
        assert explain(question, "gradcam").values.shape == (cat.height, cat.width)
    assert filters(model.module).colour, "the convolution that looks at the picture is there"


def test_only_maps_of_channels_rows_and_columns_are_offered(model, cat) -> None:
    """Each map has as many rows as columns, since the picture is a square."""
    found = trace(model, cat)
    offered = map_layers(ask(model, cat, found, default_target(found)))
    assert offered and set(offered) <= set(activations.map_layers(model, cat))
    for name, shape in activations.map_layers(model, cat).items():
        assert shape[1] == shape[2], (name, shape)
    block = sorted(not_maps(model.module))[-1]
    with pytest.raises(UserError, match="puts out numbers for patches"):
        activations.activations(model, cat, block)
    with pytest.raises(UserError, match="puts out numbers for patches"):
        ask(model, cat, found, UnitTarget(block, 0))


def test_a_receptive_field_is_right_or_refused(model, cat) -> None:
    module, x, _, _ = view_of(model, cat)
    try:
        graph = Graph(module, x)
    except UserError as error:
        assert "cannot be followed layer by layer" in str(error)
        return
    first, *later = graph.layers()
    rows = x.shape[-1] // graph.layers()[first][1]
    assert graph.field(first, 1, 1)[2] - graph.field(first, 1, 1)[0] >= rows
    assert not set(graph.layers()) & not_maps(model.module)
    behind = [name for name in later if name in ("permute", "avgpool", "blocks.3")]
    for name in behind:
        with pytest.raises(UserError, match="cannot be followed through"):
            graph.field(name, 0, 0)


def test_the_inside_of_a_convnext_block_is_no_map() -> None:
    module = build.build_plain("convnext_tiny").eval()
    inside = not_maps(module)
    shapes = {}
    for name, part in module.named_modules():
        part.register_forward_hook(
            lambda _, __, out, name=name: shapes.__setitem__(name, tuple(out.shape[1:]))
        )
    with torch.no_grad():
        module(torch.zeros(1, 3, 64, 64))
    for name, shape in shapes.items():
        if len(shape) == 3 and max(shape) > 1 and shape[0] != shape[1] == shape[2]:
            assert name not in inside, name
        elif len(shape) == 3 and shape[0] == shape[1] != shape[2]:
            assert name in inside or shape[1:] == (1, 1), name


def test_a_vision_transformer_of_another_size_is_known_by_its_checkpoint() -> None:
    with torch.device("meta"):
        state = get_model_builder("vit_b_32")(weights=None, image_size=96).state_dict()
    assert build.settings_of("vit_b_32", state) == {"image_size": 96}
    preset = loading.preset_of(load("vit_b_32", random_seed=0).card, None, 96)
    assert preset(torch.zeros(3, 200, 300, dtype=torch.uint8)).shape == (3, 96, 96)
    assert build.build_plain("vit_b_32", image_size=96).image_size == 96


def test_regnet_is_laid_out_without_numbers() -> None:
    with torch.device("meta"):
        empty = build.build_plain("regnet_x_400mf")
    full = build.build_plain("regnet_x_400mf")
    assert {k: v.shape for k, v in empty.state_dict().items()} == {
        k: v.shape for k, v in full.state_dict().items()
    }
    assert all(value.is_meta for value in empty.state_dict().values())
