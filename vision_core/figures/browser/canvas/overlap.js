// Which boxes overlap, and by how much, in float32 and in the order of torchvision's NMS kernel:
// Math.fround rounds after every step. Nothing here knows Streamlit or a canvas.

const ROWS_MAX = 4_000_000; // neighbours that are remembered, 8 bytes each (16 for the Gaussian)

export const f32 = Math.fround;

// Corners and areas as arrays of their own: what NMS compares.
export class Boxes {
  constructor(flat, shift) {
    const n = flat.length / 4;
    for (const name of ["x1", "y1", "x2", "y2", "area"]) this[name] = new Float32Array(n);
    for (let i = 0; i < n; i += 1) {
      const by = shift ? shift[i] : 0;
      this.x1[i] = flat[4 * i] + by;
      this.y1[i] = flat[4 * i + 1] + by;
      this.x2[i] = flat[4 * i + 2] + by;
      this.y2[i] = flat[4 * i + 3] + by;
      this.area[i] = f32(this.x2[i] - this.x1[i]) * f32(this.y2[i] - this.y1[i]);
    }
  }

  // IoU, 0 where the two do not meet.
  iou(i, j) {
    const { x1, y1, x2, y2, area } = this;
    const w = f32(Math.min(x2[i], x2[j]) - Math.max(x1[i], x1[j]));
    const h = f32(Math.min(y2[i], y2[j]) - Math.max(y1[i], y1[j]));
    const inter = w > 0 && h > 0 ? f32(w * h) : 0;
    return inter > 0 ? f32(inter / f32(f32(area[i] + area[j]) - inter)) : 0;
  }
}

// Who overlaps whom: found once per box and remembered, for NMS at other thresholds asks again.
export class Neighbours {
  // groups: labels within which boxes compete.
  constructor(boxes, groups) {
    Object.assign(this, { boxes, groups, rows: new Array(groups.length), stored: 0 });
    this.scratch = new Int32Array(groups.length);
    this.members = new Map();
    groups.forEach((label, i) => {
      if (!this.members.has(label)) this.members.set(label, []);
      this.members.get(label).push(i);
    });
  }

  // The boxes of the same group that meet box i, and their IoU with it.
  of(i) {
    if (this.rows[i]) return this.rows[i];
    const { x1, y1, x2, y2 } = this.boxes;
    const [left, top, right, bottom] = [x1[i], y1[i], x2[i], y2[i]];
    const members = this.members.get(this.groups[i]);
    let count = 0;
    for (let k = 0; k < members.length; k += 1) {
      const j = members[k];
      if (x1[j] < right && x2[j] > left && y1[j] < bottom && y2[j] > top && j !== i) {
        this.scratch[count] = j;
        count += 1;
      }
    }
    const row = { index: this.scratch.slice(0, count), iou: new Float32Array(count) };
    for (let k = 0; k < count; k += 1) row.iou[k] = this.boxes.iou(i, row.index[k]);
    if (this.stored + count <= ROWS_MAX) {
      this.rows[i] = row;
      this.stored += count;
    }
    return row;
  }
}
