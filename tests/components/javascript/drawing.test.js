// What is drawn, without a browser: the player's SVG against Python's frames, boxes and labels of the
// canvas on a pen that writes down what it is told.

import assert from "node:assert/strict";
import { test } from "node:test";

import { svg } from "./dom.js";
import {
  inkOn, paintBox, paintBoxes, paintLabel, paintOutlines,
} from "../../../vision_core/figures/browser/canvas/paint.js";
import { Drawing } from "../../../vision_core/figures/browser/player/draw.js";
import { measureWith } from "../../../vision_core/figures/browser/player/layout.js";
import { short, Walk } from "../../../vision_core/figures/browser/player/walk.js";
import { standing } from "../../../vision_core/figures/browser/replay/replay.js";
import { cases } from "./cases.js";

const ROLES = { input: "#0072B2", kernel: "#D55E00", output: "#009E73", muted: "#6B7280" };
const THEME = { ground: "#ffffff", text: "#16202a", dark: false, roles: ROLES };

// The number that a cell shows: short text with a true minus sign and no needless zero.
const read = (text) => (text === "" ? null : Number(text.replace("−", "-")));
const at = (values, cell) => cell.reduce((part, i) => part[i], values);

function drawn(stage) {
  measureWith((text) => 0.5 * text.length);
  const made = new Drawing(svg(), stage, stage.views.map((view) => new Walk(view.walk)), THEME);
  made.build(1200, 560);
  return made;
}

for (const { name, stage, frames, writes, reads } of cases("steps")) {
  test(`player: ${name} shows every frame and points at what a step reads and writes`, () => {
    const made = drawn(stage);
    let numbers = 0;
    for (const k of [...frames.keys(), 0]) { // and back to the start
      made.update(k, null, false);
      for (const { panel, cell, key, label, spot } of made.cells) {
        const output = panel.operand === "output";
        const values = output ? frames[k] : stage.views[0].walk.operands[panel.operand].values;
        const value = at(values, cell);
        const shown = read(label.textContent);
        if (value === null) assert.equal(shown, null, `step ${k}, ${key}: nothing yet`);
        else assert.ok(Math.abs(shown - value) <= 6e-4 * Math.abs(value), `step ${k}, ${key}: ${shown}`);
        const on = (output ? writes[k] : reads[k][panel.operand] ?? []).map(String).includes(key);
        assert.equal(spot.dataset.on, on ? "1" : "0", `step ${k}, ${panel.operand} ${key}`);
        numbers += 1;
      }
    }
    assert.ok(numbers > 30);
  });
}

test("player: the equation of a cell has its value at the end, and its terms make it", () => {
  const [{ stage }] = cases("steps");
  const walk = new Walk(stage.views[0].walk);
  assert.ok(walk.made.size > 3);
  for (const [key, terms] of walk.made) {
    const html = walk.equation(key.split(",").map(Number), 99);
    const plain = html.replace(/<[^>]*>/g, "").replaceAll("−", "-");
    const [, body, value] = plain.match(/= (.*) = ([-\d.]+)$/);
    const sum = body.split(" + ").map((term) => term.split("·").map((v) => Number(v.replace(/[()]/g, ""))))
      .reduce((total, factors) => total + factors.reduce((a, b) => a * b), 0);
    assert.equal(body.split(" + ").length, terms.length);
    assert.ok(Math.abs(sum - Number(value)) < 1e-6, html);
  }
});

test("short: four digits, no needless zero, a true minus sign", () => {
  const said = [[0.5, ".5"], [-0.25, "−.25"], [12345.678, "12350"], [-3, "−3"], [0, "0"], [123456, "1.2e+5"]];
  for (const [value, text] of said) assert.equal(short(value), text);
  assert.equal(short(0.123456, 2), ".12");
});

