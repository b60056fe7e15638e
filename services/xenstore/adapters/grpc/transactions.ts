import { fail, ok, type Result } from '../../../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../../../base/units.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { OpenTransaction } from '../../client/transaction.ts';
import { clientFailure, failureOf } from './failures.ts';
import { Places } from './places.ts';
import type { Xenstore } from './xenstore.ts';

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
  readonly transaction: OpenTransaction;
  readonly timer: NodeJS.Timeout;
  requests: number;
}

/** The transactions of callers over gRPC, who may leave at any moment without a word. */
export class Transactions {
  readonly #xenstore: Pick<Xenstore, 'client'>;
  readonly #patience: Milliseconds;
  readonly #places = new Places(openMax, openOfCallerMax);
  readonly #open = new Map<number, Open>();
  #last = 0;

  constructor(xenstore: Pick<Xenstore, 'client'>, patience: Milliseconds = patienceDefault) {
    this.#xenstore = xenstore;
    this.#patience = patience;
  }

  /** How many are open. */
  get size(): number {
    return this.#places.size;
  }

  /** Begins one; the number that its caller is to name it by. */
  async begin(caller: string | null): Promise<Result<number, Failure>> {
    if (!this.#places.take(caller)) return fail(tooMany);
    const client = await this.#xenstore.client();
    const begun = client.ok ? await client.value.begin() : client;
    if (!begun.ok) {
      this.#places.leave(caller);
      return fail(clientFailure(begun.error, ''));
    }
    const name = this.#newName();
    const timer = setTimeout(() => void this.end(caller, name, false), this.#patience).unref();
    this.#open.set(name, { caller, transaction: begun.value, timer, requests: 0 });
    return ok(name);
  }

  /** A caller's transaction, for one more request in it. */
  enter(caller: string | null, name: number, path: string): Result<OpenTransaction, Failure> {
    const open = this.#find(caller, name);
    if (open === undefined) return fail(failureOf('ENOENT', path));
    open.requests += 1;
    return open.requests <= requestsMax ? ok(open.transaction) : fail(failureOf('ENOMEM', path));
  }

  /** Ends one. It is over, whatever comes of it. */
  async end(
    caller: string | null,
    name: number,
    commit: boolean,
  ): Promise<Result<object, Failure>> {
    const open = this.#find(caller, name);
    if (open === undefined) return fail(failureOf('ENOENT', ''));
    clearTimeout(open.timer);
    this.#open.delete(name);
    const ended = await open.transaction.end(commit);
    this.#places.leave(caller);
    return ended.ok ? ok({}) : fail(clientFailure(ended.error, ''));
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
