"""The loop that all recipes share: steps, schedule, weight averaging, checkpoints, a log.

Everything random in a step is drawn from the seed and the number of the step, so that a run that
was stopped goes on as if it had not been (on the same machine, with the same number of threads).
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from vision_core.training.cache import Canvases
from vision_core.training.precision import in_half
from vision_core.training.schedule import averaged, cosine_with_warmup


@dataclass(frozen=True)
class Options:
    """What the caller chooses about a run.

    Attributes:
        data: folder that holds the data sets.
        out: folder for checkpoint, log and weights.
        cache: folder for decoded pictures; ``None`` for the user's cache folder.
        minutes: wall-clock length; the learning rate reaches 0 at its end.
        steps: if given, the run has this many steps whatever the clock says.
        seed: of everything random.
        threads: CPU threads for torch; 0 leaves torch's own choice.
        device: as ``torch.device`` takes it.
        init: weights to start from; tensors whose name and shape fit are taken.
        rate: factor on the recipe's learning rate; below 1 for going on from finished weights.
        resume: go on from the checkpoint in ``out``.
        save_seconds: how often there is a checkpoint and a line of the log.
        piece: end this call after so many minutes, with a checkpoint to go on from; the run's
            length and its schedule stay those of ``minutes`` or ``steps``.
        compile: let ``torch.compile`` fuse the network (needs a C++ compiler on a CPU).
        half: convolutions in bfloat16 on a CPU too; worth it where the processor multiplies it
            (AVX512-BF16, AMX). On a GPU they always are.
    """

    data: Path
    out: Path
    cache: Path | None = None
    minutes: float = 20.0
    steps: int | None = None
    seed: int = 0
    threads: int = 0
    device: str = "cpu"
    init: Path | None = None
    rate: float = 1.0
    resume: bool = False
    save_seconds: float = 60.0
    piece: float | None = None
    compile: bool = False
    half: bool = False


class Recipe(Protocol):
    """One task: what the loop asks of it."""

    name: str
    batch_size: int
    learning_rate: float
    weight_decay: float
    score_minutes: float

    def prepare(self, options: Options) -> int:
        """Read the data; return the number of training examples."""

    def model(self) -> nn.Module:
        """Return the network with random weights."""

    def batch(self, indices: Tensor, progress: float, rng: torch.Generator) -> Any:
        """Return the augmented examples of one step, on the CPU."""

    def loss(self, network: nn.Module, batch: Any, device: torch.device) -> Tensor:
        """Return the loss of one step."""

    def score(self, network: nn.Module) -> float:
        """Return one number, higher is better, of a network in eval mode on the val part."""


@dataclass
class Pace:
    """Since the last line of the log: summed loss and steps, and when the loop saved and scored."""

    loss: float = 0.0
    steps: int = 0
    saved: float = 0.0
    scored: float = 0.0


@dataclass
class Run:
    """The state of a run; a checkpoint holds all of it but ``examples`` and ``pace``."""

    network: nn.Module
    average: torch.optim.swa_utils.AveragedModel
    optimiser: torch.optim.Optimizer
    examples: int = 0
    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)

    def save(self, path: Path) -> None:
        """Write the state; a reader never meets half a file."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "history": self.history,
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        """Take the state from a checkpoint of the same recipe."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.history = state["history"]
        self.pace = Pace(saved=self.seconds, scored=self.seconds)


def step_generator(seed: int, step: int) -> torch.Generator:
    """Return the random numbers of one step; they depend on nothing else."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


def batch_indices(count: int, size: int, seed: int, step: int) -> Tensor:
    """Return the examples of a step: every epoch is a new order, the incomplete rest is left."""
    per_epoch = max(1, count // size)
    epoch, position = divmod(step, per_epoch)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed * 7919 + epoch))
    return order[position * size : (position + 1) * size]


