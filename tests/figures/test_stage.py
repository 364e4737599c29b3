"""Stages: every cell stands where its operand says, and the files hold what is shown."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from vision_core.errors import UserError
from vision_core.figures.stage import Stage
from vision_core.figures.stage_files import gif, picture, svg, svg_files
from vision_core.figures.stage_layout import lay_out
from vision_core.figures.stage_roi import align_box, backward_stage, roi_stage, snapped_box
from vision_core.figures.stage_views import stage_of, view_of
from vision_core.walkthroughs import PRESETS, build
from vision_core.walkthroughs.presets import REGION

ALL = [(name, p.name) for name, presets in PRESETS.items() for p in presets]
BOTH = {**REGION, "sampling_ratio": 2, "aligned": True}


def numbers_of(text: str) -> list[str]:
    root = ET.fromstring(text)
    return [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize(("name", "which"), ALL)
def test_every_preset_has_a_stage_whose_panels_hold_each_cell_once(name, which):
    stage = stage_of(build(name, which))
    json.dumps(stage.to_json(), allow_nan=False)
    for panel in stage.views[0].panels():
        if panel.board:
            continue
        array = stage.views[0].walk.operands[panel.operand].array
        places = [panel.place(tuple(map(int, c))) for c in np.ndindex(*array.shape)]
        shown = [p for p in places if p is not None]
        assert len(shown) == len(set(shown)) == panel.rows * panel.columns


@pytest.mark.parametrize(("name", "which"), ALL)
def test_panels_do_not_overlap_and_fit_the_picture(name, which):
    plan = lay_out(stage_of(build(name, which)))
    for i, a in enumerate(plan.places):
        assert a.x >= 0 and a.x + a.width <= plan.width + 1 and a.y + a.height <= plan.height + 1
        for b in plan.places[i + 1 :]:
            apart = (
                a.x + a.width <= b.x
                or b.x + b.width <= a.x
                or a.y + a.height <= b.y
                or b.y + b.height <= a.y
            )
            assert apart, (a.panel.title, b.panel.title)


def test_the_last_svg_holds_the_result():
    walk = build("transposed_convolution", "stride-2-doubles")
    stage = Stage((view_of(walk),))
    shown = numbers_of(svg(stage, len(walk.steps) - 1))
    for value in walk.result.ravel():
        assert f"{value:.4g}" in shown
    first = numbers_of(svg(stage, 0))
    assert first.count("0") == walk.result.size and walk.steps[0].text in " ".join(first)


def test_the_film_has_a_frame_for_each_step_and_they_differ():
    stage = stage_of(build("max_pool", "switches"))
    film = Image.open(io.BytesIO(gif(stage)))
    assert film.n_frames == len(stage.timeline) == 4
    frames = []
    for k in range(film.n_frames):
        film.seek(k)
        frames.append(np.asarray(film.convert("RGB")).astype(int))
    assert all(np.abs(a - b).max() > 50 for a, b in pairwise(frames))
    exact = np.asarray(picture(stage, 3)).astype(int)
    assert np.abs(frames[3] - exact).mean() < 3


def test_svg_files_and_steps_that_are_not_there(tmp_path):
    stage = stage_of(build("convolution", "stride-2"))
    files = list(svg_files(stage, tmp_path, "conv"))
    assert [f.name for f in files][:2] == ["conv-000.svg", "conv-001.svg"] and len(files) == 9
    with pytest.raises(UserError, match="There is no step 9"):
        svg(stage, 9)
    long = stage_of(build("convolution", input=np.ones((24, 24)), weight=[[1]]))
    with pytest.raises(UserError, match="pictures are made of at most"):
        gif(long)


def test_both_views_of_a_region_and_their_timeline():
    pool = build("roi_pool", **REGION)
    align = build("roi_align", **BOTH)
    stage = roi_stage(pool, align, REGION["box"], REGION["spatial_scale"])
    assert stage.timeline[-1] == (len(pool.steps) - 1, len(align.steps) - 1)
    ends = [[k[view] for k in stage.timeline] for view in (0, 1)]
    for steps, walk in zip(ends, (pool, align), strict=True):
        assert sorted(set(steps)) == list(range(len(walk.steps))) and steps == sorted(steps)
    # Box / 32 = (3.25, 2.25, 12.25, 9.375), rounded to cells 3..12 and 2..9, outer edges 13, 10.
    assert snapped_box(pool) == pytest.approx([3, 2, 13, 10])
    assert align_box(align) == pytest.approx([v / 32 for v in REGION["box"]])
    unaligned = build("roi_align", **{**BOTH, "aligned": False})
    shifted = [v / 32 + 0.5 for v in REGION["box"]]
    assert align_box(unaligned) == pytest.approx(shifted)


def test_the_backward_stage_has_a_step_for_each_output():
    back = [build("roi_pool_backward", **REGION), build("roi_align_backward", **BOTH)]
    stage = backward_stage(*back, REGION["box"], REGION["spatial_scale"])
    assert len(stage.timeline) == 5


def test_views_of_different_lengths_need_a_timeline():
    walks = [build("max_pool"), build("max_unpool")]
    with pytest.raises(AssertionError, match="timeline"):
        Stage(tuple(view_of(w) for w in walks))


def test_titles_fit_a_saved_picture_in_a_wide_font():
    """DejaVu Sans Bold, the widest of the usual fonts, takes 0.69 of its size a letter."""
    walks = [
        build("transposed_convolution", "stride-2-doubles", view=v) for v in ("scatter", "gather")
    ]
    titles = ("Scatter", "Gather: insert zeros, rotate the kernel by 180°, convolve")
    stage = Stage(tuple(view_of(w, t) for w, t in zip(walks, titles, strict=True)))
    plan = lay_out(stage)
    for word in plan.words:
        if word.kind != "sign":
            wide = 0.69 * {"head": 17, "title": 14.5}[word.kind] * len(word.text)
            assert word.x + wide <= plan.width + 1, word.text


CROWD = [[10, 10, 150, 110], [10, 10, 150, 110], [12, 12, 152, 112], [10, 14, 150, 114]] * 2
CROWD += [[x1 + 160, y1 + 20, x2 + 160, y2 + 20] for x1, y1, x2, y2 in CROWD]


def crowded() -> Stage:
    scores = [0.95 - 0.01 * i for i in range(len(CROWD))]
    return stage_of(build("nms", boxes=CROWD, scores=scores, iou_threshold=0.5))


def words_of(text: str) -> list[ET.Element]:
    return list(ET.fromstring(text).iter("{http://www.w3.org/2000/svg}text"))


def test_a_saved_step_says_all_of_its_sentence():
    stage = crowded()
    sizes = set()
    for step, moment in enumerate(stage.timeline):
        text = svg(stage, step)
        size = ET.fromstring(text).attrib
        sizes.add((size["width"], size["height"]))
        said = [e for e in words_of(text) if e.attrib["font-size"] == "17.0"]
        lines = [e for e in said if "font-weight" not in e.attrib]
        whole = stage.views[0].walk.steps[moment[0]].text
        assert " ".join(e.text for e in lines) == " ".join(whole.split())
        assert all(float(e.attrib["y"]) + 4 <= float(size["height"]) for e in lines)
        assert all(0.62 * 17 * len(e.text) <= float(size["width"]) for e in lines)
    assert len(sizes) == 1, "all frames of a film have one size"


@pytest.mark.parametrize("step", [0, 1])
def test_labels_of_a_saved_step_do_not_cover_each_other(step):
    stage = crowded()
    labels = {mark.label for panel in stage.views[0].panels() for mark in panel.marks if mark.label}
    boxes = []
    for e in words_of(svg(stage, step)):
        if e.text in labels and e.attrib["font-size"] == "15.0":
            x, y = float(e.attrib["x"]), float(e.attrib["y"])
            boxes.append((x, y - 11, x + 0.6 * 15 * len(e.text), y + 3))
    assert len(boxes) >= len(CROWD)
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
