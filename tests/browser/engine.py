"""The canvas's own selection in a blank page, beside Python's."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from playwright.sync_api import Page

from vision_core.figures.browser import HERE
from vision_core.figures.browser.bundle import bundle
from vision_core.records import DetectionTrace
from vision_core.selection import Thresholds

_RUN = """([boxes, scores, labels, ranks, all]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const whole = (text) => new Int32Array(bytes(text));
  const order = ranks && {group: whole(ranks[0]), position: whole(ranks[1]), topk: ranks[2]};
  const selector = new Selector(new Float32Array(bytes(boxes)), new Float32Array(bytes(scores)),
                                whole(labels), order);
  const found = all.map((thresholds) => {
    const out = selector.select(thresholds);
    return {kept: [...out.kept], fate: [...out.fate], by: [...out.by], iou: [...out.iou],
            final: [...out.final], counts: out.counts};
  });
  return JSON.stringify(found, (_, value) => {
    if (typeof value === "number" && !Number.isFinite(value)) throw new Error(`${value}`);
    return value;
  });
}"""


def load(page: Page) -> Page:
    """A blank page with the canvas's selection in it."""
    page.goto("about:blank")
    page.add_script_tag(
        content=f"{bundle(HERE / 'canvas' / 'select.js')}\nglobalThis.Selector = Selector;",
        type="module",
    )
    page.wait_for_function("() => globalThis.Selector")
    return page


def packed(array: np.ndarray, dtype: str) -> str:
    """Base64 of an array's bytes, little-endian."""
    return base64.b64encode(np.ascontiguousarray(array, f"<{dtype}").tobytes()).decode()


def as_message(thresholds: Thresholds, labels: Sequence[str]) -> dict[str, Any]:
    """Thresholds as the canvas takes them."""
    classes = thresholds.classes
    ids = None if classes is None else [i for i, n in enumerate(labels) if n in classes]
    return {
        "score": thresholds.score,
        "iou": thresholds.iou,
        "nms": thresholds.nms,
        "sigma": thresholds.sigma,
        "agnostic": thresholds.agnostic,
        "max": thresholds.max_detections,
        "classes": ids,
    }


def run(page: Page, trace: DetectionTrace, many: Sequence[Thresholds]) -> list[dict[str, Any]]:
    """What the canvas selects for each of the thresholds, in turn on one selector."""
    arrays = (
        packed(trace.boxes_net, "f4"),
        packed(trace.scores, "f4"),
        packed(trace.label_ids, "i4"),
    )
    ranks = None
    if trace.group is not None and trace.position is not None:
        ranks = [packed(trace.group, "i4"), packed(trace.position, "i4"), trace.topk]
    asked = [as_message(t, trace.info.labels) for t in many]
    # As one text: Playwright looks at each number of an answer, which takes longer than selecting.
    return json.loads(page.evaluate(_RUN, [*arrays, ranks, asked]))
