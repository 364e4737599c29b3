// One picture on a page: holds its scene, hears pointer and keys, tells Python what was picked.

import { Asks } from "./asks.js";
import { Controls } from "./controls.js";
import { hold, smallestBoxAt } from "./images.js";
import { join, peersOf, sharersOf } from "./linked.js";
import { candidatesOf } from "./live.js";
import { Painter } from "./painter.js";
import { Brush } from "./stroke.js";
import { Zoom } from "./zoom.js";

const PATIENCE_MS = 4000; // how long an answer to earlier thresholds may still come after a release

class View {
  constructor(root, tell) {
    const find = (name) => root.querySelector(name);
    Object.assign(this, {
      tell, stage: find(".stage"), canvas: find("canvas"), tip: find(".tip"), say: find(".say"),
      scene: null, frame: null, candidates: null, images: {}, hover: -1, ghost: -1, chosen: -1,
      painted: 0, frames: 0, showGhosts: false, asking: false, rubber: null, override: null,
      size: { width: 0, height: 0 },
    });
    this.pen = this.canvas.getContext("2d");
    this.painter = new Painter(this);
    this.zoom = new Zoom(this.canvas, () => this.soon(), () => {
      for (const other of peersOf(this)) other.zoom.follow(this.zoom);
    });
    this.controls = new Controls(root, this.hears());
    this.asks = new Asks((at) => this.tell("ask", { at }));
    this.brush = new Brush(() => this.soon(), (at) => this.tell("ask", { at }));
    this.watch = new ResizeObserver(() => this.zoom.apply());
    this.listen();
    this.canvas.view = this; // the tests read what is drawn here
  }

  hears() {
    return {
      moved: (values) => this.move(values),
      released: (values) => this.release(values),
      ghosts: (on) => {
        this.showGhosts = on;
        this.setHover(-1, -1);
        this.soon();
      },
      ask: (on) => {
        this.asking = on;
        this.zoom.touch(on);
        this.canvas.style.cursor = on ? "help" : "";
        this.say.textContent = on ? `${this.controls.ask.title}.` : "";
      },
      zoom: (what) => (what === "reset" ? this.zoom.reset() : this.zoom.by(what === "in" ? 1.5 : 1 / 1.5)),
    };
  }

