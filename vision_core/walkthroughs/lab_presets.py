"""Examples of the operators of the network lab: a sentence, a film, tied weights, maxout."""

from __future__ import annotations

from typing import Any

from vision_core.walkthroughs.preset import Preset

# What the network of ``teaching.sentences`` has learned, for two sentences (a test compares them).
_NETWORK: dict[str, Any] = {
    "filters": [
        [[1.39, -0.81, -0.36, 0.32], [0.0, 1.17, -0.1, 0.49]],
        [[-0.31, -0.01, 0.33, -1.02], [-0.31, -0.89, 0.42, 0.31]],
        [[-0.71, -0.49, 0.65, 0.52], [-0.22, 0.68, 0.2, -1.44], [0.0, 0.95, 0.29, -0.74]],
        [
            [-0.4, -0.2, 0.14, -0.7],
            [0.35, 1.08, -0.25, -0.2],
            [-0.47, -1.2, 0.12, 1.07],
            [-0.06, 0.34, 0.07, -0.63],
        ],
    ],
    "filter_bias": [0.34, 0.29, -0.24, 0.13],
    "weight": [[1.34, 0.78, -1.66, -1.17], [-1.18, -1.29, 0.98, 1.63]],
    "bias": [0.23, -0.23],
    "classes": ["displeased", "pleased"],
}
_WORDS: dict[str, list[float]] = {
    "the": [-0.03, 0.49, 0.12, -0.05],
    "film": [-0.03, 0.14, -0.05, 0.31],
    "is": [-0.07, -0.3, 0.17, -0.78],
    "not": [1.36, 0.43, -0.33, 0.14],
    "good": [0.07, 0.67, -0.08, -0.81],
    "very": [-0.71, -0.6, 0.35, 0.32],
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
