/** Writes to one client what is gathered for it; nothing where that is nothing, or the client gone. */
type Flush = () => void;

/**
 * When what is gathered for clients is written to their sockets. A reply that wakes its client costs more
 * than all else that is done for it, and it need not wake one that is awake. So where several clients
 * ask at a time, as threads of one process do, the replies of a turn of the loop leave one after
 * another at its end: it is the first of them that wakes. One that asks alone is answered at once.
 */
export class Departures {
  /** Whose request was answered last. */
  #last: Flush | null = null;
  #waiting = new Set<Flush>();

  /** What a client has asked is answered. Returns whether it asks alone. */
  answered(flush: Flush): boolean {
    const alone = this.#last === flush && this.#waiting.size === 0;
    this.#last = flush;
    if (alone) flush();
    else this.soon(flush);
    return alone;
  }

  /** A client is told of what it has not just asked: of what others do, or what took its time. */
  soon(flush: Flush): void {
    if (this.#waiting.size === 0) setImmediate(this.#leave);
    this.#waiting.add(flush);
  }

  readonly #leave = (): void => {
    const leaving = this.#waiting;
    this.#waiting = new Set();
    for (const flush of leaving) flush();
  };
}
