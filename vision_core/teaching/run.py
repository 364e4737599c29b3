"""Learning epoch by epoch, in slices that can be stopped between, and back to earlier epochs."""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core import devices
from vision_core.errors import UserError
from vision_core.teaching.data import LearningSet
from vision_core.teaching.network import PlainNet, SeededDropout
from vision_core.teaching.settings import MOST_EPOCHS, LearningSettings

TURN = 0.25
"""Seconds after which a turn on the device is given to the next one."""
STATE_BYTES = 24 * 2**20
"""What the states of all epochs of one run may take."""
_AT_ONCE = 256  # pictures of one pass without gradients
_EPOCH_SEEDS = 1_000_003  # a prime: no two epochs of neighbouring seeds share their chance


@dataclass(frozen=True)
class Epoch:
    """What was measured after an epoch, dropout off and pictures as they are.

    Attributes:
        number: 0 for the first weights.
        loss, accuracy: mean cross-entropy and share of right answers in the training part.
        val_loss, val_accuracy: the same in the validation part.
        seconds: that learning the epoch took, measuring left out.
    """

    number: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float


@dataclass
class _State:
    """Copies of the numbers of a network and of its optimiser."""

    network: dict[str, Tensor]
    optimiser: dict[str, Any]

    @property
    def nbytes(self) -> int:
        moments = [v for s in self.optimiser["state"].values() for v in s.values()]
        tensors = [*self.network.values(), *(v for v in moments if isinstance(v, Tensor))]
        return sum(t.nbytes for t in tensors)


