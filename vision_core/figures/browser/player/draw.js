// A stage as SVG. Every colour is set on the element, so that the picture can be saved as it is.

import { layOut, scrolled, textWide } from "./layout.js";
import { keyOf, short, valueAt, Walk } from "./walk.js";

export const NS = "http://www.w3.org/2000/svg";
const LIGHT = { input: "#0072B2", kernel: "#D55E00", output: "#009E73", muted: "#6B7280" };
const DARK = { input: "#56B4E9", kernel: "#FF8A45", output: "#6FE3A1", muted: "#9CA3AF" };

export function make(name, attributes, parent) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

export function set(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (element.getAttribute(key) !== String(value)) element.setAttribute(key, value);
  }
}

// Text and background colours of the page, and whether it is dark.
export function themeOf(element) {
  const style = getComputedStyle(element);
  const ground = style.getPropertyValue("--st-background-color").trim() || "#ffffff";
  const text = style.getPropertyValue("--st-text-color").trim() || "#16202a";
  const bytes = (ground.match(/[0-9a-f]{2}/gi) ?? ["ff", "ff", "ff"]).map((b) => parseInt(b, 16));
  const dark = bytes[0] + bytes[1] + bytes[2] < 382;
  return { ground, text, dark, roles: dark ? DARK : LIGHT };
}

// The cell of an operand that stands at (row, column) of a panel.
function cellAt(panel, row, column) {
  let [r, c] = [row + panel.first[0], column + panel.first[1]];
  if (panel.flipped) [r, c] = [panel.rows - 1 - r, panel.columns - 1 - c];
  if (panel.transposed) [r, c] = [c, r];
  const rest = panel.depth === 1 ? [panel.along === "row" ? c : r] : [r, c];
  return [...panel.prefix, ...rest];
}

const INSIDE = 0.84; // share of a cell that a number may take
const [SMALL, LEGIBLE] = [8, 10.2]; // pixels: numbers below the first get the second on a phone
const MOST = 2.5; // times the width of a phone that a figure may take

export class Drawing {
  constructor(svg, stage, walks, theme) {
    Object.assign(this, { svg, stage, walks, theme, cells: [], panels: [] });
    const largest = {};
    stage.views.forEach((view) => Object.entries(view.walk.operands).forEach(([name, operand]) => {
      if (name === "indices") return;
      const most = Math.max(...operand.values.flat(Infinity).map(Math.abs));
      largest[operand.role] = Math.max(largest[operand.role] ?? 0, most);
    }));
    this.largest = largest;
  }

  // How many times larger cells must be for every number to have `size` pixels; at least 1.
  wanting(plan, size) {
    const wanted = plan.panels.filter(({ panel }) => panel.operand).map(({ panel, view, pixel }) => {
      const all = this.stage.views[view].walk.operands[panel.operand].values.flat(Infinity);
      const wide = Math.max(...all.map((value) => textWide(short(value, panel.decimals), 1, 800)));
      return Math.max(2 * size, (size * wide + 2) / INSIDE) / pixel;
    });
    return Math.max(1, ...wanted);
  }

  // The plan for a size; on a phone one that scrolls sideways where its numbers would be too small.
  planned(width, height, phone) {
    const plan = layOut(this.stage, width, height);
    if (!phone || this.wanting(plan, SMALL) === 1) return plan;
    const larger = scrolled(this.stage, Math.ceil(plan.unit * this.wanting(plan, LEGIBLE)), width);
    return larger.width <= MOST * width ? larger : plan;
  }

  // Draw everything anew for a size; `update` then only changes what differs.
  build(width, height, phone = false) {
    const plan = this.planned(width, height, phone);
    this.plan = plan;
    this.svg.replaceChildren();
    const [w, h] = [Math.ceil(plan.width) + 4, Math.ceil(plan.height) + 4];
    set(this.svg, { width: w, height: h, viewBox: `-2 -2 ${w} ${h}` });
    const { text, roles } = this.theme;
    const style = { head: [17, 700, text], sign: [20, 700, text], title: [14.5, 600, text] };
    for (const word of plan.words) {
      const [largest, weight, fill] = style[word.kind];
      const size = word.room ? Math.min(largest, word.room / textWide(word.text, 1, weight)) : largest;
      const label = make("text", {
        x: word.x, y: word.y, "font-size": size, "font-weight": weight,
        fill: word.kind === "title" ? roles[word.role] : fill,
        "font-family": "sans-serif", "text-anchor": word.kind === "sign" ? "middle" : "start",
      }, this.svg);
      label.textContent = word.text;
    }
    this.cells = [];
    this.panels = plan.panels.map((place) => this.panel(place));
  }

  panel(place) {
    const { panel, view } = place;
    const group = make("g", { transform: `translate(${place.x} ${place.y})` }, this.svg);
    group.dataset.view = view;
    group.dataset.panel = panel.operand || "board";
    const ring = panel.operand ? panel.ring : [0, 0];
    const origin = [ring[1] * place.pixel, ring[0] * place.pixel];
    const made = { ...place, group, origin };
    if (panel.operand) this.grid(made, ring);
    else this.board(made);
    made.marks = make("g", { transform: `translate(${origin})`, "pointer-events": "none" }, group);
    return made;
  }

