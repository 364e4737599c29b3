"""A stopwatch for the stages of a forward pass."""

from __future__ import annotations

import time

import torch


class Stopwatch:
    """Milliseconds by stage; waits for the GPU at each stage so that the figures are true."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._last = self._now()
        self.ms: dict[str, float] = {}

    def _now(self) -> float:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        elif self._device.type == "mps":
            torch.mps.synchronize()
        return time.perf_counter()

    def lap(self, stage: str) -> None:
        """Book the time since the last lap under ``stage``."""
        now = self._now()
        self.ms[stage] = self.ms.get(stage, 0.0) + (now - self._last) * 1000.0
        self._last = now
