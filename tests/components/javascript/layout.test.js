// The player's layout against Python's, with texts measured by their length alone.

import assert from "node:assert/strict";
import { before, test } from "node:test";

import {
  layOut, measureWith, spread, textWide, tryUnit, wrapped,
} from "../../../vision_core/figures/browser/player/layout.js";
import { cases } from "./cases.js";

const ROOM = 1e6; // nothing is broken for want of it

before(() => measureWith((text) => 0.3 * text.length));

const close = (got, expected, what) => got.forEach((value, i) =>
  assert.ok(Math.abs(value - expected[i]) < 1e-3, `${what}: ${got}, not ${expected}`));

for (const { name, views, plans } of cases("layout")) {
  test(`layout: ${name}`, () => {
    for (const { unit, stacked, size, panels, words } of plans) {
      const plan = spread(tryUnit(views, unit, ROOM, stacked), ROOM);
      assert.equal(plan.panels.length, panels.length);
      close([plan.width, plan.height], size, "size");
      plan.panels.forEach(({ x, y, w, h, pixel }, i) => close([x, y, w, h, pixel], panels[i], `panel ${i}`));
      const mine = plan.words.map(({ x, y, text, kind }) => ({ x, y, text, kind }));
      assert.equal(mine.length, words.length);
      for (const [x, y, text, kind] of words) {
        const same = mine.filter((word) => word.text === text && word.kind === kind);
        assert.ok(same.some((word) => Math.hypot(word.x - x, word.y - y) < 1e-3), `${kind} ${text}`);
      }
    }
  });

  test(`layout: ${name} fits a window, and its panels lie apart`, () => {
    for (const [width, height] of [[1200, 560], [760, 400], [360, 560]]) {
      const { panels, unit } = layOut({ views }, width, height);
      for (const [i, a] of panels.entries()) {
        assert.ok(a.x >= 0 && a.y >= 0 && (a.x + a.w <= width + 1e-6 || unit === 9), `panel ${i}`);
        for (const b of panels.slice(i + 1)) {
          assert.ok(a.x + a.w <= b.x + 1e-6 || b.x + b.w <= a.x + 1e-6
            || a.y + a.h <= b.y + 1e-6 || b.y + b.h <= a.y + 1e-6, `${i} covers another`);
        }
      }
    }
  });
}

test("wrapped: every line fits but a single long word, and no word is lost", () => {
  const text = "scatter every input as an extraordinarilylongword stretched kernel";
  for (const room of [10, 40, 80, 400]) {
    const lines = wrapped(text, room, 17, 700);
    assert.equal(lines.join(" "), text);
    for (const line of lines) assert.ok(!line.includes(" ") || textWide(line, 17, 700) <= room);
  }
});
