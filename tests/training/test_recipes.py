"""Every recipe from drawn data to weights, card and score, and the augmentation they share."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from tests.training.drawn import all_sets
from vision_core.cli import main
from vision_core.evaluation.score import evaluate, load
from vision_core.evaluation.segmentation import IGNORED
from vision_core.models import zoo
from vision_core.models.zoo.rcnn_s import MASK_BRANCH
from vision_core.training import colour
from vision_core.training.detection import boxes_in_window, hide, mosaic
from vision_core.training.export import take_matching
from vision_core.training.loop import Options, fit
from vision_core.training.pose import PoseRecipe, gaussians, wing
from vision_core.training.pretraining import balanced, mixed
from vision_core.training.recipes import RECIPES
from vision_core.training.segmentation import repeated
from vision_core.training.streets import class_weights
from vision_core.training.windows import Windows, random_between, random_resized_crops


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


def test_the_trunk_is_a_start_for_others(data: Path, tmp_path: Path) -> None:
    words = ["train", "trunk_s", "--data", str(data), "--out", str(tmp_path / "run")]
    assert main([*words, "--steps", "2", "--cache", str(tmp_path / "c"), "--device", "cpu"]) == 0
    note = json.loads((tmp_path / "run" / "trunk_s.json").read_text("utf-8"))
    weights = tmp_path / "run" / "trunk_s.safetensors"
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == note["sha256"]
    network = zoo.build("yolo_s")
    taken = take_matching(network, weights)
    assert taken and all(name.startswith("backbone.trunk.") for name in taken)
    assert len(taken) == len(network.backbone.trunk.state_dict())


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


@pytest.mark.parametrize("name", [*zoo.NAMES, "trunk_s"])
def test_steps_lower_the_loss_of_a_batch(name: str, data: Path, tmp_path: Path) -> None:
    """Seven steps on the same examples, whose loss is then lower."""
    torch.manual_seed(0)
    recipe = RECIPES[name]()
    count = recipe.prepare(Options(data=data, out=tmp_path, cache=tmp_path))
    network = recipe.model().train()
    indices = torch.arange(count)[:4]
    batch = recipe.batch(indices, 0.0, torch.Generator().manual_seed(1))
    optimiser = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], 1e-3)
    losses = []
    for _ in range(7):
        torch.manual_seed(2)  # the same dropout, the same sampled anchors
        loss = recipe.loss(network, batch, torch.device("cpu"))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]


def test_mask_recipe_leaves_the_detector_alone(data: Path, tmp_path: Path) -> None:
    recipe = RECIPES["mask_rcnn_s"]()
    run = fit(recipe, Options(data=data, out=tmp_path, cache=tmp_path, steps=2, seed=4))
    torch.manual_seed(4)
    before = zoo.build("mask_rcnn_s").state_dict()
    changed = {
        key
        for key, value in run.average.module.state_dict().items()
        if not torch.equal(value, before[key])
    }
    assert changed and all(key.startswith(MASK_BRANCH) for key in changed)


def test_mask_run_carries_the_detectors_card_over(data: Path, tmp_path: Path) -> None:
    words = ["--data", str(data), "--cache", str(tmp_path / "c"), "--steps", "1"]
    assert main(["train", "faster_rcnn_s", "--out", str(tmp_path / "a"), *words]) == 0
    init = str(tmp_path / "a" / "rcnn_s.safetensors")
    assert main(["train", "mask_rcnn_s", "--out", str(tmp_path / "b"), "--init", init, *words]) == 0
    old, new = (
        json.loads((tmp_path / folder / "faster_rcnn_s.json").read_text("utf-8")) for folder in "ab"
    )
    mask = json.loads((tmp_path / "b" / "mask_rcnn_s.json").read_text("utf-8"))
    assert new["sha256"] == mask["sha256"] != old["sha256"]
    assert new["training"] == old["training"] != mask["training"]
    first = load("faster_rcnn_s", tmp_path / "a" / "rcnn_s.safetensors").state_dict()
    second = load("faster_rcnn_s", tmp_path / "b" / "rcnn_s.safetensors").state_dict()
    assert all(torch.equal(value, second[key]) for key, value in first.items())


@pytest.mark.parametrize("kind", ["float", "bytes"])
def test_windows_equal_grid_sample(kind: str) -> None:
    """OpenCV's reading against PyTorch's, at every pixel, turned, mirrored and sticking out."""
    rng = torch.Generator().manual_seed(0)
    canvases = F.avg_pool2d(torch.rand(3, 2, 90, 90, generator=rng), 5, 1, 2)
    views = Windows(
        torch.tensor([[80.0, 60], [50, 90], [70, 70]]),
        torch.tensor([[30.0, 25], [20, 60], [35, 35]]),
        torch.tensor([[60.0, 30], [50, 50], [90, 70]]),
        torch.tensor([0.3, -0.8, 0.0]),
        torch.tensor([1.0, -1, -1]),
    )
    axes = torch.cat([views._axes(), views.centre[:, :, None]], 2) * (2 / views.photo_wh)[..., None]
    axes[:, :, 2] -= 1
    grid = F.affine_grid(axes, [3, 1, 40, 56], align_corners=False)
    given = canvases if kind == "float" else (canvases * 255).round().byte()
    expected = F.grid_sample(given.float(), grid, padding_mode="zeros", align_corners=False)
    got = views.read(given, 40, 56, outside=(0, 0))
    assert got.dtype == given.dtype
    away = (got.float() - expected).abs()
    assert away.max() <= (1e-3 if kind == "float" else 1.0)


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_the_gpus_way_of_reading_is_that_of_the_cpu(mode: str) -> None:
    """Both read smooth canvases through turned windows that stick out, with a colour outside."""
    rng = torch.Generator().manual_seed(0)
    canvases = F.avg_pool2d(torch.rand(3, 2, 90, 90, generator=rng), 9, 1, 4) * 255
    views = Windows(
        torch.tensor([[80.0, 60], [50, 90], [70, 70]]),
        torch.tensor([[30.0, 25], [20, 60], [35, 35]]),
        torch.tensor([[60.0, 30], [50, 50], [90, 70]]),
        torch.tensor([0.3, -0.8, 0.0]),
        torch.tensor([1.0, -1, -1]),
    )
    given = canvases.round().byte()
    expected = views.read(given, 40, 56, mode=mode, outside=(20, 200)).float()
    got = views.sample(given, 40, 56, mode, (20, 200)).float()
    away = (got - expected).abs()
    if mode == "bilinear":
        assert away.max() <= 1
    else:  # a value just between two pixels may go either way
        assert (away > 0).double().mean() < 0.03


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("name", zoo.NAMES)
def test_recipes_train_on_the_gpu(name: str, data: Path, tmp_path: Path) -> None:
    words = ["train", name, "--data", str(data), "--out", str(tmp_path / "run"), "--steps", "2"]
    assert main([*words, "--cache", str(tmp_path / "cache"), "--device", "cuda"]) == 0
    card = json.loads((tmp_path / "run" / f"{name}.json").read_text("utf-8"))
    assert card["history"][0]["loss"] > 0


def test_outside_of_the_photo_has_the_colour_asked_for() -> None:
    view = window(side=200.0)
    read = view.read(torch.full((1, 2, 50, 50), 9, dtype=torch.uint8), 20, 20, outside=(3, 200))
    assert read[0, :, 0, 0].tolist() == [3, 200] and read[0, :, 9, 9].tolist() == [9, 9]


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


def test_what_fills_the_window_is_kept_however_little_of_it_shows() -> None:
    """A sixteenth of a large person is a close-up, a sixteenth of a small one a sliver."""
    large = torch.tensor([[15.0, 5, 175, 165]])
    _, kept = boxes_in_window(window(), 0, large, size=80)
    assert kept.tolist() == [True]


def test_mosaic_carries_boxes_to_their_quarter() -> None:
    pictures = torch.arange(4, dtype=torch.uint8)[:, None, None, None].repeat(1, 3, 5, 5)
    box = torch.tensor([[1.0, 2, 3, 4]])
    targets = [{"boxes": box, "labels": torch.tensor([k])} for k in range(4)]
    whole, target = mosaic(pictures, targets)
    assert whole.shape == (3, 10, 10)
    for (x1, y1, x2, y2), label in zip(
        target["boxes"].int().tolist(), target["labels"].tolist(), strict=True
    ):
        assert (whole[:, y1:y2, x1:x2] == label).all() and (x2 - x1, y2 - y1) == (2, 2)


def test_crowds_are_hidden_except_where_boxes_lie() -> None:
    picture = torch.full((3, 20, 20), 7, dtype=torch.uint8)
    hide(picture, torch.tensor([[5.0, 5, 15, 15]]), torch.tensor([[8.0, 8, 10, 10]]))
    grey = picture[0] != 7
    assert grey[5:15, 5:15].sum() == 100 - 4 and grey.sum() == 96
    assert (picture[:, 8:10, 8:10] == 7).all()


def test_mixed_pictures_have_the_share_that_the_loss_takes() -> None:
    """Pictures of zeros and of ones: their mean is the share of the other picture."""
    kinds = set()
    for seed in range(30):
        rng = torch.Generator().manual_seed(seed)
        pictures = torch.zeros(2, 3, 20, 20)
        pictures[1] = 1.0
        labels = torch.tensor([[0, 1]] * 3)
        mix = mixed(pictures, labels, rng)
        other = 1 - mix.share
        if mix.others[0, 0] == 1:  # the first picture took from the second
            assert mix.pictures[0].mean().item() == pytest.approx(other, abs=1e-5)
            kinds.add("cut" if set(mix.pictures[0].unique().tolist()) <= {0.0, 1.0} else "blend")
        elif mix.share == 1:
            assert torch.equal(mix.pictures, pictures)
            kinds.add("plain")
    assert kinds == {"cut", "blend", "plain"}


def test_rare_everyday_classes_come_more_often() -> None:
    labels = torch.tensor([0] * 600 + [1] * 20 + [-1] * 10)
    rows = balanced(labels, torch.Generator().manual_seed(0))
    times = torch.bincount(rows, minlength=len(labels)).double()
    assert (times[:600] == 1).all() and (times[620:] == 1).all()
    assert times[600:620].mean() == pytest.approx(5.0, abs=0.5)


def test_crops_stay_inside() -> None:
    wh = torch.tensor([[100.0, 60.0]]).expand(200, -1)
    crops = random_resized_crops(wh, torch.Generator().manual_seed(0))
    assert (crops.centre - crops.wh / 2 >= -1e-3).all()
    assert (crops.centre + crops.wh / 2 <= wh + 1e-3).all()


def test_jitter_equals_its_four_changes_one_by_one() -> None:
    pictures = torch.randint(0, 256, (4, 3, 9, 7), dtype=torch.uint8)
    got = colour.jitter(pictures, torch.Generator().manual_seed(5))
    rng = torch.Generator().manual_seed(5)
    saturation, contrast, brightness = (random_between(0.7, 1.3, [4, 1, 1], rng) for _ in range(3))
    balance = random_between(0.925, 1.075, [4, 3, 1], rng)
    expected = pictures.flatten(2) / 255
    grey = expected.mean(1, keepdim=True)
    expected = grey + (expected - grey) * saturation
    middle = expected.mean((1, 2), keepdim=True)
    expected = middle + (expected - middle) * contrast
    expected = (expected * brightness * balance).clamp(0, 1)
    torch.testing.assert_close(got.flatten(2), expected)


def test_rare_classes_weigh_more() -> None:
    """A class with a sixteenth of another's pixels weighs four times as much."""
    masks = torch.tensor([0] * 5 + [1] * 80 + [2] * 20 + [IGNORED] * 7, dtype=torch.uint8)
    weights = class_weights(masks)
    assert weights[0] / weights[1] == pytest.approx(4.0)
    assert weights[0] / weights[2] == pytest.approx(2.0)