class LearningRun:
    """A network that learns a set; it belongs to one user, and runs on the CPU.

    All chance comes from the seed and the number of the epoch, so that the same settings give the
    same numbers, and an epoch that was taken back is learned again as it was.

    Args:
        data: what is learned; its pictures may be features ``[N, F]`` where ``network`` takes them.
        settings: how.
        network: what learns; a ``PlainNet`` of the settings where left out. In double precision
            the pictures are, too.
        most: bytes that the states of all epochs may take; 0 for a run without a way back.

    Attributes:
        history: the epochs so far, the first weights among them.
    """

    def __init__(
        self,
        data: LearningSet,
        settings: LearningSettings,
        network: nn.Module | None = None,
        most: int = STATE_BYTES,
    ) -> None:
        self.data, self.settings = data, settings
        if network is None:
            _, channels, side, _ = data.pictures.shape
            network = PlainNet(settings, channels, side, len(data.classes))
        self.network = network
        kind = next(network.parameters()).dtype
        self._pictures = torch.from_numpy(data.pictures.copy()).to(kind)
        self._labels = torch.from_numpy(data.labels.copy())
        self._most = most
        self._optimiser = optimiser_of(network, settings)
        self._states: dict[int, _State] = {}
        self._steps: Iterator[float] | None = None
        # A page that is drawn anew does not wait for the one before, which may be in a turn.
        self._turning = threading.RLock()
        self.share = 0.0  # of the epoch under way
        self._spent = 0.0
        self.history: list[Epoch] = []
        with devices.forward_slot():
            self._measure()

    @property
    def epoch(self) -> int:
        """The last whole epoch."""
        return self.history[-1].number

    @property
    def held(self) -> tuple[int, ...]:
        """The epochs to which one can go back, rising."""
        return tuple(sorted(self._states))

    @property
    def nbytes(self) -> int:
        """Bytes that are held now: pictures, states, and four times the weights for a step."""
        own = sum(t.nbytes for t in self.network.state_dict().values())
        kept = sum(state.nbytes for state in self._states.values())
        return 4 * own + kept + self._pictures.nbytes

    def advance(self, seconds: float, wanted: Callable[[], bool] = lambda: True) -> bool:
        """Learn for about so long, at most to the end of the epoch.

        Args:
            seconds: after which no further turn is begun.
            wanted: asked before each turn; none is taken once it says no.

        Returns:
            whether an epoch was ended.

        Raises:
            UserError: the run has all its epochs, or its numbers are no longer finite.
        """
        if self.epoch >= MOST_EPOCHS:
            raise UserError(f"A run ends after {MOST_EPOCHS} epochs; start another one.")
        if not math.isfinite(self.history[-1].loss):
            raise UserError(
                "The loss is no longer a finite number, since the learning rate is too high for "
                "this run; take epochs back, or start another run with a smaller rate."
            )
        end = time.monotonic() + seconds
        while True:
            with self._turning:
                if not wanted():
                    return False
                if self._steps is None:
                    self._steps = self._learn(self.epoch + 1)
                with devices.forward_slot():
                    done = self._turn(min(end, time.monotonic() + TURN))
            if done:
                return True
            if time.monotonic() >= end:
                return False

    def settle(self) -> None:
        """Wait for a turn that another thread is taking; the next one asks whether it is wanted."""
        with self._turning:
            pass

    def learn(self, epochs: int) -> list[Epoch]:
        """So many epochs to their ends; returns what was measured after each."""
        for _ in range(epochs):
            while not self.advance(3600):
                pass
        return self.history[-epochs:] if epochs else []

    def back_to(self, epoch: int) -> None:
        """Put network and optimiser as they were after an epoch, and forget what came later.

        Raises:
            UserError: the state of this epoch is not held.
        """
        with self._turning:
            if epoch not in self._states or epoch > self.epoch:
                raise UserError(
                    f"The weights of epoch {epoch} are no longer held; choose another one."
                )
            state = self._states[epoch]
            self.network.load_state_dict(state.network)
            self._optimiser.load_state_dict(copy.deepcopy(state.optimiser))
            self._states = {n: s for n, s in self._states.items() if n <= epoch}
            self.history = [e for e in self.history if e.number <= epoch]
            self._steps, self.share, self._spent = None, 0.0, 0.0

    def probabilities(self, indices: np.ndarray) -> np.ndarray:
        """Softmax of the logits of some pictures, float ``[n, classes]``."""
        with devices.forward_slot():
            return self._logits(torch.from_numpy(np.array(indices))).softmax(1).numpy()

    def _turn(self, until: float) -> bool:
        assert self._steps is not None
        start = time.perf_counter()
        for share in self._steps:
            self.share = share
            if time.monotonic() >= until:
                self._spent += time.perf_counter() - start
                return False
        self._spent += time.perf_counter() - start
        self._steps = None
        self._measure()
        return True

    def _learn(self, epoch: int) -> Iterator[float]:
        """The steps of an epoch; gives how much of it is done after each."""
        chance = torch.Generator().manual_seed(self.settings.seed * _EPOCH_SEEDS + epoch)
        for module in self.network.modules():
            if isinstance(module, SeededDropout):
                module.generator = chance
        own = torch.from_numpy(self.data.training.copy())
        order = own[torch.randperm(len(own), generator=chance)]
        batches = list(order.split(self.settings.batch))
        if len(batches) > 1 and len(batches[-1]) == 1:  # BatchNorm needs two
            batches[-2:] = [torch.cat(batches[-2:])]
        for at, batch in enumerate(batches, 1):
            self.network.train()
            pictures = self._pictures[batch]
            if self.settings.augment:
                pictures = augmented(pictures, self.data.mirrored, chance)
            self._optimiser.zero_grad()
            loss = F.cross_entropy(self.network(pictures), self._labels[batch])
            loss.backward()
            self._optimiser.step()
            yield at / len(batches)

    def _measure(self) -> None:
        number = self.history[-1].number + 1 if self.history else 0
        told = [self._score(part) for part in (self.data.training, self.data.validation)]
        seconds, self._spent, self.share = self._spent, 0.0, 0.0
        self.history.append(Epoch(number, *told[0], *told[1], seconds))
        self._keep(number)

    def _score(self, part: np.ndarray) -> tuple[float, float]:
        indices = torch.from_numpy(part.copy())
        logits, labels = self._logits(indices), self._labels[indices]
        right = (logits.argmax(1) == labels).double().mean()
        return float(F.cross_entropy(logits, labels)), float(right)

    def _logits(self, indices: Tensor) -> Tensor:
        self.network.eval()
        with torch.inference_mode():
            found = [self.network(self._pictures[part]) for part in indices.split(_AT_ONCE)]
            return torch.cat(found)

    def _keep(self, number: int) -> None:
        """Copy the state; when there is no more room the earliest go, but for the first weights."""
        if not self._most:
            return
        network = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        self._states[number] = _State(network, copy.deepcopy(self._optimiser.state_dict()))
        while sum(s.nbytes for s in self._states.values()) > self._most:
            middle = [n for n in sorted(self._states) if n not in (0, number)]
            if not middle:
                return
            del self._states[middle[0]]


def optimiser_of(network: nn.Module, settings: LearningSettings) -> torch.optim.Optimizer:
    """The optimiser of the parameters that have a gradient; the penalty spares biases and norms."""
    taught = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in taught if p.ndim > 1], "weight_decay": settings.decay},
        {"params": [p for p in taught if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if settings.optimiser == "adam":
        return torch.optim.Adam(groups, lr=settings.rate)
    return torch.optim.SGD(groups, lr=settings.rate, momentum=settings.momentum)


def augmented(pictures: Tensor, mirrored: bool, chance: torch.Generator) -> Tensor:
    """Pictures moved by up to an eighth of their side, and maybe mirrored; edges are repeated.

    Args:
        pictures: ``[N, C, H, W]``.
        mirrored: whether left and right may change places.
        chance: what decides.

    Returns:
        the same shape.
    """
    count, _, tall, wide = pictures.shape
    far = max(1, tall // 8)
    padded = F.pad(pictures, (far, far, far, far), mode="replicate")
    moves = torch.randint(0, 2 * far + 1, (count, 2), generator=chance)
    rows = moves[:, :1] + torch.arange(tall)
    columns = moves[:, 1:] + torch.arange(wide)
    if mirrored:
        flip = torch.rand(count, generator=chance) < 0.5
        columns = torch.where(flip[:, None], columns.flip(1), columns)
    at = torch.arange(count)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[at, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2).contiguous()
