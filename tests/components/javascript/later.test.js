// What is told a moment after the last key: once, at once when something else is pressed, and never
// after the address has changed.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Later } from "../../../vision_core/figures/browser/canvas/later.js";

const WAIT = 250; // milliseconds

// A window with the component inside it, and how often the component told and left.
function made() {
  mock.timers.enable({ apis: ["setTimeout"] });
  const [root, where, counts] = [{}, new EventTarget(), { told: 0, left: 0 }];
  const later = new Later(root, () => { counts.told += 1; }, () => { counts.left += 1; }, where);
  const fire = (name, inside = false, key = "") => {
    const event = Object.assign(new Event(name), { key });
    event.composedPath = () => (inside ? [root, where] : [where]);
    where.dispatchEvent(event);
  };
  return { later, fire, counts };
}

function checked(name, does) {
  test(name, () => {
    try {
      does(made());
    } finally {
      mock.timers.reset();
    }
  });
}

checked("many keys are told once, after the last one", ({ later, counts }) => {
  for (let key = 0; key < 5; key++) {
    later.in(WAIT);
    mock.timers.tick(WAIT - 1);
  }
  assert.equal(counts.told, 0);
  mock.timers.tick(1);
  assert.equal(counts.told, 1);
  mock.timers.tick(9 * WAIT);
  assert.equal(counts.told, 1);
});

for (const [name, key] of [["pointerdown", ""], ["keydown", "Enter"]]) {
  checked(`${name} elsewhere tells it at once, and only once`, ({ later, fire, counts }) => {
    later.in(WAIT);
    fire(name, true, key);
    assert.equal(counts.told, 0, "inside the component nothing is left");
    fire(name, false, key);
    assert.equal(counts.told, 1);
    fire(name, false, key);
    mock.timers.tick(9 * WAIT);
    assert.equal(counts.told, 1);
  });
}

checked("other keys elsewhere change nothing", ({ later, fire, counts }) => {
  later.in(WAIT);
  fire("keydown", false, "ArrowRight");
  assert.equal(counts.told, 0);
  mock.timers.tick(WAIT);
  assert.equal(counts.told, 1);
});

checked("after the browser's Back it is not told", ({ later, fire, counts }) => {
  later.in(WAIT);
  fire("popstate");
  mock.timers.tick(9 * WAIT);
  assert.deepEqual(counts, { told: 0, left: 1 });
  fire("popstate");
  assert.equal(counts.left, 1, "nothing waits any more");
});

checked("what is dropped is not told", ({ later, fire, counts }) => {
  later.in(WAIT);
  later.drop();
  fire("pointerdown");
  mock.timers.tick(9 * WAIT);
  assert.deepEqual(counts, { told: 0, left: 0 });
});
