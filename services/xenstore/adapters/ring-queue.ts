/** A ring, as the queue sees it. */
interface Turns {
  /** Serves some requests; returns whether there are more. */
  turn(): boolean;
  /** Puts what was sent into the page. */
  flush(): void;
}

/**
 * Whose turn it is. Rings with requests are served round robin, a bounded number of requests each;
 * after each round sockets and timers have their turn. What was sent in a round is put into the pages
 * at its end, so that many replies or events leave with one signal.
 */
export class RingQueue {
  #waiting = new Set<Turns>();
  #unflushed = new Set<Turns>();
  #due: 'no' | 'soon' | 'later' = 'no';
  #running = false;

  /** The ring may have requests, or room. */
  add(ring: Turns): void {
    this.#waiting.add(ring);
    this.#runSoon();
  }

  /** Something was sent to the ring. */
  sent(ring: Turns): void {
    this.#unflushed.add(ring);
    this.#runSoon();
  }

  #runSoon(): void {
    if (this.#running || this.#due !== 'no') return;
    this.#due = 'soon';
    // After all events that have arrived together.
    queueMicrotask(() => this.#round());
  }

  #round(): void {
    this.#due = 'no';
    this.#running = true;
    const turns = this.#waiting;
    this.#waiting = new Set();
    for (const ring of turns) {
      if (ring.turn()) this.#waiting.add(ring);
      // There is room for requests again, even where nothing is to be sent.
      this.#unflushed.add(ring);
    }
    // Telling that something was taken can have others hear of it.
    while (this.#unflushed.size > 0) {
      const flushes = this.#unflushed;
      this.#unflushed = new Set();
      for (const ring of flushes) ring.flush();
    }
    this.#running = false;
    if (this.#waiting.size === 0) return;
    this.#due = 'later';
    setImmediate(() => this.#round());
  }
}
