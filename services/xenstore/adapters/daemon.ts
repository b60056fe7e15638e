import { assert } from '../../../base/assert.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../../base/units.ts';
import type { ConnectionId } from '../core/domain.ts';
import type { XenstoreError } from '../core/error.ts';
import type { AdapterCommand, Answer, Input, Output, Question } from '../core/input.ts';
import { domainsNamed } from '../core/named.ts';
import { controlDomain, type DomainId } from '../core/permissions.ts';
import type { Store } from '../core/store.ts';
import type { Node } from '../core/tree.ts';
import type { Packet } from '../core/wire.ts';
import type { Attached, AttachedRing, Peer, RingPeer, RingPlace, Rings } from './attached.ts';
import type { Journal } from './journal.ts';
import type { Trace } from './trace.ts';

/** Runs a command of CONTROL that is about the process; the reply is text. */
export type Control = (
  command: AdapterCommand,
  parameters: readonly string[],
) => Promise<Result<string, XenstoreError>>;

/** What a daemon may be given besides its store and journal. */
export interface DaemonOptions {
  readonly rings?: Rings;
  readonly control?: Control;
  /** The access log, which may be off. */
  readonly trace?: Trace;
  /** Told of quotas that are exceeded, at most once in `quotaSilence` for each domain and quota. */
  readonly onQuota?: (domain: DomainId, quota: string) => void;
}

/** How long the same domain's same quota is not told of again. */
export const quotaSilence: Milliseconds = milliseconds(10_000);

/** Domains and quotas whose silence is remembered at once; beyond it the oldest are told of again. */
const silencesMax = 1024;

const oneSecond: Milliseconds = milliseconds(1_000);

/**
 * Runs the store for any number of transports: feeds it with what clients ask, and carries out what
 * it wants done. All of it is synchronous, so that requests are served one at a time, in the order in
 * which they arrive.
 */
export class Daemon {
  readonly #store: Store;
  readonly #journal: Journal;
  readonly #options: DaemonOptions;
  readonly #peers = new Map<ConnectionId, Peer>();
  readonly #rings = new Map<ConnectionId, { readonly place: RingPlace; readonly peer: RingPeer }>();
  readonly #silences = new Map<string, number>();
  readonly #inputs: Input[] = [];
  #busy = false;
  #nextConnection: ConnectionId = 1;

  constructor(store: Store, journal: Journal, options: DaemonOptions = {}) {
    this.#store = store;
    this.#journal = journal;
    this.#options = options;
  }

  /** How many clients are connected. */
  get clients(): number {
    return this.#peers.size;
  }

  /** The tree as it is now; it is immutable. */
  get top(): Node {
    return this.#store.top;
  }

  /** A client of the given domain is there. */
  attach(domain: DomainId, peer: Peer): Attached {
    const connection = this.#newConnection(peer);
    this.#options.trace?.connected(connection, domain);
    this.#step({ kind: 'connect', connection, domain });
    return this.#attached(connection);
  }

