"""The records of many photos as CSV and as COCO JSON, written while they are read."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, Any

from vision_core.comparison.annotations import CocoFile
from vision_core.gallery.records import WRONG
from vision_core.labels import comparable

Records = Callable[[], Iterable[Mapping[str, Any]]]


def answer(said: Mapping[str, Any]) -> str:
    """What a model said of a photo, in a few words."""
    if "error" in said:
        return str(said["error"])
    if "top" in said:
        best = said["top"][0]
        return f"{best['label']} {best['probability']:.2f}"
    if "shares" in said:
        falling = sorted(said["shares"].items(), key=lambda pair: -pair[1])
        return ", ".join(f"{label} {share:.0%}" for label, share in falling[:4])
    labels = [row["label"] for row in kept(said)]
    counts = sorted({name: labels.count(name) for name in labels}.items(), key=lambda p: -p[1])
    return ", ".join(f"{count} {name}" for name, count in counts) or "nothing found"


def kept(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The detections above the threshold, best first: the first ``count`` of them."""
    rows: list[Mapping[str, Any]] = said.get("detections", [])[: said.get("count", 0)]
    return rows


def write_csv(stream: IO[str], records: Iterable[Mapping[str, Any]], models: Sequence[str]) -> None:
    """A row for each photo.

    Args:
        stream: opened with ``newline=""``.
        records: of ``vision_core.gallery.run.records``.
        models: names of the models.
    """
    writer = csv.writer(stream)
    own = ("answer", "count", "best score", "doubt", "correct", *WRONG)
    writer.writerow(
        ["photo", "width", "height", "true boxes", "disagreement", "doubt", "errors"]
        + [f"{model} {word}" for model in models for word in own]
        + ["skipped because"]
    )
    for record in records:
        if "error" in record:
            empty = [""] * (6 + len(own) * len(models))
            writer.writerow([_cell(record["photo"]), *empty, _cell(record["error"])])
            continue
        row = [_cell(record["photo"]), record["width"], record["height"]]
        row += ["" if record["truth"] is None else len(record["truth"])]
        row += [_number(record[key]) for key in ("disagreement", "doubt", "errors")]
        for model in models:
            said = record["models"][model]
            scores = [d["score"] for d in said.get("detections", ())[:1]]
            row += [_cell(answer(said)), said.get("count", ""), *(scores or [""])]
            row += [_number(said.get("doubt"))]
            row += [said.get("kinds", {}).get(kind, "") for kind in ("correct", *WRONG)]
        writer.writerow([*row, ""])


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def write_coco(stream: IO[str], records: Records, model: str, truth: CocoFile | None) -> None:
    """One detector's boxes above ``LOWEST_SCORE`` in COCO's annotation format.

    With a truth, images and categories have its ids, so that pycocotools compares the two files;
    a photo of another size than its entry has the boxes scaled to the entry.

    Args:
        stream: of a text file.
        records: called twice, it gives the records from their start.
        model: name of the detector.
        truth: the annotation file that the photos were compared with.
    """
    categories, images = _categories(records(), model, truth), _Images(truth)
    about = {"description": f"Predictions of {model} by ConvScope"}
    stream.write(f'{{"info": {json.dumps(about)},\n"categories": ')
    json.dump([{"id": i, "name": n, "supercategory": ""} for n, i in categories.values()], stream)
    stream.write(',\n"images": [')
    lead = "\n"
    for record in records():
        if "error" not in record:
            stream.write(lead + json.dumps(images.entry(record)))
            lead = ",\n"
    stream.write('],\n"annotations": [')
    lead, number, images = "\n", 0, _Images(truth)
    for record in records():
        if "error" in record:
            continue
        image = images.entry(record)
        across, down = image["width"] / record["width"], image["height"] / record["height"]
        for row in record["models"][model].get("detections", ()):
            x1, y1, x2, y2 = row["box"]
            box = [x1 * across, y1 * down, (x2 - x1) * across, (y2 - y1) * down]
            number += 1
            note = {
                "id": number,
                "image_id": image["id"],
                "category_id": categories[comparable(row["label"])][1],
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
                "score": row["score"],
            }
            stream.write(lead + json.dumps(note))
            lead = ",\n"
    stream.write("]}\n")


class _Images:
    """Gives every photo its id: that of the truth, or the next free one."""

    def __init__(self, truth: CocoFile | None) -> None:
        self._truth = truth
        known = [] if truth is None else [i for i in truth.images if isinstance(i, int)]
        self._next = max(known, default=0)

    def entry(self, record: Mapping[str, Any]) -> dict[str, Any]:
        size = {"width": record["width"], "height": record["height"]}
        if self._truth is not None:
            found = self._truth.find(record["photo"])
            if found is not None:
                of = self._truth.images[found]
                size = {"width": of["width"], "height": of["height"]}
                return {"id": found, "file_name": record["photo"], **size}
        self._next += 1
        return {"id": self._next, "file_name": record["photo"], **size}


def _categories(
    records: Iterable[Mapping[str, Any]], model: str, truth: CocoFile | None
) -> dict[str, tuple[str, int]]:
    """Name and id of every class, by the name under which classes are compared."""
    known = {} if truth is None else truth.names
    made = {comparable(name): (name, number) for number, name in known.items()}
    following = max((i for i in known if isinstance(i, int)), default=0)
    labels = {
        row["label"]
        for record in records
        if "error" not in record
        for row in record["models"][model].get("detections", ())
    }
    for label in sorted(labels):
        if comparable(label) not in made:
            following += 1
            made[comparable(label)] = (label, following)
    return made
