"""The network lab's operators against PyTorch and against slow second versions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from tests.walkthroughs.checks import PROPERTY, check
from vision_core.errors import UserError
from vision_core.teaching import sentences
from vision_core.walkthroughs import PRESETS, build
from vision_core.walkthroughs.sentence import saliency

SEEDS = st.integers(0, 10_000)


def tensor(values) -> torch.Tensor:
    return torch.tensor(np.asarray(values), dtype=torch.float64)


@PROPERTY
@given(SEEDS, st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))
def test_pooling_across_channels_is_pytorchs(seed, groups, size, rows, columns) -> None:
    x = np.random.default_rng(seed).normal(size=(groups * size, rows, columns))
    walk = build("channel_pool", input=x, kernel_size=size)
    expected, winners = tensor(x).view(groups, size, rows, columns).max(1)
    check(walk, expected)
    first = torch.arange(groups)[:, None, None] * size
    assert walk.facts["winners"] == (winners + first).tolist()


def test_maxout_of_two_linear_filters_is_pytorchs_and_gives_the_absolute_value() -> None:
    walk = build("channel_pool", "maxout-is-an-absolute-value")
    assert walk.result.tolist() == [[3, 2, 1, 0, 1, 2, 3]]
    # PyTorch's own pooling over the channels, as rows of a picture of one channel.
    x = tensor(walk.operands["input"].array)
    check(walk, F.max_pool2d(x[None], (2, 1))[0])


@PROPERTY
@given(SEEDS, st.integers(1, 2), st.integers(0, 1), st.booleans())
def test_a_convolution_over_a_film_is_pytorchs(seed, stride, padding, bias) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rng.integers(2, 5, 3))
    w = rng.normal(size=rng.integers(1, 3, 3))
    start = float(rng.normal()) if bias else 0.0
    walk = build("convolution_3d", input=x, weight=w, bias=start, stride=stride, padding=padding)
    expected = F.conv3d(
        tensor(x)[None, None], tensor(w)[None, None], tensor([start]), stride, padding
    )
    check(walk, expected[0, 0])
    assert walk.facts["multiplications"] == w.size * walk.result.size


def test_a_stride_for_each_axis_of_a_film() -> None:
    walk = build("convolution_3d", "the-mean-of-two-frames")
    x, w = (tensor(walk.operands[name].array) for name in ("input", "weight"))
    check(walk, F.conv3d(x[None, None], w[None, None], None, (2, 1, 1))[0, 0])


def test_the_film_shows_motion_alone() -> None:
    walk = build("convolution_3d", "a-dot-that-moves")
    strongest = np.argwhere(walk.result == walk.result.max())
    assert {int(t) for t, _, _ in strongest} == {0, 1}  # between the last two frames it stands
    assert (walk.result[2] < walk.result.max()).all()


@PROPERTY
@given(SEEDS, st.integers(1, 2), st.integers(1, 3), st.integers(0, 1))
def test_both_inner_products_are_equal_and_pytorchs(seed, axes, stride, padding) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rng.integers(3, 6, axes))
    w = rng.normal(size=rng.integers(1, 4, axes))
    conv, back = (F.conv1d, F.conv_transpose1d) if axes == 1 else (F.conv2d, F.conv_transpose2d)
    down = conv(tensor(x)[None, None], tensor(w)[None, None], None, stride, padding)
    y = rng.normal(size=down.shape[2:])
    rest = [
        n + 2 * padding - k - (m - 1) * stride
        for n, k, m in zip(x.shape, w.shape, y.shape, strict=True)
    ]
    walk = build("tied_weights", input=x, weight=w, y=y, stride=stride, padding=padding)
    first, second = walk.result
    assert first == pytest.approx(second)
    np.testing.assert_allclose(walk.operands["c_x"].array, down[0, 0], atol=1e-12)
    if all(r < stride for r in rest):  # PyTorch's output padding must be smaller than the stride
        up = back(tensor(y)[None, None], tensor(w)[None, None], None, stride, padding, rest)
        np.testing.assert_allclose(walk.operands["ct_y"].array, up[0, 0], atol=1e-12)
    check(walk, [(down[0, 0].numpy() * y).sum()] * 2)


def test_both_sums_have_the_same_terms() -> None:
    walk = build("tied_weights", "in-two-dimensions")
    half = walk.operands["y"].array.size
    sums = [
        sorted((t.reads, t.value) for s in part for t in s.terms)
        for part in (walk.steps[:half], walk.steps[half:])
    ]
    assert sums[0] == sums[1] and len(sums[0]) == 16


def read(params: dict) -> tuple[torch.Tensor, list[torch.Tensor], torch.Tensor]:
    """Features, kept ones and scores by PyTorch."""
    x = tensor(params["input"]).T[None]
    features = [
        F.conv1d(x, tensor(w).T[None], tensor([b]))[0, 0]
        for w, b in zip(params["filters"], params["filter_bias"], strict=True)
    ]
    kept = torch.stack([F.max_pool1d(f[None], len(f))[0, 0].relu() for f in features])
    return torch.cat(features), kept, tensor(params["weight"]) @ kept + tensor(params["bias"])


def slow(params: dict) -> list[float]:
    """The scores from the paper's formulas, in loops."""
    x, scores = params["input"], list(params["bias"])
    for f, (w, b) in enumerate(zip(params["filters"], params["filter_bias"], strict=True)):
        best = -np.inf
        for i in range(len(x) - len(w) + 1):
            c = b
            for row, weights in enumerate(w):
                for a, v in zip(x[i + row], weights, strict=True):
                    c += a * v
            best = max(best, c)
        for k, row in enumerate(params["weight"]):
            scores[k] += row[f] * max(best, 0.0)
    return scores


