"""Which parts of a photo drive a prediction: targets, methods, backward rules, sanity checks."""

from vision_core.attribution.estimates import Attribution
from vision_core.attribution.explain import every_map, explain, explained, in_steps
from vision_core.attribution.question import Question, ask, default_target
from vision_core.attribution.rules import RULES, relu_rule
from vision_core.records.targets import Target, parse

__all__ = [
    "RULES",
    "Attribution",
    "Question",
    "Target",
    "ask",
    "default_target",
    "every_map",
    "explain",
    "explained",
    "in_steps",
    "parse",
    "relu_rule",
]