  board({ panel, w, h, group }) {
    const { ground, roles } = this.theme;
    make("rect", { width: w, height: h, fill: ground, stroke: roles.muted }, group);
    if (panel.picture) {
      make("image", { href: panel.picture, width: w, height: h, preserveAspectRatio: "none" }, group);
    }
  }

  grid(made, [up, aside]) {
    const { panel, view, pixel, group } = made;
    const { roles } = this.theme;
    const operand = this.stage.views[view].walk.operands[panel.operand];
    panel.depth = operand.shape.length - panel.prefix.length;
    const colour = roles[panel.role];
    for (let row = -up; row < panel.rows + up; row += 1) {
      for (let column = -aside; column < panel.columns + aside; column += 1) {
        const inside = row >= 0 && column >= 0 && row < panel.rows && column < panel.columns;
        const at = { x: (column + aside) * pixel, y: (row + up) * pixel, width: pixel, height: pixel };
        if (!inside) {
          this.padding(group, at, panel);
          continue;
        }
        const cell = cellAt(panel, row, column);
        const spot = make("g", {}, group);
        spot.dataset.operand = panel.operand;
        spot.dataset.view = view;
        spot.dataset.cell = keyOf(cell);
        const box = make("rect", { ...at, fill: colour, "fill-opacity": 0, stroke: roles.muted }, spot);
        const label = make("text", {
          x: at.x + pixel / 2, y: at.y + pixel / 2, "text-anchor": "middle",
          "dominant-baseline": "central", "font-family": "sans-serif", fill: this.theme.text,
        }, spot);
        const more = make("text", {
          x: at.x + pixel - 3, y: at.y + 11, "text-anchor": "end", "font-size": 11,
          "font-family": "sans-serif", "font-weight": 700, fill: roles.kernel,
        }, spot);
        const fixed = panel.operand === "output" ? null : valueAt(operand.values, cell);
        this.cells.push({ panel, view, cell, key: keyOf(cell), box, label, more, fixed, pixel, spot, at });
      }
    }
  }

  // A cell around a grid: a zero of the padding, or what the padding cut off.
  padding(group, at, panel) {
    const { roles } = this.theme;
    make("rect", { ...at, fill: "none", stroke: roles.muted, "stroke-dasharray": "2 3" }, group);
    if (panel.role !== "input" || at.width < 12) return;
    make("text", {
      x: at.x + at.width / 2, y: at.y + at.height / 2, "text-anchor": "middle",
      "dominant-baseline": "central", "font-family": "sans-serif", fill: roles.muted,
      "font-size": at.width * 0.4,
    }, group).textContent = "0";
  }

  // Show step k of the timeline, or what a hovered cell is made of (`focus`).
  update(k, focus, still) {
    const states = this.walks.map((walk, view) => this.state(walk, view, k, focus, still));
    for (const item of this.cells) this.cellState(item, states[item.view]);
    for (const panel of this.panels) this.markUp(panel, k);
  }

  state(walk, view, k, focus, still) {
    const at = this.stage.timeline[k][view];
    const step = walk.data.steps[at];
    const shown = walk.frame(at);
    if (focus && focus.view === view) {
      return { shown, reads: focus.reads, writes: focus.writes, added: new Map() };
    }
    const added = new Map();
    if (still) return { shown, reads: {}, writes: new Set(), added }; // nothing moves: a plain figure
    if (walk.data.reduction === "sum" && walk.data.steps.length > 1) {
      const before = walk.frame(at - 1);
      step.writes.forEach(({ cell, value }) => {
        const key = keyOf(cell);
        if (before.has(key)) added.set(key, value - before.get(key));
      });
    }
    const writes = new Set(step.writes.map((write) => keyOf(write.cell)));
    if (writes.size > 24 && step.terms.every((t) => !Object.keys(t.reads).length)) writes.clear();
    return { shown, reads: Walk.reads(step.terms), writes, added };
  }

