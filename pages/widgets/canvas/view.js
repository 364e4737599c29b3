// One picture on a page: holds its scene, hears pointer and keys, tells Python what was picked.

const HELD = (globalThis.convscopeImages ??= new Map()); // decoded images by id, oldest first
const MAX_HELD = 12;

function hold(id, url) {
  if (url && !HELD.has(id)) {
    const image = new Image();
    image.src = url;
    HELD.set(id, { image, ready: image.decode().then(() => true, () => false) });
    while (HELD.size > MAX_HELD) HELD.delete(HELD.keys().next().value);
  }
  const held = HELD.get(id);
  if (held) {
    HELD.delete(id); // the last used is the last to go
    HELD.set(id, held);
  }
  return held;
}

// The smallest box under a point, -1 for none: what a person means who clicks on nested boxes.
function smallestBoxAt(boxes, x, y, slack) {
  let best = -1;
  let least = Infinity;
  boxes.forEach(([x1, y1, x2, y2], i) => {
    const inside = x >= x1 - slack && x <= x2 + slack && y >= y1 - slack && y <= y2 + slack;
    const area = Math.max(x2 - x1, 0) * Math.max(y2 - y1, 0);
    if (inside && area < least) [best, least] = [i, area];
  });
  return best;
}

class View {
  constructor(root, tell) {
    this.stage = root.querySelector(".stage");
    this.canvas = root.querySelector("canvas");
    this.tip = root.querySelector(".tip");
    this.say = root.querySelector(".say");
    this.pen = this.canvas.getContext("2d");
    this.tell = tell;
    this.scene = null;
    this.images = {};
    this.hover = -1;
    this.chosen = -1;
    this.painted = 0;
    this.size = { width: 0, height: 0 };
    this.watch = new ResizeObserver(() => this.paint());
    this.listen();
    this.canvas.view = this; // the tests read what is drawn here
  }

  listen() {
    const on = (name, does) => this.canvas.addEventListener(name, does);
    on("pointermove", (event) => this.point(event));
    on("pointerleave", () => this.setHover(-1));
    on("click", (event) => this.click(event));
    on("keydown", (event) => this.key(event));
  }

  // Python's latest word. Images come only when Python believes that they are not held here.
  async update(scene) {
    this.watch.observe(this.stage);
    const photo = hold(scene.photo.id, scene.photo.url);
    const overlay = scene.overlay ? hold(scene.overlay.id, scene.overlay.url) : null;
    if (!photo) return this.tell("missing", scene.photo.id);
    if (scene.overlay && !overlay) return this.tell("missing", scene.overlay.id);
    const turn = (this.turn = (this.turn ?? 0) + 1);
    await Promise.all([photo.ready, overlay?.ready]);
    if (turn !== this.turn) return; // a newer scene came while these were decoded
    this.scene = scene;
    this.images = { photo: photo.image, overlay: overlay?.image };
    this.chosen = scene.ids.indexOf(scene.selected);
    this.hover = -1;
    this.stage.style.setProperty("--ratio", scene.photo.width / scene.photo.height);
    this.stage.style.setProperty("--tallest", scene.tallest);
    this.canvas.setAttribute("aria-label", scene.description);
    this.showTip();
    this.paint();
    this.stage.dataset.painted = ++this.painted;
    this.stage.dataset.count = scene.boxes.length;
    this.stage.dataset.photo = scene.photo.id;
  }

  paint() {
    if (!this.scene) return;
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!width || !height) return;
    const density = globalThis.devicePixelRatio || 1;
    const [w, h] = [Math.round(width * density), Math.round(height * density)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
    this.size = { width, height };
    this.pen.setTransform(density, 0, 0, density, 0, 0);
    const emphasis = this.hover >= 0 ? this.hover : this.chosen;
    paintScene(this.pen, this.scene, this.images, this.size, emphasis);
    this.stage.dataset.selected = this.chosen >= 0 ? this.scene.ids[this.chosen] : "";
  }

  // Pointer position in photo pixels: display pixels are scaled by natural over shown width.
  place(event) {
    const rect = this.canvas.getBoundingClientRect();
    const scale = this.scene.photo.width / rect.width;
    return [(event.clientX - rect.left) * scale, (event.clientY - rect.top) * scale, scale];
  }

  point(event) {
    if (!this.scene) return;
    const [x, y, scale] = this.place(event);
    this.setHover(smallestBoxAt(this.scene.boxes, x, y, 3 * scale));
  }

  setHover(index) {
    if (index === this.hover) return;
    this.hover = index;
    this.showTip();
    this.paint();
  }

  showTip() {
    const i = this.hover;
    this.tip.style.display = i < 0 ? "none" : "block";
    if (i < 0) return;
    const [x1, , , y2] = this.scene.boxes[i];
    const scale = this.size.width / this.scene.photo.width;
    this.tip.textContent = this.words(i);
    const left = Math.min(Math.max(x1 * scale, 0), this.size.width - this.tip.offsetWidth);
    const top = Math.min(y2 * scale + 4, this.size.height - this.tip.offsetHeight);
    this.tip.style.left = `${Math.max(left, 0)}px`;
    this.tip.style.top = `${Math.max(top, 0)}px`;
  }

  words(i) {
    const score = this.scene.scores[i];
    return this.scene.labels[i] + (score === null ? "" : ` ${score.toFixed(3)}`);
  }

  click(event) {
    if (!this.scene) return;
    const [x, y, scale] = this.place(event);
    const { width, height } = this.scene.photo;
    if (this.scene.picks === "pixels") {
      const inside = (v, limit) => Math.min(Math.max(Math.floor(v), 0), limit - 1);
      this.tell("pick", { x: inside(x, width), y: inside(y, height) });
    } else {
      this.choose(smallestBoxAt(this.scene.boxes, x, y, 3 * scale));
    }
  }

  choose(index) {
    this.chosen = index;
    this.say.textContent = index < 0 ? "nothing selected" : this.words(index);
    this.paint();
    this.tell("pick", { id: index < 0 ? -1 : this.scene.ids[index] });
  }

  key(event) {
    const count = this.scene?.boxes.length ?? 0;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key !== "Escape" && step === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own arrow keys walk the photos
    if (event.key === "Escape") this.choose(-1);
    else if (count) this.choose((this.chosen + step + count + (this.chosen < 0 && step < 0)) % count);
  }
}

const VIEWS = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let view = VIEWS.get(parentElement);
  if (!view) {
    view = new View(parentElement, setTriggerValue);
    VIEWS.set(parentElement, view);
  }
  view.tell = setTriggerValue;
  view.update(data);
  return () => view.watch.disconnect();
}
