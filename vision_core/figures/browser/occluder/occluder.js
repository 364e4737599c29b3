// A patch over a photo: dragged, or moved by the arrow keys; bars show the scores at its place.

class Occluder {
  constructor(root) {
    this.canvas = root.querySelector("canvas");
    this.bars = root.querySelector(".bars");
    this.words = root.querySelector(".words");
    this.at = -1; // index of the place, -1 for no patch
    this.held = false;
    this.watch = new ResizeObserver(() => this.draw());
    const on = (name, does) => this.canvas.addEventListener(name, does);
    on("pointerdown", (event) => {
      this.held = true;
      this.canvas.setPointerCapture(event.pointerId);
      this.moveTo(event);
    });
    on("pointermove", (event) => { if (this.held) this.moveTo(event); });
    on("pointerup", () => { this.held = false; });
    on("keydown", (event) => this.key(event));
    this.canvas.occluder = this; // the tests read what is shown here
  }

  async update(data) {
    const same = this.data && this.data.photo.id === data.photo.id
      && JSON.stringify(this.data.places) === JSON.stringify(data.places);
    this.data = data;
    if (!same) this.at = -1;
    this.image = new Image();
    this.image.src = data.photo.url;
    this.build();
    this.watch.observe(this.canvas.parentElement);
    await this.image.decode().catch(() => {});
    this.draw();
    this.canvas.dataset.ready = "1";
  }

  build() {
    const top = Math.max(...this.data.own, ...this.data.there.flat());
    const low = Math.min(0, ...this.data.own, ...this.data.there.flat());
    this.share = (v) => `${(100 * (v - low)) / Math.max(top - low, 1e-9)}%`;
    this.bars.replaceChildren(...this.data.names.map((name, i) => {
      const bar = document.createElement("div");
      bar.className = "bar";
      for (const part of ["name", "track", "value"]) {
        const box = document.createElement("div");
        box.className = part;
        bar.append(box);
      }
      const fill = document.createElement("div");
      fill.className = "fill";
      fill.style.background = this.data.colours[i];
      const own = document.createElement("div");
      own.className = "own";
      own.title = "without the patch";
      own.style.left = this.share(this.data.own[i]);
      bar.querySelector(".track").append(fill, own);
      bar.querySelector(".name").textContent = name;
      bar.querySelector(".name").title = name;
      return bar;
    }));
  }

  // The place of the sweep whose patch has its middle nearest to the pointer.
  moveTo(event) {
    const rect = this.canvas.getBoundingClientRect();
    const scale = this.data.photo.width / rect.width;
    const x = (event.clientX - rect.left) * scale - this.data.patch[0] / 2;
    const y = (event.clientY - rect.top) * scale - this.data.patch[1] / 2;
    this.choose(this.nearest(x, y));
  }

  nearest(x, y) {
    let best = 0;
    let least = Infinity;
    this.data.places.forEach(([px, py], i) => {
      const far = (px - x) ** 2 + (py - y) ** 2;
      if (far < least) [best, least] = [i, far];
    });
    return best;
  }

  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === "Escape") this.choose(-1);
    else if (event.key in step) {
      if (this.at < 0) this.choose(0);
      else this.choose(this.beside(...step[event.key]));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // The next place in a direction along a row or column of the sweep.
  beside(dx, dy) {
    const [x, y] = this.data.places[this.at];
    let best = this.at;
    let least = Infinity;
    this.data.places.forEach(([px, py], i) => {
      const along = dx ? (px - x) * dx : (py - y) * dy;
      const aside = dx ? Math.abs(py - y) : Math.abs(px - x);
      if (along > 1e-6 && aside < 1e-6 && along < least) [best, least] = [i, along];
    });
    return best;
  }

  choose(index) {
    this.at = index;
    this.draw();
  }

  draw() {
    if (!this.data) return;
    const { width, height } = this.data.photo;
    const shown = this.canvas.parentElement.clientWidth;
    const density = globalThis.devicePixelRatio || 1;
    this.canvas.width = Math.round(shown * density);
    this.canvas.height = Math.round(((shown * height) / width) * density);
    const pen = this.canvas.getContext("2d");
    const scale = this.canvas.width / width;
    pen.drawImage(this.image, 0, 0, this.canvas.width, this.canvas.height);
    if (this.at >= 0) {
      const [x, y] = this.data.places[this.at];
      const [w, h] = this.data.patch;
      pen.fillStyle = "rgb(124, 116, 104)"; // the mean colour, which stands for nothing
      pen.strokeStyle = "#fff";
      pen.lineWidth = 2 * density;
      pen.fillRect(x * scale, y * scale, w * scale, h * scale);
      pen.strokeRect(x * scale, y * scale, w * scale, h * scale);
    }
    const now = this.at < 0 ? this.data.own : this.data.there[this.at];
    [...this.bars.children].forEach((bar, i) => {
      bar.querySelector(".fill").style.width = this.share(now[i]);
      bar.querySelector(".value").textContent = now[i].toFixed(3);
    });
    const best = now.indexOf(Math.max(...now));
    this.words.textContent = this.at < 0
      ? "Drag a patch over the photo, or use the arrow keys; Escape takes it away."
      : `${this.data.names[0]}: ${this.data.unit} ${this.data.own[0].toFixed(3)} without the patch, ${
        now[0].toFixed(3)} with it${best ? `; ${this.data.names[best]} is now on top` : ""}.`;
  }
}

const OCCLUDERS = new WeakMap();

export default function ({ data, parentElement }) {
  let occluder = OCCLUDERS.get(parentElement);
  if (!occluder) {
    occluder = new Occluder(parentElement);
    OCCLUDERS.set(parentElement, occluder);
  }
  occluder.update(data);
  return () => occluder.watch.disconnect();
}
