"""The page "Surgery": what it shows is what the core says of the same plan."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pages.surgery import dials, kernels, pictures, subsets
from tests.pages.conftest import sound, start, text_of
from vision_core import models, samples
from vision_core.inference import trace
from vision_core.surgery import Kernel, Noise, Plan, Quantise, Round, Scale, Skip, Swap
from vision_core.surgery.operate import operate
from vision_core.surgery.report import in_words
from vision_core.surgery.unravel import positions, ranked, unravel, unravel_known, usual

BLOCK = "trunk.stages.1.1"


def at(**params: str):
    return sound(start("surgery", **params))


def shown(app) -> list[dict]:
    """What the two pictures were given."""
    given = [json.loads(c.proto.json) for c in app.get("bidi_component")]
    return [one for one in given if one.get("group") == "surgery"]


def ranking(app):
    """The table of the subsets; ``None`` where it is not there."""
    return next((d.value for d in app.dataframe if "value" in d.value), None)


def first(app, title: str) -> str:
    """The line above a picture."""
    (line,) = [m.value for m in app.markdown if m.value.startswith(f"**{title}**")]
    return line


def test_it_opens_with_two_equal_results() -> None:
    app = at()
    assert "Nothing is done yet" in text_of(app) and "to the last bit" in text_of(app)
    assert first(app, "Untouched").split(": ")[1] == first(app, "Operated").split(": ")[1]
    assert len(shown(app)) == 2 and app.button(key="undo_all").disabled


def test_every_dial_is_part_of_the_plan() -> None:
    app = at(
        skip=BLOCK,
        kept="trunk.stem:0-3:0",
        cut_layer="trunk.stem.2",
        cut_channels="2-5",
        cut_factor="1.5",
        relu_for="gelu",
        bits="8",
        noise="0.1",
        noise_seed="7",
        precision="bfloat16",
    )
    plan = Plan(
        (
            Skip(BLOCK),
            Scale("trunk.stem", 0, 3, 0.0),
            Scale("trunk.stem.2", 2, 5, 1.5),
            Swap("gelu"),
            Noise(0.1, 7),
            Quantise(8),
            Round("bfloat16"),
        )
    )
    model = models.load("resnet_s", device="cpu")
    label, probability = trace(operate(model, plan), samples.sample("cat")).top(1)[0]
    assert first(app, "Operated") == f"**Operated**: {label} {probability:.3f}"
    assert "skip block trunk.stages.1.1" in text_of(app) and "8 bits" in text_of(app)
    assert app.query_params["kept"] == "trunk.stem:0-3:0" and app.query_params["bits"] == "8"


def test_switching_a_block_changes_the_result_and_undoing_takes_it_back() -> None:
    app = at()
    before = first(app, "Untouched")
    sound(app.button_group(key="skip").set_value([BLOCK]).run())
    assert app.query_params["skip"] == BLOCK
    assert (
        first(app, "Untouched") == before != first(app, "Operated").replace("Operated", "Untouched")
    )
    sound(app.button(key="undo_all").click().run())
    assert "skip" not in app.query_params and "Nothing is done yet" in text_of(app)


def test_channels_are_kept_and_others_chosen() -> None:
    app = at(cut_layer="trunk.stem", cut_channels="0-3")
    assert app.button(key="keep_channels").disabled
    sound(app.slider(key="cut_factor").set_value(0.0).run())
    assert "silence channels 0-3 of trunk.stem" in text_of(app)
    sound(app.button(key="keep_channels").click().run())
    assert app.query_params["kept"] == "trunk.stem:0-3:0"
    assert app.slider(key="cut_factor").value == 1.0
    assert text_of(app).count("silence channels 0-3 of trunk.stem") == 1
    sound(app.selectbox(key="cut_layer").select("trunk.stages.3.1").run())
    assert app.slider(key="cut_channels").value == (0, 255)
    sound(app.multiselect(key="kept").set_value([]).run())
    assert "Nothing is done yet" in text_of(app)


def test_a_kernel_gets_other_numbers_and_its_own_again() -> None:
    app = at(kernel_layer="trunk.stem.0", kernel_filter="2", kernel_channel="1")
    sound(app.button(key="kernel_zeros").click().run())
    assert app.query_params["kernels"] == "trunk.stem.0:2:1=" + ",".join(["0"] * 9)
    plan = Plan((Kernel("trunk.stem.0", 2, 1, (0.0,) * 9),))
    model = models.load("resnet_s", device="cpu")
    label, probability = trace(operate(model, plan), samples.sample("cat")).top(1)[0]
    assert first(app, "Operated") == f"**Operated**: {label} {probability:.3f}"
    assert "filter 2, input channel 1 of trunk.stem.0" in text_of(app)
    sound(app.multiselect(key="kernels").set_value([]).run())
    assert "kernels" not in app.query_params and "Nothing is done yet" in text_of(app)
    for _ in range(2):  # turned twice, the kernel is what was learned, and nothing is kept
        sound(app.button(key="kernel_rotate").click().run())
    assert "kernels" not in app.query_params


def test_a_ready_kernel_has_the_size_of_the_present_one() -> None:
    now = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert kernels.made("mean", now) == [[1 / 6] * 3] * 2
    assert kernels.made("rotate", now) == np.rot90(now, 2).tolist()
    assert kernels.made("negative", now) == (-np.array(now)).tolist()


@pytest.mark.parametrize(
    ("task", "model", "photo"),
    [
        ("detection", "fcos_s", "cat"),
        ("instance", "mask_rcnn_s", "astronaut"),
        ("pose", "pose_heatmap_s", "astronaut"),
        ("segmentation", "fcn_voc_s", "cat"),
        ("segmentation", "segnet_s", "cat"),
        ("classification", "alexnet_s", "cat"),
    ],
)
def test_every_task_has_its_pictures_and_its_numbers(task, model, photo) -> None:
    app = at(task=task, model=model, photo=photo, noise="0.15")
    one, other = shown(app)
    assert one["photo"]["id"] == other["photo"]["id"]
    given = trace(models.load(model, device="cpu"), samples.sample(photo))
    if task in ("detection", "instance", "pose"):
        assert one["ids"] == given.select(given.defaults).detections.candidate.tolist()
        assert [m.label for m in app.metric][:5] == [
            words.capitalize() for words in pictures._KINDS.values()
        ]
    elif task == "segmentation":
        assert one["overlay"]["id"] != other["overlay"]["id"]
        cut = operate(models.load(model, device="cpu"), Plan((Noise(0.15),)))
        changed = (trace(cut, samples.sample(photo)).class_map != given.class_map).mean()
        assert app.metric[0].value == f"{changed:.1%}"
    else:
        assert "probability changed its class" in text_of(app)


def test_a_network_without_blocks_says_so_in_both_places() -> None:
    app = at(model="vgg_s")
    assert "no residual blocks" in text_of(app)
    app.session_state["surgery_tabs"] = "All subsets of blocks"
    sound(app.run())
    assert any("no residual blocks to skip" in i.value for i in app.info)


def test_all_subsets_are_run_after_their_cost_was_told_and_ranked() -> None:
    app = at()
    app.session_state["surgery_tabs"] = "All subsets of blocks"
    sound(app.run())
    assert app.button(key="paths_start").label == "Run all 32 subsets"
    assert "32 passes of the network" in text_of(app) and ranking(app) is None
    sound(app.button(key="paths_start").click().run())
    model = models.load("resnet_s", device="cpu")
    expected = ranked(list(unravel(model, samples.sample("cat"), usual(model))))
    frame = ranking(app)
    np.testing.assert_allclose(frame["value"], [s.value for s in expected], rtol=1e-6)
    assert list(frame["says"]) == [s.top for s in expected]
    other = at()  # another session sees them at once
    other.session_state["surgery_tabs"] = "All subsets of blocks"
    sound(other.run())
    assert list(ranking(other)["value"]) == list(frame["value"])
    sound(other.multiselect(key="path_blocks").set_value([BLOCK]).run())
    assert other.button(key="paths_start").label == "Run all 2 subsets"


def test_a_run_without_anything_to_compare_says_why_and_the_page_goes_on(monkeypatch) -> None:
    from vision_core.images import from_array

    flat = from_array(np.full((96, 128, 3), 128, np.uint8), "flat.png")
    monkeypatch.setattr("pages.surgery.page.frame.photo_of", lambda _entry: flat)
    app = at(task="detection")
    app.session_state["surgery_tabs"] = "All subsets of blocks"
    app.run()
    app.button(key="paths_start").click().run()
    assert not app.exception
    assert any("finds nothing on this photo" in w.value for w in app.warning)
    assert app.button(key="paths_start").disabled, "no leftover that could be pressed beside Stop"
    assert app.button(key="paths_stop").label == "Stop"
    app.run()
    again = app.button(key="paths_start")
    assert again.label.startswith("Run all") and not again.disabled


def test_what_the_address_asks_for_in_vain_is_told() -> None:
    app = at(
        skip="nothing", bits="7", kernels="a:0:0=1", kept="trunk.stem:0-99:2", cut_channels="9-2"
    )
    said = " ".join(i.value for i in app.info)
    assert all(name in said for name in ("skip", "bits", "kept", "channels", "kernels"))
    assert "Nothing is done yet" in text_of(app)


def test_another_model_starts_with_its_own_blocks_and_layers() -> None:
    app = at(skip=BLOCK, kept="trunk.stem:0-3:0", bits="8")
    sound(app.selectbox(key="model").select("vgg_s").run())
    assert "weights of 8 bits" in text_of(app) and "skip block" not in text_of(app)


def test_names_are_shortened_by_what_they_share() -> None:
    names = ["a.b.1.0", "a.b.1.1", "a.b.2.0"]
    assert list(dials.shortened(names).values()) == ["1.0", "1.1", "2.0"]
    assert dials.shortened(["layer1.0", "layer2.0"]) == {
        "layer1.0": "layer1.0",
        "layer2.0": "layer2.0",
    }
    assert dials.shortened(["a.b"]) == {"a.b": "a.b"}
    assert subsets.MOST_BLOCKS == 12 and in_words({"same": True}).startswith("Nothing differs")


def test_subsets_are_ranked_on_the_sample_photos() -> None:
    app = at(path_blocks=BLOCK)
    app.session_state["surgery_tabs"] = "All subsets of blocks"
    sound(app.run())
    sound(app.button_group(key="path_rank").set_value("samples").run())
    model = models.load("resnet_s", device="cpu")
    known = [(samples.sample(one.name), one.shows) for one in samples.SAMPLES]
    count = sum(bool(positions(model, right)) for _, right in known)
    assert f"{2 * count} passes" in text_of(app) and app.query_params["path_rank"] == "samples"
    sound(app.button(key="paths_start").click().run())
    expected = ranked(list(unravel_known(model, known, (BLOCK,))))
    assert list(ranking(app)["right"]) == [one.top for one in expected]
    assert "whose class is right" in text_of(app) and "tell little" in text_of(app)
