// What Python is told a moment after the last key, so that one run answers many of them.
//
// Once another page has been asked for it is too late: Streamlit runs the page that is being left,
// and shows it again. So a press elsewhere, which may choose another page, tells it at once, and
// with a new address, as the browser's Back brings it, it is let go.

const HEARD = ["pointerdown", "keydown", "popstate"];

export class Later {
  // root: what the component is drawn in; does: what tells; left: called where it is let go.
  constructor(root, does, left = () => {}, where = globalThis) {
    Object.assign(this, { root, does, left, where, waiting: null });
    this.heard = (event) => this.hear(event);
  }

  in(milliseconds) {
    this.drop();
    this.waiting = setTimeout(() => this.now(), milliseconds);
    this.listen("addEventListener");
  }

  now() {
    this.drop();
    this.does();
  }

  drop() {
    if (this.waiting === null) return;
    clearTimeout(this.waiting);
    this.waiting = null;
    this.listen("removeEventListener");
  }

  listen(how) {
    for (const name of HEARD) this.where[how]?.(name, this.heard, { capture: true });
  }

  hear(event) {
    if (event.type === "popstate") {
      this.drop();
      this.left();
    } else if (event.type === "pointerdown" || event.key === "Enter") {
      if (!event.composedPath().includes(this.root)) this.now();
    }
  }
}
