"""Classic examples of lectures, each named after what it shows."""

from __future__ import annotations

from vision_core.walkthroughs.detection_presets import ANCHORS, CORNERS, PUBLISHED, TWO_PHOTOS
from vision_core.walkthroughs.lab_presets import LAB_PRESETS
from vision_core.walkthroughs.preset import Preset

# The 1-D examples of the lecture are in letters: kernel (x, y, z), input (a, b, c, d). These
# numbers keep the letters apart: every digit of a sum is one of a to d, its place x, y or z.
LINE, BAND = [1, 2, 3, 4], [1, 10, 100]
SMALL = [[1, 2], [3, 4]]
POOLED = [[1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]]
GRID = [[3, 1, 3, 5], [6, 0, 7, 9], [3, 2, 1, 4], [0, 2, 4, 3]]
STAIRS = [[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]
PICTURE = [[1, 2, 0, 1, 3], [0, 1, 2, 3, 1], [2, 1, 0, 0, 2], [1, 0, 3, 1, 1], [2, 2, 1, 0, 1]]
SOBEL = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
ONES = [[1] * 4] * 4
FEATURES = [[(7 * row + 3 * column) % 10 for column in range(20)] for row in range(15)]
REGION = {
    "input": FEATURES,
    "box": [104, 72, 392, 300],
    "output_size": 2,
    "spatial_scale": 1 / 32,
}
SMALL_REGION = {**REGION, "box": [152, 118, 236, 188]}
COLOUR = [
    [[1, 0, 2], [0, 1, 0], [2, 0, 1]],
    [[0, 1, 0], [1, 2, 1], [0, 1, 0]],
    [[2, 2, 0], [2, 0, 0], [0, 0, 1]],
]
COLOUR_FILTER = [[[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[1, -1], [-1, 1]]]]

_CONVOLUTION = (
    Preset(
        "no-padding",
        "Without padding a 3x3 kernel makes a 5x5 input 3x3.",
        {"input": PICTURE, "weight": SOBEL},
    ),
    Preset(
        "same-size",
        "Padding 1 keeps the size under a 3x3 kernel.",
        {"input": PICTURE, "weight": SOBEL, "padding": 1},
    ),
    Preset(
        "stride-2",
        "Stride 2 with padding 1 halves the size.",
        {"input": PICTURE, "weight": SOBEL, "padding": 1, "stride": 2},
    ),
    Preset(
        "dilation-2",
        "Dilation 2 lets nine weights span 5x5 cells.",
        {"input": PICTURE, "weight": SOBEL, "dilation": 2, "padding": 1},
    ),
    Preset(
        "floored-size",
        "A size that is not whole is floored: the last row and column stay unread.",
        {"input": ONES, "weight": [[1, 1, 1]] * 3, "stride": 2},
    ),
    Preset(
        "one-dimensional",
        "One-dimensional, padding 1: four in, four out.",
        {"input": LINE, "weight": BAND, "padding": 1},
    ),
    Preset(
        "flipped-kernel",
        "A convolution in mathematics rotates the kernel; networks do not.",
        {"input": LINE, "weight": BAND, "padding": 1, "flip": True},
    ),
    Preset(
        "colour-picture",
        "A filter on a colour picture is three-dimensional, its scan is not.",
        {"input": COLOUR, "weight": COLOUR_FILTER},
    ),
    Preset(
        "channel-groups",
        "With groups equal to the channels each channel has its own kernel.",
        {"input": COLOUR, "weight": [[k] for k in COLOUR_FILTER[0]], "groups": 3},
    ),
)

_TRANSPOSED = (
    Preset(
        "stride-2-doubles",
        "3x3, stride 2, padding 1 makes 2x2 to 4x4 with output padding 1.",
        {
            "input": SMALL,
            "weight": [[1, 2, 1], [2, 4, 2], [1, 2, 1]],
            "stride": 2,
            "padding": 1,
            "output_padding": 1,
        },
    ),
    Preset(
        "checkerboard",
        "3x3 with stride 2 overlaps unevenly, also on a constant input.",
        {"input": ONES, "weight": [[1] * 3] * 3, "stride": 2},
    ),
    Preset(
        "even-overlap",
        "4x4 with stride 2 overlaps evenly inside.",
        {"input": ONES, "weight": [[1] * 4] * 4, "stride": 2, "padding": 1},
    ),
    Preset(
        "one-dimensional-stride-1",
        "Stride 1 is again a convolution, with the kernel reversed.",
        {"input": LINE, "weight": BAND},
    ),
    Preset(
        "one-dimensional-stride-2",
        "Stride 2 is no longer a convolution.",
        {"input": [1, 2], "weight": BAND, "stride": 2, "output_padding": 1},
    ),
)

_MATRIX = (
    Preset(
        "stride-1",
        "A 4x6 band matrix on the padded input.",
        {"input": LINE, "weight": BAND, "padding": 1},
    ),
    Preset(
        "stride-2",
        "Stride 2 leaves out every second row.",
        {"input": LINE, "weight": BAND, "padding": 1, "stride": 2},
    ),
    Preset(
        "forward-stride-1",
        "C times x is the convolution.",
        {"input": LINE, "weight": BAND, "padding": 1, "view": "forward"},
    ),
    Preset(
        "forward-stride-2",
        "C times x with stride 2.",
        {"input": LINE, "weight": BAND, "padding": 1, "stride": 2, "view": "forward"},
    ),
    Preset(
        "transposed-stride-1",
        "C transposed: the backward pass, again a convolution.",
        {"input": LINE, "weight": BAND, "padding": 1, "view": "transposed", "grad_output": LINE},
    ),
    Preset(
        "transposed-stride-2",
        "C transposed with stride 2: no longer a convolution.",
        {
            "input": LINE,
            "weight": BAND,
            "padding": 1,
            "stride": 2,
            "view": "transposed",
            "grad_output": [1, 2],
        },
    ),
    Preset(
        "3x3-on-4x4",
        "In two dimensions: a 4x16 matrix, whose four outputs are a 2x2 map.",
        {"input": GRID, "weight": SOBEL},
    ),
)

PRESETS: dict[str, tuple[Preset, ...]] = {
    "convolution": _CONVOLUTION,
    "transposed_convolution": _TRANSPOSED,
    "convolution_matrix": _MATRIX,
    "max_pool": (
        Preset("grid", "The largest of every 2x2 block.", {"input": GRID, "kernel_size": 2}),
        Preset("stairs", "The largest of every 2x2 block.", {"input": STAIRS, "kernel_size": 2}),
        Preset(
            "switches",
            "The positions of the maxima are kept for unpooling.",
            {"input": POOLED, "kernel_size": 2},
        ),
    ),
    "avg_pool": (
        Preset("grid", "The average of every 2x2 block.", {"input": GRID, "kernel_size": 2}),
    ),
    "max_pool_backward": (
        Preset(
            "switches",
            "Every gradient goes to the position of the maximum, the rest get 0.",
            {"input": POOLED, "kernel_size": 2, "grad_output": SMALL},
        ),
    ),
    "nearest_unpool": (Preset("doubling", "Every value fills a 2x2 block.", {"input": SMALL}),),
    "bed_of_nails": (
        Preset("doubling", "Every value stands alone among zeros.", {"input": SMALL}),
    ),
    "max_unpool": (
        Preset(
            "switches",
            "Values return to where the maxima of an earlier pooling stood.",
            {"input": SMALL, "indices": [[5, 2], [12, 15]], "kernel_size": 2},
        ),
    ),
    "roi_pool": (
        Preset(
            "photo-640x480", "A 640x480 photo has 20x15 cells; the box is snapped to them.", REGION
        ),
        Preset(
            "small-object",
            "A small box: snapping moves its edges by much of its size.",
            SMALL_REGION,
        ),
    ),
    "roi_align": (
        Preset(
            "photo-640x480",
            "The same box, not snapped: four points in each bin.",
            {**REGION, "sampling_ratio": 2, "aligned": True},
        ),
        Preset(
            "small-object",
            "A small box keeps its place and its size.",
            {**SMALL_REGION, "sampling_ratio": 2, "aligned": True},
        ),
        Preset(
            "half-a-cell-off",
            "Without aligned, all points lie half a cell too far down and right.",
            {**REGION, "sampling_ratio": 2, "aligned": False},
        ),
    ),
    "roi_pool_backward": (
        Preset(
            "photo-640x480",
            "One cell of each bin gets its whole gradient.",
            {**REGION, "grad_output": SMALL},
        ),
    ),
    "roi_align_backward": (
        Preset(
            "photo-640x480",
            "Every cell near a point gets its share of the gradient.",
            {**REGION, "sampling_ratio": 2, "aligned": True, "grad_output": SMALL},
        ),
    ),
    "nms": (
        Preset(
            "four-scores",
            "Scores 0.9, 0.85, 0.82, 0.77 on two objects: two boxes are kept.",
            {
                "boxes": [
                    [10, 10, 110, 110],
                    [20, 15, 120, 115],
                    [150, 20, 250, 120],
                    [145, 25, 240, 130],
                ],
                "scores": [0.9, 0.85, 0.82, 0.77],
                "iou_threshold": 0.5,
            },
        ),
    ),
    "relu_backward": (
        Preset(
            "four-quadrants",
            "Positive and negative inputs meet positive and negative "
            "gradients: each rule keeps another set.",
            {
                "input": [[1, -1, 5], [2, -5, -7], [-3, 2, 4]],
                "grad_output": [[-2, 3, -1], [6, -3, 1], [2, -1, 3]],
            },
        ),
        Preset(
            "all-inputs-positive",
            "Where nothing was cut off, plain passes everything, and the two others agree.",
            {"input": [[1, 2], [3, 4]], "grad_output": [[5, -6], [-7, 8]]},
        ),
    ),
    "corner_pool": (
        Preset(
            "top-left",
            "The corner lights up where top and left edge meet, on an empty cell.",
            {
                "input": [[0, 0, 0, 0], [0, 0, 0, 5], [0, 0, 0, 0], [0, 0, 0, 0]],
                "input_horizontal": [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 7, 0, 0]],
            },
        ),
    ),
    "corner_pairs": (
        Preset(
            "two-objects",
            "Two objects and a false peak of each kind: embeddings tell which corners pair.",
            CORNERS,
        ),
    ),
    "anchors": (
        Preset(
            "two-sizes",
            "Two sizes and three ratios give six anchors at every position.",
            ANCHORS,
        ),
    ),
    "average_precision": (
        Preset(
            "a-duplicate-is-false",
            "The second detection of one object is a false positive, however well it fits.",
            TWO_PHOTOS,
        ),
        Preset("seven-photos", "Seven hits of 24 detections on 15 objects.", PUBLISHED),
    ),
    **LAB_PRESETS,
}
