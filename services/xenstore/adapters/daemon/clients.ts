import type { ConnectionId } from '../../core/domain.ts';
import { domainsNamed } from '../../core/named.ts';
import { controlDomain, type DomainId } from '../../core/permissions.ts';
import type { Packet } from '../../core/wire.ts';
import { changesNothing, goesWithItsClient } from '../lasting.ts';
import { domainOf, type Shared } from './shared.ts';

/** What clients do: it is kept in the journal, then told to the store. */
export class Clients {
  readonly #shared: Shared;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  /** A client of the given domain is there. */
  connect(connection: ConnectionId, domain: DomainId): void {
    const { journal, turns } = this.#shared;
    journal.write({ kind: 'connect', connection, domain }, domain !== controlDomain);
    turns.take({ kind: 'connect', connection, domain });
  }

  /** A client that is not on a ring asks something. */
  ask(connection: ConnectionId, packet: Packet): void {
    const { store, peers, journal } = this.#shared;
    // It may have been disconnected while its request had to wait.
    const session = store.sessions.find(connection);
    if (session === undefined || !peers.has(connection)) return;
    const { privileged } = session.domain;
    if (!privileged) journal.writeRequest(connection, packet);
    else if (!changesNothing(packet))
      journal.writeRequest(connection, packet, !goesWithItsClient(packet));
    this.request(connection, packet);
  }

  /** A request that is in the journal already, if it has to be: of a ring, its bytes are. */
  request(connection: ConnectionId, packet: Packet): void {
    const { options, turns } = this.#shared;
    if (options.trace?.packets === true)
      options.trace.received(connection, domainOf(this.#shared, connection), packet);
    this.#lookUp(packet);
    turns.take({ kind: 'request', connection, packet });
  }

  /** A client that is not on a ring has taken so many more packets. */
  taken(connection: ConnectionId, packets: number): void {
    const { store, journal, turns } = this.#shared;
    const session = store.sessions.find(connection);
    if (session === undefined) return;
    // What a client of the control domain has taken says only who is held, and that until it is gone.
    if (!session.domain.privileged) journal.write({ kind: 'taken', connection, packets });
    turns.take({ kind: 'taken', connection, packets });
  }

  /** A client is gone. */
  disconnect(connection: ConnectionId): void {
    const { options, peers, journal, turns } = this.#shared;
    options.trace?.disconnected(connection, domainOf(this.#shared, connection));
    peers.delete(connection);
    journal.write({ kind: 'disconnect', connection });
    turns.take({ kind: 'disconnect', connection });
  }

  /** Tells the store of domains that a request names and that it does not know (XSA-417). */
  #lookUp(packet: Packet): void {
    const { store, options, journal, turns } = this.#shared;
    const { rings } = options;
    if (rings === undefined) return;
    for (const domain of domainsNamed(packet)) {
      if (store.domains.find(domain) !== undefined) continue;
      const exists = rings.exists(domain);
      journal.write({ kind: 'exists', domain, exists });
      if (exists) turns.take({ kind: 'domain-exists', domain });
    }
  }
}
