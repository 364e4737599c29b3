"""A network of one's own: for one session, in every picker, gone with the session."""

from __future__ import annotations

import ast
import gc
import io
import os
import pickle
import re
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save
from streamlit.testing.v1 import AppTest

from pages.shared import caps, own_files, own_networks
from tests.pages.conftest import sound, start, text_of, visit
from tests.pages.test_training import to_the_end
from vision_core import samples
from vision_core.models import build

NAMES = ("ant", "bee", "cat", "dog", "eel", "fly", "gnu")
CHOSEN = {
    "predictions": "model",
    "compare": "model_a",
    "attribution": "model",
    "activations": "model",
    "filters": "model",
    "surgery": "model",
    "feature_space": "model",
    "receptive_field": "model",
}


def network() -> torch.nn.Module:
    torch.manual_seed(3)
    return torchvision.models.resnet18(weights=None, num_classes=7).eval()


def data_of(module: torch.nn.Module) -> bytes:
    return save(module.state_dict())


def give(app: AppTest, data: bytes, name: str) -> AppTest:
    [key] = [u.key for u in app.file_uploader if u.key.startswith("network_file_")]
    app.file_uploader(key=key).set_value((name, data, "application/octet-stream"))
    return sound(app.run())


def take(app: AppTest) -> AppTest:
    return sound(app.button(key="network_take").click().run())


def brought(name: str = "resnet18_mine.safetensors", data: bytes | None = None) -> AppTest:
    app = give(sound(start("models")), data or data_of(network()), name)
    app.text_area(key="network_names").set_value("\n".join(NAMES)).run()
    return take(app)


def own_name(app: AppTest) -> str:
    return app.session_state["card"]


def test_an_upload_is_in_the_table_and_predicts_as_torchvision_does() -> None:
    app = brought()
    assert own_name(app).startswith("own-resnet18-mine-")
    assert app.subheader[0].value == "yours: resnet18 mine"
    assert app.dataframe[0].value["model"][0] == "yours: resnet18 mine"
    assert app.dataframe[0].value["weights"][0] == "yours"
    app = sound(visit(app, "predictions").run())
    assert app.session_state["model"] == own_name(app)
    photo = samples.sample(app.session_state["photo"])
    preset = torchvision.models.ResNet18_Weights.DEFAULT.transforms()
    with torch.inference_mode():
        x = preset(torch.from_numpy(photo.pixels.transpose(2, 0, 1).copy()))
        best = NAMES[int(network()(x[None]).argmax())]
    assert best in text_of(app)


def test_two_networks_of_one_title_are_told_apart() -> None:
    other = torchvision.models.resnet18(weights=None, num_classes=7)
    app = take(give(brought(), data_of(other), "resnet18_mine.safetensors"))
    titles = ["yours: resnet18 mine", "yours: resnet18 mine (2)"]
    assert sorted(app.dataframe[0].value["model"][:2]) == titles
    assert app.subheader[0].value == titles[1]
    app = take(give(app, data_of(other), "resnet18_mine.safetensors"))
    assert sorted(app.dataframe[0].value["model"][:2]) == titles, "the same file has its place"


@pytest.mark.parametrize("page", CHOSEN)
def test_every_picker_offers_it_and_the_page_works(page: str) -> None:
    app = brought()
    name = own_name(app)
    app = sound(visit(app, page).run())
    if page == "compare":
        app.segmented_control(key="kind").set_value("classification").run()
    box = app.selectbox(key=CHOSEN[page])
    assert box.options[0] == "yours: resnet18 mine"
    sound(box.set_value(name).run())
    assert app.session_state[CHOSEN[page]] == name and not app.warning
    if page == "filters":
        return
    if page == "compare":
        app.multiselect(key="random_of").set_value(["a"])
        sound(app.run())
        assert "random weights" in text_of(app)


def test_another_session_neither_sees_nor_loads_it() -> None:
    one = brought()
    name = own_name(one)
    two = sound(start("models"))
    assert not any(t.startswith("yours") for t in two.dataframe[0].value["model"])
    two = start("predictions", task="classification", model=name)
    assert not two.exception and two.session_state["model"] != name
    told = [i.value for i in two.info if "lives only in the browser session" in i.value]
    assert len(told) == 1 and name in told[0]
    assert not any(o.startswith("yours") for o in two.selectbox(key="model").options)
    # The same file under the same title, with other names: each session keeps its own.
    two = give(sound(start("models")), data_of(network()), "resnet18_mine.safetensors")
    two.text_area(key="network_names").set_value("\n".join("1234567")).run()
    two = take(two)
    assert own_name(two) == name
    shown = {}
    for key, app in (("one", one), ("two", two)):
        shown[key] = text_of(sound(visit(app, "predictions").run()))
    assert re.search(r"Most likely \w+", shown["one"])[0].split()[-1] in NAMES
    assert re.search(r"Most likely \w+", shown["two"])[0].split()[-1] in "1234567"


def test_a_reload_is_another_session_and_the_same_file_has_the_same_address() -> None:
    assert own_name(brought()) == own_name(brought())


