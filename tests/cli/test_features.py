"""``features``: what it writes is what scikit-learn says of the vectors it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from vision_core import models, samples
from vision_core.cli import main
from vision_core.features.activations import activations
from vision_core.images import decode

NAMES = ("cat", "astronaut", "coffee", "china", "flower")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("features")
    for name in NAMES:
        Image.fromarray(samples.sample(name).pixels[:200, :200]).save(folder / f"{name}_1.png")
    return [str(folder / f"{name}_1.png") for name in NAMES]


def asked(files: list[str], tmp_path: Path, *words: str) -> dict[str, Any]:
    out = tmp_path / "out.json"
    given = ["features", *files, "--model", "resnet_s", "--json", str(out), *words]
    assert main(given) == 0
    told: dict[str, Any] = json.loads(out.read_text())
    return told


def test_vectors_neighbours_and_map(files, tmp_path, capsys) -> None:
    told = asked(files, tmp_path, "--layer", "trunk.stages.2", "--nearest", "3")
    x = np.array([row["vector"] for row in told["pictures"]])
    photo = decode(Path(files[1]).read_bytes(), "a")
    values = activations(models.load("resnet_s", device="cpu"), photo, "trunk.stages.2").values
    np.testing.assert_allclose(x[1], values.mean((1, 2)), rtol=1e-3, atol=1e-5)
    far, index = NearestNeighbors(n_neighbors=4).fit(x).kneighbors(x)
    for i, row in enumerate(told["pictures"]):
        assert [n["picture"] for n in row["nearest"]] == index[i][1:].tolist()
        np.testing.assert_allclose([n["distance"] for n in row["nearest"]], far[i][1:], rtol=1e-4)
        assert (row["class"], row["size"]) == (NAMES[i], [200, 200])
    points = np.abs(np.array(told["map"]["points"]))
    np.testing.assert_allclose(points, np.abs(PCA(2).fit_transform(x)), atol=1e-3)
    assert told["patches"] is None and told["metric"] == "euclidean"
    assert "cat_1.png: nearest" in capsys.readouterr().out


def test_a_tsne_and_the_patches_of_a_channel(files, tmp_path) -> None:
    told = asked(
        files,
        tmp_path,
        "--layer",
        "trunk.stages.1",
        "--map",
        "tsne",
        "--channel",
        "5",
        "--metric",
        "cosine",
    )
    assert told["map"]["perplexity"] == pytest.approx(4 / 3) and told["map"]["steps"] == 750
    assert np.isfinite(told["map"]["points"]).all() and told["map"]["kl_divergence"] >= 0
    values = [p["value"] for p in told["patches"]["strongest"]]
    assert values == sorted(values, reverse=True) and len(values) == len(NAMES)
    assert all(0 <= p["box"][0] < p["box"][2] <= 200 for p in told["patches"]["strongest"])


def test_mistakes_are_one_line(files, capsys) -> None:
    assert main(["features", *files[:3], "--model", "resnet_s", "--map", "tsne"]) == 2
    assert "at least 4 pictures" in capsys.readouterr().err
    wrong = ["features", *files[:2], "--model", "resnet_s", "--layer", "trunk.stem"]
    assert main([*wrong, "--channel", "999"]) == 2
    assert "no channel 999" in capsys.readouterr().err
