import { present } from '../../../base/assert.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Request, StoreActions } from './actions.ts';
import { applyChange, type Change, trusted } from './change.ts';
import { faultsOf } from './check.ts';
import type { Connection } from './connection.ts';
import { Delivery } from './delivery.ts';
import type { ConnectionId, Domain } from './domain.ts';
import { Domains } from './domains.ts';
import type { StoreDump } from './dump.ts';
import type { XenstoreError } from './error.ts';
import { fireChanges, fireSpecial } from './events.ts';
import { Fairness } from './fairness.ts';
import { changesToForget } from './forget.ts';
import type { Answer, Input, Output, Question } from './input.ts';
import { Ledger } from './ledger.ts';
import { formatPath, type SpecialPath } from './path.ts';
import { bytesOf } from './payload.ts';
import { controlDomain, type DomainId } from './permissions.ts';
import { copyQuotas } from './quota.ts';
import { reportOf } from './report.ts';
import { handleRequest } from './request.ts';
import { Sessions } from './sessions.ts';
import { type Generation, initialTree, type Node, type Stamp } from './tree.ts';
import type { Watch } from './watches.ts';
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
  readonly sessions: Sessions;
  readonly #delivery = new Delivery();
  readonly #fairness: Fairness;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ledger = new Ledger();
  #top = initialTree();
  #generation: Generation = 0;
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
    this.sessions = new Sessions(this.#delivery, this.#fairness);
    // What there is from the beginning is the control domain's, but for the top above the root.
    const control = this.domains.ensure(controlDomain);
    control.use('nodes', this.#top.nodes - 1);
    control.use('memory', this.#top.bytes);
  }

  /** A store that behaves in every respect as the one that was dumped. */
  static from(dump: StoreDump, options: StoreOptions = {}): Store {
    const store = new Store(options);
    const find = (id: DomainId) => store.domains.find(id);
    store.domains.adopt(dump.quotas, dump.domains);
    store.sessions.adopt(dump, find);
    store.#fairness.adopt(dump, (id) => store.sessions.get(id));
    for (const { ticket, ...waiting } of dump.waiting) store.#waiting.set(ticket, waiting);
    store.#top = dump.top;
    store.#generation = dump.generation;
    store.#nextTicket = dump.nextTicket;
    store.#awake = dump.awake;
    return store;
  }

  /** Everything that it knows; to be asked for between two inputs. */
  dump(): StoreDump {
    const find = (id: DomainId) => this.domains.find(id);
    return {
      top: this.#top,
      generation: this.#generation,
      nextTicket: this.#nextTicket,
      awake: this.#awake,
      quotas: copyQuotas(this.domains.quotas),
      domains: [...this.domains].map((domain) => domain.dump()),
      waiting: [...this.#waiting].map(([ticket, waiting]) => ({ ticket, ...waiting })),
      ...this.sessions.dump(find),
      ...this.#fairness.dump(),
    };
  }

  get top(): Node {
    return this.#top;
  }

  /** An input `second` is wanted, and has not come yet. */
  get awake(): boolean {
    return this.#awake;
  }

  /** Whether anybody waits until this client has taken what was sent to it: input `taken`. */
  awaits(connection: ConnectionId): boolean {
    return this.sessions.find(connection)?.unread.awaited === true;
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

  begin(connection: Connection): number {
    return this.sessions.begin(connection, this.#top, this.#generation);
  }

  end({ connection, packet, transaction }: Request, commit: boolean): Result<void, XenstoreError> {
    const ended = present(transaction, 'a transaction that is ended was found');
    const { domain } = connection;
    this.sessions.end(connection, packet.transactionId, ended);
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

  ask({ connection, packet }: Request, question: Question): void {
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    const kept = { ...packet, payload: bytesOf('') };
    this.#waiting.set(ticket, { connection: connection.id, packet: kept, question });
    this.#delivery.push({ kind: 'ask', ticket, question });
  }

  rebind(domain: Domain, port: number): void {
    for (const id of domain.connections) {
      this.sessions.restart(this.sessions.get(id));
      this.#delivery.push({ kind: 'rebind', connection: id, port });
    }
  }

  release(domain: Domain): void {
    for (const id of [...domain.connections]) {
      this.sessions.disconnect(this.sessions.get(id));
      this.#delivery.push({ kind: 'close', connection: id });
    }
    const before = this.#top;
    const changes = changesToForget(before, domain.id);
    for (const change of changes) this.#forget(change);
    const told = changes.filter(({ kind }) => kind === 'remove');
    if (changes.length > 0) this.#made.push({ before, changes, told });
    this.sessions.doomNaming(domain.id);
    this.#fairness.forget(domain);
    this.domains.forget(domain.id);
    if (domain.introduced) this.#special.push({ event: '@releaseDomain', domain: domain.id });
  }

  /** Makes a change that a domain's end brings. */
  #forget(change: Change): void {
    this.#ledger.clear();
    const stamp = this.#stamp(controlDomain);
    const maker = trusted(controlDomain);
    const outcome = applyChange(this.#top, change, maker, stamp, this.#ledger);
    if (!outcome.ok) throw new Error(`a domain is not forgotten: ${outcome.error}`);
    this.#top = outcome.value.top;
    this.domains.settle(this.#ledger);
  }

  #innards() {
    return {
      top: this.#top,
      domains: this.domains,
      connections: this.sessions,
      watches: this.sessions.watches,
    };
  }

  #stamp(by: DomainId): Stamp {
    this.#generation += 1;
    return { by, generation: this.#generation };
  }

  #take(input: Input): void {
    switch (input.kind) {
      case 'connect':
        this.sessions.connect(input.connection, this.domains.ensure(input.domain));
        return;
      case 'disconnect': {
        // It may have crossed with a `close`.
        const connection = this.sessions.find(input.connection);
        if (connection !== undefined) this.sessions.disconnect(connection);
        return;
      }
      case 'request':
        this.#request(this.sessions.get(input.connection), input.packet);
        return;
      case 'taken':
        this.sessions.taken(this.sessions.get(input.connection), input.packets);
        return;
      case 'reset':
        this.sessions.restart(this.sessions.get(input.connection));
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

  #request(connection: Connection, packet: Packet): void {
    const outcome = handleRequest(this, connection, packet);
    if (!outcome.ok) this.#delivery.reply(connection, packet, outcome);
    else if (outcome.value.reply !== 'later') {
      const { reply, watched } = outcome.value;
      this.#delivery.reply(connection, packet, ok(reply));
      if (watched !== undefined) this.#delivery.event(watched, formatPath(watched.path), null);
    }
    this.#tell(connection.domain);
  }

  /** Tells the watchers of what was done, which `cause` pays for until they have taken it. */
  #tell(cause: Domain | null): void {
    if (this.#made.length === 0 && this.#special.length === 0) return;
    const send = (watch: Watch, path: string) => this.#delivery.event(watch, path, cause);
    for (const { before, told } of this.#made)
      fireChanges(this.sessions.watches, told, before, this.#top, send);
    for (const { event, domain } of this.#special)
      fireSpecial(this.sessions.watches, event, domain, this.#top, send);
    this.#made = [];
    this.#special = [];
  }

  #introduce(domain: Domain, connection: ConnectionId): void {
    if (domain.introduced && !domain.privileged) {
      this.#delivery.push({ kind: 'close', connection });
      return;
    }
    this.sessions.connect(connection, domain);
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
    const asker = this.sessions.find(connection);
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
