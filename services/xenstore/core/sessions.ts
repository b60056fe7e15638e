import { present } from '../../../base/assert.ts';
import { type Connection, watchKey } from './connection.ts';
import type { Delivery } from './delivery.ts';
import type { ConnectionId, Domain } from './domain.ts';
import type { Fairness } from './fairness.ts';
import { formatPath, type Path } from './path.ts';
import type { DomainId } from './permissions.ts';
import { Transaction, type TransactionDump } from './transaction.ts';
import type { Generation, Node } from './tree.ts';
import { Unread, type UnreadDump } from './unread.ts';
import { type Watch, WatchTrie } from './watches.ts';

/** A connection: see `StoreDump`. Its watches are among those of all. */
export interface ConnectionDump {
  readonly id: ConnectionId;
  readonly domain: DomainId;
  readonly unread: UnreadDump;
  readonly transactions: readonly TransactionDump[];
}

/** A watch: see `StoreDump`. */
export interface WatchDump {
  readonly connection: ConnectionId;
  readonly path: Path;
  readonly token: string;
  readonly hidden: number;
  readonly depth: number | null;
}

/** Who is connected: see `StoreDump`. */
export interface SessionsDump {
  readonly nextTransaction: number;
  readonly connections: readonly ConnectionDump[];
  /** In the order in which they are made again, so that they fire in the order in which they did. */
  readonly watches: readonly WatchDump[];
}

/** Who is connected, with their watches and transactions; their domains are charged for them. */
export class Sessions {
  /** The watches of all. */
  readonly watches = new WatchTrie();
  readonly #connections = new Map<ConnectionId, Connection>();
  readonly #delivery: Delivery;
  readonly #fairness: Fairness;
  #nextTransaction = 1;

  constructor(delivery: Delivery, fairness: Fairness) {
    this.#delivery = delivery;
    this.#fairness = fairness;
  }

  /** Knows what another store has dumped; the domains are known already. */
  adopt(dump: SessionsDump, find: (id: DomainId) => Domain | undefined): void {
    this.#nextTransaction = dump.nextTransaction;
    for (const { id, domain, unread, transactions } of dump.connections)
      this.#connections.set(id, {
        id,
        domain: present(find(domain), `domain ${domain} of a connection is known`),
        unread: Unread.from(unread, find),
        transactions: new Map(transactions.map((each) => [each.id, Transaction.from(each)])),
        watches: new Map(),
      });
    for (const { connection, path, token, hidden, depth } of dump.watches) {
      const owner = this.get(connection);
      const watch: Watch = { connection: owner, token, path, hidden, depth };
      this.watches.add(watch);
      owner.watches.set(watchKey(formatPath(path), token), watch);
    }
  }

  /** Everything about them: see `StoreDump`. */
  dump(find: (id: DomainId) => Domain | undefined): SessionsDump {
    const connections = [...this.#connections.values()].map((each) => ({
      id: each.id,
      domain: each.domain.id,
      unread: each.unread.dump(find),
      transactions: [...each.transactions].map(([id, open]) => ({ id, ...open.dump() })),
    }));
    const watches = [...this.watches].map(({ connection, path, token, hidden, depth }) => {
      return { connection: connection.id, path, token, hidden, depth };
    });
    return { connections, watches, nextTransaction: this.#nextTransaction };
  }

  find(id: ConnectionId): Connection | undefined {
    return this.#connections.get(id);
  }

  /** A connection that the adapter has connected and not closed. */
  get(id: ConnectionId): Connection {
    return present(this.#connections.get(id), `connection ${id} is known`);
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#connections.values();
  }

  connect(id: ConnectionId, domain: Domain): void {
    this.#connections.set(id, {
      id,
      domain,
      transactions: new Map(),
      watches: new Map(),
      unread: new Unread(),
    });
    domain.connections.add(id);
  }

  disconnect(connection: Connection): void {
    this.restart(connection);
    this.#fairness.settled(connection, this.#delivery.note);
    connection.domain.connections.delete(connection.id);
    this.#connections.delete(connection.id);
  }

  /** The client has taken so many packets more. */
  taken({ unread, domain }: Connection, packets: number): void {
    unread.taken(packets, domain.privileged ? null : domain, this.#delivery.note);
  }

  /** Nothing of a connection is left but itself. */
  restart(connection: Connection): void {
    const { domain, unread } = connection;
    this.reset(connection);
    unread.clear(domain.privileged ? null : domain, this.#delivery.note);
  }

  /** Ends the watches and the transactions of a connection (XSA-330, XSA-484). */
  reset(connection: Connection): void {
    for (const { path, token } of [...connection.watches.values()])
      this.unwatch(connection, path, token);
    for (const [id, transaction] of [...connection.transactions])
      this.end(connection, id, transaction);
  }

  /** Adds a watch that the connection has not got. */
  watch({ domain, watches }: Connection, watch: Watch): void {
    const path = formatPath(watch.path);
    this.watches.add(watch);
    watches.set(watchKey(path, watch.token), watch);
    domain.use('watches', 1);
    domain.use('memory', path.length + watch.token.length);
  }

  /** False where the connection has no such watch. */
  unwatch({ domain, watches }: Connection, path: Path, token: string): boolean {
    const text = formatPath(path);
    const watch = watches.get(watchKey(text, token));
    if (watch === undefined) return false;
    this.watches.remove(watch);
    watches.delete(watchKey(text, token));
    domain.use('watches', -1);
    domain.use('memory', -text.length - token.length);
    return true;
  }

  /** Opens a transaction on a tree, whose newest generation is given; returns its id. */
  begin({ domain, transactions }: Connection, top: Node, generation: Generation): number {
    let id = this.#nextTransaction;
    while (transactions.has(id)) id = id === 0xffffffff ? 1 : id + 1;
    this.#nextTransaction = id === 0xffffffff ? 1 : id + 1;
    transactions.set(id, new Transaction(top, generation));
    domain.use('transactions', 1);
    return id;
  }

  /** The connection has a transaction no longer. */
  end({ domain, transactions }: Connection, id: number, ended: Transaction): void {
    if (!transactions.delete(id)) return;
    domain.use('transactions', -1);
    domain.use('memory', -ended.bytes);
  }

  /** Transactions that have named a domain which is gone cannot be committed any more (XSA-322). */
  doomNaming(domain: DomainId): void {
    for (const { transactions } of this.#connections.values())
      for (const each of transactions.values()) if (each.names(domain)) each.doom('EAGAIN');
  }
}
