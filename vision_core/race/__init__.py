"""The race of the detectors of the lectures on one photo, each computed for real."""

from vision_core.race.laps import Contest, Found, Lap, System
from vision_core.race.proposals import Regions, selective_search, windows
from vision_core.race.systems import ONE_STAGE, SYSTEMS, race

__all__ = [
    "ONE_STAGE",
    "SYSTEMS",
    "Contest",
    "Found",
    "Lap",
    "Regions",
    "System",
    "race",
    "selective_search",
    "windows",
]
