"""Former name of ``vision_core.records``."""

from vision_core.records import *  # noqa: F403
