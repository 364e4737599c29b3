// The counts of anchors at two limits against what torchvision's matchers count.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  bars, perPositive, placeOf, tally,
} from "../../../vision_core/figures/browser/limits/tally.js";
import { cases } from "./cases.js";

for (const { name, table, runs } of cases("limits")) {
  test(`limits: ${name}, as torchvision's matcher at ${runs.length} pairs`, () => {
    for (const { high, low, ...expected } of runs) {
      const [up, down] = [high, low].map((limit) => placeOf(table.grid, limit));
      assert.ok(up >= 0 && down >= 0);
      assert.deepEqual(tally(table, up, down), expected, `${high}, ${low}`);
    }
  });

  test(`limits: ${name}, every anchor stands in one bar and in one group`, () => {
    assert.equal(bars(table).reduce((a, b) => a + b, 0), table.total);
    assert.ok(bars(table).every((count) => count >= 0));
    for (let up = 0; up < table.grid.length; up += 1) {
      const { positive, negative, ignored } = tally(table, up, up >> 1);
      assert.equal(positive + negative + ignored, table.total);
    }
  });
}

test("limits: a lower limit above the upper one counts as the upper one", () => {
  const [{ table }] = cases("limits");
  assert.deepEqual(tally(table, 40, 80), tally(table, 40, 40));
});

test("limits: negatives for each positive are rounded as Python rounds", () => {
  for (const [positive, negative, whole] of [[2, 5, 2], [2, 7, 4], [3, 10, 3], [0, 9, 9], [4, 11, 3]]) {
    assert.equal(perPositive({ positive, negative }), whole);
  }
});
