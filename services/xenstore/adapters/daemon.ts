import { assert } from '../../../base/assert.ts';
import { ok, type Result } from '../../../base/result.ts';
import type { ConnectionId } from '../core/domain.ts';
import type { XenstoreError } from '../core/error.ts';
import type { DomainId } from '../core/permissions.ts';
import type { Node } from '../core/tree.ts';
import type { Image, SocketLink } from '../migration/image.ts';
import type { Attached, Peer, RingPlace } from './attached.ts';
import { Clients } from './daemon/clients.ts';
import type { Beginning, DaemonOptions } from './daemon/options.ts';
import { Outputs } from './daemon/outputs.ts';
import { Questions } from './daemon/questions.ts';
import { RingClients } from './daemon/ring-clients.ts';
import { ConnectionNumbers, type Shared } from './daemon/shared.ts';
import { Snapshots } from './daemon/snapshots.ts';
import { Turns } from './daemon/turns.ts';
import type { Journal } from './journal.ts';
import { type Revived, revive } from './revive.ts';

/**
 * Runs the store for any number of transports: feeds it with what clients ask, and carries out what
 * it wants done. All of it is synchronous, so that requests are served one at a time, in the order in
 * which they arrive. What it is told it keeps in the journal, before anything of it leaves.
 */
export class Daemon {
  readonly #shared: Shared;
  readonly #turns: Turns;
  readonly #clients: Clients;
  readonly #rings: RingClients;
  readonly #questions: Questions;
  readonly #outputs: Outputs;
  readonly #snapshots: Snapshots;
  #handedOver: ReadonlyMap<ConnectionId, SocketLink> = new Map();

  private constructor(
    { store, nextConnection }: Revived,
    journal: Journal,
    options: DaemonOptions,
  ) {
    this.#turns = new Turns((input) => {
      for (const output of store.step(input)) this.#outputs.carryOut(output);
    });
    const numbers = new ConnectionNumbers(nextConnection);
    this.#shared = { store, journal, options, turns: this.#turns, peers: new Map(), numbers };
    this.#clients = new Clients(this.#shared);
    this.#snapshots = new Snapshots(this.#shared, () => this.#rings);
    const leaving = () => this.#snapshots.leaving();
    this.#rings = new RingClients(this.#shared, this.#clients, leaving);
    this.#questions = new Questions(this.#shared, this.#rings);
    this.#outputs = new Outputs(this.#shared, this.#rings, this.#questions);
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
    return this.#shared.peers.size;
  }

  /** The tree as it is now; it is immutable. */
  get top(): Node {
    return this.#shared.store.top;
  }

  /** A client of the given domain is there. */
  attach(domain: DomainId, peer: Peer): Attached {
    const { numbers, peers, options } = this.#shared;
    const connection = numbers.take();
    peers.set(connection, peer);
    options.trace?.connected(connection, domain);
    this.#turns.whenFree(() => this.#clients.connect(connection, domain));
    return this.#attached(connection);
  }

  /** A client that was handed over is served on. */
  takeOver(connection: ConnectionId, peer: Peer): Attached {
    assert(this.#handedOver.has(connection), 'a client that is taken over was handed over');
    this.#shared.peers.set(connection, peer);
    return this.#attached(connection);
  }

  /** Clients that were handed over and are not taken over by now are gone; whoever waits is answered. */
  goOn(): void {
    for (const connection of this.#handedOver.keys())
      if (!this.#shared.peers.has(connection)) this.#clients.disconnect(connection);
    this.#handedOver = new Map();
    this.#questions.answerLeft();
  }

  /** All that there is; with `descriptors`, for the process that has this one's descriptors. */
  image(descriptors?: Pick<Image, 'listening' | 'eventChannels'>): Image {
    return this.#snapshots.image(descriptors);
  }

  /** Whether a request would be served at once: not where something waits for the end of a turn. */
  get free(): boolean {
    return this.#turns.free;
  }

  /** Whether the ring of a domain is served. */
  serves(domain: DomainId): boolean {
    return this.#rings.serves(domain);
  }

  /** Serves the ring of a domain without a request for it, as that of the control domain itself. */
  introduce(place: RingPlace): Result<void, XenstoreError> {
    this.#shared.journal.write({ kind: 'introduce', place });
    const mapped = this.#rings.map(place, 0);
    if (!mapped.ok) return mapped;
    this.#turns.take({ kind: 'introduced', domain: place.domain, connection: mapped.value });
    return ok(undefined);
  }

  /**
   * The hypervisor has said that something became of these domains (VIRQ_DOM_EXC), or may have: that is
   * to be asked once when the daemon has begun.
   */
  domainsChanged(state: (domain: DomainId) => 'running' | 'shutdown' | 'gone'): void {
    for (const { id, privileged } of [...this.#shared.store.domains]) {
      if (privileged) continue;
      const now = state(id);
      if (now === 'running') continue;
      const kind = now === 'gone' ? 'domain-gone' : 'domain-shutdown';
      this.#turns.whenFree(() => {
        this.#shared.journal.write({ kind, domain: id });
        this.#turns.take({ kind, domain: id });
      });
    }
  }

  #begin({ rings, clients, links }: Revived, beginning: Beginning): void {
    const { store, journal } = this.#shared;
    const handedOver = beginning === 'handed over';
    const keepsChannels = handedOver && journal.past.image?.eventChannels != null;
    // What is to be written down is what was before rings and clients go on.
    const revived = this.#snapshots.imageBefore(rings);
    this.#rings.resume(rings, keepsChannels);
    if (handedOver) this.#handedOver = links;
    else if (journal.past.any) this.#snapshots.write(revived);
    for (const connection of clients)
      if (!this.#handedOver.has(connection)) this.#clients.disconnect(connection);
    if (store.awake) this.#outputs.wake();
    if (!handedOver) this.goOn();
  }

  #attached(connection: ConnectionId): Attached {
    const { store, peers } = this.#shared;
    const turns = this.#turns;
    const clients = this.#clients;
    return {
      request: (packet) => {
        assert(peers.has(connection), 'no request after a disconnect');
        if (turns.free) clients.ask(connection, packet);
        else {
          const kept = { ...packet, payload: packet.payload.slice() };
          turns.whenFree(() => clients.ask(connection, kept));
        }
      },
      get awaited() {
        return store.awaits(connection);
      },
      taken: (packets) => turns.whenFree(() => clients.taken(connection, packets)),
      leaving: () => this.#snapshots.leaving(),
      disconnect: () => {
        if (peers.delete(connection)) turns.whenFree(() => clients.disconnect(connection));
      },
    };
  }
}
