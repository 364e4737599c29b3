// Painting with a brush, in photo pixels: a stroke is gathered while the pointer is down, and told when
// it is lifted.

const MOST = 400; // points of one stroke; a longer one goes on as if the pointer had been lifted

export class Brush {
  // changed: called when something else is to be seen; told: with all strokes that Python has not
  // taken up yet, each as [number, label, radius, x, y, x, y, ...].
  constructor(changed, told) {
    Object.assign(this, { changed, told, stroke: null, at: null, last: 0 });
    this.left = []; // strokes that stay in sight until Python says that it has them
  }

  press(x, y, { radius, label }) {
    this.stroke = { radius, label, points: [[x, y]] };
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
        const { stroke } = this;
        this.lift();
        this.press(x, y, stroke);
      }
    }
    this.changed();
  }

  // Numbers grow, also after a reload: Python takes each stroke once.
  lift() {
    const { stroke } = this;
    this.stroke = null;
    if (!stroke) return;
    this.last = Math.max(this.last + 1, Date.now());
    this.left.push({ ...stroke, number: this.last });
    this.tell();
    this.changed();
  }

  // Of two messages in quick succession Python may hear the second alone, so each says all.
  tell() {
    this.told(this.left.map(({ number, label, radius, points }) => [
      number, label, radius, ...points.flat().map((v) => Math.round(v * 10) / 10),
    ]));
  }

  leave() {
    if (this.at) this.changed();
    this.at = null;
  }

  // Python has all strokes up to this number; what it has not is said again.
  taken(done) {
    this.left = this.left.filter(({ number }) => number > done);
    if (this.left.length) this.tell();
  }

  forget() {
    this.left = [];
    this.stroke = null;
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
