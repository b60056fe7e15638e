import { ok, type Result } from '../../../base/result.ts';
import type { LogIndex, MemberId } from '../../../consensus/core/ids.ts';
import { Store } from '../../../consensus/kv/store.ts';
import type { StateMachine } from '../../../consensus/replica.ts';
import type { LeaseBook } from './lease-book.ts';
import {
  type Applied,
  emptyChain,
  link,
  readChain,
  type SharedPast,
  writeChain,
} from './machine.ts';
import { everyKey, rangeOf } from './store-requests.ts';
import type { Truth } from './truth.ts';
import { briefly, Violation } from './violation.ts';

/** What all stores of one pool are compared with. */
export interface StoreChecks {
  readonly past: SharedPast;
  readonly truth: Truth;
  readonly leases: LeaseBook;
}

/** The pool database's own store as state machine, compared with what it should be. */
export class StoreMachine implements StateMachine<Applied> {
  readonly store = new Store();
  readonly #checks: StoreChecks;
  readonly #forgetful: boolean;
  #chain = emptyChain;
  /** How often it became another member's snapshot. */
  restores = 0;

  constructor(checks: StoreChecks, forgetful: boolean) {
    this.#checks = checks;
    this.#forgetful = forgetful;
  }

  apply(index: LogIndex, command: Uint8Array): Applied {
    const { past, truth, leases } = this.#checks;
    this.#chain = link(this.#chain, index, command);
    past.check(this.#chain);
    truth.commit(index, command);
    const reply = this.store.apply(index, command);
    if (this.store.revision !== truth.revisionAt(index))
      throw new Violation(
        `entry ${index} makes revision ${this.store.revision} here, and ${truth.revisionAt(index)} by the model`,
      );
    if (reply.ok && reply.value.kind === 'expire') leases.expired(reply.value.expired);
    return { index, reply };
  }

  configured(members: readonly MemberId[]): void {
    this.store.configured(members);
  }

  snapshot(): Iterable<Uint8Array> {
    return led(writeChain(this.#chain, this.#forgetful), this.store.snapshot());
  }

  restore(chunks: Iterable<Uint8Array>): Result<void, string> {
    const [first, ...rest] = chunks;
    const restored = this.store.restore(rest);
    if (!restored.ok) return restored;
    this.#chain = readChain(first ?? Buffer.alloc(0));
    this.#checks.past.check(this.#chain);
    this.checkWhole();
    this.restores += 1;
    return ok(undefined);
  }

  /** Every key must be what it should be at the store's revision. */
  checkWhole(): void {
    const { revision } = this.store;
    const read = this.store.range(rangeOf(everyKey));
    const here = (read.ok ? read.value.versions : []).map(
      ({ key, value, modRevision }) => `${key}=${value}@${modRevision}`,
    );
    const there = this.#checks.truth
      .allAt(revision)
      .map(({ key, value, mod }) => `${key}=${value}@${mod}`);
    if (here.join() !== there.join())
      throw new Violation(
        `the store at revision ${revision} holds ${briefly(here.join())}, and should ${briefly(there.join())}`,
      );
  }
}

/** One chunk, then others, which are let go of as soon as their reader leaves. */
function led(first: Uint8Array, rest: Iterable<Uint8Array>): Iterable<Uint8Array> {
  const others = rest[Symbol.iterator]();
  let begun = false;
  const iterator: IterableIterator<Uint8Array> = {
    next: () => {
      if (begun) return others.next();
      begun = true;
      return { done: false, value: first };
    },
    return: () => others.return?.() ?? { done: true, value: undefined },
    [Symbol.iterator]: () => iterator,
  };
  return iterator;
}
