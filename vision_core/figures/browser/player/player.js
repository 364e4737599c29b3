// The player: one stage, its step, and what pointer and keys do with it.

import { Later } from "../canvas/later.js";
import { Drawing, themeOf } from "./draw.js";
import { savePng, saveSvg, startDrag } from "./hands.js";
import { Told } from "./told.js";
import { keyOf, number, valueAt, Walk } from "./walk.js";

const PACE = 1100; // milliseconds a step at speed 1
const QUIET = 400; // milliseconds after the last key before Python is told the step
const LINES = 56; // pixels of the lines of mathematics that `above` counts
const SHOWN = (globalThis.convscopePlayers ??= new Set()); // all players of the page

class Player {
  constructor(root, tell) {
    this.box = root.querySelector(".player");
    this.svg = root.querySelector("svg");
    this.find = (name) => root.querySelector(name);
    Object.assign(this, { tell, k: 0, timer: null, focus: null, stamp: null });
    this.told = new Told((step) => this.tell("step", step), root);
    this.later = new Later(root, () => this.tellStep(), () => this.told.forget(null, null));
    this.host = root instanceof ShadowRoot ? root.host : root;
    this.watch = new ResizeObserver(() => this.resize());
    this.keys = (event) => this.key(event);
    this.box.player = this; // the tests read what is shown here
    this.listen();
  }

  listen() {
    const act = { first: () => this.go(0), back: () => this.go(this.k - 1),
                  play: () => this.toggle(), on: () => this.go(this.k + 1),
                  last: () => this.go(this.end) };
    for (const [name, does] of Object.entries(act)) {
      this.find(`.${name}`).addEventListener("click", () => {
        if (name !== "play") this.pause();
        does();
        if (name !== "play") this.tellStep();
      });
    }
    const scrub = this.find(".scrub");
    scrub.addEventListener("input", () => { this.pause(false); this.go(Number(scrub.value)); });
    scrub.addEventListener("change", () => this.tellStep());
    this.find(".speed").addEventListener("change", () => this.timer && this.play());
    this.find(".svg").addEventListener("click", () => saveSvg(this));
    this.find(".png").addEventListener("click", () => savePng(this));
    this.svg.addEventListener("pointerover", (event) => this.hover(event));
    this.svg.addEventListener("pointerleave", () => this.unhover());
    this.svg.addEventListener("dblclick", (event) => this.edit(this.cellOf(event.target)));
    this.svg.addEventListener("pointerdown", (event) => startDrag(this, event));
  }

  connect() {
    this.watch.observe(this.box);
    document.addEventListener("keydown", this.keys);
    SHOWN.add(this);
  }

  disconnect() {
    this.watch.disconnect();
    document.removeEventListener("keydown", this.keys);
    SHOWN.delete(this);
    this.later.drop();
    this.told.later.drop();
    this.pause(false);
  }

  get end() { return this.data.stage.timeline.length - 1; }

  // Python's latest word. The step is taken only where Python has a new one of its own.
  update(data) {
    const fresh = data.stamp !== this.stamp;
    const asked = this.told.wishes(data.step) || data.scene !== this.scene;
    Object.assign(this, { data, scene: data.scene });
    if (fresh) {
      this.stamp = data.stamp;
      this.walks = data.stage.views.map((view) => new Walk(view.walk));
      this.theme = null;
      this.focus = null;
    }
    if (asked || this.k > this.end) {
      this.pause(false);
      this.k = Math.min(data.step, this.end);
      this.told.forget(this.k, data.step);
    }
    this.box.classList.toggle("still", this.end === 0);
    this.find(".scrub").max = this.end;
    this.find(".hint").textContent = data.hint;
    if (fresh) this.rebuild();
    else this.resize();
  }

  rebuild() {
    this.theme = themeOf(this.box);
    this.box.classList.toggle("dark", this.theme.dark);
    this.drawing = new Drawing(this.svg, this.data.stage, this.walks, this.theme);
    this.size = "";
    this.resize();
  }