  listen() {
    const on = (name, does) => this.canvas.addEventListener(name, does);
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.point(event));
    on("pointerup", () => this.lift());
    on("pointercancel", () => { this.rubber = this.brush.stroke = null; });
    on("pointerleave", () => {
      this.brush.leave();
      this.setHover(-1, -1); });
    on("click", (event) => this.click(event));
    on("keydown", (event) => this.key(event));
    on("keyup", (event) => { if (event.key === " ") this.zoom.space = false; });
    on("blur", () => { this.zoom.space = false; });
  }

  // Python's latest word. Images come only when Python believes that they are not held here.
  async update(scene) {
    this.watch.observe(this.stage);
    const photo = hold(scene.photo.id, scene.photo.url);
    const overlay = scene.overlay ? hold(scene.overlay.id, scene.overlay.url) : null;
    const candidates = scene.live ? candidatesOf(scene.live) : null;
    if (!photo) return this.tell("missing", scene.photo.id);
    if (scene.overlay && !overlay) return this.tell("missing", scene.overlay.id);
    if (scene.live && !candidates) return this.tell("missing", scene.live.id);
    const turn = (this.turn = (this.turn ?? 0) + 1);
    await Promise.all([photo.ready, overlay?.ready]);
    if (turn !== this.turn) return; // a newer scene came while these were decoded
    const moved = this.scene?.photo.id !== scene.photo.id;
    Object.assign(this, { scene, candidates, hover: -1, ghost: -1 });
    if (moved || !scene.brush) this.brush.forget();
    else this.brush.taken(scene.brush.done);
    this.images = { photo: photo.image, overlay: overlay?.image };
    candidates?.learn(scene);
    candidates?.warm(scene.live.thresholds.agnostic);
    this.settle();
    this.stage.style.setProperty("--ratio", scene.photo.width / scene.photo.height);
    this.stage.style.setProperty("--tallest", scene.tallest);
    this.canvas.setAttribute("aria-label", scene.description);
    this.zoom.enabled = scene.zoom;
    this.controls.update(scene);
    if (moved) this.zoom.fit();
    join(this, scene.group);
    this.showTip();
    this.paint();
    this.stage.dataset.painted = ++this.painted;
    this.stage.dataset.count = scene.boxes.length;
    this.stage.dataset.photo = scene.photo.id;
    this.asks.heard();
  }

  // What Python says stands, once it answers to what was released last.
  settle() {
    const { override, scene } = this;
    if (override && scene.live && (this.controls.moving || performance.now() < this.until)) {
      const { score, iou } = scene.live.thresholds;
      if (this.controls.moving || score !== override.score || iou !== override.iou) {
        return this.preview();
      }
    }
    this.override = null;
    this.frame = scene;
    this.chosen = scene.ids.indexOf(scene.selected);
  }

  thresholds() {
    return { ...this.scene.live.thresholds, ...this.override };
  }

  preview() {
    this.frame = this.candidates.frame(this.thresholds(), this.scene);
    this.chosen = this.frame.ids.indexOf(this.scene.selected);
  }

  // A hand moves a slider: select here and paint with the next frame; nothing is sent.
  move(values) {
    this.expect(values);
    for (const other of sharersOf(this)) {
      other.controls.show(values);
      other.expect(values);
    }
  }

  expect(values) {
    this.override = values;
    this.until = Infinity;
    this.setHover(-1, -1);
    this.soon(true);
  }

  release(values) {
    const { score, iou } = this.scene.live.thresholds;
    const changed = values.score !== score || values.iou !== iou;
    for (const view of [this, ...sharersOf(this)]) {
      view.until = changed ? performance.now() + PATIENCE_MS : 0;
      if (changed) continue;
      view.settle(); // back where it was: nothing to tell
      view.soon();
    }
    if (changed) this.tell("thresholds", values);
  }

  // Paint with the next frame of the browser, once, however often it is asked for.
  soon(select = false) {
    this.stale ||= select;
    if (this.awaited || !this.scene) return;
    this.awaited = requestAnimationFrame(() => {
      this.awaited = 0;
      const start = performance.now();
      if (this.stale && this.override) this.preview();
      this.stale = false;
      this.paint();
      this.took = performance.now() - start;
      this.frames += 1;
    });
  }

  paint() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!this.scene || !width || !height) return;
    this.size = { width, height };
    this.painter.paint();
    if (this.scene.live) {
      const counts = this.override
        ? this.candidates.select(this.thresholds()).counts : this.scene.live.counts;
      this.controls.count(counts, this.candidates.fates, this.thresholds());
    }
    this.stage.dataset.selected = this.chosen >= 0 ? this.frame.ids[this.chosen] : "";
  }

  scale() {
    return (this.size.width / this.scene.photo.width) * this.zoom.factor;
  }

  // Pointer position in photo pixels, and how many of them one pixel of the page is.
  place(event) {
    const [x, y] = this.zoom.at(event);
    const scale = this.scale();
    return [(x - this.zoom.left) / scale, (y - this.zoom.top) / scale, 1 / scale];
  }

  point(event) {
    if (!this.scene) return;
    const [x, y, scale] = this.place(event);
    if (this.painting) return this.brush.move(x, y, this.zoom.pointers.size > 1);
    if (this.rubber) {
      [this.rubber[2], this.rubber[3]] = [x, y];
      return this.soon();
    }
    if (this.zoom.pointers.size && this.zoom.moved) return this.setHover(-1, -1);
    const hover = smallestBoxAt(this.frame.boxes, x, y, 3 * scale);
    this.setHover(hover, hover < 0 && this.showGhosts ? this.candidates?.at(x, y, 2 * scale) ?? -1 : -1);
  }

  setHover(index, ghost) {
    if (index === this.hover && ghost === this.ghost) return;
    [this.hover, this.ghost] = [index, ghost];
    this.showTip();
    this.soon();
  }

  showTip() {
    const box = this.hover >= 0 ? this.frame.boxes[this.hover]
      : this.ghost >= 0 ? this.candidates.box(this.ghost) : null;
    this.tip.style.display = box ? "block" : "none";
    if (!box) return;
    const scale = this.scale();
    this.tip.textContent = this.hover >= 0 ? this.words(this.hover)
      : this.candidates.words(this.ghost, this.candidates.select(this.thresholds()));
    const [x, y] = [box[0] * scale + this.zoom.left, box[3] * scale + this.zoom.top + 4];
    const left = Math.min(Math.max(x, 0), this.size.width - this.tip.offsetWidth);
    const top = Math.min(Math.max(y, 0), this.size.height - this.tip.offsetHeight);
    this.tip.style.left = `${Math.max(left, 0)}px`;
    this.tip.style.top = `${Math.max(top, 0)}px`;
  }

  words(i) {
    const score = this.frame.scores[i];
    const lost = this.victims(i).length;
    return this.frame.labels[i] + (score === null ? "" : ` ${score.toFixed(3)}`)
      + (lost ? `, ${lost} ${lost === 1 ? "box" : "boxes"} lost to it` : "");
  }

  // Candidates that lost to a shown box, by index.
  victims(i) {
    if (!this.candidates) return [];
    const index = this.candidates.index(this.frame.ids[i]);
    const result = this.candidates.select(this.thresholds());
    return index < 0 ? [] : this.candidates.victims(index, result);
  }

  press(event) {
    if (!this.scene || !this.asking || event.button !== 0 || this.zoom.pans(event)) return;
    const [x, y] = this.place(event);
    if (this.painting) this.brush.press(x, y, this.scene.brush);
    else this.rubber = [x, y, x, y];
    this.canvas.setPointerCapture(event.pointerId);
  }

  get painting() {
    return this.asking && this.scene?.asks === "paint";
  }

  // The end of a box that was dragged in the asking mode; a click is heard on its own.
  lift() {
    if (this.painting) return this.brush.lift();
    const [rubber, dragged] = [this.rubber, this.zoom.moved];
    this.rubber = null;
    if (!rubber || !dragged) return;
    const { width, height } = this.scene.photo;
    const inside = (v, limit) => Math.round(Math.min(Math.max(v, 0), limit) * 10) / 10;
    const xs = [rubber[0], rubber[2]].map((v) => inside(v, width));
    const ys = [rubber[1], rubber[3]].map((v) => inside(v, height));
    this.soon();
    if (this.scene.asks === "move") return this.asks.say([xs[0], ys[0], xs[1], ys[1]]);
    for (const ends of [xs, ys]) ends.sort((a, b) => a - b);
    if (xs[0] < xs[1] && ys[0] < ys[1]) this.asks.say([xs[0], ys[0], xs[1], ys[1]]);
  }

  click(event) {
    if (!this.scene || this.zoom.moved || this.painting) return;
    const [x, y, scale] = this.place(event);
    const { width, height } = this.scene.photo;
    const inside = (v, limit) => Math.min(Math.max(Math.floor(v), 0), limit - 1);
    if (this.asking) this.asks.say([inside(x, width), inside(y, height)]);
    else if (this.scene.picks === "pixels") {
      this.tell("pick", { x: inside(x, width), y: inside(y, height) });
    } else {
      this.choose(smallestBoxAt(this.frame.boxes, x, y, 3 * scale));
    }
  }

  choose(index) {
    this.chosen = index;
    this.say.textContent = index < 0 ? "nothing selected" : this.words(index);
    this.paint();
    this.tell("pick", { id: index < 0 ? -1 : this.frame.ids[index] });
  }

  key(event) {
    if (event.shiftKey && event.key.startsWith("Arrow")) return; // walks the photos
    const count = this.frame?.boxes.length ?? 0;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const zoom = { "+": 1.5, "=": 1.5, "-": 1 / 1.5 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key !== "Escape" && event.key !== "0" && event.key !== " " && !step && !zoom) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own arrow keys walk the photos
    if (zoom) this.zoom.by(zoom);
    else if (event.key === "0") this.zoom.reset();
    else if (event.key === " ") this.zoom.space = true;
    else if (event.key === "Escape") this.controls.stop() || this.choose(-1);
    else if (count) this.choose((this.chosen + step + count + (this.chosen < 0 && step < 0)) % count);
  }
}

const VIEWS = new WeakMap();

// Show the data of a component; called at every update.
export default function ({ data, parentElement, setTriggerValue }) {
  let view = VIEWS.get(parentElement);
  if (!view) {
    view = new View(parentElement, setTriggerValue);
    VIEWS.set(parentElement, view);
  }
  view.tell = setTriggerValue;
  view.update(data);
  return () => {
    view.watch.disconnect();
    view.controls.later.drop();
    view.asks.drop();
  };
}
