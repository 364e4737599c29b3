// NMS step by step: one index, three variants of NMS on the same candidates.

import { paintBox, paintLabel } from "../canvas/paint.js";

const PAUSE_MS = 900;
const WAITING = 0;
const KEPT = 1;
const OUT = 2;
const GREY = "#9a9a9a";
const NAMED = 6; // effects of a step that stand out, with their IoU
const MOVES = 20; // lines by which a label moves to where no other one stands

// Where everything stands after `count` steps of one variant.
export function standing(variant, scores, count) {
  const fate = new Uint8Array(scores.length);
  const now = Float64Array.from(scores);
  let last = null;
  for (const [kept, score, effects] of variant.steps.slice(0, count)) {
    fate[kept] = KEPT;
    now[kept] = score;
    for (const [index, , , after, out] of effects) {
      now[index] = after;
      if (out) fate[index] = OUT;
    }
    last = { kept, score, effects };
  }
  const shown = count > 0 && count <= variant.steps.length;
  return { fate, now, hard: variant.name === "hard", last: shown ? last : null };
}

function sentence(data, variant, state, count) {
  const waiting = state.fate.reduce((n, f) => n + (f === WAITING), 0);
  if (count > variant.steps.length) return `Finished after ${variant.steps.length} steps.`;
  if (!state.last) return `${waiting} candidates are left; the one with the best score is next.`;
  const { kept, score, effects } = state.last;
  const shown = effects.slice(0, 3).map(([i, iou, before, after, out]) => {
    const to = state.hard ? "" : ` → ${after.toFixed(2)}${out ? " out" : ""}`;
    return `${data.labels[i]} ${before.toFixed(2)}${to} (IoU ${iou.toFixed(2)})`;
  });
  const more = effects.length > 3 ? ` and ${effects.length - 3} more` : "";
  const does = state.hard ? "drops" : "lowers";
  const rest = effects.length ? `${does} ${shown.join(", ")}${more}` : "touches none";
  return `Keeps ${data.labels[kept]} ${score.toFixed(2)}; ${rest}.`;
}

function paintState(pen, data, image, size, state) {
  const scale = size.width / data.photo.width;
  pen.clearRect(0, 0, size.width, size.height);
  if (image) pen.drawImage(image, 0, 0, size.width, size.height);
  pen.fillStyle = "rgba(0, 0, 0, 0.25)"; // boxes stand out from the photo
  pen.fillRect(0, 0, size.width, size.height);
  const hit = state.last?.effects ?? [];
  const hard = state.hard;
  for (let i = data.boxes.length - 1; i >= 0; i -= 1) {
    if (state.fate[i] === WAITING) {
      // faint, and fainter as soft NMS takes score away
      pen.globalAlpha = hard ? 0.4 : 0.4 * Math.max(0.3, state.now[i] / data.scores[i]);
      paintBox(pen, data.boxes[i], scale, data.colours[i], 1, []);
      pen.globalAlpha = 1;
    } else if (state.fate[i] === KEPT && i !== state.last?.kept) {
      paintBox(pen, data.boxes[i], scale, data.colours[i], 3, []);
    }
  }
  hit.forEach(([i, , , , out], order) => {
    pen.globalAlpha = order < NAMED ? 1 : 0.35;
    paintBox(pen, data.boxes[i], scale, out ? GREY : "#fff", order < NAMED ? 2 : 1, [3, 2]);
    pen.globalAlpha = 1;
  });
  const taken = [];
  const { last } = state;
  if (last) {
    const box = data.boxes[last.kept];
    paintBox(pen, box, scale, "#fff", 8, []);
    paintBox(pen, box, scale, data.colours[last.kept], 4, []);
    paintLabel(pen, `${data.labels[last.kept]} ${last.score.toFixed(2)}`, box[0] * scale,
      box[1] * scale, data.colours[last.kept], 14, size, taken, MOVES);
  }
  for (const [i, iou] of hit.slice(0, NAMED)) {
    const [x1, , , y2] = data.boxes[i];
    // from well above the lower corner, since labels that collide move down
    paintLabel(pen, iou.toFixed(2), x1 * scale, y2 * scale - 54, GREY, 12, size, taken, MOVES);
  }
  return taken;
}

class Replay {
  constructor(root) {
    this.root = root.querySelector(".replay");
    this.panels = root.querySelector(".panels");
    this.range = root.querySelector("input");
    this.output = root.querySelector("output");
    this.say = root.querySelector(".say");
    this.index = 0;
    this.timer = 0;
    this.watch = new ResizeObserver(() => this.draw());
    this.range.addEventListener("input", () => { this.pause(); this.go(Number(this.range.value)); });
    for (const button of root.querySelectorAll("button")) {
      button.addEventListener("click", () => this.press(button.dataset.go));
    }
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.replay = this; // the tests read what is shown here
  }

