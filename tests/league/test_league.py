"""The league as a whole: costs, counted passes, failures, boxes; nothing shared changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tests.attribution.nets import fixed, question_of, same_state, state_of
from vision_core import methods, models
from vision_core.attribution import ask, default_target, explain, parse
from vision_core.errors import UserError
from vision_core.images import Photo, from_array
from vision_core.inference import trace
from vision_core.league import (
    Terms,
    boxed,
    compete,
    cost,
    detected_box,
    playing,
    standings,
    target_box,
)
from vision_core.league.competitor import CONTROL
from vision_core.league.tally import tallied
from vision_core.samples import sample

SHORT = Terms(steps=4)


def strip() -> Photo:
    """The cat's head: half the pixels, and a detector still sees it."""
    return from_array(sample("cat").pixels[40:190].copy(), "head")


def asked(name: str, target: str = "", photo: Photo | None = None):  # type: ignore[no-untyped-def]
    photo, model = photo or sample("cat"), models.load(name)
    found = trace(model, photo)
    chosen = parse(target) if target else default_target(found)
    return model, photo, found, chosen, ask(model, photo, found, chosen)


def test_its_cost_is_told_first_and_is_what_was_run() -> None:
    *_, question = asked("alexnet_s")
    names = ["gradient", "smoothgrad", "occlusion", "layer_conductance"]
    steps = list(compete(question, names, SHORT))
    expected = sum(cost(question, name, SHORT) for name in (*names, CONTROL))
    assert steps[0].done == 0 and steps[0].total == expected == steps[-1].done == steps[-1].total
    assert [s.done for s in steps] == sorted(s.done for s in steps)
    assert steps[0].competitors[0].map is None and steps[-1].doing == ""
    # 2 maps and 2 curves of 5 pictures each
    assert cost(question, "smoothgrad", SHORT) == 2 * 32 + 2 * 5
    assert cost(question, "gradient", SHORT) == 2 + 10


@pytest.mark.parametrize(
    ("name", "back"),
    [
        ("gradient", 1),
        ("smoothgrad", 32),
        ("integrated_gradients", 32),
        ("lrp", 1),
        ("gradcam", 1),
        ("eigencam", 0),
        ("scorecam", 0),
        ("occlusion", 0),
    ],
)
def test_passes_are_counted(name, back) -> None:
    """Against a hook on the network that the question holds."""
    *_, question = asked("alexnet_s")
    seen: list[int] = []
    question.module.register_forward_hook(lambda _m, given, _o: seen.append(len(given[0])))
    counted, tally = tallied(question)
    explain(counted, name)
    assert tally.forward == sum(seen) > 0
    assert tally.backward == back


def test_who_fails_says_why_and_the_others_go_on() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.SiLU(), nn.Conv2d(4, 5, 3))
    net = nn.Sequential(*net, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    question = question_of(net, fixed(40, 40), 2)
    *_, last = compete(question, ["guided_backprop", "lrp", "gradient"], SHORT)
    guided, lrp, gradient, control = last.competitors
    assert "calls none on the way" in guided.error and "SiLU" in lrp.error
    assert gradient.error == "" and gradient.insertion is not None and control.control
    rows = standings(last.competitors, (5.0, 5.0, 20.0, 20.0))
    assert [r.competitor.name for r in rows] == ["gradient", "guided_backprop", "lrp", CONTROL]
    assert rows[0].ranked.place == 1 and rows[1].ranked.place is None
    assert rows[3].ranked.place is None and rows[3].scores["energy"] > 0
    assert last.done == last.total


def test_a_fault_of_ours_is_a_sentence_too(monkeypatch, caplog) -> None:
    *_, question = asked("alexnet_s")

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(playing, "similarity", broken)
    *_, last = compete(question, ["gradient", "gradcam"], SHORT)
    for row in last.competitors[:2]:
        assert row.error.endswith("failed; the details are in the log.") and row.map is not None
    assert "broken" in caplog.text


@pytest.mark.parametrize("name", ["resnet_s", "fcos_s", "mask_rcnn_s", "fcn_voc_s"])
def test_every_method_competes_on_every_kind_of_network(name) -> None:
    detector = name in ("fcos_s", "mask_rcnn_s")
    model, _, found, target, question = asked(name, photo=strip() if detector else None)
    before = state_of(model.module)
    quick = [m.name for m in methods.every() if not m.in_parts and m.name != "layer_conductance"]
    *_, last = compete(question, quick, SHORT)
    for row in last.competitors:
        if row.error:
            assert "0 everywhere" in row.error, row
            continue
        scores = row.scores(target_box(found, target) or (0.0, 0.0, 300.0, 290.0))
        assert all(v is not None and np.isfinite(v) for v in scores.values())
        assert 0 <= scores["pointing"] <= 1 and 0 <= scores["energy"] <= 1
    assert sum(not row.error for row in last.competitors) >= 9
    assert same_state(before, state_of(model.module))


@pytest.mark.parametrize(
    ("name", "target"), [("resnet_s", "unit:fc:20,0,0"), ("fcos_s", "box:0:x1")]
)
def test_units_and_edges_compete_too(name, target) -> None:
    *_, question = asked(name, target)
    *_, last = compete(question, ["gradient", "eigencam"], SHORT)
    assert any(not row.error for row in last.competitors)
    assert "grey picture" in last.measure


def test_one_who_leaves_stops_it() -> None:
    *_, question = asked("alexnet_s")
    calls: list[None] = []
    question.module.register_forward_hook(lambda *_: calls.append(None))
    steps = compete(question, ["gradient", "smoothgrad"], SHORT)
    for step in steps:
        if step.competitors[0].map is not None:
            break
    steps.close()
    done = len(calls)
    assert done and next(steps, None) is None and len(calls) == done


def test_the_boxes_of_targets() -> None:
    _, _, found, target, _ = asked("fcos_s")
    np.testing.assert_allclose(target_box(found, target), found.boxes[target.candidate])
    _, _, classes, cat, _ = asked("resnet_s")
    assert target_box(classes, cat) is None
    best = detected_box("cat", found)
    kept = found.select(found.defaults).detections
    np.testing.assert_allclose(best, kept.boxes[list(kept.labels).index("cat")])
    assert detected_box("accordion", found) is None
    _, _, regions, region, _ = asked("fcn_voc_s")
    x1, y1, x2, y2 = target_box(regions, region)
    own = regions.class_map == regions.info.labels.index(region.label)
    assert own[int(y1) : int(y2), int(x1) : int(x2)].sum() == own.sum()
    assert own[int(y1)].any() and own[int(y2) - 1].any()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((1, 2, 3), "four numbers"),
        ((9, 9, 3, 3), "no part in the photo"),
        ((5000, 0, 6000, 50), "no part in the photo"),
        ((float("nan"), 0, 5, 5), "four numbers"),
    ],
)
def test_a_box_that_is_none_is_refused(values, words) -> None:
    with pytest.raises(UserError, match=words):
        boxed(values, sample("cat"))


