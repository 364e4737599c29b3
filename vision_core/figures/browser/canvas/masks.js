// The instance map of a scene as a layer: masks stay with their boxes while thresholds move.

// Which instance covers each pixel, read once from the picture that Python sent: grey value i is
// instance i, from 128 on the outline of instance i - 128.
function instancesOf(image) {
  if (!image.instances) {
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(image, 0, 0);
    const rgba = pen.getImageData(0, 0, canvas.width, canvas.height);
    const ids = new Uint8Array(canvas.width * canvas.height);
    for (let i = 0; i < ids.length; i += 1) ids[i] = rgba.data[4 * i];
    image.instances = { ids, rgba, pen, canvas, shown: null };
  }
  return image.instances;
}

// A canvas with the masks of the candidates that are kept. `overlay` has owners (candidate ids),
// colours and opacity.
export function maskLayer(image, overlay, kept) {
  const layer = instancesOf(image);
  const there = new Set(kept);
  const visible = overlay.owners.map((id) => there.has(id));
  const key = JSON.stringify([visible, overlay.colours, overlay.opacity]);
  if (layer.shown === key) return layer.canvas;
  layer.shown = key;
  const table = new Uint32Array(256);
  const outlined = overlay.owners.length < 128;
  overlay.owners.slice(0, 254).forEach((_, i) => {
    if (!visible[i]) return;
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(overlay.colours[i].slice(at, at + 2), 16));
    const colour = (b << 16) | (g << 8) | r;
    table[i + 1] = ((Math.round(255 * overlay.opacity) << 24) | colour) >>> 0;
    if (outlined) table[i + 129] = ((255 << 24) | colour) >>> 0;
  });
  const pixels = new Uint32Array(layer.rgba.data.buffer);
  for (let i = 0; i < pixels.length; i += 1) pixels[i] = table[layer.ids[i]];
  layer.pen.putImageData(layer.rgba, 0, 0);
  return layer.canvas;
}
