import { fail, ok, type Result } from '../../../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../../../base/units.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { textOf } from '../../core/payload.ts';
import { failureOf } from './failures.ts';
import type { Ask } from './requests.ts';

/** A transaction that is not ended by then is ended without effect: its caller may be gone. */
const patienceDefault: Milliseconds = milliseconds(60_000);

/** Transactions that may be open over gRPC at once, of all callers together, and of each. */
const openMax = 1000;
const openOfCallerMax = 250;

/** Requests in one transaction: it keeps what each of them has read or changed. */
const requestsMax = 100_000;

interface Open {
  /** Whose it is, by its certificate; null without TLS. */
  readonly caller: string | null;
  /** The daemon's number for it. */
  readonly id: number;
  readonly timer: NodeJS.Timeout;
  requests: number;
}

/** The transactions of callers over gRPC, who may leave at any moment without a word. */
export class Transactions {
  readonly #ask: Ask;
  readonly #patience: Milliseconds;
  readonly #open = new Map<number, Open>();
  #last = 0;

  constructor(ask: Ask, patience: Milliseconds = patienceDefault) {
    this.#ask = ask;
    this.#patience = patience;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Begins one; the number that its caller is to name it by. */
  begin(caller: string | null): Result<number, Failure> {
    const own = [...this.#open.values()].filter((each) => each.caller === caller).length;
    if (this.#open.size >= openMax || own >= openOfCallerMax) return fail(tooMany);
    const begun = this.#ask('TRANSACTION_START', '', 0);
    if (!begun.ok) return begun;
    const id = Number(textOf(begun.value).slice(0, -1));
    const name = this.#newName();
    const timer = setTimeout(() => this.end(caller, name, false), this.#patience).unref();
    this.#open.set(name, { caller, id, timer, requests: 0 });
    return ok(name);
  }

  /** The daemon's number of a caller's transaction, for one more request in it; 0 for 0. */
  enter(caller: string | null, name: number, path: string): Result<number, Failure> {
    if (name === 0) return ok(0);
    const open = this.#find(caller, name);
    if (open === undefined) return fail(failureOf('ENOENT', path));
    open.requests += 1;
    return open.requests <= requestsMax ? ok(open.id) : fail(failureOf('ENOMEM', path));
  }

  /** Ends one. It is over, whatever comes of it. */
  end(caller: string | null, name: number, commit: boolean): Result<object, Failure> {
    const open = this.#find(caller, name);
    if (open === undefined) return fail(failureOf('ENOENT', ''));
    clearTimeout(open.timer);
    this.#open.delete(name);
    const ended = this.#ask('TRANSACTION_END', commit ? 'T' : 'F', open.id);
    return ended.ok ? ok({}) : ended;
  }

  /** Nobody ends, or looks into, what another has begun. */
  #find(caller: string | null, name: number): Open | undefined {
    const open = this.#open.get(name);
    return open?.caller === caller ? open : undefined;
  }

  #newName(): number {
    do this.#last = this.#last === 2 ** 31 - 1 ? 1 : this.#last + 1;
    while (this.#open.has(this.#last));
    return this.#last;
  }
}

const tooMany: Failure = {
  reason: 'LIMIT',
  message: `${openOfCallerMax} transactions of one caller, or ${openMax} of all, are open over gRPC`,
  remedy: 'End transactions that are not needed, or wait a minute.',
};
