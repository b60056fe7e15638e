import { present } from '../../../base/assert.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { StoreActions } from './actions.ts';
import { applyChange, type Change } from './change.ts';
import type { Connection, ConnectionId } from './connection.ts';
import type { XenstoreError } from './error.ts';
import { formatPath, type Path } from './path.ts';
import { nulTerminated } from './payload.ts';
import { allows, type DomainId } from './permissions.ts';
import { handleRequest } from './request.ts';
import { Transaction } from './transaction.ts';
import { emptyTree, type Generation, type Node, nodeAt } from './tree.ts';
import { type Watch, WatchTrie } from './watches.ts';
import { messageName, messageTypes, type Packet } from './wire.ts';

/** What happens to a xenstore. */
export type Input =
  | { readonly kind: 'connect'; readonly connection: ConnectionId; readonly domain: DomainId }
  | { readonly kind: 'disconnect'; readonly connection: ConnectionId }
  | { readonly kind: 'request'; readonly connection: ConnectionId; readonly packet: Packet };

/**
 * What a xenstore wants done, in this order: a change is kept before the reply that acknowledges it
 * is sent, and a reply is sent before the events that the request caused.
 */
export type Output =
  | { readonly kind: 'keep'; readonly change: Change; readonly domain: DomainId }
  | { readonly kind: 'send'; readonly connection: ConnectionId; readonly packet: Packet };

/** A change that was made, with the trees before and after it, from which the watches are fired. */
interface Made {
  readonly before: Node;
  readonly change: Change;
}

/**
 * xenstore as a deterministic state machine: the tree, who is connected, what they watch, their
 * transactions. It knows no socket, no ring and no clock.
 */
export class Store implements StoreActions {
  readonly #connections = new Map<ConnectionId, Connection>();
  readonly #watches = new WatchTrie();
  #root = emptyTree();
  #generation: Generation = 0;
  #nextTransaction = 1;
  #outputs: Output[] = [];
  #made: Made[] = [];

  get root(): Node {
    return this.#root;
  }

  /** Takes one input; what is to be done about it comes back in order. */
  step(input: Input): readonly Output[] {
    this.#outputs = [];
    this.#made = [];
    switch (input.kind) {
      case 'connect':
        this.#connections.set(input.connection, {
          id: input.connection,
          domain: input.domain,
          transactions: new Map(),
          watches: new Map(),
        });
        break;
      case 'disconnect': {
        const connection = this.#connections.get(input.connection);
        for (const watch of connection?.watches.values() ?? []) this.#watches.remove(watch);
        this.#connections.delete(input.connection);
        break;
      }
      case 'request':
        this.#request(this.#connection(input.connection), input.packet);
        break;
    }
    return this.#outputs;
  }

  /** Makes a change that was kept before: used when a journal is read back. Fires no watch. */
  restore(change: Change, domain: DomainId): Result<void, XenstoreError> {
    const outcome = applyChange(this.#root, change, domain, this.nextGeneration());
    if (!outcome.ok) return outcome;
    this.#root = outcome.value.root;
    return ok(undefined);
  }

  nextGeneration(): Generation {
    this.#generation += 1;
    return this.#generation;
  }

  #connection(id: ConnectionId): Connection {
    return present(this.#connections.get(id), `connection ${id} is known`);
  }

  #request(connection: Connection, packet: Packet): void {
    const name = messageName(packet.type);
    const outcome =
      name === undefined
        ? fail<XenstoreError>('ENOSYS')
        : handleRequest(this, connection, name, packet);
    const { requestId, transactionId } = packet;
    for (const { change } of this.#made)
      this.#outputs.push({ kind: 'keep', change, domain: connection.domain });
    this.#send(connection.id, {
      type: outcome.ok ? packet.type : messageTypes.ERROR,
      requestId,
      transactionId,
      payload: outcome.ok ? outcome.value.reply : nulTerminated(outcome.error),
    });
    if (outcome.ok && outcome.value.watched !== undefined)
      this.#sendEvent(outcome.value.watched, outcome.value.watched.text);
    for (const made of this.#made) this.#fire(made);
  }

  change(connection: Connection, change: Change): Result<void, XenstoreError> {
    const before = this.#root;
    const outcome = applyChange(before, change, connection.domain, this.nextGeneration());
    if (!outcome.ok) return outcome;
    this.#root = outcome.value.root;
    if (outcome.value.effective) this.#made.push({ before, change });
    return ok(undefined);
  }

  begin(connection: Connection): number {
    const id = this.#nextTransaction;
    this.#nextTransaction = id === 0xffffffff ? 1 : id + 1;
    connection.transactions.set(id, new Transaction(this.#root, this.#generation));
    return id;
  }

  commit(connection: Connection, transaction: Transaction): Result<void, XenstoreError> {
    const before = this.#root;
    const outcome = transaction.commit(before, connection.domain, this.nextGeneration());
    if (!outcome.ok) return outcome;
    this.#root = outcome.value.root;
    for (const change of outcome.value.changes) this.#made.push({ before, change });
    return ok(undefined);
  }

  watch(connection: Connection, watch: Watch): boolean {
    if (!this.#watches.add(watch)) return false;
    connection.watches.set(watchKey(watch.text, watch.token), watch);
    return true;
  }

  unwatch(connection: Connection, text: string, token: string): boolean {
    const watch = connection.watches.get(watchKey(text, token));
    if (watch === undefined) return false;
    this.#watches.remove(watch);
    connection.watches.delete(watchKey(text, token));
    return true;
  }

  #fire({ before, change }: Made): void {
    for (const watch of this.#watches.above(change.path)) this.#fireOne(watch, change.path, before);
    if (change.kind !== 'remove') return;
    // Whoever watches something below a removed node is told of it under the watched path.
    for (const watch of this.#watches.below(change.path))
      if (nodeAt(before, watch.path) !== undefined) this.#fireOne(watch, watch.path, before);
  }

  /** Sends an event unless the watcher may not read the node, or what it was (XSA-115). */
  #fireOne(watch: Watch, path: Path, before: Node): void {
    const { domain } = this.#connection(watch.connection);
    const node = nodeAt(this.#root, path) ?? nodeAt(before, path);
    if (node !== undefined && !allows(node.permissions, domain, 'read')) return;
    const below = path.slice(watch.path.length).join('/');
    if (watch.text.startsWith('/')) this.#sendEvent(watch, formatPath(path));
    else this.#sendEvent(watch, below === '' ? watch.text : `${watch.text}/${below}`);
  }

  #sendEvent(watch: Watch, path: string): void {
    const payload = nulTerminated(path, watch.token);
    this.#send(watch.connection, {
      type: messageTypes.WATCH_EVENT,
      requestId: 0,
      transactionId: 0,
      payload,
    });
  }

  #send(connection: ConnectionId, packet: Packet): void {
    this.#outputs.push({ kind: 'send', connection, packet });
  }
}

function watchKey(text: string, token: string): string {
  return `${text}\0${token}`;
}