  async update(data) {
    const made = JSON.stringify([data.ids, data.boxes, data.scores, data.variants]);
    const image = new Image();
    image.src = data.photo.url;
    if (made !== this.made) { // other candidates or thresholds: from the start
      this.pause();
      this.index = 0;
    }
    this.made = made;
    this.data = data;
    this.last = Math.max(...data.variants.map((v) => v.steps.length));
    this.range.max = this.last;
    this.build();
    this.watch.observe(this.panels);
    this.go(this.index);
    await image.decode().catch(() => {});
    this.image = image;
    this.draw();
    this.root.dataset.ready = "1";
  }

  build() {
    this.panels.replaceChildren(...this.data.variants.map((variant) => {
      const panel = document.createElement("div");
      panel.className = "panel";
      panel.dataset.variant = variant.name;
      for (const [tag, name, text] of [["h4", "title", variant.title], ["div", "rule", variant.rule],
        ["canvas", "", ""], ["div", "count", ""], ["div", "words", ""]]) {
        const part = document.createElement(tag);
        part.className = name;
        part.textContent = text;
        panel.append(part);
      }
      return panel;
    }));
  }

  press(what) {
    if (what === "play") return this.timer ? this.pause() : this.play();
    this.pause();
    this.go({ first: 0, back: this.index - 1, next: this.index + 1 }[what]);
  }

  key(event) {
    const inRange = event.target === this.range;
    const to = { ArrowRight: this.index + 1, ArrowLeft: this.index - 1, Home: 0, End: this.last };
    if (event.key === " ") {
      if (event.target.tagName === "BUTTON") return; // the button's own key
      this.press("play");
    } else if (event.key in to && !inRange) {
      this.pause();
      this.go(to[event.key]);
    } else if (!inRange) return;
    if (!inRange || event.key === " ") event.preventDefault();
    event.stopPropagation(); // the page's own arrow keys walk the photos
  }

  play() {
    if (this.index >= this.last) this.go(0);
    this.timer = setInterval(() => {
      if (!this.root.isConnected || this.index >= this.last) return this.pause();
      this.go(this.index + 1);
    }, PAUSE_MS);
    this.button("play").textContent = "❚❚";
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    this.button("play").textContent = "▶";
  }

  button(name) {
    return this.root.querySelector(`[data-go=${name}]`);
  }

  go(index) {
    this.index = Math.max(0, Math.min(index, this.last));
    this.range.value = this.index;
    this.output.textContent = `step ${this.index} of ${this.last}`;
    this.button("back").disabled = this.button("first").disabled = this.index === 0;
    this.button("next").disabled = this.index === this.last;
    this.draw();
    if (!this.timer) this.say.textContent = this.words?.[0] ?? "";
  }

  draw() {
    if (!this.data) return;
    this.states = this.data.variants.map((v) => standing(v, this.data.scores, this.index));
    this.words = this.data.variants.map((v, i) => sentence(this.data, v, this.states[i], this.index));
    [...this.panels.children].forEach((panel, i) => this.drawPanel(panel, i));
  }

  drawPanel(panel, i) {
    const state = this.states[i];
    const canvas = panel.querySelector("canvas");
    const width = panel.clientWidth;
    const size = { width, height: (width * this.data.photo.height) / this.data.photo.width };
    const density = globalThis.devicePixelRatio || 1;
    canvas.style.height = `${size.height}px`;
    canvas.width = Math.round(size.width * density);
    canvas.height = Math.round(size.height * density);
    const pen = canvas.getContext("2d");
    pen.setTransform(density, 0, 0, density, 0, 0);
    panel.labels = paintState(pen, this.data, this.image, size, state); // for the tests
    const count = (fate) => state.fate.reduce((n, f) => n + (f === fate), 0);
    panel.querySelector(".count").textContent =
      `kept ${count(KEPT)}, out ${count(OUT)}, waiting ${count(WAITING)}`;
    panel.querySelector(".words").textContent = this.words[i];
  }
}

const REPLAYS = new WeakMap();

export default function ({ data, parentElement }) {
  let replay = REPLAYS.get(parentElement);
  if (!replay) {
    replay = new Replay(parentElement);
    REPLAYS.set(parentElement, replay);
  }
  replay.update(data);
  return () => { replay.pause(); replay.watch.disconnect(); };
}
