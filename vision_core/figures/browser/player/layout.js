// Where the panels of a stage stand, for a given width and height. The same rules are in
// vision_core/figures/stage_layout.py, which writes pictures and films without a browser.

const TITLE = 24; // height of a panel's title
const HEAD = 30; // height of a view's title
const HEAD_LINE = 21; // of each further line of a view's title
const BETWEEN = 16; // between panels of a block
const APART = 26; // between blocks, lines and views
const [LARGEST, READABLE, SMALLEST] = [110, 30, 9]; // pixels a cell

const widths = new Map();
let ruler = null; // made when it is first needed, so that the rules can be tested without a browser

// Pixels that a text of size 1 takes as the figures draw it.
let measure = (text, weight) => {
  ruler ??= document.createElement("canvas").getContext("2d");
  ruler.font = `${weight} 100px sans-serif`;
  return ruler.measureText(text).width / 100;
};

// Measure texts in another way: (text, weight) to pixels at size 1.
export function measureWith(other) {
  measure = other;
  widths.clear();
}

// Pixels that a text takes at a size.
export function textWide(text, size, weight) {
  const key = `${weight} ${text}`;
  if (!widths.has(key)) {
    if (widths.size > 5000) widths.clear();
    widths.set(key, measure(text, weight));
  }
  return widths.get(key) * size;
}

// The lines of a text no wider than `room`, broken between words.
export function wrapped(text, room, size, weight) {
  const lines = [];
  for (const word of text.split(/\s+/)) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && textWide(longer, size, weight) <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function panelSize(panel, unit) {
  if (!panel.operand) {
    const pixel = (panel.scale * unit) / Math.max(panel.rows, panel.columns);
    return { pixel, w: panel.columns * pixel, h: panel.rows * pixel };
  }
  const [r, c] = panel.ring;
  const pixel = unit * panel.zoom;
  return { pixel, w: (panel.columns + 2 * c) * pixel, h: (panel.rows + 2 * r) * pixel };
}

// A very long title must not make the cells tiny on a phone; it is then written smaller.
const TITLE_ROOM = 330;
const titleWidth = (panel) => Math.min(textWide(panel.title, 14.5, 600) + 2, TITLE_ROOM);
const signWidth = (block) => (block.sign ? block.sign.length * 11 + 16 : 0);

// The panels of a block, from its upper left corner.
function placeBlock(block, unit) {
  const placed = [];
  let [width, top] = [0, 0];
  for (const row of block.rows) {
    let [left, tall] = [0, 0];
    for (const panel of row) {
      const size = panelSize(panel, unit);
      const wide = Math.max(size.w, titleWidth(panel));
      placed.push({ panel, x: left, y: top + TITLE, ...size });
      left += wide + BETWEEN;
      tall = Math.max(tall, size.h + TITLE);
    }
    width = Math.max(width, left - BETWEEN);
    top += tall + BETWEEN;
  }
  return { placed, width, height: top - BETWEEN };
}

// The blocks of a view in lines no wider than `limit`; `fits` is false where one block is.
function placeView(view, unit, limit) {
  const lines = [];
  let [fits, widest] = [true, 0];
  for (const block of view.blocks) {
    const made = { block, sign: signWidth(block), ...placeBlock(block, unit) };
    const last = lines.at(-1);
    const wanted = made.width + made.sign;
    fits &&= wanted <= limit;
    if (last && last.width + APART + wanted <= limit) {
      last.blocks.push(made);
      last.width += APART + wanted;
      last.height = Math.max(last.height, made.height);
    } else lines.push({ blocks: [made], width: wanted, height: made.height });
    widest = Math.max(widest, lines.at(-1).width);
  }
  const heads = view.title ? wrapped(view.title, Math.min(Math.max(widest, 220), limit), 17, 700) : [];
  const titled = heads.length ? HEAD + HEAD_LINE * (heads.length - 1) : 0;
  const headWide = Math.max(0, ...heads.map((line) => textWide(line, 17, 700)));
  const tall = lines.reduce((sum, line) => sum + line.height + APART, -APART) + titled;
  return { lines, fits, width: Math.max(widest, Math.min(headWide, limit)), height: tall, titled, heads };
}

// The views with cells of `unit` pixels, below each other or side by side, in lines of some width.
export function tryUnit(views, unit, width, stacked) {
  const share = stacked ? width : (width - APART * (views.length - 1)) / views.length;
  let placed = views.map((view) => placeView(view, unit, stacked ? width : Infinity));
  if (!stacked) {
    const sum = placed.reduce((w, view) => w + view.width + APART, -APART);
    if (sum > width) placed = views.map((view) => placeView(view, unit, share));
  }
  const across = placed.map((view) => view.width);
  const down = placed.map((view) => view.height);
  const add = (list) => list.reduce((a, b) => a + b + APART, -APART);
  return {
    unit, stacked, placed,
    fits: placed.every((view) => view.fits) && (stacked || add(across) <= width),
    width: stacked ? Math.max(...across) : add(across),
    height: stacked ? add(down) : Math.max(...down),
  };
}

function largest(views, width, height, stacked) {
  let roomy = null;
  for (let unit = LARGEST; unit >= SMALLEST; unit -= 1) {
    const tried = tryUnit(views, unit, width, stacked);
    if (!tried.fits) continue;
    if (tried.height <= height) return tried;
    roomy ??= unit <= READABLE ? tried : null; // a page may scroll before numbers become unreadable
    if (roomy && unit < READABLE - 12) return roomy;
  }
  return roomy ?? tryUnit(views, SMALLEST, width, true);
}

// {unit, width, height, panels: [{view, panel, x, y, w, h, pixel}], words: [{x, y, text, kind}]}
export function layOut(stage, width, height) {
  const stack = largest(stage.views, width, height, true);
  const side = stage.views.length > 1 ? largest(stage.views, width, height, false) : stack;
  const worth = (plan) => (plan.height <= height ? plan.unit : 0.5 * plan.unit);
  return spread(worth(side) >= 0.85 * worth(stack) ? side : stack, width);
}

// The plan with cells of `unit` pixels, as wide as its widest block: it scrolls sideways.
export function scrolled(stage, unit, width) {
  const widest = Math.max(width, ...stage.views.map((view) => placeView(view, unit, 0).width));
  return spread(tryUnit(stage.views, unit, widest, true), widest);
}

// Where everything of a plan stands, from the upper left corner of the stage.
export function spread(plan, width) {
  const panels = [];
  const words = [];
  let [left, top] = [0, 0];
  plan.placed.forEach((made, view) => {
    made.heads.forEach((text, line) => words.push({
      x: left, y: top + 18 + HEAD_LINE * line, text, kind: "head", room: width,
    }));
    let y = top + made.titled;
    for (const line of made.lines) {
      let x = left;
      for (const block of line.blocks) {
        const middle = y + (line.height - block.height) / 2;
        if (block.sign) {
          words.push({ x: x + block.sign / 2, y: middle + TITLE + (block.height - TITLE) / 2,
                       text: block.block.sign, kind: "sign" });
        }
        x += block.sign;
        for (const p of block.placed) {
          panels.push({ ...p, view, x: x + p.x, y: middle + p.y });
          words.push({ x: x + p.x, y: middle + p.y - 7, text: p.panel.title, kind: "title", room: TITLE_ROOM,
                       role: p.panel.role });
        }
        x += block.width + APART;
      }
      y += line.height + APART;
    }
    if (plan.stacked) top += made.height + APART;
    else left += made.width + APART;
  });
  return { unit: plan.unit, width: plan.width, height: plan.height, panels, words };
}
