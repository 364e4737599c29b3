"""Captum's DeepLIFT and layer conductance, run on a private copy of the network's modules.

Captum hangs hooks on modules and asks that each one runs once and writes nothing in place. The
copy is made so: the shared network, and the weights of both, stay as they are.
"""

from __future__ import annotations

import copy
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from captum.attr import DeepLift, LayerConductance
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.attribution.cam import record
from vision_core.attribution.estimates import Estimate
from vision_core.attribution.gradients import BATCH, baseline_of
from vision_core.attribution.question import Question, differentiable
from vision_core.attribution.rules import counted_activations
from vision_core.attribution.shadow import recording, shadow
from vision_core.errors import UserError

# Said at every call of DeepLIFT, and not for those who use this app: the hooks are on a copy.
warnings.filterwarnings("ignore", "Setting forward, backward hooks", module="captum")


class _Scored(nn.Module):
    """A copy of a question's network that outputs the target's score, ``[N]``."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.net = shadow(question.module)
        self._question = question
        for module in self.net.modules():
            if getattr(module, "inplace", False):
                module.inplace = False  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        with recording(self.net, self._question.needed) as kept:
            return self._question.score(self.net, x, kept)


class _InTurn(nn.Module):
    """A module without weights that runs several times in a pass: an own copy for each time."""

    def __init__(self, module: nn.Module, times: int) -> None:
        super().__init__()
        self.copies = nn.ModuleList(copy.deepcopy(module) for _ in range(times))
        self.next = 0

    def forward(self, x: Tensor) -> Tensor:
        self.next += 1
        return self.copies[(self.next - 1) % len(self.copies)](x)


class _WithPositions(_InTurn):
    """Max pooling that tells its positions as well; Captum's rule is for the maxima alone."""

    def __init__(self, module: nn.MaxPool2d, times: int) -> None:
        super().__init__(module, times)
        self.pool = module
        for each in self.copies:
            each.return_indices = False  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Any:
        p = self.pool
        size = (p.kernel_size, p.stride, p.padding, p.dilation, p.ceil_mode)
        return super().forward(x), F.max_pool2d(x.detach(), *size, return_indices=True)[1]


def deep_lift(question: Question, baseline: str = "black") -> Estimate:
    """DeepLIFT with the rescale rule (Shrikumar et al. 2017).

    Args:
        question: what is explained.
        baseline: ``black``, ``mean`` (0 after normalisation), ``white`` or ``blur``.

    Returns:
        the map ``[3, h, w]``, score units. Its sum is the rise of the score from the baseline to
        the input; ``gap`` is what is missing, where the network has parts without a rule.

    Raises:
        UserError: the network calls no ReLU as a module.
    """
    x, start = question.input, baseline_of(question, baseline)
    scored = _Scored(question)
    with torch.inference_mode(False), torch.no_grad():
        runs, notes = _runs(scored, x)
        ends = [float(scored(each)[0]) for each in (x, start)]
    _separate(scored, runs)
    with differentiable():
        values = (
            DeepLift(scored).attribute(x.detach().clone().requires_grad_(True), start)[0].detach()
        )
    gap = float(values.sum()) - (ends[0] - ends[1])
    return Estimate(values, ends[0], gap=gap, settings={"baseline": baseline}, notes=notes)


def _runs(scored: _Scored, x: Tensor) -> tuple[Counter[nn.Module], tuple[str, ...]]:
    """How often each ReLU and each max pooling runs, and a note on what has no rule.

    Raises:
        UserError: no ReLU is called as a module.
    """
    runs: Counter[nn.Module] = Counter()
    watched = [m for m in scored.net.modules() if isinstance(m, nn.ReLU | nn.MaxPool2d)]
    hooks = [m.register_forward_hook(lambda m, *_: runs.update([m])) for m in watched]
    with counted_activations() as calls:
        scored(x)
    for hook in hooks:
        hook.remove()
    ruled = sum(count for module, count in runs.items() if isinstance(module, nn.ReLU))
    others = {name: count for name, count in calls.items() if name != "ReLU"}
    if calls["ReLU"] > ruled:
        others["ReLU called as a function"] = calls["ReLU"] - ruled
    named = ", ".join(f"{count} {name}" for name, count in others.items())
    if not ruled:
        raise UserError(
            "DeepLIFT has rules for ReLU modules, and this network has none of them "
            f"({named or 'no activation function'})."
        )
    note = f"The rule acts on {ruled} ReLU modules; {named} keep their own gradient."
    return runs, (note,) if others else ()


def _separate(scored: _Scored, runs: Counter[nn.Module]) -> None:
    """Put copies in the place of each module that runs several times, or tells positions."""
    instead: dict[nn.Module, nn.Module] = {}
    for module, times in runs.items():
        if isinstance(module, nn.MaxPool2d) and module.return_indices:
            instead[module] = _WithPositions(module, times)
        elif times > 1:
            instead[module] = _InTurn(module, times)
    for parent in list(scored.net.modules()):
        for name, child in list(parent._modules.items()):  # a module may have two names
            if child in instead:
                setattr(parent, name, instead[child])


def conductance(
    question: Question, layers: Sequence[str] = (), steps: int = 16, baseline: str = "black"
) -> Iterator[Estimate]:
    """Layer conductance (Dhamdhere et al. 2018), summed over the channels; a map for each layer.

    Args:
        question: what is explained.
        layers: names of layers; the default layer alone if there are none.
        steps: points on the way from the baseline to the input, 2 or more.
        baseline: as of ``deep_lift``.

    Yields:
        estimates of ``[1, h, w]`` in the layer's resolution, score units.

    Raises:
        UserError: there is no such layer, it has no map, or it runs several times.
    """
    if steps < 2:
        raise UserError(f"Layer conductance takes 2 steps or more, not {steps}.")
    start = baseline_of(question, baseline)
    found = record(question, layers, gradients=False)
    for at, name in enumerate(found.maps, 1):
        scored = _Scored(question)
        layer = scored.net.get_submodule(name)
        _refuse_repeated(scored, layer, name, question.input)
        with differentiable():
            parts = LayerConductance(scored, layer).attribute(
                question.input.detach().clone(), start, n_steps=steps, internal_batch_size=BATCH
            )
        told = {"layer": name, "steps": steps, "baseline": baseline}
        values = parts[0].detach().sum(0, keepdim=True)
        yield Estimate(values, found.score, at, len(found.maps), settings=told)


def _refuse_repeated(scored: _Scored, layer: nn.Module, name: str, x: Tensor) -> None:
    times: list[None] = []
    hook = layer.register_forward_hook(lambda *_: times.append(None))
    with torch.inference_mode(False), torch.no_grad():
        scored(x)
    hook.remove()
    if len(times) > 1:
        raise UserError(
            f"The layer {name} runs {len(times)} times for one photo; layer conductance takes "
            "layers that run once."
        )
