"""Which pictures belong to which everyday class, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from tests.training.drawn import all_sets
from vision_core.errors import UserError
from vision_core.evaluation import everyday as sets
from vision_core.evaluation.annotations import annotated_photos, portraits
from vision_core.models.zoo.everyday import LABELS


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return all_sets(tmp_path_factory.mktemp("data"))


def test_every_name_in_the_tables_is_a_class() -> None:
    """A slip of the pen in a table would silently lose a class's pictures."""
    assert len(LABELS) == len(set(LABELS)) >= 60 and list(LABELS) == sorted(LABELS, key=str.lower)
    for table in (sets.IMAGENETTE_NAMES, sets.CALTECH_NAMES, sets.TINY_NAMES, sets.BOX_NAMES):
        assert set(table.values()) <= set(LABELS)


def test_names_of_four_data_sets_become_ours(data: Path) -> None:
    train = sets.everyday(data, "train")
    named = {(e.dataset, e.own): LABELS[e.label] for e in train if e.label != sets.UNNAMED}
    assert named["imagenette128", "tench"] == "fish"
    assert named["caltech101", "Faces"] == "person"
    assert named["caltech101", "water_lilly"] == "flower"
    assert named["imagewoof", "n02086240"] == "dog"
    assert named["voc_more", "motorbike"] == "motorcycle"
    assert named["voc_more", "chair"] == "chair"
    assert ("caltech101", "yin_yang") not in named
    assert any(e.own == "yin_yang" for e in train)


def test_validation_holds_named_pictures_only(data: Path) -> None:
    val = sets.everyday(data, "val")
    assert val and all(e.label != sets.UNNAMED for e in val)
    assert {e.dataset for e in val} == {
        "imagenette128",
        "caltech101",
        "voc12_subset",
        "coco_everyday",
    }
    assert all("/train/" not in str(e.source.path) for e in val)


def test_tiny_pictures_keep_bytes_and_both_labels(data: Path) -> None:
    small = sets.tiny(data, "train")
    assert [data[:2] for data in small.jpegs] == [b"\xff\xd8"] * 3
    assert small.own.tolist() == [0, 1, 1]
    assert small.labels.tolist() == [LABELS.index("dog"), sets.UNNAMED, sets.UNNAMED]


def test_photos_of_nothing_known_show_no_faces(data: Path) -> None:
    assert {p.parent.name for p in sets.nothing_known(data, "train")} == {
        "pizza",
        "water_lilly",
        "yin_yang",
    }


@pytest.mark.parametrize("call", [sets.everyday, sets.tiny, sets.nothing_known])
def test_absent_data_are_named(call, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--data"):
        call(tmp_path, "train")


def people(folder: Path, boxes: list[tuple[int, int, int, int]]) -> None:
    """A photo of 100x80 in ``person_masks`` whose mask holds filled rectangles."""
    root = folder / "person_masks" / "train"
    (root / "masks").mkdir(parents=True)
    mask = Image.new("L", (100, 80))
    for box in boxes:
        ImageDraw.Draw(mask).rectangle(box, fill=1)
    mask.save(root / "masks" / "0.png")
    Image.new("RGB", (100, 80)).save(root / "0.png")
    entry = {"id": 1, "file_name": "0.png", "mask": "masks/0.png", "width": 100, "height": 80}
    content = {"images": [entry], "annotations": [], "categories": [{"id": 1, "name": "person"}]}
    (root / "annotations.json").write_text(json.dumps(content))


def test_parts_of_a_mask_become_boxes(tmp_path: Path) -> None:
    """Two people, and a speck that is too small to be one."""
    people(tmp_path, [(10, 5, 39, 74), (60, 20, 79, 59), (95, 0, 96, 1)])
    (photo,) = portraits(tmp_path, "train", person=4)
    assert photo.boxes.tolist() == [[10, 5, 40, 75], [60, 20, 80, 60]]
    assert photo.labels.tolist() == [4, 4]


def test_a_group_in_one_part_is_left_out(tmp_path: Path) -> None:
    people(tmp_path, [(5, 20, 94, 60)])
    assert portraits(tmp_path, "train", person=4) == []


def test_crowds_stand_apart_from_boxes(tmp_path: Path) -> None:
    root = tmp_path / "coco_everyday" / "train"
    root.mkdir(parents=True)
    notes = [
        {"image_id": 1, "category_id": 1, "bbox": [1, 2, 10, 20], "iscrowd": 0},
        {"image_id": 1, "category_id": 1, "bbox": [30, 2, 50, 20], "iscrowd": 1},
        {"image_id": 1, "category_id": 2, "bbox": [5, 5, 0.5, 9]},
    ]
    content = {
        "images": [{"id": 1, "file_name": "1.jpg", "width": 100, "height": 80}],
        "annotations": notes,
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "motorbike"}],
    }
    (root / "annotations.json").write_text(json.dumps(content))
    (photo,) = annotated_photos(tmp_path, "coco_everyday", "train", ("motorcycle", "person"))
    assert photo.boxes.tolist() == [[1, 2, 11, 22]] and photo.labels.tolist() == [1]
    assert photo.crowds.tolist() == [[30, 2, 80, 22]] and photo.crowd_labels.tolist() == [1]
    assert np.isclose(float(torch.as_tensor(photo.crowds).sum()), 134)
