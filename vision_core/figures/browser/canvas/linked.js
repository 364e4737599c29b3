// Pictures of one photo beside each other: zoom and pan are one, and so are shared sliders.

const GROUPS = (globalThis.convscopeGroups ??= new Map()); // sets of views by the name of the group

// The other pictures of a view's group that are on the page.
export function peersOf(view) {
  const group = GROUPS.get(view.group) ?? new Set();
  for (const other of group) if (!other.canvas.isConnected) group.delete(other);
  return [...group].filter((other) => other !== view && other.scene);
}

// Put a view into a group, "" for none; a picture that comes late takes up the zoom of the others.
export function join(view, name) {
  if (view.group === name) return;
  GROUPS.get(view.group)?.delete(view);
  view.group = name;
  if (!name) return;
  if (!GROUPS.has(name)) GROUPS.set(name, new Set());
  GROUPS.get(name).add(view);
  const [other] = peersOf(view).filter(({ scene }) => scene.photo.id === view.scene.photo.id);
  if (other) view.zoom.follow(other.zoom);
}

// Those whose sliders move with the view's.
export function sharersOf(view) {
  return view.scene.shared ? peersOf(view).filter(({ scene }) => scene.shared && scene.live) : [];
}
