"""The page "Feature space": what it says is what the core and scikit-learn say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from streamlit.testing.v1 import AppTest

from pages.shared import galleries
from pages.space import asked, mapping
from tests.pages.conftest import sound, start, text_of
from tests.pages.pressing import pressed
from vision_core import models, samples
from vision_core.space import maps
from vision_core.space.pictures import SmallPicture, cut, windowed
from vision_core.space.vectors import LayerVectors, measure

PAGE, LAYER = "feature_space", "trunk.stages.2"


@pytest.fixture(scope="module")
def vectors() -> LayerVectors:
    gallery = [p for name in samples.names() for p in windowed(samples.sample(name), name)]
    *_, last = measure(models.load("resnet_s", device="cpu"), [p.photo for p in gallery], LAYER)
    assert last.vectors is not None
    return last.vectors


def charts(app: AppTest) -> dict[str, dict]:
    return {c.key: json.loads(c.proto.spec) for c in app.get("plotly_chart")}


def hovered(app: AppTest, key: str) -> list[str]:
    return charts(app)[key]["data"][0]["text"]


def test_neighbours_are_scikit_learns_at_the_layer_of_the_link(vectors) -> None:
    app = sound(start(PAGE, photo="coffee", layer=LAYER, item=3))
    far, index = NearestNeighbors(n_neighbors=9).fit(vectors.means).kneighbors(vectors.means[3:4])
    words = hovered(app, "space_near")
    assert len(words) == 8
    for said, distance in zip(words, far[0][1:], strict=True):
        assert said.endswith(f"distance {distance:.3g}")
    assert words[0].startswith(samples.names()[index[0][1] // 14])
    assert "of 8 of its class" in text_of(app)
    app = sound(app.segmented_control(key="metric").set_value("cosine").run())
    assert hovered(app, "space_near") != words and app.query_params["metric"] == "cosine"


def test_a_box_on_the_photo_is_asked_about_and_left_again() -> None:
    app = sound(start(PAGE, photo="cat", layer=LAYER, drag="50,40,200,160"))
    assert "part of the photo in the box" in text_of(app)
    model = models.load("resnet_s", device="cpu")
    part = cut(samples.sample("cat"), (50, 40, 200, 160))
    *_, last = measure(model, [part], LAYER)
    gallery = [p for name in samples.names() for p in windowed(samples.sample(name), name)]
    *_, whole = measure(model, [p.photo for p in gallery], LAYER)
    far = np.linalg.norm(whole.vectors.means - last.vectors.means, axis=1).min()
    assert float(hovered(app, "space_near")[0].rpartition(" ")[2]) == pytest.approx(far, rel=5e-3)
    sound(app.button(key="space_whole").click().run())
    assert "part of the photo in the box" not in text_of(app)


def test_a_box_of_another_photo_and_a_picture_that_is_not_there_do_not_count() -> None:
    app = sound(start(PAGE, photo="cat", drag="5,5,4000,4000", item=9999))
    assert "Neighbours of **the photo**" in text_of(app)


def test_the_pca_is_scikit_learns(vectors) -> None:
    app = sound(start(PAGE, photo="cat", layer=LAYER, section="map"))
    share = PCA(2).fit(vectors.means).explained_variance_ratio_
    assert f"{share[0]:.0%} and {share[1]:.0%} of the variance" in text_of(app)
    assert len(hovered(app, "space_map")) == 98 + 1, "the photo lies among the gallery"


def test_a_tsne_is_made_and_kept(vectors, monkeypatch) -> None:
    mapping._held.clear()
    monkeypatch.setattr(maps, "STEPS", 60)
    made = []
    whole = maps.tsne
    monkeypatch.setattr(maps, "tsne", lambda x, p: made.append(p) or whole(x, p, 60))
    asking = {"photo": "cat", "layer": LAYER, "section": "map", "map": "tsne", "perplexity": "9"}
    app, found = pressed(PAGE, **asking)
    *_, last = whole(vectors.means, 9.0, 60)
    assert f"KL divergence {last.divergence:.3f} after 60 steps" in text_of(sound(app))
    _, told = found["Numbers"]
    assert (told["perplexity"], told["steps"]) == (9.0, 60)
    assert told["kl_divergence"] == pytest.approx(last.divergence, abs=1e-6)
    sound(app.selectbox(key="photo").set_value("coffee").run())
    assert made == [9.0], "another photo is placed into the map that stands"
    mapping._held.clear()


def test_long_work_tells_its_cost_and_waits_to_be_asked(monkeypatch) -> None:
    asked._held.clear()
    monkeypatch.setattr(asked, "_pace", lambda *_: 2.0)
    app = sound(start(PAGE, photo="cat", layer="trunk.stages.0"))
    assert "98 passes of" in text_of(app) and "about 196 s; you can stop" in text_of(app)
    assert not app.get("plotly_chart")
    sound(app.button(key="space_start").click().run())
    assert hovered(app, "space_near")


def test_patches_of_the_unit_in_the_link(vectors) -> None:
    app = sound(start(PAGE, photo="cat", layer=LAYER, section="units", channel=7))
    peaks = np.sort(vectors.peaks[:, 7])[::-1]
    words = hovered(app, "space_patches")
    assert [float(w.partition(" ")[0]) for w in words] == pytest.approx(peaks[:12], rel=5e-3)
    assert "Channel 7 of trunk.stages.2" in text_of(app)
    sound(app.number_input(key="channel").set_value(9).run())
    assert app.query_params["channel"] == "9"
    sound(start(PAGE, photo="cat", layer=LAYER, section="units", channel=99999))


@pytest.mark.parametrize("section", ["neighbours", "map", "units"])
@pytest.mark.parametrize("task", ["detection", "instance", "segmentation", "pose"])
def test_every_kind_of_network_or_a_sentence(section, task, monkeypatch) -> None:
    few = windowed(samples.sample("cat"), "cat", (1, 2))
    monkeypatch.setattr(galleries, "_samples", lambda: few)
    app = sound(start(PAGE, photo="astronaut", task=task, section=section))
    assert app.get("plotly_chart") or app.info


def test_objects_of_the_photo_and_a_photo_without_any() -> None:
    app = sound(start(PAGE, photo="cat", gallery="found"))
    assert hovered(app, "space_near")[0].count("(")
    app = sound(start(PAGE, photo="flower", gallery="found"))
    assert app.get("plotly_chart") or any("Nothing is found" in i.value for i in app.info)


def test_an_empty_gallery_and_a_small_one_say_what_is_missing(monkeypatch) -> None:
    app = sound(start(PAGE, photo="cat", gallery="mine"))
    assert any("The gallery is empty" in i.value for i in app.info)
    few = [SmallPicture(cut(samples.sample(n)), n, n) for n in ("cat", "coffee")]
    monkeypatch.setattr(galleries, "_samples", lambda: few)
    app = sound(start(PAGE, photo="cat", section="map", map="tsne"))
    assert any("needs at least 4 pictures" in i.value for i in app.info)
    sound(start(PAGE, photo="cat", section="map"))
