"""One model of a comparison and what it said."""

from __future__ import annotations

from dataclasses import dataclass

from vision_core.inference.measuring import Timing
from vision_core.models import Card
from vision_core.records import Prediction, Selection, Trace


@dataclass(frozen=True, eq=False)
class Column:
    """One model of a comparison.

    Attributes:
        card: of the model.
        prediction: what it said; ``None`` where it failed.
        error: the sentence that takes the place of a result.
        title: what the column is called; the card's title where it is empty.
        random: whether its weights are random ones.
        multiply_adds: of one pass (see ``vision_core.models.anatomy``), where they are known.
        measured: how long the network takes, after a warm-up; ``None`` where nobody measured.
    """

    card: Card
    prediction: Prediction | None = None
    error: str = ""
    title: str = ""
    random: bool = False
    multiply_adds: int | None = None
    measured: Timing | None = None

    @property
    def stages(self) -> dict[str, float]:
        """Milliseconds of each stage: as measured, or else those of the run that made the trace."""
        network = {} if self.trace is None else self.trace.info.timing_ms
        after = {} if self.prediction is None else self.prediction.timing_ms
        return {**(network if self.measured is None else self.measured.stages), **after}

    @property
    def how_timed(self) -> str:
        """How the time was measured, in words."""
        return "one run, without a warm-up" if self.measured is None else self.measured.how

    @property
    def heading(self) -> str:
        """What the column is called."""
        return self.title or self.card.title

    @property
    def trace(self) -> Trace | None:
        """What the network said before any threshold; ``None`` where it failed."""
        return None if self.prediction is None else self.prediction.trace

    @property
    def selection(self) -> Selection | None:
        """What a detector keeps at its thresholds."""
        return None if self.prediction is None else self.prediction.selection