def optimiser_for(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW; no weight decay on biases and normalisation."""
    trained = [p for p in network.parameters() if p.requires_grad]
    weights = [p for p in trained if p.ndim > 1]
    others = [p for p in trained if p.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.99))


def progress_of(run: Run, options: Options) -> float:
    """Return how far the run is, 0..1: by steps if they were given, else by the clock."""
    if options.steps is not None:
        return run.step / max(1, options.steps)
    return run.seconds / (60 * options.minutes)


def start(recipe: Recipe, options: Options) -> Run:
    """Return a fresh run, or the one in the checkpoint if ``options.resume``."""
    torch.manual_seed(options.seed)
    network = recipe.model()
    if options.init is not None:
        from vision_core.training.export import take_start

        take_start(network, options.init)
    network = network.to(options.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    run = Run(network, averaged(network), optimiser_for(network, recipe))
    checkpoint = options.out / "checkpoint.pt"
    if options.resume and checkpoint.exists():
        run.load(checkpoint)
    return run


def fit(recipe: Recipe, options: Options) -> Run:
    """Train until the limit; return the run, whose ``average`` holds the weights to keep."""
    if options.threads:
        torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    count = recipe.prepare(options)
    keep_pixels_on(recipe, torch.device(options.device))
    run = start(recipe, options)
    run.examples = count
    device = torch.device(options.device)
    # a detector's matching and losses differ from batch to batch, and want all digits
    named = dict(run.network.named_children())
    parts = [named[name] for name in ("backbone", "head") if name in named] or [run.network]
    if options.half or device.type == "cuda":
        for part in parts:
            in_half(part, device)
    if options.compile:
        for part in parts:
            part.compile(dynamic=False)
    per_epoch = max(1, count // recipe.batch_size)
    for loss in _steps(run, recipe, options, device, count):
        _report(run, recipe, options, loss, run.step / per_epoch)
    run.save(options.out / "checkpoint.pt")
    return run


def keep_pixels_on(recipe: Recipe, device: torch.device) -> None:
    """Move a recipe's canvases to a GPU, once: windows onto them are then read there."""
    if device.type == "cpu":
        return
    for name in ("photos", "masks", "maps", "tiny_pixels"):
        held = getattr(recipe, name, None)
        if isinstance(held, Canvases):
            setattr(recipe, name, replace(held, pixels=held.pixels.to(device)))
        elif isinstance(held, Tensor):
            setattr(recipe, name, held.to(device))


def _steps(
    run: Run, recipe: Recipe, options: Options, device: torch.device, count: int
) -> Iterator[float]:
    """Take steps until the limit, yielding the loss of each."""
    clock = began = time.monotonic()
    while (progress := progress_of(run, options)) < 1:
        rng = step_generator(options.seed, run.step)
        torch.manual_seed(rng.initial_seed())  # for what a network draws itself, as in dropout
        indices = batch_indices(count, recipe.batch_size, options.seed, run.step)
        batch = recipe.batch(indices, progress, rng)
        for group in run.optimiser.param_groups:
            group["lr"] = recipe.learning_rate * options.rate * cosine_with_warmup(progress)
        run.network.train()
        loss = recipe.loss(run.network, batch, device)
        run.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(run.network.parameters(), 10.0)
        run.optimiser.step()
        run.average.update_parameters(run.network)
        run.step += 1
        now = time.monotonic()
        run.seconds, clock = run.seconds + now - clock, now
        yield float(loss.detach())
        if options.piece is not None and clock - began >= 60 * options.piece:
            return


def _report(run: Run, recipe: Recipe, options: Options, loss: float, epoch: float) -> None:
    """Once a minute: a checkpoint and a line; now and then the score of the averaged weights."""
    pace = run.pace
    pace.loss, pace.steps = pace.loss + loss, pace.steps + 1
    finished = progress_of(run, options) >= 1
    if run.seconds - pace.saved < options.save_seconds and not finished:
        return
    row = {"step": run.step, "epoch": round(epoch, 2), "seconds": round(run.seconds)}
    row["loss"] = round(pace.loss / pace.steps, 4)
    if run.seconds - pace.scored >= 60 * recipe.score_minutes or finished:
        row["score"] = round(recipe.score(run.average.module.eval()), 4)
        pace.scored = run.seconds
        run.history.append({key: row[key] for key in ("epoch", "loss", "score")})
    pace.loss, pace.steps, pace.saved = 0.0, 0, run.seconds
    run.save(options.out / "checkpoint.pt")
    _log(options.out / "log.csv", row)
    togo = max(0.0, run.seconds * (1 / max(progress_of(run, options), 1e-6) - 1))
    print(f"{recipe.name} {row} to go {togo / 60:.1f} min", flush=True)


def _log(path: Path, row: dict[str, Any]) -> None:
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, ["step", "epoch", "seconds", "loss", "score"])
        if fresh:
            writer.writeheader()
        writer.writerow(row)
