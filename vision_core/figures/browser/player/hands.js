// Dragging rectangles on a stage, and saving the picture that is shown.

import { make, NS, set } from "./draw.js";
import { wrapped } from "./layout.js";

const CORNER = 12; // pixels around a corner where a drag changes the size

// The mark under a point, and which part of it: "move" or the corner that is held.
function markAt(player, place, x, y) {
  const slack = CORNER / place.pixel;
  let found = null;
  place.panel.marks.forEach((mark, index) => {
    if (!mark.drag || (mark.steps && (player.k < mark.steps[0] || player.k > mark.steps[1]))) return;
    const [x1, y1, x2, y2] = mark.at;
    const near = (a, b) => Math.abs(a - b) <= slack;
    const inside = x >= x1 - slack && x <= x2 + slack && y >= y1 - slack && y <= y2 + slack;
    if (!inside) return;
    const grip = [near(x, x1) ? 0 : near(x, x2) ? 2 : null, near(y, y1) ? 1 : near(y, y2) ? 3 : null];
    const size = Math.abs((x2 - x1) * (y2 - y1));
    const corner = grip.every((side) => side !== null);
    if (!found || corner || (!found.corner && size < found.size)) found = { mark, index, grip, corner, size };
  });
  return found;
}

export function startDrag(player, event) {
  const group = event.target.closest("[data-panel]");
  const place = player.drawing.panels.find((p) => p.group === group);
  if (!place || event.button !== 0) return;
  const at = (e) => {
    const rect = group.ownerSVGElement.getBoundingClientRect();
    const scale = rect.width / group.ownerSVGElement.viewBox.baseVal.width;
    const off = place.panel.operand ? place.panel.first : [0, 0];
    return [
      ((e.clientX - rect.left) / scale - 2 - place.x - place.origin[0]) / place.pixel + off[1],
      ((e.clientY - rect.top) / scale - 2 - place.y - place.origin[1]) / place.pixel + off[0],
    ];
  };
  const start = at(event);
  const held = markAt(player, place, ...start);
  const drag = held?.mark.drag ?? place.panel.draw;
  if (!drag) return;
  event.preventDefault();
  player.pause(false);
  player.unhover();
  player.dragging = true;
  const from = held ? [...held.mark.at] : [...start, ...start];
  if (!held) {
    place.panel.marks.push({ kind: "rect", at: from, role: "input", steps: null, label: "", drag: null });
  }
  const index = held ? held.index : place.panel.marks.length - 1;
  let box = null;
  const move = (e) => {
    const [x, y] = at(e);
    const [dx, dy] = [x - start[0], y - start[1]];
    box = [...from];
    if (!held) [box[2], box[3]] = [x, y];
    else if (held.corner) { box[held.grip[0]] += dx; box[held.grip[1]] += dy; }
    else box = [box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy];
    place.moved = { index, at: box };
    player.drawing.markUp(place, player.k);
  };
  const stop = (e) => {
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", stop);
    removeEventListener("pointercancel", stop);
    player.dragging = false;
    place.moved = null;
    if (!held) place.panel.marks.pop();
    const far = Math.hypot(at(e)[0] - start[0], at(e)[1] - start[1]) * place.pixel > 3;
    if (box && far && e.type === "pointerup") {
      const sorted = [Math.min(box[0], box[2]), Math.min(box[1], box[3]),
                      Math.max(box[0], box[2]), Math.max(box[1], box[3])];
      player.tell("drag", { name: drag.name, index: drag.index, step: player.k,
                            box: sorted.map((v) => v * drag.scale) });
    }
    player.drawing.markUp(place, player.k);
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", stop);
  addEventListener("pointercancel", stop);
}

// The current frame as an SVG file, with the line of mathematics under it.
function svgText(player) {
  const copy = player.svg.cloneNode(true);
  const [, , w, h] = player.svg.getAttribute("viewBox").split(" ").map(Number);
  const lines = [...player.find(".maths").children].map((line) => line.textContent);
  const room = Math.max(w, 480) - 8;
  const written = (lines.length ? lines : [player.find(".maths").textContent])
    .flatMap((line) => wrapped(line, room, 17, 400));
  const width = Math.max(w, 480);
  const height = h + 12 + 24 * written.length;
  set(copy, { xmlns: NS, width, height, viewBox: `-2 -2 ${width} ${height}` });
  const ground = make("rect", { x: -2, y: -2, width, height, fill: player.theme.ground });
  copy.prepend(ground);
  written.forEach((line, i) => {
    make("text", { x: 0, y: h + 20 + 24 * i, "font-size": 17, "font-family": "sans-serif",
                   fill: player.theme.text }, copy).textContent = line.trim();
  });
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

function download(player, url, kind) {
  const link = document.createElement("a");
  link.href = url;
  link.download = `${player.data.stem}-step-${player.k}.${kind}`;
  player.box.append(link);
  link.click();
  link.remove();
}

export function saveSvg(player) {
  const url = URL.createObjectURL(new Blob([svgText(player).text], { type: "image/svg+xml" }));
  download(player, url, "svg");
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export async function savePng(player) {
  const { text, width, height } = svgText(player);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * width, 2 * height];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  download(player, canvas.toDataURL("image/png"), "png");
}
