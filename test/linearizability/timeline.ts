import type { Operation } from './model.ts';

/** The beginning or the end of an operation that was answered. */
interface Moment {
  readonly operation: number;
  readonly at: number;
  readonly isEnd: boolean;
  before: Moment;
  after: Moment;
}

/**
 * What is left of a history while an order is sought: the beginnings and ends of the operations
 * that have no place yet, linked in the order of time, so that taking one out and putting it back
 * costs nothing. What was taken is put back in the reverse order.
 */
export class Timeline {
  /** Before the first moment and after the last. */
  readonly #rim: Moment;
  readonly #ends = new Map<number, { readonly begin: Moment; readonly end: Moment }>();
  /** Those of unknown outcome, in the order in which they began. */
  readonly #unknown: readonly { readonly operation: number; readonly invoked: number }[];
  readonly #taken = new Set<number>();
  /** Where answers tell the order: each operation's number, and the operations by it. */
  readonly #orders: readonly (number | null)[];
  readonly #ordered: readonly number[];
  readonly #places: ReadonlyMap<number, number>;
  /** How many of them, from the first on, are taken. */
  #passed = 0;
  #left = 0;

  constructor(history: readonly Operation<unknown, unknown>[], orders: readonly (number | null)[]) {
    this.#orders = orders;
    this.#ordered = [...history.keys()]
      .filter((at) => history[at]?.returned !== null && orders[at] !== null)
      .sort((a, b) => (orders[a] ?? 0) - (orders[b] ?? 0));
    this.#places = new Map(this.#ordered.map((operation, place) => [operation, place]));
    this.#rim = blank(-1, Number.POSITIVE_INFINITY, true);
    const moments: Moment[] = [];
    for (const [operation, { invoked, returned }] of history.entries()) {
      if (returned === null) continue;
      const begin = blank(operation, invoked, false);
      const end = blank(operation, returned, true);
      moments.push(begin, end);
      this.#ends.set(operation, { begin, end });
      this.#left += 1;
    }
    // Where a beginning and an end share an instant, the operations are concurrent.
    moments.sort((a, b) => a.at - b.at || Number(a.isEnd) - Number(b.isEnd));
    for (const moment of moments) {
      moment.before = this.#rim.before;
      moment.after = this.#rim;
      link(moment);
    }
    this.#unknown = [...history.entries()]
      .filter(([, { returned }]) => returned === null)
      .map(([operation, { invoked }]) => ({ operation, invoked }))
      .sort((a, b) => a.invoked - b.invoked);
  }

  /** How many answered operations have no place yet. */
  get left(): number {
    return this.#left;
  }

  /**
   * Those that began before any other that is left had ended, and of which no other shows that it
   * comes before them: one of them comes next.
   */
  answered(): readonly number[] {
    const first = this.#ordered[this.#passed];
    const least = first === undefined ? null : (this.#orders[first] ?? null);
    const found: number[] = [];
    for (let at = this.#rim.after; !at.isEnd; at = at.after) {
      const order = this.#orders[at.operation] ?? null;
      if (order === null || order === least) found.push(at.operation);
    }
    return found;
  }

  /** Those of unknown outcome that may have taken effect before the next must have. */
  unanswered(): readonly number[] {
    let end = this.#rim.after;
    while (!end.isEnd) end = end.after;
    const found: number[] = [];
    for (const { operation, invoked } of this.#unknown) {
      if (invoked > end.at) break;
      if (!this.#taken.has(operation)) found.push(operation);
    }
    return found;
  }

  take(operation: number): void {
    this.#taken.add(operation);
    const ends = this.#ends.get(operation);
    if (ends === undefined) return;
    unlink(ends.begin);
    unlink(ends.end);
    this.#left -= 1;
    while (this.#taken.has(this.#ordered[this.#passed] ?? -1)) this.#passed += 1;
  }

  putBack(operation: number): void {
    this.#taken.delete(operation);
    const ends = this.#ends.get(operation);
    if (ends === undefined) return;
    link(ends.end);
    link(ends.begin);
    this.#left += 1;
    this.#passed = Math.min(this.#passed, this.#places.get(operation) ?? this.#passed);
  }
}

function blank(operation: number, at: number, isEnd: boolean): Moment {
  const itself = { operation, at, isEnd } as Moment;
  itself.before = itself;
  itself.after = itself;
  return itself;
}

/** A moment that is taken out remembers its neighbours, and so finds its place again. */
function link(moment: Moment): void {
  moment.before.after = moment;
  moment.after.before = moment;
}

function unlink(moment: Moment): void {
  moment.before.after = moment.after;
  moment.after.before = moment.before;
}
