/** One end of an event channel of a simulated host. */
export class EventPort {
  /** The other end, while both are bound. */
  remote: EventPort | null = null;
  #onEvent: (() => void) | null;
  #masks: boolean;
  #masked = false;
  #pending = false;
  #due = false;

  /** An end that `masks` has no second event until `unmask`. */
  constructor(onEvent: (() => void) | null, masks: boolean) {
    this.#onEvent = onEvent;
    this.#masks = masks;
  }

  /** Signals the other end, if it is bound. */
  notify(): void {
    this.remote?.signal();
  }

  /** An event comes to this end: after this call, and once for several. */
  signal(): void {
    this.#pending = true;
    this.#deliver();
  }

  unmask(): void {
    this.#masked = false;
    this.#deliver();
  }

  /** Nothing comes from here on. */
  close(): void {
    this.#onEvent = null;
    if (this.remote !== null) this.remote.remote = null;
    this.remote = null;
  }

  #deliver(): void {
    if (!this.#pending || this.#masked || this.#due) return;
    this.#due = true;
    setImmediate(() => {
      this.#due = false;
      this.#pending = false;
      this.#masked = this.#masks;
      this.#onEvent?.();
    });
  }
}