  /** Whether the ring of a domain is served. */
  serves(domain: DomainId): boolean {
    return [...this.#rings.values()].some((ring) => ring.place.domain === domain);
  }

  /** Serves the ring of a domain without a request for it, as that of the control domain itself. */
  introduce(place: RingPlace): Result<void, XenstoreError> {
    const mapped = this.#map(place);
    if (!mapped.ok) return mapped;
    this.#step({ kind: 'introduced', domain: place.domain, connection: mapped.value });
    return ok(undefined);
  }

  /** The hypervisor has said that something became of these domains (VIRQ_DOM_EXC). */
  domainsChanged(state: (domain: DomainId) => 'running' | 'shutdown' | 'gone'): void {
    for (const { id, privileged } of [...this.#store.domains]) {
      if (privileged) continue;
      const now = state(id);
      if (now === 'gone') this.#step({ kind: 'domain-gone', domain: id });
      else if (now === 'shutdown') this.#step({ kind: 'domain-shutdown', domain: id });
    }
  }

  #newConnection(peer: Peer): ConnectionId {
    const connection = this.#nextConnection;
    this.#nextConnection += 1;
    this.#peers.set(connection, peer);
    return connection;
  }

  #attached(connection: ConnectionId): Attached {
    const store = this.#store;
    const { trace } = this.#options;
    return {
      request: (packet) => {
        assert(this.#peers.has(connection), 'no request after a disconnect');
        if (trace?.packets === true) trace.received(connection, this.#domainOf(connection), packet);
        this.#lookUp(packet);
        this.#step({ kind: 'request', connection, packet });
      },
      get awaited() {
        return store.awaits(connection);
      },
      taken: (packets) => {
        if (this.#peers.has(connection)) this.#step({ kind: 'taken', connection, packets });
      },
      leaving: () => undefined,
      disconnect: () => {
        if (!this.#peers.delete(connection)) return;
        trace?.disconnected(connection, this.#domainOf(connection));
        this.#step({ kind: 'disconnect', connection });
      },
    };
  }

  /** Whose a connection is; undefined for one that waits to be introduced. */
  #domainOf(connection: ConnectionId): DomainId | undefined {
    return this.#store.sessions.find(connection)?.domain.id;
  }

  #attachedRing(connection: ConnectionId): AttachedRing {
    const reset = () => {
      if (this.#peers.has(connection)) this.#step({ kind: 'reset', connection });
    };
    const attached = this.#attached(connection);
    return Object.assign(attached, {
      received: () => undefined,
      reset,
      ready: () => undefined,
      zeroed: () => undefined,
      broken: reset,
    });
  }

  /** Tells the store of domains that a request names and that it does not know (XSA-417). */
  #lookUp(packet: Packet): void {
    const { rings } = this.#options;
    if (rings === undefined) return;
    for (const domain of domainsNamed(packet))
      if (this.#store.domains.find(domain) === undefined && rings.exists(domain))
        this.#step({ kind: 'domain-exists', domain });
  }

  /** Takes an input, or, while another is being carried out, puts it behind that one. */
  #step(input: Input): void {
    if (this.#busy) {
      this.#inputs.push(input);
      return;
    }
    this.#busy = true;
    for (let next: Input | undefined = input; next !== undefined; next = this.#inputs.shift())
      if (!this.#isLate(next)) for (const output of this.#store.step(next)) this.#do(output);
    this.#busy = false;
  }

  /** Whether the connection of an input that had to wait has been closed meanwhile. */
  #isLate(input: Input): boolean {
    switch (input.kind) {
      case 'request':
      case 'taken':
      case 'reset':
        return !this.#peers.has(input.connection);
      default:
        return false;
    }
  }

  #do(output: Output): void {
    switch (output.kind) {
      case 'keep':
        this.#journal.append(output.changes, output.domain, this.#store.top);
        return;
      case 'send':
        if (this.#options.trace?.packets === true)
          this.#options.trace.sent(
            output.connection,
            this.#domainOf(output.connection),
            output.packet,
          );
        this.#peers.get(output.connection)?.send(output.packet);
        return;
      case 'hold':
        this.#peers.get(output.connection)?.hold?.(output.held);
        return;
      case 'close': {
        const peer = this.#peers.get(output.connection);
        const domain = this.#rings.get(output.connection)?.place.domain;
        this.#options.trace?.disconnected(output.connection, domain);
        this.#peers.delete(output.connection);
        this.#rings.delete(output.connection);
        peer?.close?.();
        return;
      }
      case 'rebind':
        this.#rings.get(output.connection)?.peer.rebind(output.port);
        return;
      case 'ask':
        this.#ask(output.ticket, output.question);
        return;
      case 'quota-exceeded':
        this.#quotaExceeded(output.domain, output.quota);
        return;
      case 'wake':
        setTimeout(() => this.#step({ kind: 'second' }), oneSecond).unref();
        return;
    }
  }

  #ask(ticket: number, question: Question): void {
    const answer = (given: Answer) => this.#step({ kind: 'answer', ticket, answer: given });
    if (question.kind === 'map') {
      const mapped = this.#map(question);
      answer(
        mapped.ok
          ? { kind: 'mapped', connection: mapped.value }
          : { kind: 'refused', error: mapped.error },
      );
      return;
    }
    const { control } = this.#options;
    if (control === undefined) {
      answer({ kind: 'refused', error: 'ENOSYS' });
      return;
    }
    void control(question.command, question.parameters).then((reply) =>
      answer(
        reply.ok ? { kind: 'text', text: reply.value } : { kind: 'refused', error: reply.error },
      ),
    );
  }

  #map(place: RingPlace): Result<ConnectionId, XenstoreError> {
    const { rings } = this.#options;
    if (rings === undefined) return fail('ENOSYS');
    const connection = this.#nextConnection;
    this.#nextConnection += 1;
    const { domain, gfn, port, features } = place;
    const kept = { domain, gfn, port, features };
    const mapped = rings.map(kept, this.#attachedRing(connection), null);
    if (!mapped.ok) return mapped;
    this.#peers.set(connection, mapped.value);
    this.#rings.set(connection, { place: kept, peer: mapped.value });
    this.#options.trace?.connected(connection, domain);
    return ok(connection);
  }

  #quotaExceeded(domain: DomainId, quota: string): void {
    const { onQuota } = this.#options;
    if (onQuota === undefined || domain === controlDomain) return;
    const key = `${domain} ${quota}`;
    const now = performance.now();
    const last = this.#silences.get(key);
    if (last !== undefined && now - last < quotaSilence) return;
    this.#silences.delete(key);
    this.#silences.set(key, now);
    if (this.#silences.size > silencesMax)
      for (const oldest of this.#silences.keys()) {
        this.#silences.delete(oldest);
        break;
      }
    onQuota(domain, quota);
  }
}