  resize() {
    if (!this.data || !this.box.clientWidth) return;
    const ground = themeOf(this.box);
    if (ground.text !== this.theme.text || ground.dark !== this.theme.dark) return this.rebuild();
    const narrow = innerWidth < 700;
    const size = `${this.box.clientWidth} ${innerHeight} ${this.data.above}`;
    if (size !== this.size) {
      this.size = size;
      this.reserve();
      const more = Math.max(this.find(".maths").offsetHeight - LINES, 0);
      const tall = Math.max(narrow ? 560 : 150, innerHeight - this.data.above - more);
      this.drawing.build(this.box.clientWidth - 8, tall, narrow);
      this.editables();
    }
    this.paint();
  }

  paint() {
    this.drawing.update(this.k, this.focus, this.end === 0);
    this.find(".scrub").value = this.k;
    this.find(".count").textContent = `step ${this.k} / ${this.end}`;
    this.find(".play").textContent = this.timer ? "❚❚" : "▶";
    this.find(".play").setAttribute("aria-label", this.timer ? "pause" : "play");
    this.find(".maths").innerHTML = this.focus ? this.focus.html : this.end ? this.lines() : "";
    this.box.dataset.step = this.k;
    this.box.dataset.stamp = this.stamp;
  }

  // The height of the longest lines of all steps and cells, so that nothing below them moves.
  reserve() {
    const maths = this.find(".maths");
    maths.style.height = "";
    if (!this.end) return;
    const steps = this.data.stage.timeline.map((_, k) => this.lines(k));
    const cells = this.walks.flatMap((walk) => [...walk.made].map(([key, terms]) => [key, terms.length])
      .sort((a, b) => b[1] - a[1]).slice(0, 6)
      .map(([key]) => walk.equation(key.split(",").map(Number), 16)));
    const long = (all) => all.sort((a, b) => b.length - a.length).slice(0, 30);
    let most = 0;
    for (const html of [...long(steps), ...long(cells)]) {
      maths.innerHTML = html;
      most = Math.max(most, maths.getBoundingClientRect().height);
    }
    maths.style.height = `${Math.ceil(most)}px`;
  }

  lines(k = this.k) {
    const moment = this.data.stage.timeline[k];
    return this.walks.map((walk, view) => `<div>${walk.line(moment[view])}</div>`)
      .filter((line, i, all) => all.indexOf(line) === i).join("");
  }

  go(k) {
    this.k = Math.min(Math.max(k, 0), this.end);
    this.focus = null;
    this.paint();
  }

  toggle() {
    if (this.timer) this.pause();
    else this.play();
  }

  play() {
    clearInterval(this.timer);
    if (this.k >= this.end) this.go(0);
    const wait = PACE / Number(this.find(".speed").value);
    this.timer = setInterval(() => {
      if (this.focus || this.dragging) return; // a pointer on a cell holds the film
      if (this.k < this.end) this.go(this.k + 1);
      if (this.k >= this.end) this.pause();
    }, wait);
    this.paint();
  }

  pause(telling = true) {
    if (!this.timer) return;
    clearInterval(this.timer);
    this.timer = null;
    if (this.drawing) this.paint();
    if (telling) this.tellStep();
  }

  tellStep() {
    this.later.drop();
    this.told.say(this.k);
  }

