// One frame of a view, from the photo up: photo, masks, ghosts, boxes, what is hovered or asked about.

import { decoded } from "./live.js";
import { maskLayer } from "./masks.js";
import { paintBox, paintBoxes, paintLink, paintMarks, paintOutlines, paintPin } from "./paint.js";
import { KEPT } from "./select.js";

const MOST_LINKS = 40; // to the boxes that lost to the hovered one
const MOST_NUMBERS = 12; // of those with their IoU written beside them
const MOST_DASHED = 400; // ghosts of one fate; dashes take the browser long
const ASKED = { colour: "#FFFFFF", dash: [3, 2] };

export class Painter {
  constructor(view) {
    this.view = view;
    this.base = document.createElement("canvas"); // the photo at the size that is shown
  }

  paint() {
    const { view } = this;
    const { canvas, pen, scene, frame, zoom, size } = view;
    const density = globalThis.devicePixelRatio || 1;
    const [w, h] = [Math.round(size.width * density), Math.round(size.height * density)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    this.ground(density);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(this.base, 0, 0);
    pen.setTransform(density, 0, 0, density, density * zoom.left, density * zoom.top);
    const look = this.look();
    this.masks(look.scale);
    if (scene.rects) this.rects(look);
    if (view.showGhosts && scene.live) this.ghosts(look);
    const emphasis = view.hover >= 0 ? view.hover : view.chosen;
    paintBoxes(pen, view.showGhosts && scene.live ? this.judged(frame) : frame, look, emphasis);
    if (view.hover >= 0 || view.ghost >= 0) this.links(look);
    const taken = [];
    if (scene.marks) {
      paintMarks(pen, scene.marks, scene.links, look.scale, look.width, look.text, look.shown, taken);
    }
    if (scene.pin) paintPin(pen, scene.pin, look.scale);
    if (view.rubber) this.rubber(look);
    if (scene.brush) view.brush.paint(pen, scene.brush, look.scale, view.painting);
  }

  look() {
    const { scene, size, zoom } = this.view;
    const left = -zoom.left;
    const top = -zoom.top;
    return {
      scale: this.view.scale(), width: scene.present ? 4 : 2.5,
      text: scene.present ? 20 : size.width < 420 ? 12 : 15,
      shown: { left, top, right: left + size.width, bottom: top + size.height },
    };
  }

  // The photo is scaled once for each size and zoom, not in every frame.
  ground(density) {
    const { canvas, images, zoom, size } = this.view;
    const key = [canvas.width, canvas.height, zoom.factor, zoom.left, zoom.top].join();
    if (this.grounded === images.photo && this.groundKey === key) return;
    [this.grounded, this.groundKey] = [images.photo, key];
    [this.base.width, this.base.height] = [canvas.width, canvas.height];
    const pen = this.base.getContext("2d");
    pen.setTransform(density, 0, 0, density, density * zoom.left, density * zoom.top);
    pen.imageSmoothingEnabled = zoom.factor < 4; // pixels are worth seeing from there on
    pen.imageSmoothingQuality = "high";
    pen.drawImage(images.photo, 0, 0, size.width * zoom.factor, size.height * zoom.factor);
  }

  masks(scale) {
    const { pen, images, scene, frame } = this.view;
    if (!images.overlay) return;
    const picture = scene.overlay.owners
      ? maskLayer(images.overlay, scene.overlay, frame.ids) : images.overlay;
    pen.imageSmoothingEnabled = false;
    pen.drawImage(picture, 0, 0, scene.photo.width * scale, scene.photo.height * scale);
    pen.imageSmoothingEnabled = true;
  }

  // Boxes behind a stage of the funnel.
  rects({ scale }) {
    const { scene, pen } = this.view;
    if (scene.rects.boxes !== this.rectsText) {
      this.rectsText = scene.rects.boxes;
      this.rectsFlat = decoded(scene.rects.boxes, Float32Array);
    }
    const all = Array.from({ length: this.rectsFlat.length / 4 }, (_, i) => i);
    paintOutlines(pen, this.rectsFlat, all, scale, scene.rects.colour, 1, [], scene.rects.alpha);
  }

  // All candidates that are not shown, by fate; the worst lie lowest.
  ghosts({ scale }) {
    const { candidates, pen } = this.view;
    const groups = candidates.byFate(candidates.select(this.view.thresholds()));
    for (let fate = groups.length - 1; fate > 0; fate -= 1) {
      const { colour, dash } = candidates.fates[fate];
      const dashed = groups[fate].length <= MOST_DASHED ? dash : [];
      const alpha = Math.min(0.9, Math.max(0.2, 300 / groups[fate].length)); // many make a haze
      paintOutlines(pen, candidates.flat, groups[fate], scale, colour, 1.3, dashed, alpha);
    }
  }

  // The kept boxes in the colour of their fate, as the others; the tip tells their class.
  judged(frame) {
    const { colour } = this.view.candidates.fates[KEPT];
    return { ...frame, colours: frame.boxes.map(() => colour), captions: false };
  }

  // From the hovered box to those that lost to it; from a ghost to the box that it lost to.
  links(look) {
    const { view } = this;
    const { candidates, pen } = view;
    if (!candidates) return;
    const result = candidates.select(view.thresholds());
    const taken = [];
    const draw = (from, lost, numbered) => {
      const { colour, dash } = candidates.fates[result.fate[lost]];
      paintBox(pen, candidates.box(lost), look.scale, colour, 1.5, dash);
      const text = numbered ? `IoU ${result.iou[lost].toFixed(2)}` : "";
      paintLink(pen, from, candidates.box(lost), text, look.scale, colour, look.text - 2, look.shown,
        taken);
    };
    if (view.ghost >= 0) {
      const by = result.by[view.ghost];
      if (by >= 0) return draw(candidates.box(by), view.ghost, true);
      return paintBox(pen, candidates.box(view.ghost), look.scale, "#fff", 2, []);
    }
    const lost = view.victims(view.hover).slice(0, MOST_LINKS);
    for (let i = lost.length - 1; i >= 0; i -= 1) {
      draw(view.frame.boxes[view.hover], lost[i], i < MOST_NUMBERS);
    }
  }

  rubber({ scale, width }) {
    const [x1, y1, x2, y2] = this.view.rubber;
    if (this.view.scene.asks === "move") {
      const ends = [[x1, y1, x1, y1], [x2, y2, x2, y2]];
      return paintLink(this.view.pen, ...ends, "", scale, ASKED.colour, 1, this.look().shown, []);
    }
    paintBox(this.view.pen, [x1, y1, x2, y2], scale, "#000", width + 2, []);
    paintBox(this.view.pen, [x1, y1, x2, y2], scale, ASKED.colour, width, ASKED.dash);
  }
}