def test_photos_of_rare_classes_come_more_often() -> None:
    """Labels 1 cat, 2 cow, 4 horse, 5 person; the largest number of times counts."""
    masks = torch.zeros(5, 1, 4, 4, dtype=torch.uint8)
    masks[1, 0, 1, 1], masks[2, 0, 0, 3], masks[3, 0, 2, 2] = 1, 2, 5
    masks[4, 0, 0, 0], masks[4, 0, 3, 3] = 4, 2
    assert repeated(masks).tolist() == [0, 1, 2, 2, 2, 3, 3, 4, 4, 4]


def test_wing_loss_is_smooth_where_its_parts_meet() -> None:
    """Value and slope by numbers, against the paper's two formulas with w 0.15 and 0.03."""
    away = torch.tensor([-0.06, 0.0, 0.03, 0.15, 0.4], requires_grad=True)
    values = wing(away)
    corner = 0.15 * 1.791759469  # ln 6
    expected = torch.tensor([0.15 * 1.098612289, 0.0, 0.15 * 0.693147181, corner, corner + 0.25])
    torch.testing.assert_close(values, expected)
    values.sum().backward()
    assert away.grad is not None
    assert away.grad[[0, 2, 4]].tolist() == pytest.approx([-0.15 / 0.09, 0.15 / 0.06, 1.0])


