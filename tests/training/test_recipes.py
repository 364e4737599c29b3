"""Every recipe from drawn data to weights, card and score, and the augmentation they share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.training.drawn import all_sets
from vision_core.cli import main
from vision_core.evaluation.score import evaluate
from vision_core.models import zoo
from vision_core.training import colour
from vision_core.training.detection import boxes_in_window
from vision_core.training.pose import PoseRecipe, gaussians
from vision_core.training.windows import Windows, random_resized_crops


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return all_sets(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("name", zoo.NAMES)
def test_train_and_evaluate(name: str, data: Path, tmp_path: Path) -> None:
    words = ["train", name, "--data", str(data), "--out", str(tmp_path / "run"), "--steps", "1"]
    assert main([*words, "--cache", str(tmp_path / "cache"), "--device", "cpu"]) == 0
    card = json.loads((tmp_path / "run" / f"{name}.json").read_text("utf-8"))
    assert card["name"] == name and card["history"][0]["loss"] > 0
    assert str(data) not in json.dumps(card)
    result = evaluate(name, data, tmp_path / "run" / card["file"])
    assert result["sha256"] == card["sha256"]
    assert all(row["value"] is None or 0 <= row["value"] <= 1 for row in result["scores"])


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["train", "nothing", "--data", "."], "no recipe"),
        (["train", "fcos_s", "--data", "nowhere"], "does not exist"),
        (["train", "fcos_s", "--data", ".", "--minutes", "0"], "above 0"),
        (["train", "fcos_s", "--data", ".", "--init", "nowhere"], "--init"),
        (["evaluate", "nothing", "--data", "."], "no bundled network"),
        (["evaluate", "fcos_s", "--data", "nowhere"], "--data"),
        (["evaluate", "fcos_s", "--data", ".", "--weights", "nowhere"], "cannot be read"),
    ],
)
def test_mistakes_are_one_sentence(
    words: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    said = capsys.readouterr().err
    assert text in said and said.count("\n") == 1


def window(angle: float = 0.0, mirror: float = 1.0, side: float = 40.0) -> Windows:
    return Windows(
        torch.tensor([[80.0, 60.0]]),
        torch.tensor([[35.0, 25.0]]),
        torch.tensor([[side, side]]),
        torch.tensor([angle]),
        torch.tensor([mirror]),
    )


@pytest.mark.parametrize("angle", [0.0, 0.4, -1.2])
@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_points_follow_pixels(angle: float, mirror: float) -> None:
    """A dot in the photo and its label land on the same place of the window."""
    canvas = torch.zeros(1, 1, 240, 240)  # three times as wide, four times as high as the photo
    canvas[0, 0, 108:112, 90:93] = 1.0  # photo pixel x 30, y 27
    view = window(angle, mirror)
    read = view.read(canvas, 80, 80)[0, 0]
    y, x = torch.meshgrid(torch.arange(80.0), torch.arange(80.0), indexing="ij")
    centre = torch.stack([((x + 0.5) * read).sum(), ((y + 0.5) * read).sum()]) / read.sum()
    expected = view.points(torch.tensor([[[30.5, 27.5]]]), 80, 80)[0, 0]
    assert (centre - expected).abs().max() < 0.3


def test_boxes_are_cut_at_the_window() -> None:
    boxes = torch.tensor([[15.0, 5, 55, 45], [50, 40, 70, 60], [20, 10, 30, 15], [0, 0, 16, 60]])
    cut, kept = boxes_in_window(window(), 0, boxes, size=80)
    assert kept.tolist() == [True, False, True, False]
    torch.testing.assert_close(cut, torch.tensor([[0.0, 0, 80, 80], [10, 10, 30, 20]]))


def test_crops_stay_inside() -> None:
    wh = torch.tensor([[100.0, 60.0]]).expand(200, -1)
    crops = random_resized_crops(wh, torch.Generator().manual_seed(0))
    assert (crops.centre - crops.wh / 2 >= -1e-3).all()
    assert (crops.centre + crops.wh / 2 <= wh + 1e-3).all()


def test_colour_keeps_its_range() -> None:
    rng = torch.Generator().manual_seed(0)
    pictures = colour.jitter(torch.rand(8, 3, 20, 20), rng)
    assert pictures.min() >= 0 and pictures.max() <= 1
    hidden = colour.cutout(torch.ones(50, 3, 20, 20), rng, largest=0.5)
    shares = (hidden == 0).double().mean((1, 2, 3))
    assert 0 < shares.max() <= 0.25 + 0.05


def test_gaussians_sum_to_one_at_the_joint() -> None:
    maps = gaussians(torch.tensor([[[10.5, 20.5]]]), 32, 32)
    assert maps.sum().item() == pytest.approx(1.0, rel=1e-5)
    assert divmod(int(maps.argmax()), 32) == (20, 10)


def test_mirrored_person_swaps_sides(data: Path, tmp_path: Path) -> None:
    from vision_core.training.loop import Options

    recipe = PoseRecipe()
    recipe.prepare(Options(data=data, out=tmp_path, cache=tmp_path))
    recipe.windows = lambda indices, rng: Windows(  # type: ignore[method-assign]
        recipe.photos.wh[indices],
        torch.tensor([[30.0, 24.0]]),
        torch.tensor([[64.0, 64.0]]),
        torch.zeros(1),
        -torch.ones(1),
    )
    indices = torch.tensor([0])
    _, xy, counted = recipe.batch(indices, 0.0, torch.Generator().manual_seed(0))
    right_ankle, left_ankle = recipe.joints[0, 0, :2], recipe.joints[0, 5, :2]
    assert counted.all()
    assert xy[0, 5, 0].item() == pytest.approx(32 - (right_ankle[0].item() + 2) / 2, abs=1e-4)
    assert xy[0, 0, 1].item() == pytest.approx((left_ankle[1].item() + 8) / 2, abs=1e-4)
