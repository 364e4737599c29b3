// The anchors that two limits make positive, negative and ignored, from cumulative counts.

// The same as Python's LimitTable.counts. `up` and `down` are places in the grid of limits; the
// lower limit is never above the upper one, and where there is a single limit it is the upper one.
export function tally({ below, forced, total, single }, up, down) {
  const low = single ? up : Math.min(up, down);
  return {
    positive: total - below[up] + forced[up],
    negative: below[low] - forced[low],
    ignored: below[up] - below[low] - (forced[up] - forced[low]),
    forced: forced[up],
  };
}

// The place of a limit in the grid, -1 for one that is not there.
export function placeOf(grid, limit) {
  return grid.findIndex((value) => Math.abs(value - limit) < 1e-12);
}

// How many anchors have their best IoU between each limit of the grid and the next, the last to 1.
export function bars({ below, total }) {
  return below.map((count, i) => (below[i + 1] ?? total) - count);
}

// Whole negatives for each positive, as Python rounds: half to even.
export function perPositive({ positive, negative }) {
  const share = negative / Math.max(positive, 1);
  const floor = Math.floor(share);
  if (share - floor !== 0.5) return Math.round(share);
  return floor % 2 ? floor + 1 : floor;
}
