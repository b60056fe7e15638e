import { fail, ok, type Result } from '../../../base/result.ts';
import type { Milliseconds } from '../../../base/units.ts';
import { textOf } from '../core/payload.ts';
import { type MessageName, messageTypes, type Packet } from '../core/wire.ts';
import { type ClientFailure, type ErrorName, isErrorName, refused } from './failure.ts';
import type { Link } from './link.ts';

/** What a reply amounts to: a copy of its payload. */
export type Reply = Result<Uint8Array, ClientFailure>;

/** A request, before it has an id. */
export interface Asked {
  readonly name: MessageName;
  readonly transactionId: number;
  readonly payload: Uint8Array;
  /** How long it is waited for; left out: as long as for any. */
  readonly timeout?: Milliseconds;
  /** Called with a good reply that comes when nobody waits for it any more. */
  readonly late?: (payload: Uint8Array) => void;
}

/** How many requests, and how long. */
export interface ExchangeBounds {
  readonly inFlightMax: number;
  readonly waitingMax: number;
  readonly timeout: Milliseconds;
}

interface Pending {
  readonly asked: Asked;
  /** Null once nobody waits. */
  settle: ((reply: Reply) => void) | null;
  readonly timer: NodeJS.Timeout;
}

/**
 * The requests of one link: many are on their way at once, each known by its id. A request that nobody
 * waits for any more keeps its id, and its place among those on their way, until its reply comes.
 */
export class Exchange {
  readonly #link: Link;
  readonly #bounds: ExchangeBounds;
  readonly #inFlight = new Map<number, Pending>();
  readonly #waiting = new Set<Pending>();
  #nextId = 1;
  #over: ClientFailure | null = null;

  constructor(link: Link, bounds: ExchangeBounds) {
    this.#link = link;
    this.#bounds = bounds;
  }

  /** Sends a request, at once or when others have their replies. */
  request(asked: Asked): Promise<Reply> {
    const { name, payload } = asked;
    if (this.#over !== null) return Promise.resolve(fail(this.#over));
    // The server would end the connection, and with it every other request.
    if (payload.length > this.#link.payloadMax)
      return Promise.resolve(fail(refused('E2BIG', `${name} of ${payload.length} bytes`)));
    if (this.#waiting.size >= this.#bounds.waitingMax)
      return Promise.resolve(
        fail({
          code: 'OVERLOADED',
          message: `${name}: ${this.#waiting.size} requests wait already`,
        }),
      );
    return new Promise((resolve) => {
      const timeout = asked.timeout ?? this.#bounds.timeout;
      const timer = setTimeout(() => this.#timeOut(pending, timeout), timeout);
      const pending: Pending = { asked, settle: resolve, timer };
      if (this.#inFlight.size < this.#bounds.inFlightMax) this.#send(pending);
      else this.#waiting.add(pending);
    });
  }

  /** Takes a reply; a sentence comes back where it is a reply to nothing that was asked. */
  reply({ type, requestId, payload }: Packet): string | null {
    const id = this.#inFlight.has(requestId) ? requestId : this.#unnumbered(type, requestId);
    const pending = id === undefined ? undefined : this.#inFlight.get(id);
    if (id === undefined || pending === undefined)
      return `a reply to request ${requestId}, not asked`;
    const { name } = pending.asked;
    if (type === messageTypes.ERROR) {
      const text = textOf(payload).split('\0')[0] ?? '';
      const failure: ClientFailure = isErrorName(text)
        ? refused(text, name)
        : { code: 'PROTOCOL', message: `${name}: the server replied the unknown error "${text}"` };
      this.#settle(id, pending, fail(failure));
      return null;
    }
    if (type !== messageTypes[name]) return `a reply of type ${type} to ${name}`;
    this.#settle(id, pending, ok(new Uint8Array(payload)));
    return null;
  }

  /** The transport has refused a request. */
  refuse(requestId: number, error: ErrorName): void {
    const pending = this.#inFlight.get(requestId);
    if (pending !== undefined)
      this.#settle(requestId, pending, fail(refused(error, pending.asked.name)));
  }

  /** The link is over: whoever waits is told, and whoever asks from now on. */
  end(failure: ClientFailure): void {
    this.#over = failure;
    const all = [...this.#inFlight.values(), ...this.#waiting];
    this.#inFlight.clear();
    this.#waiting.clear();
    for (const { settle, timer } of all) {
      clearTimeout(timer);
      settle?.(fail(failure));
    }
  }

  /**
   * Linux replies to WATCH and UNWATCH itself, without the request's id (`xenbus_write_watch` in
   * drivers/xen/xenbus/xenbus_dev_frontend.c), but in order: it is the oldest of that type.
   */
  #unnumbered(type: number, requestId: number): number | undefined {
    if (requestId !== 0) return undefined;
    if (type !== messageTypes.WATCH && type !== messageTypes.UNWATCH) return undefined;
    for (const [id, { asked }] of this.#inFlight) if (messageTypes[asked.name] === type) return id;
    return undefined;
  }

  #send(pending: Pending): void {
    while (this.#nextId === 0 || this.#inFlight.has(this.#nextId)) this.#advance();
    const requestId = this.#nextId;
    this.#advance();
    this.#inFlight.set(requestId, pending);
    const { name, transactionId, payload } = pending.asked;
    this.#link.send({ type: messageTypes[name], requestId, transactionId, payload });
  }

  #advance(): void {
    this.#nextId = (this.#nextId + 1) >>> 0;
  }

  #settle(id: number, pending: Pending, reply: Reply): void {
    this.#inFlight.delete(id);
    clearTimeout(pending.timer);
    if (pending.settle !== null) pending.settle(reply);
    else if (reply.ok) pending.asked.late?.(reply.value);
    for (const next of this.#waiting) {
      if (this.#inFlight.size >= this.#bounds.inFlightMax) break;
      this.#waiting.delete(next);
      this.#send(next);
    }
  }

  #timeOut(pending: Pending, timeout: Milliseconds): void {
    const { settle, asked } = pending;
    pending.settle = null;
    this.#waiting.delete(pending);
    const message = `${asked.name}: no reply within ${timeout} ms`;
    settle?.(fail({ code: 'TIMEOUT', message }));
  }
}
