// Zoom and pan of one canvas: wheel, pinch, drag, and what the buttons and keys ask for.

const MOST = 12; // times the size that fits
const STILL = 6; // CSS pixels that a hand may tremble in a click

export class Zoom {
  // changed: called when another part of the plane is shown; told: after a gesture has asked for it.
  constructor(canvas, changed, told) {
    Object.assign(this, { canvas, changed, told, factor: 1, left: 0, top: 0, enabled: false });
    this.pointers = new Map();
    this.space = false;
    this.moved = false; // the last gesture was more than a click
    const on = (name, does) => canvas.addEventListener(name, does, { passive: false });
    on("wheel", (event) => this.wheel(event));
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) on(name, (event) => this.up(event));
    // The browser would take two fingers for scrolling.
    on("touchstart", (event) => event.touches.length > 1 && this.enabled && event.preventDefault());
    on("auxclick", (event) => event.preventDefault());
  }

  reset() {
    this.fit();
    this.told();
  }

  fit() {
    Object.assign(this, { factor: 1, left: 0, top: 0 });
    this.apply();
  }

  // Show the same part as another picture of the same shape, which may have another size.
  follow(other) {
    this.factor = other.factor;
    this.left = other.left * this.canvas.clientWidth / other.canvas.clientWidth;
    this.top = other.top * this.canvas.clientHeight / other.canvas.clientHeight;
    this.apply();
  }

  // Make everything larger by a factor while the point (x, y) of the canvas stays in place.
  by(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    if (!this.enabled) return;
    const next = Math.min(Math.max(this.factor * factor, 1), MOST);
    const grown = next / this.factor;
    this.left = x - (x - this.left) * grown;
    this.top = y - (y - this.top) * grown;
    this.factor = next;
    this.apply();
    this.told();
  }

  pan(dx, dy) {
    this.left += dx;
    this.top += dy;
    this.apply();
    this.told();
  }

  apply() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.left = Math.min(0, Math.max(this.left, width - width * this.factor));
    this.top = Math.min(0, Math.max(this.top, height - height * this.factor));
    this.touch();
    this.changed();
  }

  // One finger scrolls the page until there is something to pan or to draw.
  touch(drawing = this.drawing) {
    this.drawing = drawing;
    this.canvas.style.touchAction = this.factor > 1 || drawing ? "none" : "pan-x pan-y";
  }

  // Downwards over the whole picture the page scrolls; with Control, with the picture in focus or
  // zoomed already, the wheel zooms.
  wheel(event) {
    if (!this.enabled) return;
    const root = this.canvas.getRootNode();
    const wanted = event.ctrlKey || event.metaKey || this.factor > 1
      || (root.activeElement === this.canvas && event.deltaY < 0);
    if (!wanted || (this.factor === 1 && event.deltaY > 0 && !event.ctrlKey)) return;
    event.preventDefault();
    const step = event.ctrlKey ? 100 : 400; // a pinch on a touch pad comes as small Control wheels
    this.by(2 ** (-Math.max(-200, Math.min(200, event.deltaY)) / step), ...this.at(event));
  }

  at(event) {
    const rect = this.canvas.getBoundingClientRect();
    return [event.clientX - rect.left, event.clientY - rect.top];
  }

  pans(event) {
    return event.button === 1 || this.space || (this.factor > 1 && event.button === 0 && !this.drawing);
  }

  down(event) {
    this.pointers.set(event.pointerId, this.at(event));
    if (this.pointers.size === 1) Object.assign(this, { moved: false, start: this.at(event) });
    this.panning = this.enabled && this.pans(event);
    if (event.button === 1) event.preventDefault();
    if (this.panning || this.pointers.size > 1) this.canvas.setPointerCapture(event.pointerId);
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.at(event);
    if (Math.hypot(now[0] - this.start[0], now[1] - this.start[1]) > STILL) this.moved = true;
    if (this.enabled && this.pointers.size === 2) {
      const [[, other]] = [...this.pointers].filter(([id]) => id !== event.pointerId);
      const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]);
      const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
      this.moved = true;
      this.by(apart(now) / Math.max(apart(before), 1), ...middle);
      this.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    } else if (this.panning && this.moved) {
      this.pan(now[0] - before[0], now[1] - before[1]);
    }
    this.pointers.set(event.pointerId, now);
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    if (!this.pointers.size) this.panning = false;
  }
}
