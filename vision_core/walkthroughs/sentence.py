"""A convolution that reads a sentence (Kim 2014): filters over words, one maximum each, scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.layer import places
from vision_core.walkthroughs.record import NOTHING, RawTerm, Recorder, check_terms, listed, num
from vision_core.walkthroughs.record import signed as factor
from vision_core.walkthroughs.types import Array, Role, Walkthrough, Write


@dataclass(frozen=True, eq=False)
class _Reader:
    """The checked numbers, and where their results stand in the output.

    Attributes:
        x: ``[L, D]``, a vector for each word.
        filters: ``[k, D]`` each.
        starts: first cell of each filter's results; the maxima and then the scores follow.
    """

    x: Array
    filters: tuple[Array, ...]
    filter_bias: Array
    weight: Array
    bias: Array
    words: tuple[str, ...]
    classes: tuple[str, ...]
    starts: tuple[int, ...]

    def places(self, f: int) -> int:
        return len(self.x) - len(self.filters[f]) + 1

    @property
    def maxima(self) -> int:
        return self.starts[-1] + self.places(len(self.filters) - 1)

    @property
    def scores(self) -> int:
        return self.maxima + len(self.filters)

    def gram(self, f: int, at: int) -> str:
        return " ".join(self.words[at : at + len(self.filters[f])])


def sentence(
    input: Any,
    filters: Any,
    weight: Any,
    filter_bias: Any = None,
    bias: Any = None,
    words: Any = None,
    classes: Any = None,
) -> Walkthrough:
    """A sentence classifier of one convolution layer, one number a step.

    Each filter lies over so many words as it has rows, and gives a number at each place
    (``torch.nn.functional.conv1d`` with the D numbers of a word as channels). Of these the largest
    is kept (1-max pooling over time), and nothing below 0 (ReLU, which may come before or after a
    maximum). The scores are a linear layer on what the filters kept (Kim 2014, arXiv:1408.5882).

    Args:
        input: L x D numbers, a row for each word.
        filters: a list of k x D numbers; each filter may have another k, at most L.
        weight: C x F numbers, of F filters for C classes.
        filter_bias: F numbers; 0 where left out.
        bias: C numbers; 0 where left out.
        words: L texts; *word 1* and so on where left out.
        classes: C texts.

    Returns:
        reduction ``sum``; the result is one named row: what each filter gives at each place, the
        kept ones, the scores. ``facts``: ``winners`` (place of each filter's maximum), ``grams``
        (the words there), ``passes`` (whether it is above 0), ``starts``, ``widths``, ``words``,
        ``classes``.

    Raises:
        UserError: shapes or numbers that do not fit.
    """
    made = _checked(input, filters, weight, filter_bias, bias, words, classes)
    recorder = Recorder((made.scores + len(made.classes),), "sum")
    winners = []
    for f in range(len(made.filters)):
        for at in range(made.places(f)):
            _window(recorder, made, f, at)
    for f in range(len(made.filters)):
        winners.append(_largest(recorder, made, f))
    for c in range(len(made.classes)):
        _score(recorder, made, c)
    operands: dict[str, tuple[Role, Array]] = {
        "input": ("input", made.x),
        **{_name(f): ("kernel", w) for f, w in enumerate(made.filters)},
        "filter_bias": ("kernel", made.filter_bias),
        "weight": ("kernel", made.weight),
        "bias": ("kernel", made.bias),
    }
    kept = recorder.output[made.maxima : made.scores]
    facts = {
        "winners": winners,
        "grams": [made.gram(f, at) for f, at in enumerate(winners)],
        "passes": [bool(v > 0) for v in kept],
        "starts": list(made.starts),
        "widths": [len(w) for w in made.filters],
        "words": list(made.words),
        "classes": list(made.classes),
    }
    formula = (
        "at each place: the numbers of the words times those of the filter, added up, plus a bias",
        "of each filter: the largest, and 0 if that is negative",
        "score of a class: its weights times what the filters kept, added up, plus a bias",
    )
    return recorder.finish("sentence", operands, formula, facts, _names(made))


def _name(f: int) -> str:
    return f"filter_{f + 1}"


def _names(made: _Reader) -> list[str]:
    found = [
        f"filter {f + 1} at {at + 1}"
        for f in range(len(made.filters))
        for at in range(made.places(f))
    ]
    found += [f"filter {f + 1} keeps" for f in range(len(made.filters))]
    return [*found, *(f"score of {name}" for name in made.classes)]


def _window(recorder: Recorder, made: _Reader, f: int, at: int) -> None:
    sources, words = [], []
    for row, column in places(made.filters[f].shape):
        x, w = float(made.x[at + row, column]), float(made.filters[f][row, column])
        reads = (("input", (at + row, column)), (_name(f), (row, column)))
        sources.append(RawTerm(x * w, reads))
        words.append(f"{factor(x)}·{factor(w)}")
    start = float(made.filter_bias[f])
    sources.append(RawTerm(start, (("filter_bias", (f,)),)))
    words.append(num(start))
    before = f"filter {f + 1} on “{made.gram(f, at)}”: {listed(words)}"
    recorder.step([((made.starts[f] + at,), sources)], _ends_in(before))


def _largest(recorder: Recorder, made: _Reader, f: int) -> int:
    """1-max pooling of a filter; returns where the maximum stands, the first of equal ones."""
    start, count = made.starts[f], made.places(f)
    values = recorder.output[start : start + count]
    at = int(np.argmax(values))
    best = float(values[at])
    source = RawTerm(best, (("output", (start + at,)),)) if best > 0 else NOTHING
    every = ", ".join(num(float(v)) for v in values)
    end = "" if best > 0 else ", and ReLU makes it 0"
    text = f"filter {f + 1}: max({every}) = {num(best)} on “{made.gram(f, at)}”{end}"
    recorder.step([((made.maxima + f,), [source])], text)
    return at


def _score(recorder: Recorder, made: _Reader, c: int) -> None:
    sources, words = [], []
    for f in range(len(made.filters)):
        w, kept = float(made.weight[c, f]), float(recorder.output[made.maxima + f])
        sources.append(RawTerm(w * kept, (("weight", (c, f)), ("output", (made.maxima + f,)))))
        words.append(f"{factor(w)}·{num(kept)}")
    start = float(made.bias[c])
    sources.append(RawTerm(start, (("bias", (c,)),)))
    before = f"score of {made.classes[c]}: {listed([*words, num(start)])}"
    recorder.step([((made.scores + c,), sources)], _ends_in(before))


def _ends_in(before: str) -> Any:
    def text(done: list[Write]) -> str:
        return f"{before} = {num(done[0].value)}"

    return text


def _checked(
    input: Any, filters: Any, weight: Any, filter_bias: Any, bias: Any, words: Any, classes: Any
) -> _Reader:
    x = params.numbers(input, "input", (2,))
    if not isinstance(filters, list | tuple) or not len(filters):
        raise UserError("filters must be a list of filters, each with a row for each of its words.")
    found = tuple(params.numbers(one, "each of filters", (2,)) for one in filters)
    for one in found:
        if one.shape[1] != x.shape[1] or len(one) > len(x):
            raise UserError(
                f"A filter of {len(one)} words of {one.shape[1]} numbers does not fit a sentence "
                f"of {len(x)} words of {x.shape[1]}."
            )
    w = params.numbers(weight, "weight", (2,))
    if w.shape[1] != len(found):
        raise UserError(f"weight needs a number for each of the {len(found)} filters in every row.")
    check_terms(sum(one.size * (len(x) - len(one) + 1) for one in found) + w.size)
    counts = [len(x) - len(one) + 1 for one in found]
    starts = tuple(int(n) for n in np.cumsum([0, *counts[:-1]]))
    return _Reader(
        x,
        found,
        _row(filter_bias, "filter_bias", len(found)),
        w,
        _row(bias, "bias", len(w)),
        _texts(words, "words", "word", len(x)),
        _texts(classes, "classes", "class", len(w)),
        starts,
    )


def _row(value: Any, name: str, count: int) -> Array:
    if value is None:
        return np.zeros(count)
    row = params.numbers(value, name, (1,))
    if len(row) != count:
        raise UserError(f"{name} needs {count} numbers, not {len(row)}.")
    return row


def _texts(value: Any, name: str, word: str, count: int) -> tuple[str, ...]:
    if value is None:
        return tuple(f"{word} {n + 1}" for n in range(count))
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
        raise UserError(f"{name} must be a list of texts.")
    if len(value) != count:
        raise UserError(f"{name} needs {count} texts, not {len(value)}.")
    return tuple(" ".join(text.split())[:24] or "-" for text in value)


def saliency(walk: Walkthrough, label: int, against: int | None = None) -> Array:
    """How much each number of each word moves a score: its gradient, exact.

    Only what a filter kept counts: the words under its maximum get the filter's rows, times the
    weight of the class.

    Args:
        walk: of ``sentence``.
        label: index of the class.
        against: a class whose gradient is taken away.

    Returns:
        float64 ``[L, D]``.
    """
    weight = walk.operands["weight"].array[label]
    if against is not None:
        weight = weight - walk.operands["weight"].array[against]
    found = np.zeros_like(walk.operands["input"].array)
    for f, (at, on) in enumerate(zip(walk.facts["winners"], walk.facts["passes"], strict=True)):
        if on:
            rows = walk.operands[_name(f)].array
            found[at : at + len(rows)] += weight[f] * rows
    return found
