// The steps of which Python was told. When it says one of them, that is its answer; any other step
// is a wish of its own, which the player follows.

export class Told {
  constructor() {
    this.forget(null, null);
  }

  // Nothing is open any more: the player stands at a step because Python said this word, which may
  // be a step beyond its end.
  forget(step, word) {
    Object.assign(this, { last: step, word, open: [] });
  }

  // Note a step that Python is told now; false where it knows it already.
  add(step) {
    if (step === this.last) return false;
    this.last = step;
    this.open.push(step);
    return true;
  }

  // Whether Python's word is a wish. Its answers may be late, and some may be missing, but they come
  // in order: those before the one that came are not waited for any longer.
  wishes(step) {
    if (step === this.word) return false;
    this.word = step;
    const at = this.open.indexOf(step);
    this.open.splice(0, at + 1);
    return at < 0;
  }
}
