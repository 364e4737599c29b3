"""The shared loop: exact resume, averaging, schedule, checkpoints, export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vision_core.errors import UserError
from vision_core.models import zoo
from vision_core.training.export import read_weights, save_half, take_matching
from vision_core.training.loop import Options, Run, batch_indices, fit
from vision_core.training.schedule import averaged, cosine_with_warmup


class LineRecipe:
    """Fit a line through noisy points, drawn anew at each step so that randomness matters."""

    name = "line"
    batch_size = 4
    learning_rate = 1e-2
    weight_decay = 0.01
    score_minutes = 100.0

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at, self.steps = stop_at, 0

    def prepare(self, options: Options) -> int:
        self.x = torch.linspace(-1, 1, 18)[:, None]
        return len(self.x)

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Linear(1, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))

    def batch(self, indices: Tensor, progress: float, rng: torch.Generator) -> Any:
        x = self.x[indices]
        return x, 2 * x + 0.1 * torch.randn(x.shape, generator=rng)

    def loss(self, network: nn.Module, batch: Any, device: torch.device) -> Tensor:
        if self.stop_at is not None and self.steps >= self.stop_at:
            raise KeyboardInterrupt
        self.steps += 1
        return (network(batch[0]) - batch[1]).square().mean()

    def score(self, network: nn.Module) -> float:
        return 0.5


def options(out: Path, **changes: Any) -> Options:
    return Options(data=out, out=out, steps=11, save_seconds=0.0, **changes)


def states(run: Run) -> dict[str, Tensor]:
    average = {f"average.{k}": v for k, v in run.average.state_dict().items()}
    return run.network.state_dict() | average


def test_resume_is_exact(tmp_path: Path) -> None:
    whole = fit(LineRecipe(), options(tmp_path / "a"))
    with pytest.raises(KeyboardInterrupt):
        fit(LineRecipe(stop_at=5), options(tmp_path / "b"))
    resumed = fit(LineRecipe(), options(tmp_path / "b", resume=True))
    assert resumed.step == whole.step == 11
    for name, value in states(whole).items():
        assert torch.equal(value, states(resumed)[name]), name


def test_pieces_make_the_whole(tmp_path: Path) -> None:
    """Each call stops after its first step, and the end is that of a run without a pause."""
    whole = fit(LineRecipe(), options(tmp_path / "a"))
    run = fit(LineRecipe(), options(tmp_path / "b", piece=1e-9))
    for step in range(2, 12):
        run = fit(LineRecipe(), options(tmp_path / "b", resume=True, piece=1e-9))
        assert run.step == step
    for name, value in states(whole).items():
        assert torch.equal(value, states(run)[name]), name


def test_seed_matters_and_repeats(tmp_path: Path) -> None:
    first, second, other = (
        states(fit(LineRecipe(), options(tmp_path / str(i), seed=seed)))["0.weight"]
        for i, seed in enumerate((1, 1, 2))
    )
    assert torch.equal(first, second) and not torch.equal(first, other)


def test_clock_ends_the_run(tmp_path: Path) -> None:
    run = fit(LineRecipe(), Options(data=tmp_path, out=tmp_path, minutes=0.002))
    assert run.step >= 1 and run.seconds >= 0.12
    assert run.history[-1]["score"] == 0.5
    assert (tmp_path / "log.csv").read_text().startswith("step,epoch,seconds,loss,score")


def test_epochs_see_everything_once() -> None:
    for epoch in range(3):
        steps = range(epoch * 5, epoch * 5 + 5)
        seen = torch.cat([batch_indices(20, 4, seed=3, step=step) for step in steps])
        assert sorted(seen.tolist()) == list(range(20))
    assert not torch.equal(batch_indices(20, 4, 3, 0), batch_indices(20, 4, 3, 5))


def test_small_sets_still_give_batches() -> None:
    assert len(batch_indices(3, 8, seed=0, step=4)) == 3


@pytest.mark.parametrize(
    ("progress", "factor"), [(-1.0, 0.024), (0.04, 1.0), (0.52, 0.5), (1.0, 0.0), (2.0, 0.0)]
)
def test_schedule(progress: float, factor: float) -> None:
    assert cosine_with_warmup(progress) == pytest.approx(factor, abs=1e-3)


def test_average_by_hand() -> None:
    network = nn.Linear(1, 1, bias=False)
    values = [1.0, 2.0, 4.0]
    average = averaged(network, decay=0.9)
    for value in values:
        nn.init.constant_(network.weight, value)
        average.update_parameters(network)
    second = 1.0 + (2.0 - 1.0) * (1 - 2 / 11)  # early on it forgets faster: (1 + n) / (10 + n)
    third = second + (4.0 - second) * (1 - 3 / 12)
    assert average.module.weight.item() == pytest.approx(third, rel=1e-6)


@pytest.mark.parametrize("name", zoo.NAMES)
def test_export_round_trip(tmp_path: Path, name: str) -> None:
    torch.manual_seed(1)
    network = zoo.build(name)
    digest = save_half(network, tmp_path / "w.safetensors")
    assert len(digest) == 64
    back = read_weights(tmp_path / "w.safetensors")
    for key, value in network.state_dict().items():
        assert back[key].dtype == value.dtype
        torch.testing.assert_close(back[key], value, rtol=1e-3, atol=1e-6)


def test_export_refuses_what_float16_cannot_hold(tmp_path: Path) -> None:
    network = nn.Linear(1, 1)
    nn.init.constant_(network.weight, 1e6)
    with pytest.raises(ValueError, match="float16"):
        save_half(network, tmp_path / "w.safetensors")


def test_trunk_moves_between_networks(tmp_path: Path) -> None:
    source = zoo.build("fcn_voc_s")
    save_half(source, tmp_path / "w.safetensors")
    target = zoo.build("faster_rcnn_s")
    taken = take_matching(target, tmp_path / "w.safetensors")
    assert len(taken) == len(source.trunk.state_dict())
    own = target.backbone.trunk.state_dict()
    for key, value in source.trunk.state_dict().items():
        torch.testing.assert_close(own[key], value, rtol=1e-3, atol=1e-6)


def test_init_that_fits_nothing(tmp_path: Path) -> None:
    save_half(nn.Linear(2, 2), tmp_path / "w.safetensors")
    with pytest.raises(UserError, match="fits this network"):
        take_matching(zoo.build("resnet_s"), tmp_path / "w.safetensors")


def test_unreadable_weights(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match="cannot be read"):
        read_weights(tmp_path / "w.safetensors")
