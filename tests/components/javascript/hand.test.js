// What a hand does: asks are heard one by one, a stroke tells its points, and a player follows a
// step that Python asks for, but no late answer to one that it told itself.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Asks } from "../../../vision_core/figures/browser/canvas/asks.js";
import { Brush } from "../../../vision_core/figures/browser/canvas/stroke.js";
import { Told } from "../../../vision_core/figures/browser/player/told.js";

test("the next ask waits for the answer to the last one", () => {
  const told = [];
  const asks = new Asks((at) => told.push(at));
  for (const at of [[1, 1], [2, 2], [3, 3]]) asks.say(at);
  assert.deepEqual(told, [[1, 1]]);
  asks.heard();
  assert.deepEqual(told, [[1, 1], [2, 2]]);
  asks.heard();
  asks.heard();
  asks.heard();
  assert.deepEqual(told, [[1, 1], [2, 2], [3, 3]]);
  asks.say([4, 4]);
  assert.equal(told.length, 4);
  asks.heard();
});

test("an ask without an answer holds up nothing for long", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const told = [];
  const asks = new Asks((at) => told.push(at));
  asks.say([1, 1]);
  asks.say([2, 2]);
  mock.timers.tick(3000);
  assert.deepEqual(told, [[1, 1], [2, 2]]);
  mock.timers.tick(3000);
  mock.timers.reset();
});

const LOOK = { radius: 8, label: "cat" };

function brush() {
  const told = [];
  return [new Brush(() => {}, (strokes) => told.push(strokes)), told];
}

test("a click is a stroke of one point", () => {
  const [made, told] = brush();
  made.press(3.14159, 2, LOOK);
  made.lift();
  assert.deepEqual(told.at(-1).map((stroke) => stroke.slice(1)), [["cat", 8, 3.1, 2]]);
  made.lift();
  assert.equal(told.length, 1, "nothing is told twice");
});

test("points that are nearer than a quarter of the radius are left out", () => {
  const [made, told] = brush();
  made.press(0, 0, LOOK);
  for (let x = 1; x <= 8; x += 1) made.move(x, 0);
  made.lift();
  assert.deepEqual(told[0][0].slice(3), [0, 0, 2, 0, 4, 0, 6, 0, 8, 0]);
});

test("a long stroke is told in parts that hang together", () => {
  const [made, told] = brush();
  made.press(0, 0, { radius: 2, label: "" });
  for (let x = 1; x <= 1000; x += 1) made.move(x, 0);
  made.lift();
  const parts = told.at(-1);
  assert.equal(parts.length, 3);
  assert.deepEqual(parts[0].slice(-2), parts[1].slice(3, 5));
  assert.deepEqual(parts[2].slice(-2), [1000, 0]);
});

test("two fingers zoom and paint nothing", () => {
  const [made, told] = brush();
  made.press(0, 0, LOOK);
  made.move(5, 5, true);
  made.lift();
  assert.deepEqual(told, []);
});

test("what Python has not taken up is told again, and each stroke has a greater number", () => {
  const [made, told] = brush();
  for (const x of [1, 2, 3]) {
    made.press(x, 0, LOOK);
    made.lift();
  }
  assert.deepEqual(told.map((strokes) => strokes.length), [1, 2, 3]);
  const numbers = told.at(-1).map(([number]) => number);
  assert.ok(numbers[0] < numbers[1] && numbers[1] < numbers[2]);
  made.taken(numbers[1]);
  assert.deepEqual(told.at(-1).map(([number]) => number), [numbers[2]]);
  made.taken(numbers[2]);
  assert.equal(told.length, 4, "all are taken");
});

function standing(step) {
  const heard = [];
  const told = new Told((one) => heard.push(one));
  assert.equal(told.wishes(step), true);
  told.forget(step, step);
  return { told, heard };
}

test("steps that follow each other quickly are told one by one, and none is thrown back", () => {
  const { told, heard } = standing(0);
  for (const step of [1, 2, 1, 9]) told.say(step);
  assert.deepEqual(heard, [1]);
  for (const step of [0, 0, 1]) assert.equal(told.wishes(step), false, `${step}`);
  assert.deepEqual(heard, [1, 9], "where it stands now");
  told.say(9);
  for (const step of [1, 9, 9]) assert.equal(told.wishes(step), false, `${step}`);
  assert.deepEqual(heard, [1, 9]);
  assert.equal(told.wishes(4), true, "Python's own");
});

test("a late answer holds up nothing for long and is no wish", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { told, heard } = standing(0);
  told.say(1);
  told.say(2);
  mock.timers.tick(3000);
  assert.deepEqual(heard, [1, 2]);
  assert.equal(told.wishes(1), false);
  assert.equal(told.wishes(2), false);
  mock.timers.tick(9000);
  mock.timers.reset();
  assert.deepEqual(heard, [1, 2]);
});

test("a step beyond the end is asked for once", () => {
  const { told, heard } = standing(0);
  assert.equal(told.wishes(40), true);
  told.forget(7, 40);
  assert.equal(told.wishes(40), false);
  told.say(7);
  assert.deepEqual(heard, []);
  told.say(6);
  assert.equal(told.wishes(40), false, "the answer to 6 has not come yet");
  assert.equal(told.wishes(6), false);
  assert.deepEqual(heard, [6]);
});
