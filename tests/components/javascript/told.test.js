// The player follows a step that Python asks for, and no late answer to one that it told itself.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Told } from "../../../vision_core/figures/browser/player/told.js";

function at(step) {
  const told = new Told();
  assert.equal(told.wishes(step), true);
  told.forget(step, step);
  return told;
}

test("late answers to steps that follow each other quickly are no wishes", () => {
  const told = at(0);
  for (const step of [1, 2, 1, 9]) assert.equal(told.add(step), true);
  assert.equal(told.add(9), false, "known already");
  for (const step of [0, 1, 1, 2, 1, 9, 9]) assert.equal(told.wishes(step), false, `${step}`);
  assert.equal(told.wishes(4), true, "Python's own");
});

test("answers that are left out hold up nothing", () => {
  const told = at(0);
  for (const step of [1, 2, 3]) told.add(step);
  assert.equal(told.wishes(3), false);
  assert.equal(told.wishes(2), true, "its answer would have come before");
});

test("a step beyond the end is asked for once", () => {
  const told = new Told();
  assert.equal(told.wishes(40), true);
  told.forget(7, 40);
  assert.equal(told.wishes(40), false);
  assert.equal(told.add(7), false);
  assert.equal(told.add(6), true);
  assert.equal(told.wishes(40), false, "the answer to 6 has not come yet");
  assert.equal(told.wishes(6), false);
});
