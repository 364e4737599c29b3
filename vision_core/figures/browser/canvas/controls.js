// The controls under the picture: score and IoU, counts of fates, and what the buttons switch.

import { Later } from "./later.js";
import { inkOn } from "./paint.js";

const COMMIT_MS = 250; // after the last key press; a pointer commits when it lets go
const ASKS = { // what a place on the picture can be asked for: text of the button and its title
  why: ["Why not here?", "Click a spot or drag a box where you expected an object"],
  draw: ["Draw true boxes", "Drag a box around what is really there"],
  move: ["Place joints", "Click where the joint is, or drag a joint to another place"],
  paint: ["Paint", "Paint over what is really there"],
};

// A short line in the dashes that outlines of a fate have.
function outlineSample(dash, colour) {
  const sample = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  sample.setAttribute("class", "sample");
  sample.innerHTML = `<line x1="0" y1="4" x2="26" y2="4" stroke="${inkOn(colour)}" stroke-width="2"
    stroke-dasharray="${dash.map((v) => 2 * v).join(" ")}"/>`;
  return sample;
}

export class Controls {
  // hears: {moved(thresholds), released(thresholds), ghosts(on), ask(on), zoom(what)}.
  constructor(root, hears) {
    const find = (name) => root.querySelector(name);
    Object.assign(this, {
      hears, panel: find(".panel"), counts: find(".counts"), note: find(".note"),
      zoomer: find(".zoom"), ghosts: find("[data-do=ghosts]"), ask: find("[data-do=ask]"),
    });
    this.dials = {};
    this.later = new Later(root, () => this.commit(), () => { this.moving = false; });
    this.touched = new Set(); // the dials that were moved since Python's last word
    for (const dial of root.querySelectorAll(".dial")) this.dial(dial);
    for (const button of [this.ghosts, this.ask]) {
      button.addEventListener("click", () => this.press(button));
    }
    this.zoomer.addEventListener("click", (event) => {
      const what = event.target.closest("button")?.dataset.do;
      if (what) hears.zoom(what);
    });
  }

  // One slider: the browser's own range input brings pointer, touch, keyboard and its role.
  dial(element) {
    const [input, output] = [element.querySelector("input"), element.querySelector("output")];
    this.dials[input.name] = { input, output };
    input.addEventListener("input", () => {
      this.moving = true;
      this.touched.add(input.name);
      this.read(input.name);
      this.hears.moved(this.values());
    });
    input.addEventListener("change", () => this.later.in(this.keyed ? COMMIT_MS : 0));
    // A thumb that is back where it started fires no change.
    for (const name of ["pointerup", "pointercancel"]) {
      input.addEventListener(name, () => this.moving && this.later.in(0));
    }
    input.addEventListener("pointerdown", () => { this.keyed = false; });
    input.addEventListener("keydown", (event) => {
      this.keyed = true;
      event.stopPropagation(); // the page's own arrow keys walk the photos
    });
  }

  commit() {
    this.moving = false;
    this.hears.released(this.values());
  }

  press(button) {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", on);
    this.hears[button.dataset.do](on);
    this.explain();
  }

  // The line below: what to do while a place is asked for, else what Python says of the candidates.
  explain() {
    const asking = this.ask.getAttribute("aria-pressed") === "true";
    this.note.textContent = asking ? `${this.ask.title}.` : this.said ?? "";
    this.note.hidden = !this.note.textContent;
  }

  // Leave the asking mode by key, where this picture began it; returns whether it did.
  stop() {
    const began = !this.ask.hidden && this.ask.getAttribute("aria-pressed") === "true";
    if (began) this.release(this.ask);
    return began;
  }

  release(button) {
    if (button.getAttribute("aria-pressed") === "true") this.press(button);
  }

  // A dial that nobody moved says what Python said: its own range and steps may be coarser.
  values() {
    const value = (name) => (this.touched.has(name) ? Number(this.dials[name].input.value)
      : this.given[name]);
    return { score: value("score"), iou: value("iou") };
  }

  read(name) {
    const { input, output } = this.dials[name];
    output.textContent = Number(input.value).toFixed(input.step < 0.01 ? 3 : 2);
    const { min, max, value } = input;
    input.style.setProperty("--done", `${100 * (value - min) / (max - min)}%`);
  }

  // Put the sliders where a hand on another picture has put its own.
  show(values) {
    for (const name of ["score", "iou"]) {
      this.dials[name].input.value = values[name];
      this.read(name);
    }
  }

  // Python's latest word. A hand that is on a slider is not pushed aside.
  update({ live, zoom, plain, asks }) {
    this.zoomer.hidden = !zoom;
    this.panel.hidden = !live;
    this.ghosts.hidden = this.counts.hidden = plain;
    // Drawing is started and stopped by the page, with one button for all its pictures.
    const paged = asks && asks !== "why";
    this.ask.hidden = !asks || paged;
    if (!asks || (this.paged && !paged)) this.release(this.ask);
    [this.ask.textContent, this.ask.title] = ASKS[asks] ?? ["", ""];
    if (paged && this.ask.getAttribute("aria-pressed") !== "true") this.press(this.ask);
    this.paged = paged;
    if (!live) return;
    this.given = live.thresholds;
    if (!this.moving) this.touched.clear();
    for (const name of ["score", "iou"]) {
      const { input } = this.dials[name];
      Object.assign(input, { min: live.limits[name][0], max: 1, step: live.limits[name][1] });
      if (!this.moving) input.value = live.thresholds[name];
      this.read(name);
    }
    const { nms } = live.thresholds;
    this.dials.iou.input.disabled = nms === "none" || nms === "soft-gaussian";
    this.said = live.note;
    this.explain();
  }

  // How many candidates met each fate; fates that these thresholds cannot give are left out.
  count(counts, fates, { nms, classes }) {
    const possible = [true, true, nms === "hard", nms.startsWith("soft"), true, classes !== null];
    if (this.counted !== possible.join()) {
      this.counted = possible.join();
      this.chips = fates.map(({ word, colour }, i) => {
        const chip = document.createElement("span");
        Object.assign(chip.style, { background: colour, color: inkOn(colour) });
        chip.className = "chip";
        chip.dataset.name = fates[i].name;
        chip.append(document.createElement("b"), ` ${word} `, outlineSample(fates[i].dash, colour));
        return possible[i] ? chip : null;
      });
      this.counts.replaceChildren(...this.chips.filter(Boolean));
    }
    counts.forEach((n, i) => {
      if (this.chips[i]) this.chips[i].querySelector("b").textContent = n.toLocaleString("en");
    });
  }
}
