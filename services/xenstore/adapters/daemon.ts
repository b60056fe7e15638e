import { assert } from '../../../base/assert.ts';
import type { ConnectionId } from '../core/connection.ts';
import type { DomainId } from '../core/permissions.ts';
import type { Output, Store } from '../core/store.ts';
import type { Packet } from '../core/wire.ts';
import type { Journal } from './journal.ts';

/** How the daemon reaches one client. */
export interface Peer {
  /** Never called again after the peer was disconnected. */
  send(packet: Packet): void;
}

/** What a transport holds of a client that it connected. */
export interface Attached {
  request(packet: Packet): void;
  disconnect(): void;
}

/**
 * Runs the store for any number of transports: feeds it with what clients ask, and carries out what
 * it wants done. All of it is synchronous, so that requests are served one at a time, in the order in
 * which they arrive.
 */
export class Daemon {
  readonly #store: Store;
  readonly #journal: Journal;
  readonly #peers = new Map<ConnectionId, Peer>();
  #nextConnection: ConnectionId = 1;

  constructor(store: Store, journal: Journal) {
    this.#store = store;
    this.#journal = journal;
  }

  /** How many clients are connected. */
  get clients(): number {
    return this.#peers.size;
  }

  /** A client of the given domain is there. */
  attach(domain: DomainId, peer: Peer): Attached {
    const connection = this.#nextConnection;
    this.#nextConnection += 1;
    this.#peers.set(connection, peer);
    this.#do(this.#store.step({ kind: 'connect', connection, domain }));
    return {
      request: (packet) => {
        assert(this.#peers.has(connection), 'no request after a disconnect');
        this.#do(this.#store.step({ kind: 'request', connection, packet }));
      },
      disconnect: () => {
        if (!this.#peers.delete(connection)) return;
        this.#do(this.#store.step({ kind: 'disconnect', connection }));
      },
    };
  }

  #do(outputs: readonly Output[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case 'keep':
          this.#journal.append(output.change, output.domain, this.#store.root);
          break;
        case 'send':
          this.#peers.get(output.connection)?.send(output.packet);
          break;
      }
    }
  }
}
