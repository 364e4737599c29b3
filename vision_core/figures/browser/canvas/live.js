// The candidates of a trace in the browser, and what thresholds make of them before Python has said.

import { f32 } from "./overlap.js";
import { DECAYED, Selector, SUPPRESSED } from "./select.js";

const TRACES = (globalThis.convscopeTraces ??= new Map()); // by trace id, the last used last
const MAX_TRACES = 12;

export function decoded(text, Kind) {
  return new Kind(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
}

// A trace's candidates: numbers, names and a selector. Boxes are in photo pixels, `flat`.
class Candidates {
  constructor(sent) {
    const boxes = decoded(sent.boxes, Float32Array);
    const ranks = sent.topk === null ? null : {
      group: decoded(sent.group, Int32Array), position: decoded(sent.position, Int32Array),
      topk: sent.topk,
    };
    this.selector = new Selector(boxes, decoded(sent.scores, Float32Array),
      decoded(sent.labels, Int32Array), ranks);
    Object.assign(this, { names: sent.names, colours: sent.colours, fates: sent.fates });
    this.ids = sent.ids ? decoded(sent.ids, Int32Array) : null; // where only the best were sent
    this.places = this.ids && new Map(Array.from(this.ids, (id, i) => [id, i]));
    this.flat = boxes.map((v, i) => v * sent.scale[i % 2]);
    this.skeletons = new Map(); // by candidate id: those that Python has sent so far
    this.warmed = 0;
  }

  id(i) { return this.ids ? this.ids[i] : i; }

  // The index of a candidate id, -1 for one that was not sent.
  index(id) {
    if (this.places) return this.places.get(id) ?? -1;
    return id < this.selector.size ? id : -1;
  }

  box(i) { return Array.from(this.flat.subarray(4 * i, 4 * i + 4)); }

  label(i) { return this.names[this.selector.labels[i]]; }

  // The result of thresholds; the last one is remembered.
  select(thresholds) {
    const key = JSON.stringify(thresholds);
    if (key !== this.key) [this.key, this.result] = [key, this.selector.select(thresholds)];
    return this.result;
  }

  // What the picture shows for thresholds: the same fields as Python's scene.
  frame(thresholds, scene) {
    const { kept: all, final } = this.select(thresholds);
    const wanted = scene.only && new Set(scene.only);
    const kept = wanted ? all.filter((i) => wanted.has(this.id(i))) : all;
    const ids = kept.map((i) => this.id(i));
    return {
      ids, boxes: kept.map((i) => this.box(i)), labels: kept.map((i) => this.label(i)),
      scores: kept.map((i) => f32(final[i])),
      colours: kept.map((i) => scene.tints[this.id(i)] ?? this.colours[this.selector.labels[i]]),
      dashes: [], captions: scene.captions, limbs: scene.limbs,
      skeletons: scene.skeletons && ids.map((id) => this.skeletons.get(id)),
    };
  }

  learn(scene) {
    scene.skeletons?.forEach((skeleton, i) => this.skeletons.set(scene.ids[i], skeleton));
  }

  // Candidates by fate, best first within each: [indices of kept, of below score, ...].
  byFate(result) {
    const groups = this.fates.map(() => []);
    for (const i of this.selector.order) groups[result.fate[i]].push(i);
    return groups;
  }

  // Who lost its place, or most of its score, to candidate i; greatest IoU first.
  victims(i, result) {
    const lost = [];
    result.by.forEach((by, j) => {
      if (by === i && (result.fate[j] === SUPPRESSED || result.fate[j] === DECAYED)) lost.push(j);
    });
    return lost.sort((a, b) => result.iou[b] - result.iou[a]);
  }

  // A candidate and its fate in words, for the tip of a ghost.
  words(i, result) {
    const name = `${this.label(i)} ${this.selector.scores[i].toFixed(3)}`;
    const by = result.by[i];
    const fate = this.fates[result.fate[i]].word;
    if (by < 0) return `${name}: ${fate}`;
    return `${name}: ${fate} by ${this.label(by)} ${result.final[by].toFixed(2)}, IoU `
      + result.iou[i].toFixed(2);
  }

  // The smallest candidate under a point in photo pixels, -1 for none.
  at(x, y, slack) {
    const { flat } = this;
    let best = -1;
    let least = Infinity;
    for (let i = 0; 4 * i < flat.length; i += 1) {
      const [x1, y1, x2, y2] = flat.subarray(4 * i, 4 * i + 4);
      const inside = x >= x1 - slack && x <= x2 + slack && y >= y1 - slack && y <= y2 + slack;
      const area = (x2 - x1) * (y2 - y1);
      if (inside && area < least) [best, least] = [i, area];
    }
    return best;
  }

  // Find out who overlaps whom while nobody waits, so that the first drag is as quick as the next.
  warm(agnostic) {
    const later = globalThis.requestIdleCallback ?? ((does) => setTimeout(() => does(null), 50));
    const step = (deadline) => {
      const end = performance.now() + Math.min(deadline?.timeRemaining() ?? 4, 8);
      const neighbours = agnostic ? this.selector.across : this.selector.within;
      const { order } = this.selector;
      for (; this.warmed < order.length && performance.now() < end; this.warmed += 1) {
        neighbours.of(order[this.warmed]);
      }
      if (this.warmed < order.length) later(step);
    };
    if (this.warmedAgnostic !== agnostic) [this.warmed, this.warmedAgnostic] = [0, agnostic];
    if (this.warmed < this.selector.size) later(step);
  }
}

// The candidates of a message; null where Python believes that they are held here and they are not.
export function candidatesOf(live) {
  if (live.candidates && !TRACES.has(live.id)) {
    TRACES.set(live.id, new Candidates(live.candidates));
    while (TRACES.size > MAX_TRACES) TRACES.delete(TRACES.keys().next().value);
  }
  const held = TRACES.get(live.id) ?? null;
  if (held) {
    TRACES.delete(live.id); // the last used is the last to go
    TRACES.set(live.id, held);
  }
  return held;
}
