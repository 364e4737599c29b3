// Asks of the picture: each is heard alone, in order, and none is lost.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Asks } from "../../../vision_core/figures/browser/canvas/asks.js";

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