// A pen that writes down what it is told; looks are read from it as they were set last.
function recorder() {
  const lines = [];
  const note = (name) => (...values) => lines.push({ name, values, dash: pen.dash });
  const told = ["strokeRect", "fillRect", "fillText", "beginPath", "rect", "stroke"];
  const pen = {
    lines, dash: [], save() {}, restore() {}, measureText: (text) => ({ width: 7 * text.length }),
    setLineDash(dash) { pen.dash = dash; },
    ...Object.fromEntries(told.map((name) => [name, note(name)])),
  };
  return pen;
}

test("canvas: black or white on a colour as Python chooses", () => {
  for (const { colour, ink } of cases("ink")) {
    assert.equal(inkOn(colour), { "#000000": "#000", "#FFFFFF": "#fff" }[ink], colour);
  }
});

test("canvas: a box at a scale, its dash in line widths", () => {
  const pen = recorder();
  paintBox(pen, [10, 20, 40, 60], 0.5, "#123456", 3, [2, 1]);
  const [stroke] = pen.lines;
  assert.deepEqual(stroke.values, [5, 10, 15, 20]);
  assert.deepEqual(stroke.dash, [6, 3]);
  assert.deepEqual([pen.strokeStyle, pen.lineWidth], ["#123456", 3]);
});

test("canvas: many outlines are one stroke of the boxes that were asked for", () => {
  const pen = recorder();
  paintOutlines(pen, Float32Array.from([0, 0, 4, 4, 2, 4, 6, 10, 1, 1, 2, 2]), [1, 2], 2, "#fff", 1, [], 0.5);
  assert.deepEqual(pen.lines.map(({ name }) => name), ["beginPath", "rect", "rect", "stroke"]);
  assert.deepEqual(pen.lines[1].values, [4, 8, 8, 12]);
});

test("canvas: the best box lies on top, and a caption says class and score", () => {
  const pen = recorder();
  const frame = {
    boxes: [[0, 0, 10, 10], [50, 50, 90, 90]], labels: ["cat", "dog"], scores: [0.913, 0.5],
    colours: ["#111111", "#eeeeee"], dashes: [], captions: true,
  };
  const shown = { left: 0, top: 0, right: 200, bottom: 200 };
  paintBoxes(pen, frame, { scale: 1, width: 2, text: 12, shown }, -1);
  const strokes = pen.lines.filter(({ name }) => name === "strokeRect").map(({ values }) => values[0]);
  assert.deepEqual(strokes, [50, 0]);
  const texts = pen.lines.filter(({ name }) => name === "fillText").map(({ values }) => values[0]);
  assert.deepEqual(texts, ["cat 0.91", "dog 0.50"]);
});

test("canvas: labels stay in the picture and move down rather than cover each other", () => {
  const pen = recorder();
  const taken = [];
  for (let i = 0; i < 3; i += 1) {
    paintLabel(pen, "person 0.99", 395, -8, "#0072B2", 14, { width: 400, height: 300 }, taken);
  }
  for (const [i, a] of taken.entries()) {
    assert.ok(a.left >= 0 && a.top >= 0 && a.left + a.width <= 400 && a.top + a.height <= 300);
    for (const b of taken.slice(i + 1)) assert.ok(a.top + a.height <= b.top || b.top + b.height <= a.top);
  }
});

test("replay: its last step keeps what the selection keeps, with the scores that are left", () => {
  const { data, finished } = cases("replay");
  assert.deepEqual(data.variants.map(({ name }) => name), Object.keys(finished));
  for (const variant of data.variants) {
    const start = standing(variant, data.scores, 0);
    assert.ok(start.fate.every((fate) => fate === 0) && start.last === null);
    const { fate, now } = standing(variant, data.scores, variant.steps.length);
    const [ids, scores] = finished[variant.name];
    const kept = [...fate.keys()].filter((i) => fate[i] === 1);
    assert.deepEqual(kept.map((i) => data.ids[i]).sort((a, b) => a - b), ids.slice().sort((a, b) => a - b));
    for (const i of kept) {
      const left = scores[ids.indexOf(data.ids[i])];
      assert.ok(Math.abs(now[i] - left) < 2e-4, `${variant.name}: ${now[i]}, not ${left}`);
    }
    assert.ok(ids.length > 3 && ids.length < data.ids.length + 1);
  }
});
