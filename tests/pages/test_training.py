"""The page "Training": what it shows is what a run of the core gives; nobody sees another's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pages.shared import caps
from pages.training import dials, held
from tests.pages.conftest import file_of, sound, start, text_of
from tests.pages.pressing import files, managers
from vision_core import samples
from vision_core.errors import UserError
from vision_core.teaching import LearningSettings
from vision_core.teaching.data import digits
from vision_core.teaching.run import LearningRun


def at(**params: str):
    return sound(start("training", **params))


def expected(epochs: int, **change) -> LearningRun:
    run = LearningRun(digits(), replace(LearningSettings(), **change))
    run.learn(epochs)
    return run


def line(app) -> str:
    """The line of numbers above the curves."""
    (found,) = [m.value for m in app.markdown if m.value.startswith("Epoch")]
    return found


def numbers(run: LearningRun) -> str:
    last = run.history[-1]
    return f"accuracy **{last.val_accuracy:.3f}**, loss **{last.val_loss:.3f}**"


def press(app, key: str):
    return sound(app.button(key=key).click().run())


def to_the_end(app):
    """Draw anew until nothing learns any more, as a browser does by itself."""
    for _ in range(200):
        if not [b for b in app.button if b.key.endswith("_stop")]:
            return app
        sound(app.run())
    raise AssertionError("it never came to its end")


def test_an_epoch_gives_the_numbers_of_the_core() -> None:
    app = at()
    assert "1,442 pictures are learned" in text_of(app) and "1,898 parameters" in text_of(app)
    to_the_end(press(app, "learn_one"))
    assert line(app).startswith("Epoch **1**") and numbers(expected(1)) in line(app)
    to_the_end(press(app, "learn_one"))
    assert numbers(expected(2)) in line(app)


def test_start_learns_until_the_epoch_that_was_asked_for_and_stop_stops() -> None:
    app = at(until="5")
    press(app, "learn_start")
    assert app.button(key="learn_stop")
    press(app, "learn_stop")
    first = line(app)
    assert first.startswith("Epoch **1**") and line(sound(app.run())) == first
    to_the_end(press(app, "learn_start"))
    assert line(app).startswith("Epoch **5**") and numbers(expected(5)) in line(app)


def test_the_run_is_seen_before_its_first_slice_has_ended(monkeypatch) -> None:
    def fault(*_: object) -> None:
        raise UserError("This slice never ends.")

    monkeypatch.setattr(LearningRun, "advance", fault)
    app = at(until="5").button(key="learn_start").click().run()
    assert not app.exception and line(app).startswith("Epoch **0**")
    app = at(section="transfer", lesson="crops").button(key="transfer_start").click().run()
    assert not app.exception and "This slice never ends." in [w.value for w in app.warning]
    assert "Full lines: validation; dotted: training." in text_of(app)


def test_epochs_are_taken_back_and_learned_again() -> None:
    app = at(until="5")
    to_the_end(press(app, "learn_start"))
    whole = line(app)
    sound(app.selectbox(key="learn_back_to").select(2).run())
    press(app, "learn_back")
    assert line(app).startswith("Epoch **2**") and numbers(expected(2)) in line(app)
    to_the_end(press(app, "learn_start"))
    assert line(app) == whole


def test_the_address_holds_settings_and_runs_are_overlaid() -> None:
    app = at(optimiser="adam", learn_rate="0.003", width="4", depth="1", batch_norm="1")
    to_the_end(press(app, "learn_one"))
    run = expected(1, optimiser="adam", rate=0.003, width=4, depth=1, batch_norm=True)
    assert numbers(run) in line(app)
    sound(app.toggle(key="batch_norm").set_value(False).run())
    assert "Nothing has been learned with these settings yet" in text_of(app)
    assert "batch_norm" not in app.query_params and app.query_params["width"] == "4"
    to_the_end(press(app, "learn_one"))
    assert len(held_runs(app)) == 2
    sound(app.toggle(key="batch_norm").set_value(True).run())
    assert numbers(run) in line(app)  # the first run is there as it was
    press(app, "learn_forget")
    assert len(held_runs(app)) == 1 and numbers(run) in line(app)


def held_runs(app) -> dict:
    return app.session_state["_runs_learn"].tokens


def test_another_session_sees_nothing_of_it() -> None:
    to_the_end(press(at(), "learn_one"))
    other = at()
    assert "Nothing has been learned with these settings yet" in text_of(other)


def test_a_run_that_had_to_go_is_told(monkeypatch) -> None:
    app = at()
    to_the_end(press(app, "learn_one"))
    held._store().clear()
    sound(app.run())
    assert "no longer holds one of your runs" in " ".join(i.value for i in app.info)
    assert app.button(key="learn_start").label == "Start"
    monkeypatch.setenv("CONVSCOPE_TEACHING_MB", "7")
    assert caps.teaching() == 7 * 2**20


def test_a_run_is_counted_with_the_states_that_it_holds() -> None:
    app = at(until="5")
    to_the_end(press(app, "learn_start"))
    (token,) = held_runs(app).values()
    assert held._store().nbytes == held._store().get(token).nbytes > expected(0).nbytes


def test_no_more_runs_are_kept_than_a_chart_can_show() -> None:
    app = at()
    for seed in range(6):
        sound(app.number_input(key="learn_seed").set_value(seed).run())
        to_the_end(press(app, "learn_one"))
    assert len(held_runs(app)) == 4 == len(held._store())
    assert "Epoch **1**" in line(app)


def test_pictures_behind_a_cell_of_the_confusion_matrix() -> None:
    run = expected(1)
    data = run.data
    said, labels = run.probabilities(data.validation).argmax(1), data.labels[data.validation]
    true, best = next((t, s) for t, s in zip(labels, said, strict=True) if t != s)
    count = int(((labels == true) & (said == best)).sum())
    app = at(cell=f"{true}-{best}", seen="5")
    to_the_end(press(app, "learn_one"))
    assert f"**{true}** taken for **{best}**: {count}" in text_of(app)
    assert f"It is: {data.classes[data.labels[5]]}" in text_of(app)


def test_downloads_are_the_network_and_its_numbers() -> None:
    with managers() as made:
        app = to_the_end(press(at(), "learn_one"))
        found = files(app, made[-1])
    run = expected(1)
    _, weights = found["Weights (safetensors)"]
    for key, value in run.network.state_dict().items():
        np.testing.assert_array_equal(weights[key].numpy(), value.numpy())
    _, told = found["Numbers"]
    assert told["epochs"][1]["val_loss"] == run.history[1].val_loss


def give(app, name: str, count: int) -> None:
    sound(app.text_input(key="own_name").set_value(name).run())
    press(app, "own_add")
    turn = app.session_state["_own_turn"]
    uploader = app.file_uploader(key=f"own_files_{turn}")
    pixels = samples.sample(name).pixels
    for n in range(count):
        uploader.upload(f"{n}.png", file_of(np.ascontiguousarray(pixels[20 * n :, :])), "image/png")
    sound(app.run())


def test_classes_of_ones_own_are_learned_and_stay_in_the_session() -> None:
    app = at(lesson="own", batch="8")
    assert any("2 to 8 classes" in i.value for i in app.info)
    give(app, "cat", 5)
    assert any("2 to 8 classes" in i.value for i in app.info)
    give(app, "coffee", 6)
    assert "9 pictures are learned, 2 are only asked" in text_of(app)
    to_the_end(press(app, "learn_one"))
    assert line(app).startswith("Epoch **1**")
    assert "Your classes" in [e.label.partition(":")[0] for e in app.expander]
    other = at(lesson="own")
    assert any("there are 0" in i.value for i in other.info)
    sound(app.button_group(key="section").set_value("transfer").run())
    assert "9 pictures are learned" in text_of(app)
    press(app, "own_remove")
    assert any("there are 1" in i.value for i in app.info)


def test_a_file_that_is_no_photo_is_told_and_the_others_are_kept() -> None:
    app = at(lesson="own")
    sound(app.text_input(key="own_name").set_value("mug").run())
    press(app, "own_add")
    uploader = app.file_uploader(key="own_files_0")
    uploader.upload("bad.png", b"no picture", "image/png")
    uploader.upload("good.png", file_of(np.zeros((40, 30, 3), np.uint8)), "image/png")
    sound(app.run())
    assert any("bad.png" in i.value for i in app.info)
    assert len(app.session_state["_own_classes"]["mug"]) == 1


def test_three_ways_learn_beside_each_other() -> None:
    app = at(section="transfer", lesson="crops", until="5")
    assert "5 epochs take about" in text_of(app)
    to_the_end(press(app, "transfer_start"))
    table = app.dataframe[0].value
    assert list(table["epoch"]) == [5, 5, 5]
    assert list(table["parameters"]) == [1285, table["parameters"][1], table["parameters"][1]]
    assert table["parameters"][1] > 3_000_000
    assert "logistic regression" in text_of(app)
    assert app.button(key="transfer_start").label == "Go on"


@pytest.mark.parametrize("asked", ["learn_rate=5", "cell=10-3", "seen=99999", "until=7"])
def test_what_cannot_be_had_is_told(asked) -> None:
    name, _, value = asked.partition("=")
    app = at(**{name: value})
    assert any(name in i.value for i in app.info)


def test_the_settings_of_both_sections_are_what_the_widgets_say() -> None:
    assert dials.usual("learn") == LearningSettings()
    app = at(section="transfer")
    assert app.select_slider(key="learn_rate").value == dials.TRANSFER.rate
    sound(app.button_group(key="section").set_value("learn").run())
    assert app.select_slider(key="learn_rate").value == LearningSettings().rate
