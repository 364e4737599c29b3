// Two IoU limits with the anchors that they make positive, ignored and negative: counts and
// histogram follow the hand; Python is asked when it lets go.

import { Later } from "../canvas/later.js";
import { inkOn } from "../canvas/paint.js";
import { bars, perPositive, placeOf, tally } from "./tally.js";

const KINDS = ["positive", "ignored", "negative"];
const COMMIT_MS = 250; // after the last key press; a pointer commits when it lets go
const [WIDTH, HEIGHT] = [400, 100]; // of the drawing, stretched to its place

class Limits {
  constructor(root) {
    this.box = root.querySelector(".limits");
    this.find = (name) => root.querySelector(name);
    this.inputs = {};
    this.later = new Later(root, () => this.commit(), () => { this.moving = false; });
    for (const dial of root.querySelectorAll(".dial")) this.dial(dial);
    this.box.limits = this; // the tests read what is shown here
  }

  dial(element) {
    const [input, output] = [element.querySelector("input"), element.querySelector("output")];
    this.inputs[input.name] = { element, input, output };
    input.addEventListener("input", () => {
      this.moving = true;
      this.hold(input.name);
      this.draw();
    });
    input.addEventListener("change", () => this.later.in(this.keyed ? COMMIT_MS : 0));
    for (const name of ["pointerup", "pointercancel"]) {
      input.addEventListener(name, () => this.moving && this.later.in(0)); // back at its start: no change
    }
    input.addEventListener("pointerdown", () => { this.keyed = false; });
    input.addEventListener("keydown", (event) => {
      this.keyed = true;
      event.stopPropagation(); // the page's own arrow keys walk the photos
    });
  }

  // The lower limit is never above the upper one: the one that is moved takes the other along.
  hold(moved) {
    const { high, low } = this.inputs;
    if (Number(low.input.value) <= Number(high.input.value)) return;
    const other = moved === "high" ? low : high;
    other.input.value = this.inputs[moved].input.value;
  }

  commit() {
    if (!this.moving) return;
    this.moving = false;
    const { grid } = this.data.table;
    const [high, low] = ["high", "low"].map((name) => grid[Number(this.inputs[name].input.value)]);
    this.tell("limits", { high, low });
  }

  update(data, tell) {
    [this.data, this.tell] = [data, tell];
    const { grid, single } = data.table;
    this.inputs.low.element.hidden = single;
    for (const name of ["high", "low"]) {
      const { input } = this.inputs[name];
      input.max = grid.length - 1;
      if (!this.moving) input.value = placeOf(grid, data[name]); // a hand is not pushed aside
    }
    this.counts = null;
    this.draw();
  }

  draw() {
    const { table } = this.data;
    const [up, down] = ["high", "low"].map((name) => Number(this.inputs[name].input.value));
    for (const { input, output } of Object.values(this.inputs)) {
      const limit = table.grid[Number(input.value)];
      output.textContent = Number(limit.toFixed(3)).toString();
      input.setAttribute("aria-valuetext", output.textContent);
    }
    this.counts = tally(table, up, down);
    this.chips();
    this.histogram(up, table.single ? up : down);
  }

  chips() {
    const { counts, data } = this;
    const kinds = data.table.single ? ["positive", "negative"] : KINDS;
    this.find(".counts").replaceChildren(...kinds.map((kind) => {
      const chip = document.createElement("span");
      Object.assign(chip.style, { background: data.colours[kind], color: inkOn(data.colours[kind]) });
      Object.assign(chip, { className: "chip" });
      chip.dataset.name = kind;
      chip.append(Object.assign(document.createElement("b"), {
        textContent: counts[kind].toLocaleString("en"),
      }), ` ${kind}`);
      return chip;
    }));
    const forced = counts.forced
      ? ` ${counts.forced.toLocaleString("en")} of the positives lie below the limit and are taken `
        + "because no anchor overlaps their true box better."
      : "";
    this.find(".words").textContent = `${perPositive(counts).toLocaleString("en")} negatives for `
      + `each positive.${forced}`;
  }

  // Logarithmic bars over the best IoU; lines at the limits, short strokes for what is forced.
  histogram(up, down) {
    const { table, colours } = this.data;
    const { grid, forced } = table;
    const counts = bars(table);
    const most = Math.log1p(Math.max(...counts, 1));
    const parts = counts.map((count, i) => {
      const kind = i >= up ? "positive" : i >= down ? "ignored" : "negative";
      const [left, right] = [grid[i] * WIDTH, (grid[i + 1] ?? grid[i] + 0.01) * WIDTH];
      const tall = (Math.log1p(count) / most) * (HEIGHT - 8);
      return `<rect x="${left}" y="${HEIGHT - tall}" width="${Math.max(right - left - 0.6, 0.4)}" height="${
        tall}" fill="${colours[kind]}"/>`;
    });
    grid.slice(0, up).forEach((limit, i) => {
      if ((forced[i + 1] ?? 0) > forced[i]) {
        parts.push(`<rect x="${limit * WIDTH}" y="0" width="3" height="${HEIGHT}" fill="${
          colours.positive}" opacity="0.55"/>`);
      }
    });
    for (const i of new Set([up, down])) {
      parts.push(`<line x1="${grid[i] * WIDTH}" x2="${grid[i] * WIDTH}" y1="0" y2="${
        HEIGHT}" stroke="var(--st-text-color)" stroke-width="1.5" vector-effect="non-scaling-stroke"/>`);
    }
    const svg = this.find("svg");
    svg.setAttribute("viewBox", `0 0 ${WIDTH + 4} ${HEIGHT}`);
    svg.setAttribute("aria-label", `Anchors by their best IoU, logarithmic: ${KINDS.map((kind) =>
      `${this.counts[kind]} ${kind}`).join(", ")}.`);
    svg.innerHTML = parts.join("");
  }
}

const HELD = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let limits = HELD.get(parentElement);
  if (!limits) {
    limits = new Limits(parentElement);
    HELD.set(parentElement, limits);
  }
  limits.update(data, setTriggerValue);
  return () => limits.later.drop();
}
