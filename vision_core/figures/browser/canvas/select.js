// The selection of vision_core/selection, in the browser: same order, same arithmetic.
//
// Scores are compared as float32, strictly greater; a float32 IoU is compared with the threshold in
// double, as torchvision does. Up to 1,000 boxes torchvision.ops.batched_nms shifts the classes apart
// before it compares them, and the rounding of that shift counts; above, each class is compared on
// its own. Equal scores go in the order in which torchvision would hand them to NMS. Nothing here
// knows Streamlit or a canvas.

import { Boxes, f32, Neighbours } from "./overlap.js";
import { topkOrder } from "./topk.js";

const FATES = ["kept", "below_score", "suppressed", "decayed", "cut_by_max", "hidden_by_class_filter"];
export const [KEPT, BELOW_SCORE, SUPPRESSED, DECAYED, CUT_BY_MAX, HIDDEN] = FATES.keys();
const SHIFTED_MAX = 1000; // boxes up to which batched_nms shifts the classes apart

// Greedy NMS on unshifted boxes. It remembers where it stopped: who suppresses whom depends only on
// better boxes, so a lower score threshold goes on from there.
class Greedy {
  constructor(neighbours, iou) {
    const n = neighbours.groups.length;
    Object.assign(this, { neighbours, threshold: iou, done: 0 });
    this.by = new Int32Array(n).fill(-1);
    this.iou = new Float32Array(n);
    this.settled = new Uint8Array(n);
  }

  // Decide about the boxes of `order`, best first, up to (not including) place `end`.
  upTo(order, end) {
    const { by, iou, settled, threshold } = this;
    for (; this.done < end; this.done += 1) {
      const i = order[this.done];
      settled[i] = 1;
      if (by[i] >= 0) continue;
      const row = this.neighbours.of(i);
      for (let k = 0; k < row.index.length; k += 1) {
        const j = row.index[k];
        if (row.iou[k] > threshold && by[j] < 0 && !settled[j]) {
          by[j] = i;
          iou[j] = row.iou[k];
        }
      }
    }
    return this;
  }
}

// The waiting boxes of soft NMS, best current score first, equal ones by their turn.
// Scores only fall, so a heap whose keys may be too great is put right when its top is looked at.
class Queue {
  // sorted: indices, best first; score: Float64Array, the current scores; turn: by index.
  constructor(sorted, score, turn) {
    Object.assign(this, { items: sorted, score, turn, length: sorted.length });
    this.keys = Float64Array.from(sorted, (i) => score[i]);
  }

  // The best box that waits, -1 for none.
  top() {
    while (this.length && this.keys[0] !== this.score[this.items[0]]) {
      this.keys[0] = this.score[this.items[0]];
      this.sink();
    }
    return this.length ? this.items[0] : -1;
  }

  drop() {
    this.length -= 1;
    [this.items[0], this.keys[0]] = [this.items[this.length], this.keys[this.length]];
    this.sink();
  }

  sink() {
    const { items, keys, turn, length } = this;
    const [item, key] = [items[0], keys[0]];
    const before = (a, keyB, b) => keys[a] > keyB || (keys[a] === keyB && turn[items[a]] < turn[b]);
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child + 1 < length && before(child + 1, keys[child], items[child])) child += 1;
      if (child >= length || !before(child, key, item)) break;
      [items[at], keys[at]] = [items[child], keys[child]];
      at = child;
    }
    [items[at], keys[at]] = [item, key];
  }
}

// Soft NMS (Bodla et al. 2017): always the box with the greatest current score goes next, and boxes
// of its group that wait lose score to it. Fills `out`; returns the boxes that were picked.
function decay(neighbours, sorted, turn, out, { score: floor, sigma, linearAbove }) {
  const { final, by, iou } = out;
  const waits = new Uint8Array(final.length);
  const least = new Float64Array(final.length).fill(1); // the smallest weight met so far
  for (const i of sorted) waits[i] = 1;
  const queue = new Queue(sorted.slice(), final, turn);
  const picked = [];
  for (let best = queue.top(); best >= 0 && final[best] > floor; best = queue.top()) {
    queue.drop();
    waits[best] = 0;
    picked.push(best);
    const row = neighbours.of(best);
    const weights = linearAbove === null ? gaussian(row, sigma) : null;
    for (let k = 0; k < row.index.length; k += 1) {
      const j = row.index[k];
      if (!waits[j] || !(linearAbove === null || row.iou[k] > linearAbove)) continue;
      const weight = weights ? weights[k] : 1 - row.iou[k];
      final[j] *= weight;
      if (weight < least[j]) {
        least[j] = weight;
        by[j] = best;
        iou[j] = row.iou[k];
      }
    }
  }
  return picked;
}

function gaussian(row, sigma) {
  if (row.sigma !== sigma) {
    row.sigma = sigma;
    row.weights = new Float64Array(row.iou.length);
    for (let k = 0; k < row.iou.length; k += 1) {
      row.weights[k] = Math.exp(-(row.iou[k] * row.iou[k]) / sigma);
    }
  }
  return row.weights;
}

