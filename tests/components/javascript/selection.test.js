// The selection in the browser's modules against what Python and torchvision select.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Boxes } from "../../../vision_core/figures/browser/canvas/overlap.js";
import { Selector } from "../../../vision_core/figures/browser/canvas/select.js";
import { topkOrder } from "../../../vision_core/figures/browser/canvas/topk.js";
import { answer } from "../../../vision_core/figures/browser/standalone/selecting.js";
import { cases } from "./cases.js";

const SOFT = 1e-6; // exp() of NumPy and of V8 may differ in the last bit; scores are float32
const BELOW = 1;

test("overlap: torchvision's IoU of every pair, bit for bit", () => {
  const { boxes, iou } = cases("overlap");
  const made = new Boxes(Float32Array.from(boxes.flat()));
  let met = 0;
  iou.forEach((row, i) => row.forEach((value, j) => {
    assert.equal(made.iou(i, j), Math.fround(value), `boxes ${i} and ${j}`);
    met += value > 0 && i !== j;
  }));
  assert.ok(met > 50, "boxes that do not meet prove nothing");
});

test("topk: equal scores in the order of torch.topk", () => {
  for (const { scores, order } of cases("topk")) {
    const got = topkOrder(Int32Array.from(scores.keys()), Float32Array.from(scores));
    assert.deepEqual([...got], order);
  }
});

const selector = ({ boxes, scores, labels }) =>
  new Selector(Float32Array.from(boxes), Float32Array.from(scores), Int32Array.from(labels));

function near(got, expected, what) {
  const far = Math.abs(got - expected);
  assert.ok(far <= SOFT * Math.abs(expected) + 1e-30, `${what}: ${got}, not ${expected}`);
}

// A run against its case: fates and order exactly; soft scores but for the last bit of exp().
function agrees(found, run, scores, what) {
  const exact = !run.thresholds.nms.startsWith("soft");
  assert.deepEqual(found.kept, run.kept, what);
  assert.equal(found.fate.join(""), run.fate, what);
  const by = new Map(run.by.map(([i, ...rest]) => [i, rest]));
  const final = new Map(run.final);
  for (let i = 0; i < scores.length; i += 1) {
    const [who, iou] = by.get(i) ?? [-1, null];
    assert.equal(found.by[i], who, `${what}: who took candidate ${i}`);
    if (iou !== null) assert.equal(found.iou[i], Math.fround(iou), `${what}: IoU of ${i}`);
    const score = Math.fround(final.get(i) ?? scores[i]);
    if (exact) assert.equal(Math.fround(found.final[i]), score, `${what}: score of ${i}`);
    else near(found.final[i], score, `${what}: score of ${i}`);
  }
}

for (const trace of cases("selection")) {
  test(`selection: ${trace.name}, ${trace.runs.length} thresholds on one selector`, () => {
    const one = selector(trace); // remembers earlier runs; the order of questions must not show
    for (const run of [...trace.runs, ...trace.runs.slice().reverse()]) {
      agrees(one.select(run.thresholds), run, trace.scores, JSON.stringify(run.thresholds));
    }
  });

  test(`selection: ${trace.name}, torchvision's own NMS leaves the same`, () => {
    for (const run of trace.runs.filter(({ torchvision }) => torchvision)) {
      const { by, fate } = selector(trace).select(run.thresholds);
      const left = [...fate.keys()].filter((i) => by[i] < 0 && fate[i] !== BELOW);
      assert.deepEqual(left, run.torchvision.slice().sort((a, b) => a - b));
    }
  });
}

const packed = (array) => Buffer.from(array.buffer).toString("base64");

// A scene of a saved page that holds all candidates of a case, and shows nothing yet.
function saved({ name, boxes, scores, labels }) {
  const candidates = {
    boxes: packed(Float32Array.from(boxes)), scores: packed(Float32Array.from(scores)),
    labels: packed(Int32Array.from(labels)), topk: null, ids: null, scale: [2, 2],
    names: Array.from({ length: 90 }, (_, i) => `class ${i}`), colours: Array(90).fill("#123456"), fates: [],
  };
  return { live: { id: name, candidates }, only: null, tints: {}, ids: [], skeletons: null, limbs: [],
    captions: true, selected: -1 };
}

test("a saved page answers a slider with what Python keeps, and a pick with the box", () => {
  let kept = 0;
  for (const trace of cases("selection")) {
    const data = saved(trace);
    for (const run of trace.runs) {
      const { score, iou, ...others } = run.thresholds;
      const before = { ...data, live: { ...data.live, thresholds: { ...others, score: 1, iou: 1 } } };
      const next = answer("thresholds", { score, iou }, before);
      assert.deepEqual(next.ids, run.kept, trace.name);
      assert.deepEqual(next.live.thresholds, run.thresholds);
      assert.equal(next.live.counts.reduce((a, b) => a + b, 0), trace.scores.length);
      assert.deepEqual(next.boxes.map(([x]) => x), run.kept.map((i) => 2 * Math.fround(trace.boxes[4 * i])));
      kept += next.ids.length;
    }
    assert.equal(answer("pick", { id: 7 }, data).selected, 7);
    assert.equal(answer("ask", { at: [1, 2] }, data), null);
  }
  assert.ok(kept > 100);
});