  cellState(item, { shown, reads, writes, added }) {
    const { panel, key, box, label, more, pixel } = item;
    const { roles } = this.theme;
    const value = item.fixed ?? shown.get(key);
    const empty = value === undefined;
    const output = panel.operand === "output";
    const on = output ? writes.has(key) : reads[panel.operand]?.has(key) ?? false;
    const strength = empty ? 0 : Math.min(Math.abs(value) / (this.largest[panel.role] || 1), 1);
    const hue = !empty && value < 0 ? roles.muted : roles[panel.role];
    const text = empty ? "" : short(value, panel.decimals);
    if (item.text !== text) {
      item.text = text;
      label.textContent = text;
    }
    const room = INSIDE * pixel - 2; // inside the frame of a cell that is read or written
    const size = Math.min(pixel * 0.5, room / Math.max(textWide(text, 1, 800), 0.1), 52);
    set(label, { "font-size": size.toFixed(1), "font-weight": on ? 800 : 500 });
    set(box, {
      fill: hue, "fill-opacity": (empty ? 0 : 0.05 + 0.4 * strength).toFixed(3),
      stroke: on ? roles[panel.role] : roles.muted,
      "stroke-width": on ? Math.max(2.5, pixel / 11) : 0.8,
      "stroke-dasharray": empty ? "2 3" : "none",
    });
    if (on && !item.on) item.spot.parentNode.insertBefore(item.spot, item.spot.parentNode.lastChild);
    item.on = on;
    item.spot.dataset.on = on ? "1" : "0";
    const plus = pixel >= 34 && output && added.has(key)
      ? `${added.get(key) < 0 ? "" : "+"}${short(added.get(key))}` : "";
    if (more.textContent !== plus) more.textContent = plus;
  }

  markUp(place, k) {
    const { panel, marks, pixel } = place;
    marks.replaceChildren();
    const { roles, ground } = this.theme;
    const off = panel.operand ? panel.first : [0, 0];
    const labels = [];
    panel.marks.forEach((mark, index) => {
      if (mark.steps && (k < mark.steps[0] || k > mark.steps[1])) return;
      const at = place.moved?.index === index ? place.moved.at : mark.at;
      const p = at.map((v, i) => (v - off[1 - (i % 2)]) * pixel);
      const look = {
        stroke: roles[mark.role], fill: "none", "stroke-width": 3,
        ...(mark.dashed ? { "stroke-dasharray": "7 4" } : {}),
      };
      if (mark.kind === "line") make("line", { x1: p[0], y1: p[1], x2: p[2], y2: p[3], ...look }, marks);
      if (mark.kind === "point") {
        make("circle", { cx: p[0], cy: p[1], r: 4.5, fill: roles[mark.role], stroke: ground }, marks);
      }
      if (mark.kind === "rect") {
        const [left, top] = [Math.min(p[0], p[2]), Math.min(p[1], p[3])]; // also while it is drawn
        const [width, height] = [Math.abs(p[2] - p[0]), Math.abs(p[3] - p[1])];
        make("rect", { x: left, y: top, width, height, ...look }, marks);
        if (mark.drag) this.handles(marks, p, roles[mark.role], ground);
      }
      if (mark.label && mark.kind === "line") this.lineLabel(marks, mark, p, place);
      else if (mark.label) labels.push([mark, p]);
    });
    const taken = []; // labels lie over all lines, and never over each other
    for (const [mark, p] of labels) this.label(marks, mark, p, place, taken);
  }

  handles(marks, p, colour, ground) {
    for (const [x, y] of [[p[0], p[1]], [p[2], p[1]], [p[0], p[3]], [p[2], p[3]]]) {
      make("rect", { x: x - 4.5, y: y - 4.5, width: 9, height: 9, fill: colour, stroke: ground }, marks);
    }
  }

  // In the row below its line, as large as the numbers of a cell.
  lineLabel(marks, mark, p, { w, pixel }) {
    const size = Math.min(0.52 * pixel, 26, (0.94 * w) / Math.max(textWide(mark.label, 1, 700), 0.1));
    make("text", {
      x: p[0] + 0.15 * pixel, y: p[1] + pixel / 2, "font-size": size.toFixed(1), "font-weight": 700,
      fill: this.theme.text, "dominant-baseline": "central", "font-family": "sans-serif",
    }, marks).textContent = mark.label;
  }

  // Beside a corner of its rectangle inside the panel; where others stand, the next free line.
  label(marks, mark, p, { w, h }, taken) {
    const { roles, ground } = this.theme;
    const [wide, tall] = [textWide(mark.label, 15, 700) + 8, 20];
    const across = [p[0] + 3, p[2] - wide - 3].map((x) => Math.max(0, Math.min(x, w - wide)));
    const first = mark.dashed ? p[3] - tall - 3 : p[1] + 3;
    const down = [first, p[1] - tall - 5, p[3] + 5, p[1] + 3, p[3] - tall - 3];
    for (let y = 0; y + tall <= h; y += tall) down.push(y);
    const spots = down.flatMap((y) => across.map((x) => [x, Math.max(0, Math.min(y, h - tall))]));
    const free = ([x, y]) => taken.every(([a, b, c]) =>
      x + wide <= a || a + c <= x || y + tall <= b || b + tall <= y);
    const [x, y] = spots.find(free) ?? spots[0];
    taken.push([x, y, wide]);
    make("rect", { x, y, width: wide, height: tall, fill: ground, "fill-opacity": 0.88 }, marks);
    make("text", {
      x: x + 4, y: y + tall / 2, "font-size": 15, "font-weight": 700, fill: roles[mark.role],
      "dominant-baseline": "central", "font-family": "sans-serif",
    }, marks).textContent = mark.label;
  }
}
