"""How large the pictures of Style are: more on a projector, never taller than the window."""

from __future__ import annotations

import numpy as np

from pages.shared import shell
from vision_core.figures import style as figures


def wide(usual: int, on_stage: int) -> int:
    """Pixels of a picture's width at most."""
    return on_stage if shell.presenting() else usual


def large(pixels: np.ndarray, what: str, usual: int = 640) -> str:
    """The picture that one looks at, as HTML; it is seen as a whole below the buttons.

    Args:
        pixels: uint8 ``[h, w, 3]``.
        what: it shows.
        usual: pixels of its width at most where nobody presents.
    """
    return figures.picture(pixels, what, wide(usual, 1100), 0.66 if shell.presenting() else 0.6)