@PROPERTY
@given(SEEDS)
def test_a_sentence_is_read_as_pytorch_and_the_paper_read_it(seed) -> None:
    rng = np.random.default_rng(seed)
    length, size, count = rng.integers(4, 8), rng.integers(1, 4), rng.integers(1, 4)
    widths = rng.integers(1, 5, count)
    params = {
        "input": rng.normal(size=(length, size)).tolist(),
        "filters": [rng.normal(size=(w, size)).tolist() for w in widths],
        "filter_bias": rng.normal(size=count).tolist(),
        "weight": rng.normal(size=(3, count)).tolist(),
        "bias": rng.normal(size=3).tolist(),
    }
    walk = build("sentence", None, **params)
    features, kept, scores = read(params)
    check(walk, torch.cat([features, kept, scores]))
    np.testing.assert_allclose(walk.result[-3:], slow(params), atol=1e-10)
    parts = features.split((length - widths + 1).tolist())
    assert walk.facts["winners"] == [int(f.argmax()) for f in parts]


@PROPERTY
@given(SEEDS)
def test_the_saliency_of_words_is_autograds(seed) -> None:
    rng = np.random.default_rng(seed)
    line = sentences.LEARNED[seed % len(sentences.LEARNED)][0]
    params = sentences.numbers_of(sentences.learned(), line)
    params["input"] = (
        np.array(params["input"]) + rng.normal(0, 0.01, (len(line.split()), 4))
    ).tolist()
    x = tensor(params["input"]).requires_grad_()
    kept = [
        (F.conv1d(x.T[None], tensor(w).T[None])[0, 0] + b).amax().relu()
        for w, b in zip(params["filters"], params["filter_bias"], strict=True)
    ]
    scores = tensor(params["weight"]) @ torch.stack(kept)
    (scores[1] - scores[0]).backward()
    walk = build("sentence", None, **params)
    np.testing.assert_allclose(saliency(walk, 1, 0), x.grad.numpy(), atol=1e-12)


def test_sentences_are_learned_and_others_are_understood() -> None:
    network = sentences.learned()
    assert sentences.right(network, sentences.LEARNED) == 1.0
    assert sentences.right(network, sentences.HELD_OUT) >= 0.75
    held = {line for line, _ in sentences.HELD_OUT}
    assert not held & {line for line, _ in sentences.LEARNED}
    assert {word for line in held for word in line.split()} <= set(sentences.VOCABULARY)
    again = sentences.learned.__wrapped__()
    for key, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])


def test_the_walkthrough_scores_every_sentence_as_the_network_does() -> None:
    """All at once, so that shorter ones are padded, which must not count."""
    network = sentences.learned()
    lines = [line for line, _ in (*sentences.LEARNED, *sentences.HELD_OUT)]
    with torch.no_grad():
        scores = network(sentences.batch(lines))
    for line, told in zip(lines, scores, strict=True):
        walk = build("sentence", None, **sentences.numbers_of(network, line))
        np.testing.assert_allclose(walk.result[-2:], told, atol=1e-5)


def test_the_examples_are_what_the_network_has_learned() -> None:
    """On other processors a last digit may differ."""
    for example in PRESETS["sentence"]:
        live = sentences.numbers_of(sentences.learned(), " ".join(example.params["words"]))
        for name in ("input", "weight", "bias", "filter_bias"):
            np.testing.assert_allclose(example.params[name], live[name], atol=0.05)
    walk = build("sentence", "not-good")
    assert "not good" in walk.facts["grams"] and walk.result[-2] > walk.result[-1]
    assert build("sentence", "very-good").result[-2] < build("sentence", "very-good").result[-1]


BAD = [
    ("channel_pool", {"input": [[1], [2], [3]], "kernel_size": 2}, "kernel_size must divide"),
    ("convolution_3d", {"input": [[[1]]], "weight": [[[1, 1]]]}, "The kernel spans 2 width"),
    ("tied_weights", {"input": [1, 2], "weight": [1], "y": [1]}, "y must have the size of C x, 2"),
    ("tied_weights", {"input": [1], "weight": [1, 1], "y": [1]}, "kernel is larger"),
    ("sentence", {"input": [[1]], "filters": [], "weight": [[1]]}, "must be a list of filters"),
    ("sentence", {"input": [[1]], "filters": [[[1], [1]]], "weight": [[1]]}, "does not fit"),
    ("sentence", {"input": [[1]], "filters": [[[1]]], "weight": [[1, 2]]}, "each of the 1 filters"),
    (
        "sentence",
        {"input": [[1]], "filters": [[[1]]], "weight": [[1]], "words": ["a", "b"]},
        "words needs 1 texts",
    ),
    (
        "sentence",
        {"input": [[1]], "filters": [[[1]]], "weight": [[1]], "words": [1]},
        "words must be a list of texts",
    ),
    (
        "sentence",
        {"input": [[1]], "filters": [[[1]]], "weight": [[1]], "bias": [1, 2]},
        "bias needs 1 numbers",
    ),
]


@pytest.mark.parametrize(("name", "params", "words"), BAD)
def test_what_does_not_fit_is_said_in_one_sentence(name, params, words) -> None:
    with pytest.raises(UserError, match=words):
        build(name, **params)


@pytest.mark.parametrize(
    ("text", "said"),
    [("the film is splendid", "never read “splendid”"), ("the film", "4 to 9 words")],
)
def test_sentences_that_cannot_be_read_are_told(text, said) -> None:
    with pytest.raises(UserError, match=said):
        sentences.ids_of(text)
