"""Tiny networks and questions about them, for tests of attribution."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.attribution.geometry import Window
from vision_core.attribution.question import Question
from vision_core.attribution.shadow import shadow
from vision_core.records.targets import ClassTarget


def question_of(
    module: nn.Module, x: Tensor, index: int = 0, labels: tuple[str, ...] | None = None
) -> Question:
    """A class logit of a bare network on a bare input ``[1, 3, h, w]``."""
    h, w = x.shape[-2:]
    with torch.no_grad():
        count = module(x).shape[1]
    labels = labels or tuple(f"class {i}" for i in range(count))
    return Question(
        shadow(module),
        x,
        Window(0, 0, 1, 1, w, h, (w, h)),
        ClassTarget(labels[index]),
        lambda net, batch, _: net(batch)[:, index],
        lambda net, batch: net(batch),
        labels,
        (0.0,) * 3,
        (1.0,) * 3,
    )


class Modules(nn.Module):
    """Two convolutions and a linear layer with ReLU modules in place."""

    def __init__(self, seed: int = 0, inplace: bool = True) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.one, self.two = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 8, 3, stride=2)
        self.act, self.fc = nn.ReLU(inplace=inplace), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.two(self.act(self.one(x))))  # one module, called twice
        return self.fc(x.mean((2, 3)))


class Functions(Modules):
    """The same network, but every ReLU is called in another way."""

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.one(x))
        x = self.two(x)
        F.relu(x, inplace=True)  # the result is ignored: x itself must have changed
        return self.fc(x.mean((2, 3)))


def state_of(module: nn.Module) -> dict[str, Any]:
    """Everything about a network that must not change."""
    return {
        "modules": [
            (
                n,
                id(m),
                m.training,
                getattr(m, "inplace", None),
                len(m._forward_hooks),
                len(m._backward_hooks),
                len(m._forward_pre_hooks),
            )
            for n, m in module.named_modules()
        ],
        "grads": [(p.requires_grad, p.grad) for p in module.parameters()],
        "values": [t.clone() for t in module.state_dict().values()],
    }


def same_state(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether nothing changed between two snapshots."""
    return (
        a["modules"] == b["modules"]
        and a["grads"] == b["grads"]
        and all(torch.equal(x, y) for x, y in zip(a["values"], b["values"], strict=True))
    )


def fixed(height: int = 20, width: int = 24, seed: int = 1, **kind: Any) -> Tensor:
    """A random input ``[1, 3, h, w]``."""
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(seed), **kind)


def model_of(card: Any, module: nn.Module, preset: Any = None) -> Any:
    """What ``inference`` takes for a model, around a bare network."""
    return SimpleNamespace(
        card=card,
        module=module.eval(),
        device=torch.device("cpu"),
        fingerprint="test",
        preset=preset,
        detector=None,
    )


def calibrated(module: nn.Module, side: int = 64) -> nn.Module:
    """The network in eval mode with statistics of batch normalisation from random inputs.

    With the statistics of a fresh network a signal dies out, and every map is zero in effect.
    """
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # a plain mean
    kind = next(module.parameters()).dtype
    with torch.no_grad():
        module.train()(torch.cat([fixed(side, side, seed=s, dtype=kind) for s in range(8)]))
    return module.eval()
