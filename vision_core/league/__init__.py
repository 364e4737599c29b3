"""The explanation league: all methods on one target, each scored in the ways of the papers."""

from vision_core.league.boxes import boxed, detected_box, target_box
from vision_core.league.columns import COLUMNS, Criterion
from vision_core.league.competitor import Competitor, Progressing
from vision_core.league.playing import compete, cost
from vision_core.league.ranking import Ranked, Standing, ranked, standings
from vision_core.records.terms import Terms

__all__ = [
    "COLUMNS",
    "Competitor",
    "Criterion",
    "Progressing",
    "Ranked",
    "Standing",
    "Terms",
    "boxed",
    "compete",
    "cost",
    "detected_box",
    "ranked",
    "standings",
    "target_box",
]