def test_a_box_that_reaches_over_the_border_is_cut() -> None:
    photo = sample("cat")
    assert boxed((-5, -5, 10, 9999), photo) == (0.0, 0.0, 10.0, float(photo.height))


@pytest.mark.parametrize(
    ("names", "terms", "words"),
    [
        ([], {}, "at least one method"),
        (["best"], {}, "no method 'best'"),
        (["gradient"], {"settings": {"gradient": {"steps": 2}}}, "no setting 'steps'"),
    ],
)
def test_what_cannot_be_played_is_refused(names, terms, words) -> None:
    *_, question = asked("alexnet_s")
    with pytest.raises(UserError, match=words):
        list(compete(question, names, Terms(**terms)))


@pytest.mark.parametrize("steps", [0, 3, 129])
def test_a_curve_has_a_range_of_steps(steps) -> None:
    with pytest.raises(UserError, match="4 to 128 steps"):
        Terms(steps=steps)


def parts_of(row: playing.Competitor) -> list[object]:
    """All of a competitor but the time, as bytes and exact numbers."""
    curves = [c and (c.shares.tobytes(), c.values.tobytes()) for c in (row.deletion, row.insertion)]
    told = {k: v for k, v in row.told.items() if not isinstance(v, torch.Tensor)}
    return [
        row.name,
        row.map and row.map.values.tobytes(),
        *curves,
        (row.score, row.randomisation, row.magnitudes, row.forward, row.backward, row.notes),
        (row.error, row.parts, row.passes, str(told)),
    ]


@pytest.mark.parametrize(
    ("name", "names", "stops"),
    [
        ("alexnet_s", ["gradient", "smoothgrad", "scorecam", "gradcam"], (0, 1 / 3, 1 / 2, 0.95)),
        ("fcos_s", ["gradient", "layercam"], (1 / 3, 2 / 3)),
    ],
)
def test_a_league_that_was_stopped_goes_on_to_the_same_end(name, names, stops) -> None:
    *_, question = asked(name, photo=strip())
    whole = list(compete(question, names, SHORT))
    for at in (int(stop * len(whole)) for stop in stops):
        *_, again = asked(name, photo=strip())  # as another session would ask, later
        steps = list(compete(again, names, SHORT, known=whole[at].competitors))
        assert [parts_of(c) for c in steps[-1].competitors] == [
            parts_of(c) for c in whole[-1].competitors
        ]
        assert steps[0].done == sum(c.passes for c in whole[at].competitors)
        assert (steps[-1].done, steps[-1].total) == (whole[-1].done, whole[-1].total)


def test_what_is_finished_is_not_computed_again(monkeypatch) -> None:
    *_, question = asked("alexnet_s")
    names = ["gradient", "gradcam"]
    steps = list(compete(question, names, SHORT))
    stopped = next(s for s in steps if s.competitors[0].finished)
    ran = []
    whole = playing._timed
    monkeypatch.setattr(
        playing, "_timed", lambda asked, name, *more: ran.append(name) or whole(asked, name, *more)
    )
    *_, last = compete(question, names, SHORT, known=stopped.competitors)
    assert ran == ["gradcam", "gradcam"] and last.competitors[0] is stopped.competitors[0]
    list(compete(question, names, SHORT, known=last.competitors))
    assert ran == ["gradcam", "gradcam"], "a whole league has nothing left to do"
