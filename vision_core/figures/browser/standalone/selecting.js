// What the app would answer to the picture, worked out in the browser by the same selection.

import { candidatesOf } from "../canvas/live.js";

// The picture in words, for those who do not see it.
function described({ labels, live }) {
  const counts = new Map();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const words = [...counts].slice(0, 8).map(([label, n]) => `${n} ${label}`).join(", ");
  const { score, iou } = live.thresholds;
  return `Score above ${score}, IoU ${iou}: ${labels.length ? words : "no detections"}.`;
}

// New data after a slider was let go or a box was picked.
export function answer(what, value, data) {
  if (what === "pick") return { ...data, selected: value.id ?? -1 };
  if (what !== "thresholds") return null;
  const candidates = candidatesOf(data.live);
  const live = { ...data.live, thresholds: { ...data.live.thresholds, ...value } };
  const { counts } = candidates.select(live.thresholds);
  const next = { ...data, ...candidates.frame(live.thresholds, data), live: { ...live, counts } };
  return { ...next, description: described(next) };
}
