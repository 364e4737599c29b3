"""The exported file: it loads nothing, escapes everything, and its numbers are those of pairs."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.comparison.page import Page
from tests.figures import scenes
from vision_core import images
from vision_core.comparison.boxes import KINDS
from vision_core.comparison.column import Column
from vision_core.comparison.html import report_html
from vision_core.comparison.report import pairs
from vision_core.comparison.truth import Truth
from vision_core.figures.colours import VERDICTS, VERMILION, rgb
from vision_core.models import card
from vision_core.records import ClassificationTrace, Keypoints, Prediction

NASTY = '<img src=x onerror="alert(1)">&\'<script>alert(2)</script>'
NONE = "\N{EN DASH}"
SIZE = (120, 80)
A = scenes.selection([[10, 10, 50, 50], [60, 10, 100, 50], [5, 55, 40, 75]], ["cat", "cat", "dog"])
B = scenes.selection(
    [[11, 10, 50, 50], [60, 12, 100, 50], [70, 55, 110, 78]], ["cat", "dog", NASTY]
)
TRUTH = Truth(
    np.array([[10, 10, 50, 50], [60, 10, 100, 50], [70, 55, 110, 78]], np.float32),
    ("cat", "dog", NASTY),
)


def detector(name: str, selection, **more) -> Column:
    made = Prediction(selection.trace, selection)
    return Column(card(name), made, multiply_adds=10**9, **more)


def with_parts(entry: Column, **parts) -> Column:
    """The column with masks or joints of its boxes."""
    assert entry.prediction is not None
    return replace(entry, prediction=replace(entry.prediction, **parts))


def segmenter(name: str, seed: int, labels: tuple[str, ...]) -> Column:
    classes = np.random.default_rng(seed).integers(0, len(labels), (80, 120))
    return Column(card(name), Prediction(scenes.segmentation(classes, labels)))


def classifier(name: str, probabilities: list[float], labels: tuple[str, ...]) -> Column:
    values = np.array(probabilities, np.float32)
    found = ClassificationTrace(scenes.info(labels, SIZE), np.log(values), values, (20, 0, 100, 80))
    return Column(card(name), Prediction(found))


def exported(columns, photo=None, **more) -> Page:
    return Page(report_html(photo or scenes.photo(), columns, pairs(columns), **more))


def joints(seed: int, names: tuple[str, ...], count: int) -> Keypoints:
    xy = np.random.default_rng(seed).uniform(0, 80, (count, len(names), 2)).astype(np.float32)
    return Keypoints(xy, np.ones((count, len(names)), np.float32), "none", names)


BOXES = [detector("fcos_s", A, title="First"), detector("faster_rcnn_s", B)]
MAPS = [
    segmenter("fcn_voc_s", 0, ("background", "cat", "sofa")),
    segmenter("fcn_s", 1, ("cat", "couch", "sky")),
]
CLASSES = [
    classifier("resnet_s", [0.6, 0.3, 0.1], ("cat", "dog", "cow")),
    classifier("vgg_s", [0.2, 0.5, 0.3], ("cat", "dog", "French horn")),
]


@pytest.mark.parametrize("columns", [BOXES, MAPS, CLASSES, [*BOXES, *MAPS]])
def test_nothing_is_loaded_and_every_picture_is_inside(columns) -> None:
    link = "http://localhost:8501/compare?model_a=fcos_s&model_b=faster_rcnn_s"
    page = exported(columns, link=link, truth=TRUTH)
    papers = {c.card.paper.url for c in columns if c.card.paper}
    loaders = {"script", "link", "iframe", "object", "embed", "base", "use", "image", "video"}
    for tag, attrs in page.tags:
        assert tag not in loaders
        assert not [name for name in attrs if name.startswith("on") or name == "srcset"]
        assert "href" not in attrs or tag == "a"
        assert "src" not in attrs or (tag == "img" and attrs["src"].startswith("data:image/"))
        assert "url(" not in attrs.get("style", "")
    assert {a["href"] for t, a in page.tags if t == "a"} <= {link, *papers}
    assert link in {a["href"] for t, a in page.tags if t == "a"}
    policy = [a["content"] for t, a in page.tags if a.get("http-equiv")]
    assert policy and "default-src 'none'" in policy[0]
    assert len(page.pictures) >= len(columns)


def test_the_style_loads_nothing_either() -> None:
    text = report_html(scenes.photo(), CLASSES, pairs(CLASSES))
    [style] = re.findall(r"<style>(.*?)</style>", text, re.S)
    assert "@import" not in style and "url(" not in style and "prefers-color-scheme: dark" in style


def test_large_photos_are_shrunk_and_small_ones_left() -> None:
    wide = images.from_array(np.zeros((400, 2000, 3), np.uint8), "wide")
    for columns in (BOXES, CLASSES):
        assert {p.width for p in exported(columns, wide, truth=TRUTH).pictures} == {1000}
        assert {p.size for p in exported(columns, truth=TRUTH).pictures} == {SIZE}


def test_the_rows_of_the_boxes_are_those_of_pairs() -> None:
    page, [pair] = exported(BOXES), pairs(BOXES)
    wanted = []
    for kind in KINDS:
        for row in pair[kind]:
            scores = [row[s]["score"] for s in "ab" if row[s] is not None]
            wanted.append([*scores, *([row["iou"]] if len(scores) == 2 else [])])
    assert page.values("rows") == wanted
    assert [v for [v] in page.values("kinds")] == [len(pair[kind]) for kind in KINDS]
    assert [len(pair[kind]) for kind in KINDS] == [1, 1, 0, 1, 1]
    assert pair["f1"] in page.numbers
    names = [[r[1], r[3]] for r in page.cells("rows")[1:]]
    assert names == [["cat", "cat"], ["cat", "dog"], ["dog", NONE], [NONE, NASTY]]


def test_the_tables_of_the_maps_are_those_of_pairs() -> None:
    page, [pair] = exported(MAPS), pairs(MAPS)
    assert page.values("confusion") == pair["pixels"]
    assert page.cells("confusion")[0][1:] == pair["labels"]
    assert page.values("iou") == [[v] for v in pair["iou"].values()]
    assert [r[0] for r in page.cells("iou")] == list(pair["iou"])
    assert 100 * pair["agreement"] in page.numbers
    worst = page.values("wrong")
    table = np.array(pair["pixels"])
    off = np.sort(table[~np.eye(len(table), dtype=bool)])[::-1]
    assert [v for [v] in worst] == [n for n in off if n][:8]
    for row in page.cells("wrong")[1:]:
        at = [pair["labels"].index(name) for name in row[:2]]
        assert f"{table[at[0], at[1]]:,}" == row[2]
    assert "Only A knows: background." in page.text and "Only B knows: sky." in page.text


def test_a_disagreement_is_where_the_picture_is_coloured() -> None:
    half = np.zeros((80, 120), int)
    other = half.copy()
    other[:, 60:] = 1
    two = [
        Column(card(n), Prediction(scenes.segmentation(m, ("cat", "dog"))))
        for n, m in (("fcn_s", half), ("segnet_s", other))
    ]
    picture = np.asarray(exported(two).pictures[-1]).astype(int)
    assert np.abs(picture[:, 70:] - rgb(VERMILION)).mean() < 40
    assert np.ptp(picture[:, :50], axis=2).max() < 8 and picture[:, :50].mean() < 100


def test_the_bars_of_the_classes_are_those_of_pairs() -> None:
    page, [pair] = exported(CLASSES), pairs(CLASSES)
    sides = page.tables["bars"]  # the models' own tables come after the class name "counts"
    assert len(sides) == 2
    for number, side in enumerate(("top_a", "top_b")):
        assert page.values("bars", number) == [[row["probability"]] for row in pair[side]]
        assert [r[0] for r in page.cells("bars", number)] == [row["label"] for row in pair[side]]
    assert "They put different classes first." in page.text


def test_joints_and_the_names_that_both_have() -> None:
    lsp = ("left_hip", "right_hip", "neck")
    coco = ("nose", "left_hip", "right_hip")
    one = with_parts(BOXES[0], keypoints=joints(0, lsp, 3))
    two = with_parts(BOXES[1], keypoints=joints(1, coco, 3))
    page, [pair] = exported([one, two]), pairs([one, two])
    found = pair["joints"]
    assert found["shared"] == ["left_hip", "right_hip"] and len(found["persons"]) == 1
    [person] = found["persons"]
    side = np.sqrt(np.sqrt(40 * 40 * 39 * 40))
    for name in found["shared"]:
        far = np.linalg.norm(
            one.prediction.keypoints.xy[0][lsp.index(name)].astype(float)
            - two.prediction.keypoints.xy[0][coco.index(name)]
        )
        assert person["distances"][name] == pytest.approx(far / side, rel=1e-5)
    assert person["mean_distance"] == pytest.approx(np.mean(list(person["distances"].values())))
    assert found["oks"] == person["oks"] and 0 <= person["oks"] <= 1
    assert page.values("joints") == [
        [person["oks"]],
        [person["mean_distance"]],
        *[[d] for d in person["distances"].values()],
    ]
    [back] = pairs([two, one])
    assert back["joints"]["oks"] == found["oks"]
    assert sorted(back["joints"]["shared"]) == sorted(found["shared"])
    strangers = with_parts(two, keypoints=joints(1, ("joint 1",), 3))
    assert pairs([one, strangers])[0]["joints"]["persons"] == []
    assert "name no joint alike" in exported([one, strangers]).text


def test_a_ground_truth_counted_by_hand() -> None:
    # A: the cat is a hit, a cat lies on the dog, a dog on nothing. B: everything right.
    page = exported(BOXES, truth=TRUTH)
    assert page.values("judged") == [
        [1, 2, 2, 1 / 3, 1 / 3, 2 * 1 / 6, 1 / 3],
        [3, 0, 0, 1, 1, 1, 1],
    ]  # hits, false positives, misses, precision, recall, F1, AP
    told = [[r[0], r[1]] for r in page.cells("plain", 0)]
    assert told == [
        ["hit", "cat"],
        ["false positive", "cat"],
        ["false positive", "dog"],
        ["missed", "dog"],
        ["missed", NASTY],
    ]
    assert not exported(BOXES).tables.get("judged")
    assert "None of these models gives boxes." in exported(CLASSES, truth=TRUTH).text


def test_the_curves_against_a_ground_truth_counted_by_hand() -> None:
    page = exported(BOXES, truth=TRUTH)
    lines = [a["points"].split() for tag, a in page.tags if tag == "polyline"]
    # recall runs along 280 units, precision up 200; A finds the cat first, B all three in turn
    assert lines == [
        ["93.3,0.0", "93.3,100.0", "93.3,133.3"],
        ["93.3,0.0", "186.7,0.0", "280.0,0.0"],
    ]
    dots = [(a["cx"], a["cy"]) for tag, a in page.tags if tag == "circle"]
    assert dots == [("93.3", "133.3"), ("280.0", "0.0")]
    nothing = exported(BOXES, truth=Truth(np.zeros((0, 4), np.float32), ()))
    assert "polyline" not in [tag for tag, _ in nothing.tags]
    assert nothing.values("judged")[0][:3] == [0, 3, 0]


def test_verdicts_are_coloured_on_the_picture() -> None:
    column = detector("fcos_s", scenes.selection([[100, 100, 300, 300]], ["cat"], (800, 800)))
    truth = Truth(np.array([[500, 500, 700, 700]], np.float32), ("cat",))
    big = scenes.photo(800, 800)
    two = [column, column]
    picture = np.asarray(exported(two, big, truth=truth).pictures[2]).astype(int)
    for (x, y), verdict in (((100, 200), "false"), ((500, 600), "missed")):
        assert np.abs(picture[y, x] - rgb(VERDICTS[verdict])).max() < 40
    truth = Truth(np.array([[100, 100, 300, 300]], np.float32), ("cat",))
    picture = np.asarray(exported(two, big, truth=truth).pictures[2]).astype(int)
    assert np.abs(picture[200, 100] - rgb(VERDICTS["hit"])).max() < 40


def test_texts_of_users_stay_texts() -> None:
    photo = replace(scenes.photo(), name=NASTY, notes=(NASTY,))
    columns = [detector("fcos_s", B, title=NASTY), Column(card("faster_rcnn_s"), error=NASTY)]
    link = f'https://example.org/"><script>alert(3)</script>{NASTY}'
    page = exported(columns, photo, truth=TRUTH, link=link)
    assert {t for t, _ in page.tags} & {"script"} == set()
    assert len([t for t, _ in page.tags if t == "img"]) == len(page.pictures)
    assert page.text.count("<script>alert(2)</script>") >= 8  # title, name, note, labels, link
    assert link in [a.get("href") for _, a in page.tags]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "?models=a"])
def test_a_link_that_is_no_web_address_opens_nothing(link) -> None:
    page = exported(CLASSES, link=link)
    assert link in page.text
    assert link not in [a.get("href") for _, a in page.tags]


def test_a_model_that_failed_keeps_its_place_with_its_sentence() -> None:
    columns = [BOXES[0], Column(card("resnet18"), error="The weights are far away.")]
    page = exported(columns)
    assert page.text.count("The weights are far away.") == 2  # its column, and the pair
    assert [r[2] for r in page.cells("overview")[1:]] == [
        "3 detections of 3 candidates.",
        "no result",
    ]
    assert len(page.pictures) == 1 and "ResNet-18" in page.text
    never_run = exported([BOXES[0], Column(card("resnet18"))])
    assert "There is no result of this model." in never_run.text and len(never_run.pictures) == 1


def test_cards_thresholds_and_times() -> None:
    page = exported(BOXES)
    entry = BOXES[0].card
    for words in (
        entry.paper.title,
        entry.licence,
        entry.limits,
        entry.extra["architecture"],
        entry.extra["data"][0]["terms"],
        "score above",
        f"{entry.parameters:,}",
        "1 billion for a photo of 640 x 480",
        entry.filename,
        "f" * 20,
    ):
        assert words in page.text, words
    scores = [r[0] for r in page.cells("scores")]
    assert scores == [s.metric for s in entry.scores]
    random = exported([replace(c, random=True) for c in BOXES])
    assert "scores" not in random.tables and entry.filename not in random.text


def test_long_lists_are_folded_and_complete() -> None:
    boxes = [[i, 0, i + 5, 70] for i in range(41)]
    many = detector("fcos_s", scenes.selection(boxes, ["cat"] * 41))
    none = detector("faster_rcnn_s", scenes.selection([], []))
    for columns, folded in ((BOXES, 2), ([many, none], 3)):  # the model cards are folded too
        page = exported(columns)
        closed = [a for t, a in page.tags if t == "details" and "open" not in a]
        assert len(closed) == folded
    assert len(page.values("rows")) == 41
