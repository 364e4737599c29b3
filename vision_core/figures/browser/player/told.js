// The steps of which Python is told, one after the other: two runs of a page at once would answer in
// any order. When Python says a step that it was told, that is its answer; any other step is a wish
// of its own, which the player follows.

import { Later } from "../canvas/later.js";

const PATIENCE = 3000; // milliseconds after which an answer is not waited for

export class Told {
  // tell: called with a step; root: what the player is drawn in.
  constructor(tell, root) {
    this.tell = tell;
    const late = () => { this.late = true; this.say(this.last); };
    this.later = new Later(root, late, () => this.forget(null, null));
    this.forget(null, null);
  }

  // Nothing is open any more: the player stands at a step because Python said this word, which may
  // be a step beyond its end.
  forget(step, word) {
    this.later.drop();
    Object.assign(this, { last: step, sent: step, word, open: [], late: false });
  }

  // The step at which the player stands; told now, or when the answer to the last one is there.
  say(step) {
    this.last = step;
    if (step === this.sent || (this.open.length && !this.late)) return;
    Object.assign(this, { sent: step, late: false });
    this.open.push(step);
    this.later.in(PATIENCE);
    this.tell(step);
  }

  // Whether Python's word is a wish.
  wishes(step) {
    const at = this.open.indexOf(step);
    const wish = at < 0 && step !== this.word;
    this.word = step;
    if (at < 0) return wish;
    this.open.splice(0, at + 1);
    if (!this.open.length) this.later.drop();
    this.say(this.last);
    return false;
  }
}
