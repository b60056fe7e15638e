import type { ConnectionId } from '../../core/domain.ts';
import type { DomainId } from '../../core/permissions.ts';
import type { Store } from '../../core/store.ts';
import type { Peer } from '../attached.ts';
import type { Journal } from '../journal.ts';
import type { DaemonOptions } from './options.ts';
import type { Turns } from './turns.ts';

/** What all parts of a daemon work on. */
export interface Shared {
  readonly store: Store;
  readonly journal: Journal;
  readonly options: DaemonOptions;
  readonly turns: Turns;
  /** Who is connected, on rings and otherwise. */
  readonly peers: Map<ConnectionId, Peer>;
  readonly numbers: ConnectionNumbers;
}

/** The numbers of connections, of which none is ever used again. */
export class ConnectionNumbers {
  #next: ConnectionId;

  constructor(next: ConnectionId) {
    this.#next = next;
  }

  /** The number of the next connection. */
  get next(): ConnectionId {
    return this.#next;
  }

  /** A number for a new connection. */
  take(): ConnectionId {
    const number = this.#next;
    this.#next += 1;
    return number;
  }
}

/** Whose a connection is; undefined for one that waits to be introduced. */
export function domainOf({ store }: Shared, connection: ConnectionId): DomainId | undefined {
  return store.sessions.find(connection)?.domain.id;
}