def test_memory_goes_with_the_session_and_with_the_button() -> None:
    app = brought()
    store = own_networks._store()
    assert len(store) == 1 and store.nbytes == pytest.approx(4 * 11.18e6, rel=0.02)
    assert "Your networks take 43 of" in text_of(app)
    sound(app.button(key="network_remove").click().run())
    assert len(store) == 0 and store.nbytes == 0
    assert app.session_state["model"] != own_name(brought())
    app = brought()
    folder = own_files.Waiting.of("x.pth", b"1").path.parent
    del app
    gc.collect()
    assert len(store) == 0 and not folder.exists()


def test_a_session_has_a_budget(monkeypatch) -> None:
    monkeypatch.setenv("CONVSCOPE_OWN_MB", "160")  # 80 for each
    app = brought()
    app = give(app, data_of(network()), "resnet18_second.safetensors")
    app.button(key="network_take").click().run()
    [told] = [w.value for w in app.warning]
    assert "yours: resnet18 second takes 43 MB, and your session has 37 MB left of 80 MB" in told
    monkeypatch.setenv("CONVSCOPE_OWN_MB", "60")
    app = give(sound(start("models")), data_of(network()), "resnet18.safetensors")
    app.button(key="network_take").click().run()
    assert "resnet18.safetensors holds 43 MB of numbers" in app.warning[0].value


def test_one_that_had_to_make_room_is_told(monkeypatch) -> None:
    app = brought()
    own_networks._store().clear()
    app = visit(app, "predictions").run()
    assert "no longer holds yours: resnet18 mine" in app.warning[0].value
    assert not app.exception


def test_the_wrong_architecture_lists_names_and_the_file_waits_for_another_try() -> None:
    app = give(sound(start("models")), data_of(network()), "mine.safetensors")
    app.selectbox(key="network_form").set_value("resnet34").run()
    app.button(key="network_take").click().run()
    assert "mine.safetensors does not fit resnet34" in app.warning[0].value
    assert "weights.safetensors" not in text_of(app) and "/" not in app.warning[0].value
    lists = [c.value for c in app.code]
    assert any("layer1.2.conv1.weight" in text and "more" in text for text in lists)
    app.selectbox(key="network_form").set_value("resnet18").run()
    assert own_name(take(app)).startswith("own-mine-")


class Evil:
    def __reduce__(self):
        return os.mkdir, (os.environ["EVIL"],)


def test_a_malicious_pickle_and_a_broken_file_are_one_sentence(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("EVIL", str(tmp_path / "ran"))
    out = io.BytesIO()
    torch.save({"fc.weight": Evil()}, out)
    for data, name, words in (
        (out.getvalue(), "evil.pth", "could run code"),
        (pickle.dumps(Evil()), "old.pt", "old.pt"),
        (b"\0" * 500, "zero.pth", "zero.pth is damaged"),
        (data_of(network())[:9000], "half.safetensors", "half.safetensors is damaged"),
        (b"", "empty.ckpt", "empty.ckpt is damaged"),
    ):
        app = give(sound(start("models")), data, name)
        app.button(key="network_take").click().run()
        assert not app.exception and not app.error
        assert words in app.warning[0].value and name in app.warning[0].value
        assert not own_networks._store()
    assert not (tmp_path / "ran").exists()


def test_another_number_of_names_is_told_and_nothing_is_taken() -> None:
    app = give(sound(start("models")), data_of(network()), "resnet18.safetensors")
    app.text_area(key="network_names").set_value("ant\nbee").run()
    app.button(key="network_take").click().run()
    assert "2 class names came, and the network has 7 outputs" in app.warning[0].value


def test_a_detector_can_be_chosen() -> None:
    made = build.build_bundled("fcos_s", 1)
    app = give(sound(start("models")), data_of(made), "fcos_s.safetensors")
    app = sound(visit(take(app), "predictions").run())
    assert app.session_state["model"].startswith("own-fcos-s-") and not app.warning


def test_a_taught_network_goes_to_the_other_pages() -> None:
    app = sound(start("training"))
    app = to_the_end(sound(app.button(key="learn_one").click().run()))
    app = sound(app.button(key="learn_adopt").click().run())
    app = sound(visit(app, "predictions").run())
    app.selectbox(key="task").set_value("classification").run()
    box = app.selectbox(key="model")
    assert box.options[0] == "yours: digits epoch 1"
    sound(box.set_value(next(c.name for c in _cards(app))).run())
    assert not app.warning and re.search(r"Most likely \d:", text_of(app))


def _cards(app: AppTest):
    return app.session_state["_own_networks"].cards.values()


def test_every_uploader_says_its_size() -> None:
    """The server takes files as large as a network; no other door shall."""
    root = Path(__file__).resolve().parents[2] / "pages"
    caps_of = {}
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "file_uploader":
                [cap] = [ast.unparse(k.value) for k in node.keywords if k.arg == "max_upload_size"]
                caps_of[file.name, node.lineno] = cap
    assert len(caps_of) >= 10
    large = [place for place, cap in caps_of.items() if cap == "caps.NETWORK_FILE_MB"]
    assert [name for name, _ in large] == ["own_network.py"]
    assert set(caps_of.values()) == {"caps.PHOTO_FILE_MB", "caps.NETWORK_FILE_MB", "_TEXT_MB"}
    config = (root.parent / ".streamlit" / "config.toml").read_text()
    assert f"maxUploadSize = {caps.NETWORK_FILE_MB}\n" in config
