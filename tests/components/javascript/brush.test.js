// The brush of the picture: which points a stroke tells, and when.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Brush } from "../../../vision_core/figures/browser/canvas/stroke.js";

function brush() {
  const told = [];
  return [new Brush(() => {}, (at) => told.push(at)), told];
}

test("a click is a stroke of one point", () => {
  const [made, told] = brush();
  made.press(3.14159, 2, 8);
  made.lift();
  assert.deepEqual(told, [[3.1, 2]]);
  made.lift();
  assert.equal(told.length, 1, "nothing is told twice");
});

test("points that are nearer than a quarter of the radius are left out", () => {
  const [made, told] = brush();
  made.press(0, 0, 8);
  for (let x = 1; x <= 8; x += 1) made.move(x, 0);
  made.lift();
  assert.deepEqual(told, [[0, 0, 2, 0, 4, 0, 6, 0, 8, 0]]);
});

test("a long stroke is told in parts that hang together", () => {
  const [made, told] = brush();
  made.press(0, 0, 2);
  for (let x = 1; x <= 1000; x += 1) made.move(x, 0);
  made.lift();
  assert.equal(told.length, 3);
  assert.deepEqual(told[0].slice(-2), told[1].slice(0, 2));
  assert.deepEqual(told[2].slice(-2), [1000, 0]);
});

test("two fingers zoom and paint nothing", () => {
  const [made, told] = brush();
  made.press(0, 0, 2);
  made.move(5, 5, true);
  made.lift();
  assert.deepEqual(told, []);
});

test("without a pressed pointer nothing is gathered, and Python's word clears what was left", () => {
  const [made, told] = brush();
  made.move(1, 1);
  made.press(0, 0, 2);
  made.lift();
  assert.equal(made.left.length, 1);
  made.taken();
  assert.equal(made.left.length, 0);
  assert.deepEqual(told, [[0, 0]]);
});
