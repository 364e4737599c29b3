// Painting: numbers in photo pixels onto a canvas of any size. Nothing here knows Streamlit.

const FONT = "600 {}px system-ui, 'Source Sans', sans-serif";

function inkOn(colour) {
  // Black or white, whichever has the higher WCAG contrast on #RRGGBB.
  const part = (i) => {
    const v = parseInt(colour.slice(i, i + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) > 0.179 ? "#000" : "#fff";
}

function paintSkeleton(pen, skeleton, limbs, scale, colour, width) {
  for (const [a, b] of limbs) {
    const p = skeleton[a];
    const q = skeleton[b];
    if (!p || !q) continue; // a joint under its threshold takes its limbs along
    for (const [style, thick] of [["#fff", width + 2], [colour, width]]) {
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

function paintBox(pen, box, scale, colour, width, dash) {
  const [x1, y1, x2, y2] = box.map((v) => v * scale);
  pen.setLineDash(dash.map((v) => v * width));
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.strokeRect(x1, y1, x2 - x1, y2 - y1);
  pen.setLineDash([]);
}

// Where a label stands: above its corner, inside the picture, moved down where it would cover one
// that is there already.
function placeLabel(rect, taken, limit) {
  for (let step = 0; step < 4; step += 1) {
    const top = rect.top + step * rect.height;
    if (top + rect.height > limit.height) break;
    const free = taken.every((t) => rect.left >= t.left + t.width || t.left >= rect.left + rect.width
      || top >= t.top + t.height || t.top >= top + rect.height);
    if (free) return { ...rect, top };
  }
  return rect;
}

function paintLabel(pen, text, x, y, colour, size, limit, taken) {
  pen.font = FONT.replace("{}", size);
  const pad = Math.max(3, size / 4);
  const width = pen.measureText(text).width + 2 * pad;
  const height = size + 1.2 * pad;
  const place = placeLabel({
    left: Math.max(0, Math.min(x, limit.width - width)),
    top: Math.max(0, Math.min(y - height, limit.height - height)), width, height,
  }, taken, limit);
  taken.push(place);
  pen.fillStyle = colour;
  pen.fillRect(place.left, place.top, width, height);
  pen.fillStyle = inkOn(colour);
  pen.textBaseline = "middle";
  pen.fillText(text, place.left + pad, place.top + height / 2 + 0.5);
}

function paintPin(pen, at, scale) {
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

// One frame. `size` is the canvas in CSS pixels; `emphasis` the index of the box that stands out.
function paintScene(pen, scene, images, size, emphasis) {
  const scale = size.width / scene.photo.width;
  pen.clearRect(0, 0, size.width, size.height);
  if (images.photo) pen.drawImage(images.photo, 0, 0, size.width, size.height);
  if (images.overlay) {
    pen.imageSmoothingEnabled = false;
    pen.drawImage(images.overlay, 0, 0, size.width, size.height);
    pen.imageSmoothingEnabled = true;
  }
  const width = scene.present ? 4 : 2.5;
  const text = scene.present ? 20 : size.width < 420 ? 12 : 15;
  const order = scene.boxes.map((_, i) => i).reverse(); // the best lies on top
  for (const i of order) {
    if (i === emphasis) paintBox(pen, scene.boxes[i], scale, "#fff", width * 2 + 3, []);
    paintBox(pen, scene.boxes[i], scale, scene.colours[i], i === emphasis ? width * 2 : width,
      scene.dashes[i] ?? []);
  }
  if (scene.skeletons) {
    for (const i of order) {
      if (scene.skeletons[i]) {
        paintSkeleton(pen, scene.skeletons[i], scene.limbs, scale, scene.colours[i], width + 0.5);
      }
    }
  }
  if (scene.captions) {
    const taken = [];
    scene.boxes.forEach(([x, y], i) => {
      const name = `${scene.labels[i]} ${scene.scores[i].toFixed(2)}`;
      paintLabel(pen, name, x * scale, y * scale, scene.colours[i], text, size, taken);
    });
  }
  if (scene.pin) paintPin(pen, scene.pin, scale);
}
