"""Examples of the operators of the network lab: a sentence, a film, tied weights, maxout."""

from __future__ import annotations

from typing import Any

from vision_core.walkthroughs.preset import Preset

# What the network of ``teaching.sentences`` has learned, for two sentences (a test compares them).
_NETWORK: dict[str, Any] = {
    "filters": [
        [[1.47, -0.46, -0.65, 0.79], [-0.43, 1.56, -0.48, -0.09]],
        [[-0.75, -0.49, 0.1, -0.53], [0.26, -1.05, 0.48, 0.3]],
        [[-0.58, -0.67, 0.44, 0.63], [-0.4, 0.33, -0.06, -1.61], [0.33, 1.65, -0.37, -0.5]],
        [
            [0.0, 0.01, -0.03, 0.09],
            [-0.02, -0.02, 0.02, -0.1],
            [0.33, 0.14, -0.13, 0.22],
            [0.07, -0.43, 0.08, 0.17],
        ],
    ],
    "filter_bias": [0.02, 0.19, 0.15, -0.11],
    "weight": [[1.61, 0.79, -1.83, -0.29], [-1.45, -1.24, 1.13, 0.51]],
    "bias": [0.04, -0.04],
    "classes": ["displeased", "pleased"],
}
_WORDS: dict[str, list[float]] = {
    "the": [-0.08, 0.47, 0.19, -0.01],
    "film": [-0.05, -0.1, -0.19, 0.22],
    "is": [-0.4, 0.27, 0.41, -0.39],
    "not": [1.48, 0.46, -0.34, 0.1],
    "good": [0.04, 1.18, -0.12, -0.16],
    "very": [-0.62, -0.29, 0.0, -0.63],
}


def _read(text: str) -> dict[str, Any]:
    words = text.split()
    return {"input": [_WORDS[word] for word in words], **_NETWORK, "words": words}


LAB_PRESETS: dict[str, tuple[Preset, ...]] = {
    "channel_pool": (
        Preset(
            "two-of-four",
            "Of each pair of channels the larger value stays, at every place of its own.",
            {
                "input": [
                    [[1, 5], [2, 0]],
                    [[4, 3], [1, 6]],
                    [[-2, 0], [7, 1]],
                    [[-1, -3], [2, 8]],
                ],
                "kernel_size": 2,
            },
        ),
        Preset(
            "maxout-is-an-absolute-value",
            "Of x and -x the larger one is |x|: maxout learns activations such as this one.",
            {"input": [[-3, -2, -1, 0, 1, 2, 3], [3, 2, 1, 0, -1, -2, -3]], "kernel_size": 2},
        ),
    ),
    "convolution_3d": (
        Preset(
            "a-dot-that-moves",
            "A dot moves to the right. The kernel is the next frame minus this one, shifted: it is "
            "strong only where the dot moved by one column.",
            {
                "input": [
                    [[9, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
                    [[0, 9, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
                    [[0, 0, 9, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
                    [[0, 0, 9, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
                ],
                "weight": [[[1, -1]], [[-1, 1]]],
            },
        ),
        Preset(
            "the-mean-of-two-frames",
            "A kernel of two frames and no motion in it: a film twice as slow and blurred.",
            {
                "input": [
                    [[8, 0, 0], [0, 0, 0], [0, 0, 0]],
                    [[0, 0, 0], [0, 8, 0], [0, 0, 0]],
                    [[0, 0, 0], [0, 0, 0], [0, 0, 8]],
                    [[0, 0, 0], [0, 8, 0], [0, 0, 0]],
                ],
                "weight": [[[0.5]], [[0.5]]],
                "stride": [2, 1, 1],
            },
        ),
    ),
    "tied_weights": (
        Preset(
            "four-to-two",
            "Stride 2 down, and up again with the same weights: both sums have the same terms.",
            {"input": [1, 2, 3, 4, 5], "weight": [1, 2, 1], "y": [3, -1], "stride": 2},
        ),
        Preset(
            "in-two-dimensions",
            "Every product of an x, a weight and a y stands in both sums once.",
            {
                "input": [[1, 2, 0], [0, 1, 3], [2, 0, 1]],
                "weight": [[1, -1], [2, 0]],
                "y": [[1, 2], [-1, 1]],
            },
        ),
    ),
    "sentence": (
        Preset(
            "not-good",
            "The filter that won on “not good” decides, although “good” alone would please.",
            _read("the film is not good"),
        ),
        Preset(
            "very-good",
            "Without “not” the same filters find other words.",
            _read("the film is very good"),
        ),
    ),
}
