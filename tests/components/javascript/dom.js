// As much of a document as the player's drawing needs: elements with attributes, text and children.

class Element {
  constructor(name) {
    Object.assign(this, { name, attributes: {}, dataset: {}, children: [], parentNode: null });
    this.textContent = "";
  }

  setAttribute(key, value) { this.attributes[key] = String(value); }

  getAttribute(key) { return this.attributes[key] ?? null; }

  append(...children) {
    for (const child of children) this.insertBefore(child, null);
  }

  prepend(child) { this.insertBefore(child, this.children[0] ?? null); }

  insertBefore(child, next) {
    const old = child.parentNode?.children;
    old?.splice(old.indexOf(child), 1);
    const at = next ? this.children.indexOf(next) : this.children.length;
    this.children.splice(at, 0, child);
    child.parentNode = this;
  }

  replaceChildren(...children) {
    this.children = [];
    this.append(...children);
  }

  get lastChild() { return this.children.at(-1) ?? null; }

  // This element and all below it.
  * all() {
    yield this;
    for (const child of this.children) yield* child.all();
  }
}

globalThis.document = { createElementNS: (_, name) => new Element(name) };

export const svg = () => new Element("svg");
