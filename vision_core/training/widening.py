"""A larger trunk that starts as the same function as a smaller trained one.

Chen, Goodfellow and Shlens, "Net2Net: Accelerating Learning via Knowledge Transfer" (2016): a new
channel is a copy of an old one, and what read the old one reads both in part. The parts are random
and add up to 1, so that the function stays and the copies still learn different things. An added
residual block starts as the identity: the scale of its last normalisation is 0.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vision_core.errors import UserError
from vision_core.models.zoo.trunk import Trunk


def widen(trunk: Trunk, small: Mapping[str, Tensor], seed: int = 0) -> None:
    """Set the tensors of ``trunk`` so that it computes what the trunk ``small`` computes.

    Its feature maps are those of ``small``, channel after channel, followed by copies of some.

    Args:
        trunk: at least as wide at every stage as the smaller one, and at least as deep.
        small: state dict of a smaller ``Trunk``, names from ``stem.`` and ``stages.`` on.
        seed: of the choice of channels that are copied, and of the parts.

    Raises:
        UserError: if ``small`` is no trunk, or is larger somewhere.
    """
    _Widening(trunk, small, torch.Generator().manual_seed(seed)).run()


class _Widening:
    def __init__(self, trunk: Trunk, small: Mapping[str, Tensor], rng: torch.Generator) -> None:
        self.tensors = trunk.state_dict()
        self.stages = trunk.stages
        self.small = small
        self.rng = rng

    def run(self) -> None:
        pixels = torch.arange(3)
        stream = self._convolution("stem.0", "stem.1", pixels)
        for number, stage in enumerate(self.stages):
            for block in range(len(stage)):  # type: ignore[arg-type]
                stream = self._block(f"stages.{number}.{block}", stream)

    def _block(self, name: str, stream: Tensor) -> Tensor:
        """Fill one residual block; return the old channel behind each of its output channels."""
        if f"{name}.conv1.weight" not in self.small:
            self.tensors[f"{name}.bn2.weight"].zero_()
            self.tensors[f"{name}.bn2.bias"].zero_()
            return stream
        result = stream
        if f"{name}.downsample.0.weight" in self.tensors:
            # the two sums of a block must agree on the channels
            result = self._convolution(f"{name}.downsample.0", f"{name}.downsample.1", stream)
        inner = self._convolution(f"{name}.conv1", f"{name}.bn1", stream)
        self._convolution(f"{name}.conv2", f"{name}.bn2", inner, result)
        return result

    def _convolution(
        self, name: str, norm: str, inputs: Tensor, outputs: Tensor | None = None
    ) -> Tensor:
        """Fill a convolution and its normalisation; return the old channel of each new one.

        Args:
            name, norm: of the two modules.
            inputs: ``[C_in]``, the old channel behind each input channel.
            outputs: the same for the output channels where that is settled already.
        """
        new, old = self.tensors[f"{name}.weight"], self._old(f"{name}.weight")
        if outputs is None:
            outputs = self._copies(len(old), len(new), name)
        if old.shape[1] != int(inputs.max()) + 1 or int(outputs.max()) + 1 != len(old):
            raise UserError(f"The weights of another network do not fit at {name}.")
        new.copy_(old[outputs][:, inputs] * self._parts(len(new), inputs)[:, :, None, None])
        for part in ("weight", "bias", "running_mean", "running_var"):
            self.tensors[f"{norm}.{part}"].copy_(self._old(f"{norm}.{part}")[outputs])
        return outputs

    def _copies(self, old: int, new: int, name: str) -> Tensor:
        if new < old:
            raise UserError(f"The trunk is narrower at {name} than the one it would start from.")
        extra = torch.randint(old, (new - old,), generator=self.rng)
        return torch.cat([torch.arange(old), extra])

    def _parts(self, outputs: int, inputs: Tensor) -> Tensor:
        """``[outputs, C_in]`` random parts; those of the copies of one channel add up to 1."""
        shape = outputs, len(inputs)
        drawn = torch.rand(shape, generator=self.rng, dtype=torch.float64).clamp(1e-6, 1 - 1e-6)
        drawn = -drawn.log()  # exponential: all ways to divide 1 are equally likely
        sums = drawn.new_zeros(outputs, int(inputs.max()) + 1).index_add_(1, inputs, drawn)
        return drawn / sums[:, inputs]

    def _old(self, name: str) -> Tensor:
        if name not in self.small:
            raise UserError(f"The weights hold no trunk to start from: {name} is missing.")
        return self.small[name]
