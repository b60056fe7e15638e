/** Writes to one client what is gathered for it; nothing where that is nothing, or the client gone. */
type Flush = () => void;

/**
 * When what is gathered for clients is written to their sockets. A reply that wakes its client costs more
 * than all else that is done for it, and it need not wake one that is awake. So where several clients
 * ask at a time, as threads of one process do, the replies of a turn leave one after another at its end:
 * it is the first of them that wakes.
 */
export class Departures {
  #waiting = new Set<Flush>();
  #inTurn = false;

  /** There is something for a client: it leaves when this turn ends, or else that of Node's loop. */
  soon(flush: Flush): void {
    if (!this.#inTurn && this.#waiting.size === 0) setImmediate(this.#leave);
    this.#waiting.add(flush);
  }

  /** Serves clients, after which all that is gathered for any leaves. */
  turn(serve: () => void): void {
    this.#inTurn = true;
    serve();
    this.#inTurn = false;
    this.#leave();
  }

  readonly #leave = (): void => {
    if (this.#waiting.size === 0) return;
    const leaving = this.#waiting;
    this.#waiting = new Set();
    for (const flush of leaving) flush();
  };
}