  // Space and arrows: from within the player, or from nowhere in particular for the first one.
  key(event) {
    const [target] = event.composedPath();
    const mine = event.composedPath().includes(this.host);
    const nowhere = target === document.body && firstPlayer() === this;
    if (!mine && !nowhere) return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (["SELECT", "TEXTAREA"].includes(target.tagName) || target.classList?.contains("entry")) return;
    if (target.dataset?.panel !== undefined && this.walkCells(event, target)) return;
    const scrub = target.classList?.contains("scrub") && event.key.startsWith("Arrow");
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === " ") this.toggle();
    else if (event.key === "Home" && !scrub) this.go(0);
    else if (event.key === "End" && !scrub) this.go(this.end);
    else if (step) { this.pause(false); this.go(this.k + step); } else return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === " ") return;
    this.later.in(QUIET);
  }

  cellOf(target) {
    const spot = target.closest?.("[data-cell]");
    if (!spot) return null;
    const cell = spot.dataset.cell.split(",").map(Number);
    return { operand: spot.dataset.operand, view: Number(spot.dataset.view), cell, spot };
  }

  hover(event) {
    const found = this.dragging ? null : this.cellOf(event.target);
    if (!found) return this.unhover();
    const walk = this.walks[found.view];
    const { operand, cell, view } = found;
    const key = keyOf(cell);
    if (operand === "output") {
      const reads = Walk.reads(walk.made.get(key) ?? []);
      this.focus = { view, reads, writes: new Set([key]), html: walk.equation(cell, 16) };
    } else {
      const fed = walk.feeds.get(`${operand}:${key}`) ?? new Map();
      const value = number(valueAt(walk.data.operands[operand].values, cell));
      const many = `${fed.size} output cell${fed.size === 1 ? "" : "s"}`;
      const where = [...fed.keys()].slice(0, 12).map((c) => `[${c}]`).join(" ");
      const role = walk.data.operands[operand].role;
      this.focus = {
        view, reads: { [operand]: new Set([key]) }, writes: new Set(fed.keys()),
        html: `${operand}[${key}] = <b class="${role}">${value}</b> feeds `
          + `<b class="output">${many}</b> ${where}`,
      };
    }
    this.paint();
  }

  unhover() {
    if (!this.focus) return;
    this.focus = null;
    this.paint();
  }

  // Grids whose numbers can be changed take the focus; arrows walk their cells, Enter edits.
  editables() {
    for (const { group, panel, view } of this.drawing.panels) {
      if (!this.data.editable.includes(panel.operand) || !panel.operand) continue;
      group.setAttribute("tabindex", "0");
      group.setAttribute("role", "application");
      group.setAttribute("aria-label", `${panel.title}, view ${view}: arrows choose, Enter changes`);
      group.style.cursor = "cell";
    }
  }

  walkCells(event, group) {
    const cells = [...group.querySelectorAll("[data-cell]")];
    const columns = this.drawing.panels.find((p) => p.group === group).panel.columns;
    const now = cells.findIndex((c) => c.dataset.cell === this.cursor);
    const move = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (event.key === "Enter") this.edit(this.cellOf(cells[Math.max(now, 0)]));
    else if (move && cells[now < 0 ? 0 : now + move]) {
      const next = cells[now < 0 ? 0 : now + move];
      this.cursor = next.dataset.cell;
      this.hover({ target: next });
    } else if (!move) return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  edit(found) {
    if (!found || !this.data.editable.includes(found.operand)) return;
    this.pause(false);
    const spot = found.spot.querySelector("rect").getBoundingClientRect();
    const frame = this.box.getBoundingClientRect();
    const entry = this.find(".entry");
    const value = valueAt(this.walks[found.view].data.operands[found.operand].values, found.cell);
    Object.assign(entry.style, {
      display: "block", left: `${spot.left - frame.left - 2}px`, top: `${spot.top - frame.top - 2}px`,
      width: `${Math.max(spot.width, 56)}px`, height: `${Math.max(spot.height, 30)}px`,
    });
    entry.value = value;
    const done = (keep) => {
      entry.onkeydown = entry.onblur = null;
      entry.style.display = "none";
      const next = Number(entry.value.replace(",", "."));
      if (!keep || entry.value.trim() === "" || !Number.isFinite(next) || next === value) return;
      this.tell("edit", { operand: found.operand, cell: found.cell, value: next, step: this.k });
    };
    entry.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key === "Enter") done(true);
      if (event.key === "Escape") done(false);
    };
    entry.onblur = () => done(true);
    entry.focus();
    entry.select();
  }
}

// The uppermost player that has steps: it hears the keys that are meant for nothing else.
function firstPlayer() {
  const top = (player) => player.box.getBoundingClientRect().top;
  return [...SHOWN].filter((player) => player.data && player.end > 0)
    .sort((a, b) => top(a) - top(b))[0];
}

const PLAYERS = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let player = PLAYERS.get(parentElement);
  if (!player) {
    player = new Player(parentElement, setTriggerValue);
    PLAYERS.set(parentElement, player);
  }
  player.tell = setTriggerValue;
  player.connect();
  player.update(data);
  return () => player.disconnect();
}
