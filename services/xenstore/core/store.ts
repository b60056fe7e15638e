import { present } from '../../../base/assert.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Request, StoreActions } from './actions.ts';
import { applyChange, type Change, trusted } from './change.ts';
import { faultsOf } from './check.ts';
import { type Connection, watchKey } from './connection.ts';
import { Delivery } from './delivery.ts';
import type { ConnectionId, Domain } from './domain.ts';
import { Domains } from './domains.ts';
import type { XenstoreError } from './error.ts';
import { fireChanges, fireSpecial } from './events.ts';
import { Fairness } from './fairness.ts';
import { changesToForget } from './forget.ts';
import type { Answer, Input, Output, Question } from './input.ts';
import { Ledger } from './ledger.ts';
import { formatPath, type Path, type SpecialPath } from './path.ts';
import { bytesOf } from './payload.ts';
import { controlDomain, type DomainId } from './permissions.ts';
import { reportOf } from './report.ts';
import { handleRequest } from './request.ts';
import { Transaction } from './transaction.ts';
import { type Generation, initialTree, type Node, type Stamp } from './tree.ts';
import { Unread } from './unread.ts';
import { type Watch, WatchTrie } from './watches.ts';
import type { Packet } from './wire.ts';

export type { Input, Output } from './input.ts';

/** What a store is told at its beginning. */
export interface StoreOptions {
  /**
   * Whether there is a hypervisor to say which domains exist, by inputs. Without one every domain
   * counts as existing, as for a xenstored that serves sockets alone.
   */
  readonly hypervisor?: boolean;
}

/** Changes that were made together, and the tree before them. */
interface Made {
  readonly before: Node;
  readonly changes: readonly Change[];
  /** Those of which watchers are told. */
  readonly told: readonly Change[];
}

/** A request whose reply waits for the adapter's answer. */
interface Waiting {
  readonly connection: ConnectionId;
  readonly packet: Packet;
  readonly question: Question;
}

/**
 * xenstore as a deterministic state machine: the tree, who is connected, what they watch, their
 * transactions, what they use. It knows no socket, no ring and no clock. Its rules are in SPEC.md.
 */
export class Store implements StoreActions {
  readonly domains: Domains;
  readonly #connections = new Map<ConnectionId, Connection>();
  readonly #watches = new WatchTrie();
  readonly #delivery = new Delivery();
  readonly #fairness: Fairness;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ledger = new Ledger();
  #top = initialTree();
  #generation: Generation = 0;
  #nextTransaction = 1;
  #nextTicket = 1;
  #awake = false;
  /** What is to be told once the reply is sent. */
  #made: Made[] = [];
  #special: { readonly event: SpecialPath; readonly domain: DomainId }[] = [];

