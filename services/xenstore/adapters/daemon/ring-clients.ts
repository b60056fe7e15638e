import { assert } from '../../../../base/assert.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { ConnectionId } from '../../core/domain.ts';
import type { XenstoreError } from '../../core/error.ts';
import type { DomainId } from '../../core/permissions.ts';
import type { Link } from '../../migration/image.ts';
import type { ServerRingState } from '../../rings/server-state.ts';
import type { AttachedRing, RingPeer, RingPlace } from '../attached.ts';
import type { Entry } from '../journal-entries.ts';
import type { RevivedRing } from '../revive.ts';
import type { Clients } from './clients.ts';
import type { Shared } from './shared.ts';

/** A ring that is served, and where it is. */
interface ServedRing {
  readonly place: RingPlace;
  readonly peer: RingPeer;
}

/** The clients that are domains on their rings. */
export class RingClients {
  readonly #shared: Shared;
  readonly #clients: Clients;
  readonly #leaving: () => void;
  readonly #rings = new Map<ConnectionId, ServedRing>();

  /** `leaving` is called before anything that was sent to a ring is in its page. */
  constructor(shared: Shared, clients: Clients, leaving: () => void) {
    this.#shared = shared;
    this.#clients = clients;
    this.#leaving = leaving;
  }

  /** Whether the ring of a domain is served. */
  serves(domain: DomainId): boolean {
    return [...this.#rings.values()].some((ring) => ring.place.domain === domain);
  }

  /** Whose ring a connection is on. */
  domainOf(connection: ConnectionId): DomainId | undefined {
    return this.#rings.get(connection)?.place.domain;
  }

  /** How another process goes on with each of them. */
  *links(): Generator<readonly [ConnectionId, Link]> {
    for (const [connection, { place, peer }] of this.#rings)
      yield [connection, { kind: 'ring', place, boundPort: peer.boundPort, state: peer.state() }];
  }

  /** Serves on the rings of the process before this one, whose event channels may be bound still. */
  resume(rings: ReadonlyMap<ConnectionId, RevivedRing>, keepsChannels: boolean): void {
    const { store, options, peers } = this.#shared;
    for (const [connection, { place, boundPort, replay }] of rings) {
      const attached = this.#attached(connection);
      const state = replay.state();
      const held = store.sessions.find(connection)?.domain.held === true;
      const mapped = options.rings?.map(place, attached, {
        state,
        boundPort: keepsChannels ? boundPort : null,
        held,
      });
      const peer = mapped?.ok === true ? mapped.value : lostRing(state, boundPort);
      if (mapped?.ok !== true) options.onTrouble?.(`the ring of domain ${place.domain} is lost`);
      peers.set(connection, peer);
      this.#rings.set(connection, { place, peer });
    }
  }

  /** Maps a ring, and keeps what came of it; `ticket` is that of the question, or 0. */
  map(
    { domain, gfn, port, features }: RingPlace,
    ticket: number,
  ): Result<ConnectionId, XenstoreError> {
    const { options, journal, peers, numbers } = this.#shared;
    const connection = numbers.take();
    const place = { domain, gfn, port, features };
    const mapped =
      options.rings?.map(place, this.#attached(connection), null) ?? fail<XenstoreError>('ENOSYS');
    if (!mapped.ok) {
      journal.write({ kind: 'not-mapped', ticket, error: mapped.error });
      return mapped;
    }
    const { consumed, produced } = mapped.value.state();
    journal.write({ kind: 'mapped', ticket, connection, consumed, produced });
    peers.set(connection, mapped.value);
    this.#rings.set(connection, { place, peer: mapped.value });
    options.trace?.connected(connection, domain);
    return ok(connection);
  }

  /** Gives a ring another event channel. */
  rebind(connection: ConnectionId, port: number): void {
    const ring = this.#rings.get(connection);
    if (ring === undefined) return;
    this.#rings.set(connection, { ...ring, place: { ...ring.place, port } });
    // The page is about to show it.
    this.#shared.journal.commit();
    ring.peer.rebind(port);
  }

  /** The ring, if it is one, is served no longer. */
  forget(connection: ConnectionId): void {
    this.#rings.delete(connection);
  }

  #attached(connection: ConnectionId): AttachedRing {
    const { store, journal, turns } = this.#shared;
    const clients = this.#clients;
    const rings = this.#rings;
    const keep = (entry: Entry) => {
      journal.write(entry);
      journal.commit();
    };
    const reset = (entry: Entry) => {
      if (!rings.has(connection)) return;
      keep(entry);
      turns.take({ kind: 'reset', connection });
    };
    return {
      request: (packet) => {
        if (rings.has(connection)) clients.request(connection, packet);
      },
      get awaited() {
        return store.awaits(connection);
      },
      taken: (packets) => {
        if (!rings.has(connection)) return;
        journal.write({ kind: 'taken', connection, packets });
        turns.take({ kind: 'taken', connection, packets });
      },
      leaving: this.#leaving,
      disconnect: () => {
        if (rings.delete(connection)) turns.whenFree(() => clients.disconnect(connection));
      },
      received: (bytes) => {
        assert(!turns.busy, 'no ring is read from within a call to its peer');
        keep({ kind: 'received', connection, bytes });
      },
      reset: () => reset({ kind: 'reset', connection }),
      ready: () => keep({ kind: 'ready', connection }),
      zeroed: () => keep({ kind: 'zeroed', connection }),
      broken: (fault) => reset({ kind: 'broken', connection, fault }),
    };
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
