// Painting: numbers in photo pixels onto a canvas of any size. Nothing here knows Streamlit.
//
// The pen's origin is the corner of the photo, also while it is zoomed; `scale` is canvas pixels per
// photo pixel, and `shown` the part of that plane that can be seen: {left, top, right, bottom}, or
// {width, height} where that is all of it.

const FONT = "600 {}px system-ui, 'Source Sans', sans-serif";
const WIDTHS = new Map(); // of texts, by font size; measuring takes longer than drawing
const INKS = new Map(); // by colour

// Black or white, whichever has the higher WCAG contrast on #RRGGBB.
export function inkOn(colour) {
  if (!INKS.has(colour)) INKS.set(colour, inkFor(colour));
  return INKS.get(colour);
}

function inkFor(colour) {
  const part = (i) => {
    const v = parseInt(colour.slice(i, i + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) > 0.179 ? "#000" : "#fff";
}

function textWidth(pen, text, size) {
  const key = `${size} ${text}`;
  if (!WIDTHS.has(key)) {
    if (WIDTHS.size > 5000) WIDTHS.clear();
    WIDTHS.set(key, pen.measureText(text).width);
  }
  return WIDTHS.get(key);
}

function paintSkeleton(pen, skeleton, limbs, scale, colour, width) {
  for (const [a, b, side] of limbs) {
    const p = skeleton[a];
    const q = skeleton[b];
    if (!p || !q) continue; // a joint under its threshold takes its limbs along
    const edge = side === "right" ? "#000" : "#fff"; // left and right limbs apart
    for (const [style, thick] of [[edge, width + 2], [colour, width]]) {
      pen.beginPath();
      pen.moveTo(p[0] * scale, p[1] * scale);
      pen.lineTo(q[0] * scale, q[1] * scale);
      pen.strokeStyle = style;
      pen.lineWidth = thick;
      pen.stroke();
    }
  }
  for (const joint of skeleton) {
    if (!joint) continue;
    pen.beginPath();
    pen.arc(joint[0] * scale, joint[1] * scale, width + 0.5, 0, 2 * Math.PI);
    pen.fillStyle = colour;
    pen.strokeStyle = "#fff";
    pen.lineWidth = 1;
    pen.fill();
    pen.stroke();
  }
}

export function paintBox(pen, [x1, y1, x2, y2], scale, colour, width, dash) {
  pen.setLineDash(dash.map((v) => v * width));
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.strokeRect(x1 * scale, y1 * scale, (x2 - x1) * scale, (y2 - y1) * scale);
  pen.setLineDash([]);
}

// Many thin outlines of one look, in one stroke: `flat` holds x1, y1, x2, y2 of each.
export function paintOutlines(pen, flat, indices, scale, colour, width, dash, alpha) {
  pen.save();
  pen.globalAlpha = alpha;
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.setLineDash(dash.map((v) => v * width));
  pen.beginPath();
  for (const i of indices) {
    const [x, y] = [flat[4 * i] * scale, flat[4 * i + 1] * scale];
    pen.rect(x, y, flat[4 * i + 2] * scale - x, flat[4 * i + 3] * scale - y);
  }
  pen.stroke();
  pen.restore();
}

// Where a label stands: above its corner, inside what is shown, moved down where it would cover one
// that is there already.
function placeLabel(rect, taken, lowest, most = 4) {
  const { left, width, height } = rect;
  const tops = [];
  for (let step = 0; step < most; step += 1) {
    if (rect.top + (step + 1) * height <= lowest) tops.push(rect.top + step * height);
  }
  // where many may move, they also move up
  const up = most > 4 ? most : 0;
  for (let step = 1; step < up; step += 1) {
    if (rect.top - step * height >= 0) tops.push(rect.top - step * height);
  }
  for (const top of tops) {
    let free = true;
    for (let k = 0; k < taken.length && free; k += 1) { // every frame of a drag comes by here
      const t = taken[k];
      free = left >= t.left + t.width || t.left >= left + width
        || top >= t.top + t.height || t.top >= top + height;
    }
    if (free) return { left, top, width, height };
  }
  return rect;
}

export function paintLabel(pen, text, x, y, colour, size, shown, taken, most = 4) {
  pen.font = FONT.replace("{}", size);
  const pad = Math.max(3, size / 4);
  const width = textWidth(pen, text, size) + 2 * pad;
  const height = size + 1.2 * pad;
  const { left = 0, top = 0, right = shown.width, bottom = shown.height } = shown;
  const place = placeLabel({
    left: Math.max(left, Math.min(x, right - width)),
    top: Math.max(top, Math.min(y - height, bottom - height)), width, height,
  }, taken, bottom, most);
  taken.push(place);
  pen.fillStyle = colour;
  pen.fillRect(place.left, place.top, width, height);
  pen.fillStyle = inkOn(colour);
  pen.textBaseline = "middle";
  pen.fillText(text, place.left + pad, place.top + height / 2 + 0.5);
}

export function paintPin(pen, at, scale) {
  const [x, y] = [at[0] * scale, at[1] * scale];
  for (const [style, thick] of [["#000", 5], ["#fff", 2]]) {
    pen.strokeStyle = style;
    pen.lineWidth = thick;
    pen.beginPath();
    pen.arc(x, y, 8, 0, 2 * Math.PI);
    pen.moveTo(x - 14, y);
    pen.lineTo(x + 14, y);
    pen.moveTo(x, y - 14);
    pen.lineTo(x, y + 14);
    pen.stroke();
  }
}

// A line between the middles of two boxes, with a text at the far end.
export function paintLink(pen, from, to, text, scale, colour, size, shown, taken) {
  const middle = ([x1, y1, x2, y2]) => [(x1 + x2) / 2 * scale, (y1 + y2) / 2 * scale];
  const [a, b] = [middle(from), middle(to)];
  for (const [style, thick] of [["#000", 4], [colour, 2]]) {
    pen.strokeStyle = style;
    pen.lineWidth = thick;
    pen.beginPath();
    pen.moveTo(...a);
    pen.lineTo(...b);
    pen.stroke();
  }
  if (text) paintLabel(pen, text, b[0] + 4, b[1], colour, size, shown, taken);
}

// Marks that Python asked for: boxes with a text, and links between their middles.
export function paintMarks(pen, marks, links, scale, width, size, shown, taken) {
  for (const { box, colour, dash } of marks) {
    paintBox(pen, box, scale, "#000", width + 3, []);
    paintBox(pen, box, scale, colour, width + 1, dash);
  }
  for (const { from, to, text, colour } of links) {
    paintLink(pen, marks[from].box, marks[to].box, text, scale, colour, size, shown, taken);
  }
  for (const { box, colour, text } of marks) {
    if (text) paintLabel(pen, text, box[0] * scale, box[1] * scale, colour, size, shown, taken);
  }
}

// The boxes of a frame with their skeletons and captions. `frame` has boxes, labels, scores, colours,
// dashes, skeletons and limbs; `emphasis` is the index of the box that stands out.
export function paintBoxes(pen, frame, look, emphasis) {
  const { scale, width, text, shown } = look;
  for (let i = frame.boxes.length - 1; i >= 0; i -= 1) { // the best lies on top
    if (i === emphasis) paintBox(pen, frame.boxes[i], scale, "#fff", width * 2 + 3, []);
    paintBox(pen, frame.boxes[i], scale, frame.colours[i], i === emphasis ? width * 2 : width,
      frame.dashes[i] ?? []);
  }
  for (let i = (frame.skeletons?.length ?? 0) - 1; i >= 0; i -= 1) {
    if (frame.skeletons[i]) {
      paintSkeleton(pen, frame.skeletons[i], frame.limbs, scale, frame.colours[i], width + 0.5);
    }
  }
  if (!frame.captions) return;
  const taken = [];
  frame.boxes.forEach(([x1, y1, x2, y2], i) => {
    if (x2 * scale < shown.left || x1 * scale > shown.right) return;
    if (y2 * scale < shown.top || y1 * scale > shown.bottom) return;
    const name = `${frame.labels[i]} ${frame.scores[i].toFixed(2)}`;
    paintLabel(pen, name, x1 * scale, y1 * scale, frame.colours[i], text, shown, taken);
  });
}