  constructor({ hypervisor = false }: StoreOptions = {}) {
    this.domains = new Domains(!hypervisor, (domain, quota) =>
      this.#delivery.push({ kind: 'quota-exceeded', domain, quota }),
    );
    this.#fairness = new Fairness(this.domains);
    // What there is from the beginning is the control domain's, but for the top above the root.
    const control = this.domains.ensure(controlDomain);
    control.use('nodes', this.#top.nodes - 1);
    control.use('memory', this.#top.bytes);
  }

  get top(): Node {
    return this.#top;
  }

  /** Whether anybody waits until this client has taken what was sent to it: input `taken`. */
  awaits(connection: ConnectionId): boolean {
    return this.#connections.get(connection)?.unread.awaited === true;
  }

  /** Takes one input; what is to be done about it comes back in order. */
  step(input: Input): readonly Output[] {
    this.#take(input);
    this.#delivery.settle();
    if (this.#fairness.awaited && !this.#awake) {
      this.#awake = true;
      this.#delivery.push({ kind: 'wake' });
    }
    return this.#delivery.take();
  }

  /** Makes changes that were kept before: used when a journal is read back. Fires no watch. */
  restore(changes: readonly Change[], domain: DomainId): Result<void, XenstoreError> {
    for (const change of changes) {
      this.#ledger.clear();
      const maker = trusted(domain);
      const outcome = applyChange(this.#top, change, maker, this.#stamp(domain), this.#ledger);
      if (!outcome.ok) return outcome;
      this.#top = outcome.value.top;
      this.domains.settle(this.#ledger);
    }
    return ok(undefined);
  }

  report(): string {
    return reportOf(this.#innards());
  }

  check(): readonly string[] {
    return faultsOf(this.#innards());
  }

  change({ connection, transaction }: Request, change: Change): Result<void, XenstoreError> {
    const { domain } = connection;
    const stamp = this.#stamp(domain.id);
    if (transaction !== undefined) {
      const before = transaction.bytes;
      const outcome = transaction.change(change, domain, stamp);
      domain.use('memory', transaction.bytes - before);
      return outcome.ok ? ok(undefined) : outcome;
    }
    const before = this.#top;
    this.#ledger.clear();
    const outcome = applyChange(before, change, domain, stamp, this.#ledger);
    if (!outcome.ok) return outcome;
    if (!outcome.value.effective) return ok(undefined);
    this.#top = outcome.value.top;
    this.domains.settle(this.#ledger);
    const changes = [change];
    this.#made.push({ before, changes, told: changes });
    return ok(undefined);
  }

  begin({ domain, transactions }: Connection): number {
    let id = this.#nextTransaction;
    while (transactions.has(id)) id = id === 0xffffffff ? 1 : id + 1;
    this.#nextTransaction = id === 0xffffffff ? 1 : id + 1;
    transactions.set(id, new Transaction(this.#top, this.#generation));
    domain.use('transactions', 1);
    return id;
  }

  end({ connection, packet, transaction }: Request, commit: boolean): Result<void, XenstoreError> {
    const ended = present(transaction, 'a transaction that is ended was found');
    const { domain } = connection;
    this.#endTransaction(connection, packet.transactionId, ended);
    if (!commit) return ok(undefined);
    const before = this.#top;
    this.#ledger.clear();
    const outcome = ended.commit(before, domain, this.#stamp(domain.id), this.#ledger);
    if (!outcome.ok) {
      const { error, culprit } = outcome.error;
      this.#fairness.failed(connection, culprit, this.#delivery.note);
      return fail(error);
    }
    this.#top = outcome.value.top;
    this.domains.settle(this.#ledger);
    const { changes } = outcome.value;
    if (changes.length > 0) this.#made.push({ before, changes, told: changes });
    this.#fairness.settled(connection, this.#delivery.note);
    return ok(undefined);
  }

  watch({ domain, watches }: Connection, watch: Watch): void {
    const path = formatPath(watch.path);
    this.#watches.add(watch);
    watches.set(watchKey(path, watch.token), watch);
    domain.use('watches', 1);
    domain.use('memory', path.length + watch.token.length);
  }

  unwatch({ domain, watches }: Connection, path: Path, token: string): boolean {
    const text = formatPath(path);
    const watch = watches.get(watchKey(text, token));
    if (watch === undefined) return false;
    this.#watches.remove(watch);
    watches.delete(watchKey(text, token));
    domain.use('watches', -1);
    domain.use('memory', -text.length - token.length);
    return true;
  }

  reset(connection: Connection): void {
    for (const { path, token } of [...connection.watches.values()])
      this.unwatch(connection, path, token);
    for (const [id, transaction] of [...connection.transactions])
      this.#endTransaction(connection, id, transaction);
  }

  ask({ connection, packet }: Request, question: Question): void {
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    const kept = { ...packet, payload: bytesOf('') };
    this.#waiting.set(ticket, { connection: connection.id, packet: kept, question });
    this.#delivery.push({ kind: 'ask', ticket, question });
  }

  rebind(domain: Domain, port: number): void {
    for (const id of domain.connections) {
      this.#restart(this.#connection(id));
      this.#delivery.push({ kind: 'rebind', connection: id, port });
    }
  }

  release(domain: Domain): void {
    for (const id of [...domain.connections]) {
      this.#disconnect(this.#connection(id));
      this.#delivery.push({ kind: 'close', connection: id });
    }
    const before = this.#top;
    const changes = changesToForget(before, domain.id);
    const restored = this.restore(changes, controlDomain);
    if (!restored.ok) throw new Error(`a domain is not forgotten: ${restored.error}`);
    const told = changes.filter(({ kind }) => kind === 'remove');
    if (changes.length > 0) this.#made.push({ before, changes, told });
    for (const { transactions } of this.#connections.values())
      for (const each of transactions.values()) if (each.names(domain.id)) each.doom('EAGAIN');
    this.#fairness.forget(domain);
    this.domains.forget(domain.id);
    if (domain.introduced) this.#special.push({ event: '@releaseDomain', domain: domain.id });
  }

  #innards() {
    return {
      top: this.#top,
      domains: this.domains,
      connections: this.#connections.values(),
      watches: this.#watches,
    };
  }

  #stamp(by: DomainId): Stamp {
    this.#generation += 1;
    return { by, generation: this.#generation };
  }

  #connection(id: ConnectionId): Connection {
    return present(this.#connections.get(id), `connection ${id} is known`);
  }

  #take(input: Input): void {
    switch (input.kind) {
      case 'connect':
        this.#connect(input.connection, this.domains.ensure(input.domain));
        return;
      case 'disconnect': {
        // It may have crossed with a `close`.
        const connection = this.#connections.get(input.connection);
        if (connection !== undefined) this.#disconnect(connection);
        return;
      }
      case 'request':
        this.#request(this.#connection(input.connection), input.packet);
        return;
      case 'taken': {
        const { unread, domain } = this.#connection(input.connection);
        unread.taken(input.packets, domain.privileged ? null : domain, this.#delivery.note);
        return;
      }
      case 'reset':
        this.#restart(this.#connection(input.connection));
        return;
      case 'introduced':
        this.#introduce(this.domains.ensure(input.domain), input.connection);
        this.#tell(null);
        return;
      case 'domain-exists':
        this.domains.ensure(input.domain);
        return;
      case 'domain-shutdown':
        this.#shutdown(this.domains.find(input.domain));
        this.#tell(null);
        return;
      case 'domain-gone': {
        const domain = this.domains.find(input.domain);
        if (domain === undefined || domain.privileged) return;
        this.release(domain);
        this.#keep(controlDomain);
        this.#tell(null);
        return;
      }
      case 'answer':
        this.#answer(input.ticket, input.answer);
        return;
      case 'second':
        this.#awake = false;
        this.#fairness.second(this.#delivery.note);
        return;
    }
  }

  #connect(id: ConnectionId, domain: Domain): void {
    this.#connections.set(id, {
      id,
      domain,
      transactions: new Map(),
      watches: new Map(),
      unread: new Unread(),
    });
    domain.connections.add(id);
  }

  #disconnect(connection: Connection): void {
    this.#restart(connection);
    this.#fairness.settled(connection, this.#delivery.note);
    connection.domain.connections.delete(connection.id);
    this.#connections.delete(connection.id);
  }

  /** Nothing of a connection is left but itself. */
  #restart(connection: Connection): void {
    const { domain, unread } = connection;
    this.reset(connection);
    unread.clear(domain.privileged ? null : domain, this.#delivery.note);
  }

  #request(connection: Connection, packet: Packet): void {
    const outcome = handleRequest(this, connection, packet);
    this.#keep(connection.domain.id);
    if (!outcome.ok) this.#delivery.reply(connection, packet, outcome);
    else if (outcome.value.reply !== 'later') {
      const { reply, watched } = outcome.value;
      this.#delivery.reply(connection, packet, ok(reply));
      if (watched !== undefined) this.#delivery.event(watched, formatPath(watched.path), null);
    }
    this.#tell(connection.domain);
  }

  #keep(domain: DomainId): void {
    for (const { changes } of this.#made) this.#delivery.push({ kind: 'keep', changes, domain });
  }

  /** Tells the watchers of what was done, which `cause` pays for until they have taken it. */
  #tell(cause: Domain | null): void {
    if (this.#made.length === 0 && this.#special.length === 0) return;
    const send = (watch: Watch, path: string) => this.#delivery.event(watch, path, cause);
    for (const { before, told } of this.#made)
      fireChanges(this.#watches, told, before, this.#top, send);
    for (const { event, domain } of this.#special)
      fireSpecial(this.#watches, event, domain, this.#top, send);
    this.#made = [];
    this.#special = [];
  }

  #endTransaction({ domain, transactions }: Connection, id: number, ended: Transaction): void {
    if (!transactions.delete(id)) return;
    domain.use('transactions', -1);
    domain.use('memory', -ended.bytes);
  }

  #introduce(domain: Domain, connection: ConnectionId): void {
    if (domain.introduced && !domain.privileged) {
      this.#delivery.push({ kind: 'close', connection });
      return;
    }
    this.#connect(connection, domain);
    domain.introduced = true;
    domain.shutdown = false;
    if (!domain.privileged) this.#special.push({ event: '@introduceDomain', domain: domain.id });
  }

  #shutdown(domain: Domain | undefined): void {
    if (domain?.introduced !== true || domain.shutdown || domain.privileged) return;
    domain.shutdown = true;
    this.#special.push({ event: '@releaseDomain', domain: domain.id });
  }

  #answer(ticket: number, answer: Answer): void {
    const { connection, packet, question } = present(
      this.#waiting.get(ticket),
      `question ${ticket} was asked`,
    );
    this.#waiting.delete(ticket);
    if (answer.kind === 'mapped' && question.kind === 'map')
      this.#introduce(this.domains.ensure(question.domain), answer.connection);
    const asker = this.#connections.get(connection);
    if (asker !== undefined)
      this.#delivery.reply(
        asker,
        packet,
        answer.kind === 'refused'
          ? fail(answer.error)
          : ok(bytesOf(`${answer.kind === 'text' ? answer.text : 'OK'}\0`)),
      );
    this.#tell(null);
  }
}
