// Painting with a brush, in photo pixels: a stroke is gathered while the pointer is down, and told when
// it is lifted.

const MOST = 400; // points of one stroke; a longer one goes on as if the pointer had been lifted

export class Brush {
  // changed: called when something else is to be seen; told: with x and y of every point of a stroke.
  constructor(changed, told) {
    Object.assign(this, { changed, told, stroke: null, at: null });
    this.left = []; // strokes that stay in sight until Python's next word shows what they did
  }

  press(x, y, radius) {
    this.stroke = { radius, points: [[x, y]] };
    this.changed();
  }

  // The pointer is somewhere else; two fingers zoom and paint nothing. Points nearer than a quarter
  // of the brush change nothing that can be seen.
  move(x, y, zooming = false) {
    this.at = [x, y];
    if (zooming) this.stroke = null;
    if (this.stroke) {
      const { points, radius } = this.stroke;
      const [px, py] = points.at(-1);
      if (Math.hypot(x - px, y - py) >= Math.max(radius / 4, 0.5)) points.push([x, y]);
      if (points.length >= MOST) {
        this.lift();
        this.press(x, y, radius);
      }
    }
    this.changed();
  }

  lift() {
    const { stroke } = this;
    this.stroke = null;
    if (!stroke) return;
    this.left.push(stroke);
    this.told(stroke.points.flat().map((v) => Math.round(v * 10) / 10));
    this.changed();
  }

  leave() {
    if (this.at) this.changed();
    this.at = null;
  }

  taken() {
    this.left = [];
  }

  paint(pen, { colour, radius }, scale, painting) {
    for (const stroke of [...this.left, this.stroke]) {
      if (stroke) paintStroke(pen, stroke, scale, colour);
    }
    if (painting && this.at) paintRing(pen, this.at, radius, scale, colour);
  }
}

// The line that a round brush leaves.
function paintStroke(pen, { points, radius }, scale, colour) {
  pen.save();
  pen.globalAlpha = 0.6;
  pen.strokeStyle = colour;
  pen.lineWidth = 2 * radius * scale;
  pen.lineCap = "round";
  pen.lineJoin = "round";
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x * scale, y * scale) : pen.moveTo(x * scale, y * scale)));
  if (points.length === 1) pen.lineTo(points[0][0] * scale + 0.01, points[0][1] * scale);
  pen.stroke();
  pen.restore();
}

// How large the brush is, where the pointer is.
function paintRing(pen, [x, y], radius, scale, colour) {
  for (const [style, width] of [["#000", 3], [colour, 1.5]]) {
    pen.beginPath();
    pen.arc(x * scale, y * scale, Math.max(radius * scale, 1), 0, 2 * Math.PI);
    pen.strokeStyle = style;
    pen.lineWidth = width;
    pen.stroke();
  }
}
