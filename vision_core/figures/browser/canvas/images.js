// Decoded images that this browser holds, and which box lies under a point.

const HELD = (globalThis.convscopeImages ??= new Map()); // decoded images by id, oldest first
const MAX_HELD = 12;

export function hold(id, url) {
  if (url && !HELD.has(id)) {
    const image = new Image();
    image.src = url;
    HELD.set(id, { image, ready: image.decode().then(() => true, () => false) });
    while (HELD.size > MAX_HELD) HELD.delete(HELD.keys().next().value);
  }
  const held = HELD.get(id);
  if (held) {
    HELD.delete(id); // the last used is the last to go
    HELD.set(id, held);
  }
  return held;
}

// The smallest box under a point, -1 for none: what a person means who clicks on nested boxes.
export function smallestBoxAt(boxes, x, y, slack) {
  let best = -1;
  let least = Infinity;
  boxes.forEach(([x1, y1, x2, y2], i) => {
    const inside = x >= x1 - slack && x <= x2 + slack && y >= y1 - slack && y <= y2 + slack;
    const area = Math.max(x2 - x1, 0) * Math.max(y2 - y1, 0);
    if (inside && area < least) [best, least] = [i, area];
  });
  return best;
}
