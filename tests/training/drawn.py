"""Tiny drawn stand-ins for the data sets, in the same layout."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from vision_core.inference.pose import JOINTS

WNIDS = {
    "n01440764": "tench",
    "n02102040": "English springer",
    "n02979186": "cassette player",
    "n03000684": "chain saw",
    "n03028079": "church",
    "n03394916": "French horn",
    "n03417042": "garbage truck",
    "n03425413": "gas pump",
    "n03445777": "golf ball",
    "n03888257": "parachute",
}
VOC = {8: "cat", 10: "cow", 12: "dog", 13: "horse", 15: "person", 17: "sheep", 1: "aeroplane"}


def picture(seed: int, size: tuple[int, int] = (60, 48)) -> Image.Image:
    """A grey noise picture with one coloured ellipse."""
    noise = np.random.default_rng(seed).integers(90, 160, (size[1], size[0], 3), np.uint8)
    image = Image.fromarray(noise)
    ImageDraw.Draw(image).ellipse((10, 8, 40, 40), fill=(40 * (seed % 6), 200, 30))
    return image


def imagenette(root: Path) -> None:
    """One picture per class and part."""
    for part in ("train", "val"):
        for index, wnid in enumerate(WNIDS):
            folder = root / "imagenette128" / part / wnid
            folder.mkdir(parents=True)
            picture(index).save(folder / f"{index}.png")
    (root / "imagenette128" / "classes.json").write_text(json.dumps(WNIDS))


def coco_style(root: Path, dataset: str, part: str, names: dict[int, str]) -> None:
    """Six photos with one box each; the mask fills the ellipse."""
    folder = root / dataset / part
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    images, notes = [], []
    for index, number in enumerate(list(names)[:6]):
        picture(index).save(folder / "images" / f"{index}.png")
        mask = Image.new("P", (60, 48))
        ImageDraw.Draw(mask).ellipse((10, 8, 40, 40), fill=number, outline=255)
        mask.save(folder / "masks" / f"{index}.png")
        files = {"file_name": f"images/{index}.png", "mask": f"masks/{index}.png"}
        images.append({"id": index, "width": 60, "height": 48, **files})
        notes.append({"image_id": index, "category_id": number, "bbox": [10, 8, 31, 33]})
    categories = [{"id": number, "name": name} for number, name in names.items()]
    content = {"images": images, "annotations": notes, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(content))


def pedestrians(root: Path, part: str) -> None:
    """Three photos with one person each, in an instance mask."""
    coco_style(root, "pennfudan", part, {1: "person"})
    folder = root / "pennfudan" / part
    content = json.loads((folder / "annotations.json").read_text())
    for note in content["annotations"]:
        note["instance_value"] = 1
    (folder / "annotations.json").write_text(json.dumps(content))


def streets(root: Path) -> None:
    """Three frames in each part: sky above, road below, one car."""
    for part in ("train", "val", "test"):
        folder = root / "camvid" / part
        (folder / "images").mkdir(parents=True)
        (folder / "masks").mkdir()
        for index in range(3):
            picture(index).save(folder / "images" / f"{index}.png")
            mask = Image.new("P", (60, 48), 0)
            draw = ImageDraw.Draw(mask)
            draw.rectangle((0, 24, 60, 48), fill=3)
            draw.ellipse((10, 8, 40, 40), fill=8, outline=11)
            mask.save(folder / "masks" / f"{index}.png")


def pose(root: Path) -> None:
    """Three persons with all joints labelled, on a circle."""
    for part in ("train", "val"):
        folder = root / "lspet_pose" / part
        (folder / "images").mkdir(parents=True)
        angles = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        circle = np.stack([30 + 15 * np.cos(angles), 24 + 15 * np.sin(angles), 0 * angles + 2], 1)
        names = [f"{index}.png" for index in range(3)]
        for index, name in enumerate(names):
            picture(index).save(folder / "images" / name)
        np.savez(
            folder / "keypoints.npz",
            file_name=np.array(names),
            lsp14=np.repeat(circle[None], 3, 0).astype(np.float32),
            lsp14_names=np.array(JOINTS),
        )


def folders(root: Path, dataset: str, part: str, names: tuple[str, ...]) -> None:
    """One picture in a folder for each class."""
    for index, name in enumerate(names):
        folder = root / dataset / part / name
        folder.mkdir(parents=True)
        picture(index).save(folder / f"{index}.png")


def tiny(root: Path) -> None:
    """Three pictures of two classes at 32 pixels; one class is a dog."""
    blobs = []
    for index in range(3):
        file = io.BytesIO()
        picture(index).resize((32, 32)).save(file, "JPEG")
        blobs.append(file.getvalue())
    (root / "tinyimagenet32").mkdir()
    np.savez(
        root / "tinyimagenet32" / "train.npz",
        jpeg=np.frombuffer(b"".join(blobs), np.uint8),
        ends=np.cumsum([len(blob) for blob in blobs]),
        label=np.array([0, 1, 1], np.uint8),
        wnids=np.array(["n02085620", "n02666196"]),
        names=np.array(["Chihuahua", "abacus"]),
    )


def all_sets(root: Path) -> Path:
    """Draw everything the recipes read; return ``root``."""
    imagenette(root)
    for part in ("train", "val"):
        coco_style(root, "voc12_subset", part, VOC)
        coco_style(root, "coco_everyday", part, {1: "person", 3: "car", 17: "cat", 62: "chair"})
        folders(root, "imagewoof", part, ("n02086240", "n02115641"))
    coco_style(root, "coco_mini", "train", {1: "person", 17: "cat"})
    coco_style(root, "voc_more", "train", {7: "car", 9: "chair", 14: "motorbike"})
    coco_style(root, "person_masks", "train", {1: "person"})
    for part in ("train", "test"):
        folders(root, "caltech101", part, ("Faces", "pizza", "water_lilly", "yin_yang"))
    tiny(root)
    pedestrians(root, "train")
    pedestrians(root, "test")
    streets(root)
    pose(root)
    return root
