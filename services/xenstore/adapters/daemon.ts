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
import type { Image, Link, SocketLink } from '../migration/image.ts';
import type { ServerRingState } from '../rings/server-state.ts';
import type { Attached, AttachedRing, Peer, RingPeer, RingPlace, Rings } from './attached.ts';
import type { Journal } from './journal.ts';
import type { Entry } from './journal-entries.ts';
import { changesNothing, goesWithItsClient } from './lasting.ts';
import { type Revived, revive } from './revive.ts';
import type { Trace } from './trace.ts';

/** Runs a command of CONTROL that is about the process; the reply is text. */
export type Control = (
  command: AdapterCommand,
  parameters: readonly string[],
) => Promise<Result<string, XenstoreError>>;

/** What a daemon may be given besides its journal. */
export interface DaemonOptions {
  readonly rings?: Rings;
  readonly control?: Control;
  /** The access log, which may be off. */
  readonly trace?: Trace;
  /** Told of a ring that was served before and cannot be mapped again, in a sentence. */
  readonly onTrouble?: (sentence: string) => void;
  /** Told of quotas that are exceeded, at most once in `quotaSilence` for each domain and quota. */
  readonly onQuota?: (domain: DomainId, quota: string) => void;
}

/** How long the same domain's same quota is not told of again. */
export const quotaSilence: Milliseconds = milliseconds(10_000);

/** Domains and quotas whose silence is remembered at once; beyond it the oldest are told of again. */
const silencesMax = 1024;

const oneSecond: Milliseconds = milliseconds(1_000);

/** What a daemon begins with. */
export type Beginning = 'alone' | 'handed over';

/** A ring that is served, and where it is. */
interface ServedRing {
  readonly place: RingPlace;
  readonly peer: RingPeer;
}

/**
 * Runs the store for any number of transports: feeds it with what clients ask, and carries out what
 * it wants done. All of it is synchronous, so that requests are served one at a time, in the order in
 * which they arrive. What it is told it keeps in the journal, before anything of it leaves.
 */
export class Daemon {
  readonly #store: Store;
  readonly #journal: Journal;
  readonly #options: DaemonOptions;
  readonly #peers = new Map<ConnectionId, Peer>();
  readonly #rings = new Map<ConnectionId, ServedRing>();
  readonly #silences = new Map<string, number>();
  /** What came while another was carried out. */
  readonly #late: (() => void)[] = [];
  readonly #inputs: Input[] = [];
  #busy = false;
  #nextConnection: ConnectionId;
  #due = false;
  #handedOver: ReadonlyMap<ConnectionId, SocketLink> = new Map();

  private constructor(revived: Revived, journal: Journal, options: DaemonOptions) {
    this.#store = revived.store;
    this.#nextConnection = revived.nextConnection;
    this.#journal = journal;
    this.#options = options;
  }

  /**
   * A daemon that goes on where the one of the journal was killed: its rings are served on, its other
   * clients are gone. If that one has handed over, its clients are in `handedOver`, and the daemon is
   * told by `takeOver` and `goOn` when it has them. The failure is a sentence.
   */
  static open(
    journal: Journal,
    options: DaemonOptions = {},
    beginning: Beginning = 'alone',
  ): Result<Daemon, string> {
    const { rings } = options;
    const revived = revive(journal.past, {
      hypervisor: rings !== undefined,
      exists: (domain) => rings?.exists(domain) === true,
      note: (entry) => journal.write(entry),
    });
    if (!revived.ok) return revived;
    const daemon = new Daemon(revived.value, journal, options);
    daemon.#begin(revived.value, beginning);
    return ok(daemon);
  }

