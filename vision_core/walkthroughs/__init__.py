"""Operators as steps: what is read, computed and written, on small arrays of numbers."""

from vision_core.walkthroughs.presets import PRESETS, Preset
from vision_core.walkthroughs.registry import OPERATORS, build, parameters, preset
from vision_core.walkthroughs.types import Operand, Step, Term, Walkthrough, Write

__all__ = [
    "OPERATORS",
    "PRESETS",
    "Operand",
    "Preset",
    "Step",
    "Term",
    "Walkthrough",
    "Write",
    "build",
    "parameters",
    "preset",
]
