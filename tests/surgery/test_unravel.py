"""All subsets of the residual blocks: each once, and each what skipping by itself gives."""

from __future__ import annotations

import itertools
import statistics

import numpy as np
import pytest
import torch

from vision_core import models, samples
from vision_core.errors import UserError
from vision_core.inference import predict, trace
from vision_core.surgery import Plan, Skip
from vision_core.surgery.operate import operate
from vision_core.surgery.report import differs
from vision_core.surgery.unravel import (
    by_depth,
    meaning,
    passes,
    predicted,
    ranked,
    subsets,
    unravel,
    unravel_known,
    usual,
)

IDENTITY = (
    "trunk.stages.0.0",
    "trunk.stages.1.1",
    "trunk.stages.2.1",
    "trunk.stages.2.2",
    "trunk.stages.3.1",
)


@pytest.fixture(scope="module")
def resnet():
    return models.load("resnet_s", device="cpu")


@pytest.fixture(scope="module")
def found(resnet):
    return list(unravel(resnet, samples.sample("cat"), IDENTITY))


def test_the_blocks_with_an_identity_shortcut_are_taken(resnet) -> None:
    assert usual(resnet) == IDENTITY
    assert usual(models.load("vgg_s", device="cpu")) == ()


def test_every_subset_appears_once(found) -> None:
    every = {
        frozenset(n for n, bit in zip(IDENTITY, bits, strict=True) if bit)
        for bits in itertools.product((0, 1), repeat=len(IDENTITY))
    }
    assert len(found) == 32 == passes(5)
    assert {frozenset(one.skipped) for one in found} == every
    assert [len(one.skipped) for one in found] == sorted(len(one.skipped) for one in found)
    assert len(set(subsets("abcdef"))) == 64


def test_the_first_is_the_network_itself_bit_for_bit(found, resnet) -> None:
    whole = trace(resnet, samples.sample("cat"))
    best, probability = whole.top(1)[0]
    assert found[0].skipped == () and (found[0].top, found[0].value) == (best, probability)


def test_each_is_what_skipping_these_blocks_alone_gives(found, resnet) -> None:
    at = resnet.labels.index("cat")
    for one in found:
        plan = Plan(tuple(Skip(name) for name in one.skipped))
        alone = trace(operate(resnet, plan), samples.sample("cat"))
        assert one.value == float(alone.probabilities[at]) and one.top == alone.top(1)[0][0]
    assert len({one.value for one in found}) > 12, "the subsets differ"


def test_ranked_by_probability_and_summed_up_by_depth(found) -> None:
    order = ranked(found)
    assert sorted(order, key=lambda s: s.skipped) == sorted(found, key=lambda s: s.skipped)
    assert all(a.value >= b.value for a, b in itertools.pairwise(order))
    rows = by_depth(found)
    assert [row[0] for row in rows] == [0, 1, 2, 3, 4, 5]
    ones = [s.value for s in found if len(s.skipped) == 1]
    assert rows[1] == (1, min(ones), statistics.median(ones), max(ones))


def test_another_class_ranks_them_otherwise(resnet) -> None:
    photo = samples.sample("cat")
    made = list(unravel(resnet, photo, IDENTITY[:1], "Dog"))
    at = resnet.labels.index("dog")
    assert made[0].value == float(trace(resnet, photo).probabilities[at])
    assert meaning(resnet, "dog") == "probability of dog"
    with pytest.raises(UserError, match="no class 'zebra'"):
        next(unravel(resnet, photo, IDENTITY[:1], "zebra"))


def test_too_many_are_refused_with_their_number() -> None:
    assert passes(12) == 4096
    with pytest.raises(UserError, match="13 blocks have 8,192 subsets"):
        passes(13)


@pytest.mark.parametrize("name", ["fcos_s", "mask_rcnn_s", "fcn_voc_s", "pose_heatmap_s"])
def test_networks_without_one_class_are_ranked_by_what_is_left(name) -> None:
    model, photo = models.load(name, device="cpu"), samples.sample("astronaut")
    blocks = usual(model)[-2:]
    made = list(unravel(model, photo, blocks))
    assert made[0].value == 1.0 and len(made) == 4
    assert all(0 <= one.value <= 1 for one in made)
    whole = predicted(model, photo)
    cut = predicted(operate(model, Plan((Skip(blocks[0]),))), photo)
    told = differs(whole, cut, model.card)
    expected = told.get("f1") if "joints" not in told else told["joints"]["oks"]
    if name == "fcn_voc_s":
        expected = float((whole.trace.class_map == cut.trace.class_map).mean())
    assert made[1].value == pytest.approx(expected)


def test_a_photo_with_nothing_found_says_so() -> None:
    from vision_core.images import from_array

    flat = from_array(np.full((96, 128, 3), 128, np.uint8))
    with pytest.raises(UserError, match="finds nothing on this photo"):
        list(unravel(models.load("fcos_s", device="cpu"), flat, ["backbone.trunk.stages.3.1"]))


def test_what_differs_between_a_network_and_itself(resnet) -> None:
    photo = samples.sample("cat")
    whole = predict(trace(resnet, photo))
    told = differs(whole, whole, resnet.card)
    assert told["same"] and told["same_top"] and told["moved"] == 0


def test_the_probability_that_changed_its_class(resnet) -> None:
    photo = samples.sample("cat")
    before, after = (
        predicted(resnet, photo),
        predicted(operate(resnet, Plan((Skip(IDENTITY[0]),))), photo),
    )
    told = differs(before, after, resnet.card)
    p, q = (torch.from_numpy(x.trace.probabilities.copy()) for x in (before, after))
    assert not told["same"]
    assert told["moved"] == pytest.approx(float((q - p).clamp(min=0).sum()), abs=1e-6)
    for row in told["changes"]:
        at = resnet.labels.index(row["label"])
        assert (row["before"], row["after"]) == (float(p[at]), float(q[at]))


def test_subsets_are_ranked_by_how_often_they_are_right_on_photos_whose_class_is_known() -> None:
    model = models.load("resnet_s", device="cpu")
    names = ("trunk.stages.1.1", "trunk.stages.3.1")
    known = [(samples.sample(one.name), one.shows) for one in samples.SAMPLES]
    found = list(unravel_known(model, known, names))
    assert [one.skipped for one in found] == [(), names[:1], names[1:], names]
    for one in found:
        cut = operate(model, Plan(tuple(Skip(name) for name in one.skipped)))
        hits, sure, count = 0, 0.0, 0
        for photo, right in known:
            given = dict(trace(cut, photo).top(len(model.labels)))
            if not set(right) & set(model.labels):
                continue
            count += 1
            hits += max(given, key=given.__getitem__) in right
            sure += sum(given[name] for name in right)
        assert (one.value, one.top) == (hits / count, f"{hits} of {count}")
        assert one.sure == pytest.approx(sure / count, rel=1e-6)
    best = ranked(found)[0]
    assert all((one.value, one.sure) <= (best.value, best.sure) for one in found)


def test_only_a_classifier_that_knows_a_photo_can_be_right() -> None:
    photo = samples.sample("cat")
    with pytest.raises(UserError, match="Only a classifier"):
        next(unravel_known(models.load("fcos_s", device="cpu"), [(photo, ["cat"])], ()))
    with pytest.raises(UserError, match="knows no class of these photos"):
        next(unravel_known(models.load("resnet_s", device="cpu"), [(photo, ["tiger"])], ()))
