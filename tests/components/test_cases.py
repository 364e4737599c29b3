"""The cases that Node's tests read hold for Python, torchvision and PyTorch as well."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from tests.components import make_cases
from tests.components.make_cases import CASES, DRAWN, FOLDER, TRACES
from vision_core.figures.colours import text_on
from vision_core.inside.limits import LimitTable
from vision_core.selection import select
from vision_core.selection.nms import iou_matrix
from vision_core.walkthroughs import build

SOFT_RTOL = 1e-6  # exp() may differ in its last bit between machines; scores are float32


def read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def test_every_file_has_a_maker_and_stays_small() -> None:
    files = {file.stem: file.stat().st_size for file in FOLDER.glob("*.json")}
    assert set(files) == set(CASES) and sum(files.values()) < 500_000


def test_overlap_is_torchvisions_and_ours() -> None:
    cases = read("overlap")
    boxes, iou = (np.array(cases[name], np.float32) for name in ("boxes", "iou"))
    tensor = torch.from_numpy(boxes)
    assert np.array_equal(box_iou(tensor, tensor).nan_to_num(0.0).numpy(), iou)
    assert np.array_equal(iou_matrix(boxes, boxes), iou)


def test_topk_is_pytorchs() -> None:
    for case in read("topk"):
        scores = torch.tensor(case["scores"], dtype=torch.float32)
        assert torch.topk(scores, len(scores)).indices.tolist() == case["order"]


@pytest.mark.parametrize("case", read("selection"), ids=lambda c: c["name"])
def test_selection_is_torchvisions_and_ours(case: dict[str, Any]) -> None:
    trace = TRACES[case["name"]]()
    for part, values in (("scores", trace.scores), ("boxes", trace.boxes_net.ravel())):
        assert np.array_equal(np.array(case[part], np.float32), values)
    assert case["labels"] == trace.label_ids.tolist()
    for run in case["runs"]:
        given = make_cases.thresholds_of(run, trace.info.labels)
        found = select(trace, given)
        assert run["kept"] == found.detections.candidate.tolist(), given
        assert run["fate"] == "".join(map(str, found.fate))
        assert [r[:2] for r in run["by"]] == [
            [i, found.by[i]] for i in range(len(trace)) if found.by[i] >= 0
        ]
        final = trace.scores.copy()
        for i, score in run["final"]:
            final[i] = score
        np.testing.assert_allclose(final, found.final_scores, rtol=SOFT_RTOL, atol=1e-30)
        if given.nms == "hard":
            assert run["torchvision"] == make_cases.torchvision_keeps(trace, given)


def test_the_runs_meet_every_variant_and_every_fate() -> None:
    runs = [run for case in read("selection") for run in case["runs"]]
    assert {r["thresholds"]["nms"] for r in runs} == {
        "none",
        "hard",
        "soft-linear",
        "soft-gaussian",
    }
    assert set("".join(r["fate"] for r in runs)) == set("012345")
    assert {r["thresholds"]["agnostic"] for r in runs} == {True, False}


def test_ink_is_the_one_with_the_higher_contrast() -> None:
    for case in read("ink"):
        assert text_on(case["colour"]) == case["ink"]


def test_layout_is_ours() -> None:
    stages = make_cases.layout_stages()
    cases = read("layout")
    assert [case["name"] for case in cases] == list(stages)
    for case in cases:
        for plan in case["plans"]:
            assert plan == make_cases.placed(stages[case["name"]], plan["unit"], plan["stacked"]), (
                case["name"]
            )


def test_the_replay_is_ours() -> None:
    kept, made = read("replay"), json.loads(json.dumps(make_cases.replay()))
    for each in (kept, made):
        del each["data"]["colours"]  # a matter of taste
    assert kept == made


def test_frames_are_ours() -> None:
    cases = read("steps")
    for case, (name, which) in zip(cases, DRAWN, strict=True):
        walk = build(name, which)
        assert case["stage"]["views"][0]["walk"] == json.loads(json.dumps(walk.to_json()))
        last = np.array(case["frames"][-1], float)
        np.testing.assert_allclose(last, walk.result, atol=1e-8)
        assert len(case["frames"]) == len(walk.steps)


def test_limits_are_torchvisions_and_ours() -> None:
    kept, made = read("limits"), json.loads(json.dumps(make_cases.limits()))
    assert kept == made
    forced = 0
    for case in kept:
        given = case["table"]
        columns = (np.array(given[name]) for name in ("grid", "below", "forced"))
        table = LimitTable(*columns, given["total"], given["single"])
        for run in case["runs"]:
            expected = {k: v for k, v in run.items() if k not in ("high", "low")}
            assert table.counts(run["high"], run["low"]) == expected, (case["name"], run)
            forced += run["forced"]
    assert forced > 50, "without low-quality matches nothing is proven"
