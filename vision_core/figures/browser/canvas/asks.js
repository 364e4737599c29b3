// What a hand asks for, one after the other. Of two messages in quick succession Python may hear the
// second alone, so the next one waits until the answer to the last one is here.

const PATIENCE_MS = 2500; // an ask that changes nothing has no answer

export class Asks {
  constructor(tell) {
    Object.assign(this, { tell, queue: [], waiting: 0 });
  }

  say(at) {
    this.queue.push(at);
    this.next();
  }

  next() {
    if (this.waiting || !this.queue.length) return;
    this.waiting = setTimeout(() => this.heard(), PATIENCE_MS);
    this.tell(this.queue.shift());
  }

  heard() {
    clearTimeout(this.waiting);
    this.waiting = 0;
    this.next();
  }

  drop() {
    this.queue = [];
    this.heard();
  }
}