def test_colour_keeps_its_range() -> None:
    rng = torch.Generator().manual_seed(0)
    pictures = colour.jitter(torch.randint(0, 256, (8, 3, 20, 20), dtype=torch.uint8), rng)
    assert pictures.min() >= 0 and pictures.max() <= 1
    hidden = colour.cutout(torch.ones(50, 3, 20, 20), rng, largest=0.5)
    shares = (hidden == 0).double().mean((1, 2, 3))
    assert 0 < shares.max() <= 0.25 + 0.05


def test_gaussians_sum_to_one_at_the_joint() -> None:
    maps = gaussians(torch.tensor([[[10.5, 20.5]]]), 32, 32)
    assert maps.sum().item() == pytest.approx(1.0, rel=1e-5)
    assert divmod(int(maps.argmax()), 32) == (20, 10)


def test_mirrored_person_swaps_sides(data: Path, tmp_path: Path) -> None:
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
    _, xy, counted, _ = recipe.batch(indices, 0.0, torch.Generator().manual_seed(0))
    right_ankle, left_ankle = recipe.joints[0, 0, :2], recipe.joints[0, 5, :2]
    assert counted.all()
    assert xy[0, 5, 0].item() == pytest.approx(32 - (right_ankle[0].item() + 2) / 2, abs=1e-4)
    assert xy[0, 0, 1].item() == pytest.approx((left_ankle[1].item() + 8) / 2, abs=1e-4)
