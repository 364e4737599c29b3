// What a walkthrough says, ready to be asked: frames, which terms make a cell, what a cell feeds.

export const keyOf = (cell) => cell.join(",");

export function valueAt(values, cell) {
  return cell.reduce((part, i) => part[i], values);
}

// Short enough for a cell: four digits, no needless zeros, a true minus sign.
export function short(value, decimals) {
  let text = decimals === null || decimals === undefined
    ? String(Number(value.toPrecision(4))) : String(Number(value.toFixed(decimals)));
  if (Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3)) text = value.toExponential(1);
  return text.replace("-0.", "-.").replace(/^0\./, ".").replace("-", "−");
}

export const number = (value) => String(Number(value.toPrecision(6))).replace("-", "−");
const factor = (value) => (value < 0 ? `(${number(value)})` : number(value));

export class Walk {
  constructor(data) {
    this.data = data;
    this.made = new Map(); // output cell -> its terms over all steps
    this.feeds = new Map(); // "operand:cell" -> output cells
    data.steps.forEach((step, k) => step.terms.forEach((term) => this.note(step, term, k)));
  }

  note(step, term, k) {
    const cell = step.writes[term.to].cell;
    const key = keyOf(cell);
    if (!this.made.has(key)) this.made.set(key, []);
    this.made.get(key).push({ ...term, step: k });
    for (const [name, cells] of Object.entries(term.reads)) {
      for (const read of cells) {
        const from = `${name}:${keyOf(read)}`;
        if (!this.feeds.has(from)) this.feeds.set(from, new Map());
        this.feeds.get(from).set(key, cell);
      }
    }
  }

  // Values of the output after a step: a map from cell to value, and what this step added.
  frame(k) {
    const shown = new Map();
    for (const step of this.data.steps.slice(0, k + 1)) {
      for (const write of step.writes) shown.set(keyOf(write.cell), write.value);
    }
    return shown;
  }

  // {operand: Set of cells} that terms read.
  static reads(terms) {
    const found = {};
    for (const term of terms) {
      for (const [name, cells] of Object.entries(term.reads)) {
        found[name] ??= new Set();
        cells.forEach((cell) => found[name].add(keyOf(cell)));
      }
    }
    return found;
  }

  // A term as HTML: a product, a weighted sum, or a copy, each factor in its role's colour.
  term(term) {
    const parts = [];
    for (const [name, cells] of Object.entries(term.reads)) {
      if (name === "stretched" || name === "indices") continue;
      const operand = this.data.operands[name];
      cells.forEach((cell) => parts.push([operand.role, valueAt(operand.values, cell)]));
    }
    if (term.weights) {
      return parts.map(([role, v], i) => `${number(term.weights[i])}·${paint(role, v)}`).join(" + ");
    }
    return parts.length ? parts.map(([role, v]) => paint(role, v)).join("·") : number(term.value);
  }

  // y[cell] = all of its terms = value, by the operator's reduction.
  equation(cell, most = 12) {
    const terms = this.made.get(keyOf(cell)) ?? [];
    const value = number(valueAt(this.data.operands.output.values, cell));
    const all = this.named ? counted(terms.map((term) => this.term(term))) : null;
    const words = all?.slice(0, most) ?? terms.slice(0, most).map((term) => this.term(term));
    const more = (all ?? terms).length - most;
    if (more > 0) words.push(`… ${more} more`);
    const weighted = terms.some((term) => term.weights);
    const body = {
      sum: () => words.join(" + "), max: () => `max(${words.join(", ")})`,
      average: () => `(${words.map((w) => (weighted ? `[${w}]` : w)).join(" + ")}) / ${terms.length}`,
      keep: () => words.at(-1) ?? "",
    }[this.data.reduction]();
    return `${this.nameOf(cell)} = ${body || "0"} = <b class="output">${value}</b>`;
  }

  // Whether the results are quantities of their own, each with a name.
  get named() {
    return !Array.isArray(this.data.result);
  }

  nameOf(cell) {
    if (!this.named) return `y[${keyOf(cell)}]`;
    return Object.keys(this.data.result)[cell[0]].replace(/_/g, " ");
  }

  // The step as HTML: its equations where it completes the few cells that it writes, else its text.
  line(k) {
    const step = this.data.steps[k];
    const complete = step.writes.every((write) =>
      this.made.get(keyOf(write.cell))?.every((term) => term.step === k));
    const plain = ["sum", "average", "max"].includes(this.data.reduction);
    // The largest of an operator that otherwise adds is no sum: its text tells of what it is.
    const chosen = this.data.reduction === "sum" && step.text.includes(": max(");
    if (plain && complete && !chosen && step.writes.length > 0 && step.writes.length <= 3) {
      const tail = this.data.name === "max_pool" ? step.text.match(/, from x.*$/)?.[0] ?? "" : "";
      return step.writes.map((write) => this.equation(write.cell)).join(";&ensp; ") + tail;
    }
    const terms = step.terms.filter((term) => Object.keys(term.reads).length > 1);
    const added = this.data.reduction === "sum" && step.writes.length > 1 && terms.length > 0
      && Object.keys(terms[0].reads).length === 2;
    const list = terms.slice(0, 9).map((term) => this.term(term)).join(", ");
    const text = step.text.replace(/\d+\.\d{4,}/g, (v) => String(Number(Number(v).toPrecision(4))));
    return escapeText(text) + (added && !complete ? `: ${list}${terms.length > 9 ? ", …" : ""}` : "");
  }
}

// Equal neighbours as one: "34 × 0.01·1" in place of 34 terms.
function counted(words) {
  const runs = [];
  for (const word of words) {
    if (runs.at(-1)?.word === word) runs.at(-1).count += 1;
    else runs.push({ word, count: 1 });
  }
  return runs.map(({ word, count }) => (count > 1 ? `${count} × ${word}` : word));
}

const escapeText = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
const paint = (role, value) => `<b class="${role}">${factor(value)}</b>`;