// All candidates of one photo. Thresholds in, a fate for each candidate out.
export class Selector {
  // boxes: Float32Array [4 N] in network pixels; scores: Float32Array [N]; labels: Int32Array [N].
  // ranks: {group, position, topk}, as in Python's DetectionTrace; null where there is no top-k.
  constructor(boxes, scores, labels, ranks = null) {
    Object.assign(this, { flat: boxes, scores, labels, size: scores.length });
    this.boxes = new Boxes(boxes);
    this.within = new Neighbours(this.boxes, labels);
    this.across = new Neighbours(this.boxes, new Int32Array(this.size));
    this.order = Int32Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b);
    this.turn = Int32Array.from(scores.keys()); // who goes first of equal scores
    const tied = this.order.some((i, at) => at > 0 && scores[i] === scores[this.order[at - 1]]);
    this.ranks = tied ? ranks : null;
    this.held = null; // the last greedy run on unshifted boxes
  }

  // thresholds: {score, iou, nms, sigma, agnostic, max, classes}; classes holds label ids or is null.
  select(thresholds) {
    const n = this.size;
    const alive = this.alive(f32(thresholds.score));
    const out = {
      fate: new Uint8Array(n).fill(BELOW_SCORE), by: new Int32Array(n).fill(-1),
      iou: new Float32Array(n), final: Float64Array.from(this.scores), kept: [],
      counts: new Array(FATES.length).fill(0),
    };
    for (const i of alive) out.fate[i] = thresholds.nms === "hard" ? SUPPRESSED : DECAYED;
    let survivors = alive;
    if (thresholds.nms === "hard") survivors = this.hard(thresholds, alive, out);
    else if (thresholds.nms !== "none") survivors = this.soft(thresholds, alive, out);
    this.limit(survivors, thresholds, out);
    for (let i = 0; i < n; i += 1) out.counts[out.fate[i]] += 1;
    return out;
  }

  // Candidates above a score, best first, equal ones in their turn.
  alive(score) {
    const alive = this.order.subarray(0, this.above(score));
    if (!this.ranks) return alive;
    const { group, position, topk } = this.ranks;
    const groups = new Map();
    for (const i of alive.slice().sort()) { // in the order of the trace
      if (!groups.has(group[i])) groups.set(group[i], []);
      groups.get(group[i]).push(i);
    }
    let turn = 0;
    for (const [, members] of [...groups].sort(([a], [b]) => a - b)) {
      const cut = members.length === topk; // in torchvision's order already
      const order = cut ? members
        : topkOrder(members.sort((a, b) => position[a] - position[b]), this.scores);
      for (const i of order) {
        this.turn[i] = turn;
        turn += 1;
      }
    }
    return alive.slice().sort((a, b) => this.scores[b] - this.scores[a] || this.turn[a] - this.turn[b]);
  }

  // How many candidates lie above a score; they are the first of `order`.
  above(score) {
    let [low, high] = [0, this.size];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.scores[this.order[middle]] > score) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  hard({ iou, agnostic }, alive, out) {
    if (!agnostic && alive.length <= SHIFTED_MAX) return this.shifted(iou, alive, out);
    // Where turns change with the score threshold, nothing can go on from an earlier run.
    if (this.ranks || this.held?.threshold !== iou || this.held.agnostic !== agnostic) {
      this.held = new Greedy(agnostic ? this.across : this.within, iou);
      this.held.agnostic = agnostic;
    }
    this.held.upTo(alive, alive.length);
    for (const i of alive) {
      out.by[i] = this.held.by[i];
      out.iou[i] = this.held.iou[i];
    }
    return alive.filter((i) => out.by[i] < 0);
  }

  // batched_nms adds label * (greatest coordinate + 1) to every coordinate, in float32. Boxes that
  // do not meet before do not meet after, so the neighbours are the same; their IoU is not.
  shifted(iou, alive, out) {
    const { flat, labels } = this;
    let greatest = -Infinity;
    for (const i of alive) {
      for (let at = 4 * i; at < 4 * i + 4; at += 1) if (flat[at] > greatest) greatest = flat[at];
    }
    if (greatest !== this.greatest) {
      this.greatest = greatest;
      const step = f32(greatest + 1);
      this.apart = new Boxes(flat, Float32Array.from(labels, (label) => label * step));
    }
    const waits = new Uint8Array(this.size);
    for (const i of alive) waits[i] = 1;
    for (const i of alive) {
      if (!waits[i]) continue;
      waits[i] = 0;
      for (const j of this.within.of(i).index) {
        if (!waits[j]) continue;
        const value = this.apart.iou(i, j);
        if (value > iou) {
          waits[j] = 0;
          out.by[j] = i;
          out.iou[j] = value;
        }
      }
    }
    return alive.filter((i) => out.by[i] < 0);
  }

  soft({ score, iou, nms, sigma, agnostic }, alive, out) {
    const linearAbove = nms === "soft-linear" ? iou : null;
    const neighbours = agnostic ? this.across : this.within;
    const picked = decay(neighbours, alive, this.turn, out, { score, sigma, linearAbove });
    return picked.sort((a, b) => out.final[b] - out.final[a] || this.turn[a] - this.turn[b]);
  }

  // The limit on detections, then the class filter, which hides boxes and changes nothing else.
  limit(survivors, { max, classes }, out) {
    const wanted = classes === null ? null : new Set(classes);
    survivors.forEach((i, rank) => {
      if (rank >= max) out.fate[i] = CUT_BY_MAX;
      else if (wanted && !wanted.has(this.labels[i])) out.fate[i] = HIDDEN;
      else {
        out.fate[i] = KEPT;
        out.kept.push(i);
      }
    });
  }
}