  /** Clients of the process that has handed over, by their connections. */
  get handedOver(): ReadonlyMap<ConnectionId, SocketLink> {
    return this.#handedOver;
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
    this.#whenFree(() => {
      this.#journal.write({ kind: 'connect', connection, domain }, domain !== controlDomain);
      this.#step({ kind: 'connect', connection, domain });
    });
    return this.#attached(connection);
  }

  /** A client that was handed over is served on. */
  takeOver(connection: ConnectionId, peer: Peer): Attached {
    assert(this.#handedOver.has(connection), 'a client that is taken over was handed over');
    this.#peers.set(connection, peer);
    return this.#attached(connection);
  }

  /** Clients that were handed over and are not taken over by now are gone; whoever waits is answered. */
  goOn(): void {
    for (const connection of this.#handedOver.keys())
      if (!this.#peers.has(connection)) this.#disconnect(connection);
    this.#handedOver = new Map();
    for (const { ticket, question } of this.#store.dump().waiting)
      if (question.kind === 'map') this.#ask(ticket, question);
      else
        this.#answer(
          ticket,
          question.command === 'live-update'
            ? { kind: 'text', text: 'OK' }
            : { kind: 'refused', error: 'EAGAIN' },
        );
  }

  /** All that there is; with `descriptors`, for the process that has this one's descriptors. */
  image(descriptors?: Pick<Image, 'listening' | 'eventChannels'>): Image {
    const links = new Map<ConnectionId, Link>();
    for (const [connection, { place, peer }] of this.#rings)
      links.set(connection, {
        kind: 'ring',
        place,
        boundPort: peer.boundPort,
        state: peer.state(),
      });
    if (descriptors !== undefined)
      for (const [connection, peer] of this.#peers) {
        const link = peer.handOver?.() ?? null;
        if (link !== null) links.set(connection, link);
      }
    const none = { listening: null, eventChannels: null };
    return {
      store: this.#store.dump(),
      nextConnection: this.#nextConnection,
      links,
      ...(descriptors ?? none),
    };
  }

  #imageBefore(rings: Revived['rings']): Image {
    const links = new Map<ConnectionId, Link>();
    for (const [connection, { place, boundPort, replay }] of rings)
      links.set(connection, { kind: 'ring', place, boundPort, state: replay.state() });
    return { ...this.image(), links };
  }

  #begin({ rings, clients, links }: Revived, beginning: Beginning): void {
    const handedOver = beginning === 'handed over';
    const keepsChannels = handedOver && this.#journal.past.image?.eventChannels != null;
    // What is to be written down is what was before rings and clients go on.
    const revived = this.#imageBefore(rings);
    for (const [connection, { place, boundPort, replay }] of rings) {
      const attached = this.#attachedRing(connection);
      const state = replay.state();
      const held = this.#store.sessions.find(connection)?.domain.held === true;
      const mapped = this.#options.rings?.map(place, attached, {
        state,
        boundPort: keepsChannels ? boundPort : null,
        held,
      });
      const peer = mapped?.ok === true ? mapped.value : lostRing(state, boundPort);
      if (mapped?.ok !== true)
        this.#options.onTrouble?.(`the ring of domain ${place.domain} is lost`);
      this.#peers.set(connection, peer);
      this.#rings.set(connection, { place, peer });
    }
    if (handedOver) this.#handedOver = links;
    else if (this.#journal.past.any) this.#snapshot(revived);
    for (const connection of clients)
      if (!this.#handedOver.has(connection)) this.#disconnect(connection);
    if (this.#store.awake) this.#wake();
    if (!handedOver) this.goOn();
  }

  /** Whether the ring of a domain is served. */
  serves(domain: DomainId): boolean {
    return [...this.#rings.values()].some((ring) => ring.place.domain === domain);
  }

  /** Serves the ring of a domain without a request for it, as that of the control domain itself. */
  introduce(place: RingPlace): Result<void, XenstoreError> {
    this.#journal.write({ kind: 'introduce', place });
    const mapped = this.#map(place, 0);
    if (!mapped.ok) return mapped;
    this.#step({ kind: 'introduced', domain: place.domain, connection: mapped.value });
    return ok(undefined);
  }

  /**
   * The hypervisor has said that something became of these domains (VIRQ_DOM_EXC), or may have: that is
   * to be asked once when the daemon has begun.
   */
  domainsChanged(state: (domain: DomainId) => 'running' | 'shutdown' | 'gone'): void {
    for (const { id, privileged } of [...this.#store.domains]) {
      if (privileged) continue;
      const now = state(id);
      if (now === 'running') continue;
      const kind = now === 'gone' ? 'domain-gone' : 'domain-shutdown';
      this.#whenFree(() => {
        this.#journal.write({ kind, domain: id });
        this.#step({ kind, domain: id });
      });
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
    return {
      request: (packet) => {
        assert(this.#peers.has(connection), 'no request after a disconnect');
        if (this.#free) this.#fromClient(connection, packet);
        else this.#whenFree(() => this.#fromClient(connection, packet));
      },
      get awaited() {
        return store.awaits(connection);
      },
      // What a client of the control domain has taken says only who is held, and that until it is gone.
      taken: (packets) => this.#whenFree(() => this.#taken(connection, packets)),
      leaving: () => this.#leaving(),
      disconnect: () => {
        if (this.#peers.delete(connection)) this.#whenFree(() => this.#disconnect(connection));
      },
    };
  }

  #attachedRing(connection: ConnectionId): AttachedRing {
    const keep = (entry: Entry) => {
      this.#journal.write(entry);
      this.#journal.commit();
    };
    const reset = (entry: Entry) => {
      if (!this.#rings.has(connection)) return;
      keep(entry);
      this.#step({ kind: 'reset', connection });
    };
    const store = this.#store;
    return {
      request: (packet) => {
        if (this.#rings.has(connection)) this.#request(connection, packet);
      },
      get awaited() {
        return store.awaits(connection);
      },
      taken: (packets) => {
        if (!this.#rings.has(connection)) return;
        this.#journal.write({ kind: 'taken', connection, packets });
        this.#step({ kind: 'taken', connection, packets });
      },
      leaving: () => this.#leaving(),
      disconnect: () => {
        if (this.#rings.delete(connection)) this.#whenFree(() => this.#disconnect(connection));
      },
      received: (bytes) => {
        assert(!this.#busy, 'no ring is read from within a call to its peer');
        keep({ kind: 'received', connection, bytes });
      },
      reset: () => reset({ kind: 'reset', connection }),
      ready: () => keep({ kind: 'ready', connection }),
      zeroed: () => keep({ kind: 'zeroed', connection }),
      broken: (fault) => reset({ kind: 'broken', connection, fault }),
    };
  }

  /** Whose a connection is; undefined for one that waits to be introduced. */
  #domainOf(connection: ConnectionId): DomainId | undefined {
    return this.#store.sessions.find(connection)?.domain.id;
  }

  /** Whether nothing is being carried out, and nothing waits for that. */
  get #free(): boolean {
    return !this.#busy && this.#late.length === 0;
  }

  /**
   * Does it now, or, where something is being carried out, soon after: what comes of one input is all
   * done before the next one, so that the journal has them in the order in which they count.
   */
  #whenFree(work: () => void): void {
    if (this.#free) {
      work();
      return;
    }
    if (this.#late.length === 0)
      queueMicrotask(() => {
        // The one that is at work stays in the queue, so that what it brings about comes behind it.
        for (let next = this.#late[0]; next !== undefined; next = this.#late[0]) {
          next();
          this.#late.shift();
        }
      });
    this.#late.push(work);
  }

  #fromClient(connection: ConnectionId, packet: Packet): void {
    // It may have been disconnected while its request had to wait.
    const session = this.#store.sessions.find(connection);
    if (session === undefined || !this.#peers.has(connection)) return;
    const { privileged } = session.domain;
    if (!privileged) this.#journal.writeRequest(connection, packet);
    else if (!changesNothing(packet))
      this.#journal.writeRequest(connection, packet, !goesWithItsClient(packet));
    this.#request(connection, packet);
  }

  #request(connection: ConnectionId, packet: Packet): void {
    const { trace } = this.#options;
    if (trace?.packets === true) trace.received(connection, this.#domainOf(connection), packet);
    this.#lookUp(packet);
    this.#step({ kind: 'request', connection, packet });
  }

  #taken(connection: ConnectionId, packets: number): void {
    const session = this.#store.sessions.find(connection);
    if (session === undefined) return;
    if (!session.domain.privileged) this.#journal.write({ kind: 'taken', connection, packets });
    this.#step({ kind: 'taken', connection, packets });
  }

  #disconnect(connection: ConnectionId): void {
    this.#options.trace?.disconnected(connection, this.#domainOf(connection));
    this.#peers.delete(connection);
    this.#journal.write({ kind: 'disconnect', connection });
    this.#step({ kind: 'disconnect', connection });
  }

  #leaving(): void {
    this.#journal.commitLasting();
    if (this.#due || !this.#journal.due) return;
    this.#due = true;
    setImmediate(() => {
      this.#due = false;
      this.#snapshot(this.image());
    });
  }

  /** A snapshot that fails costs nothing but its time: what was before counts on. */
  #snapshot(image: Image): void {
    void this.#journal.snapshot(image).then((outcome) => {
      if (!outcome.ok) this.#options.onTrouble?.(outcome.error);
    });
  }

  #answer(ticket: number, answer: Exclude<Answer, { readonly kind: 'mapped' }>): void {
    this.#journal.write({ kind: 'answer', ticket, answer });
    this.#step({ kind: 'answer', ticket, answer });
  }

  /** Tells the store of domains that a request names and that it does not know (XSA-417). */
  #lookUp(packet: Packet): void {
    const { rings } = this.#options;
    if (rings === undefined) return;
    for (const domain of domainsNamed(packet)) {
      if (this.#store.domains.find(domain) !== undefined) continue;
      const exists = rings.exists(domain);
      this.#journal.write({ kind: 'exists', domain, exists });
      if (exists) this.#step({ kind: 'domain-exists', domain });
    }
  }

  /** Takes an input; one that comes of its outputs is taken when all of them are done. */
  #step(input: Input): void {
    this.#inputs.push(input);
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift())
      for (const output of this.#store.step(next)) this.#do(output);
    this.#busy = false;
  }

  #do(output: Output): void {
    switch (output.kind) {
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
      case 'rebind': {
        const ring = this.#rings.get(output.connection);
        if (ring === undefined) return;
        const place = { ...ring.place, port: output.port };
        this.#rings.set(output.connection, { ...ring, place });
        // The page is about to show it.
        this.#journal.commit();
        ring.peer.rebind(output.port);
        return;
      }
      case 'ask':
        this.#ask(output.ticket, output.question);
        return;
      case 'quota-exceeded':
        this.#quotaExceeded(output.domain, output.quota);
        return;
      case 'wake':
        this.#wake();
        return;
    }
  }

  #wake(): void {
    const second = () => {
      this.#journal.write({ kind: 'second' });
      this.#step({ kind: 'second' });
    };
    setTimeout(() => this.#whenFree(second), oneSecond).unref();
  }

  #ask(ticket: number, question: Question): void {
    if (question.kind === 'map') {
      const mapped = this.#map(question, ticket);
      this.#step({
        kind: 'answer',
        ticket,
        answer: mapped.ok
          ? { kind: 'mapped', connection: mapped.value }
          : { kind: 'refused', error: mapped.error },
      });
      return;
    }
    const { control } = this.#options;
    if (control === undefined) {
      this.#answer(ticket, { kind: 'refused', error: 'ENOSYS' });
      return;
    }
    void control(question.command, question.parameters).then((reply) =>
      this.#whenFree(() =>
        this.#answer(
          ticket,
          reply.ok ? { kind: 'text', text: reply.value } : { kind: 'refused', error: reply.error },
        ),
      ),
    );
  }

  /** Maps a ring, and keeps what came of it; `ticket` is that of the question, or 0. */
  #map(
    { domain, gfn, port, features }: RingPlace,
    ticket: number,
  ): Result<ConnectionId, XenstoreError> {
    const connection = this.#nextConnection;
    this.#nextConnection += 1;
    const place = { domain, gfn, port, features };
    const mapped =
      this.#options.rings?.map(place, this.#attachedRing(connection), null) ??
      fail<XenstoreError>('ENOSYS');
    if (!mapped.ok) {
      this.#journal.write({ kind: 'not-mapped', ticket, error: mapped.error });
      return mapped;
    }
    const { consumed, produced } = mapped.value.state();
    this.#journal.write({ kind: 'mapped', ticket, connection, consumed, produced });
    this.#peers.set(connection, mapped.value);
    this.#rings.set(connection, { place, peer: mapped.value });
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

/** The ring of a domain that could not be mapped again: it stands where it stood. */
function lostRing(state: ServerRingState, boundPort: number): RingPeer {
  return {
    boundPort,
    state: () => state,
    send: () => undefined,
    hold: () => undefined,
    close: () => undefined,
    rebind: () => undefined,
  };
}
