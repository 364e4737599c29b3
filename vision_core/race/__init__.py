"""The race of the detectors of the lectures on one photo, each computed for real."""

from vision_core.race.proposals import Regions, selective_search, windows
from vision_core.race.systems import SYSTEMS, Contest, Found, Lap, System, race

__all__ = [
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
