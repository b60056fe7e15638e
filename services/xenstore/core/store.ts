import { present } from '../../../base/assert.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Request, StoreActions } from './actions.ts';
import type { Change } from './change.ts';
import { faultsOf } from './check.ts';
import type { Connection } from './connection.ts';
import { Delivery } from './delivery.ts';
import type { ConnectionId, Domain } from './domain.ts';
import { Domains } from './domains.ts';
import type { StoreDump } from './dump.ts';
import type { XenstoreError } from './error.ts';
import { fireChanges, fireSpecial, type Special } from './events.ts';
import { Fairness } from './fairness.ts';
import type { Answer, Input, Output, Question } from './input.ts';
import { LiveTree } from './live-tree.ts';
import { formatPath, type SpecialPath } from './path.ts';
import { bytesOf } from './payload.ts';
import { controlDomain, type DomainId } from './permissions.ts';
import { Questions } from './questions.ts';
import { copyQuotas } from './quota.ts';
import { reportOf } from './report.ts';
import { handleRequest } from './request.ts';
import { Sessions } from './sessions.ts';
import type { Node } from './tree.ts';
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

/**
 * xenstore as a deterministic state machine: the tree, who is connected, what they watch, their
 * transactions, what they use. It knows no socket, no ring and no clock. Its rules are in SPEC.md.
 */
export class Store implements StoreActions {
  readonly domains: Domains;
  readonly sessions: Sessions;
  readonly #delivery = new Delivery();
  readonly #fairness: Fairness;
  readonly #questions = new Questions();
  readonly #tree: LiveTree;
  #awake = false;
  /** What is to be told once the reply is sent, besides what was made of the tree. */
  #special: Special[] = [];

  constructor({ hypervisor = false }: StoreOptions = {}) {
    this.domains = new Domains(!hypervisor, (domain, quota) =>
      this.#delivery.push({ kind: 'quota-exceeded', domain, quota }),
    );
    this.#tree = new LiveTree(this.domains);
    this.#fairness = new Fairness(this.domains);
    this.sessions = new Sessions(this.#delivery, this.#fairness);
    // What there is from the beginning is the control domain's, but for the top above the root.
    const control = this.domains.ensure(controlDomain);
    control.use('nodes', this.top.nodes - 1);
    control.use('memory', this.top.bytes);
  }

  /** A store that behaves in every respect as the one that was dumped. */
  static from(dump: StoreDump, options: StoreOptions = {}): Store {
    const store = new Store(options);
    const find = (id: DomainId) => store.domains.find(id);
    store.domains.adopt(dump.quotas, dump.domains);
    store.sessions.adopt(dump, find);
    store.#fairness.adopt(dump, (id) => store.sessions.get(id));
    store.#questions.adopt(dump);
    store.#tree.adopt(dump);
    store.#awake = dump.awake;
    return store;
  }

  /** Everything that it knows; to be asked for between two inputs. */
  dump(): StoreDump {
    const find = (id: DomainId) => this.domains.find(id);
    return {
      ...this.#tree.dump(),
      ...this.#questions.dump(),
      awake: this.#awake,
      quotas: copyQuotas(this.domains.quotas),
      domains: [...this.domains].map((domain) => domain.dump()),
      ...this.sessions.dump(find),
      ...this.#fairness.dump(),
    };
  }

  get top(): Node {
    return this.#tree.top;
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
    if (transaction === undefined) return this.#tree.change(change, domain);
    const before = transaction.bytes;
    const outcome = transaction.change(change, domain, this.#tree.stamp(domain.id));
    domain.use('memory', transaction.bytes - before);
    return outcome.ok ? ok(undefined) : outcome;
  }

  begin(connection: Connection): number {
    return this.sessions.begin(connection, this.top, this.#tree.generation);
  }

  end({ connection, packet, transaction }: Request, commit: boolean): Result<void, XenstoreError> {
    const ended = present(transaction, 'a transaction that is ended was found');
    this.sessions.end(connection, packet.transactionId, ended);
    if (!commit) return ok(undefined);
    const outcome = this.#tree.commit(ended, connection.domain);
    if (!outcome.ok) {
      const { error, culprit } = outcome.error;
      this.#fairness.failed(connection, culprit, this.#delivery.note);
      return fail(error);
    }
    this.#fairness.settled(connection, this.#delivery.note);
    return ok(undefined);
  }

  ask({ connection, packet }: Request, question: Question): void {
    const ticket = this.#questions.ask(connection.id, packet, question);
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
    // Its entries count for this one event still.
    if (domain.introduced) this.#fireSpecial('@releaseDomain', domain);
    this.#tree.forget(domain.id);
    this.sessions.doomNaming(domain.id);
    this.#fairness.forget(domain);
    this.domains.forget(domain.id);
  }

  #innards() {
    return {
      top: this.top,
      domains: this.domains,
      connections: this.sessions,
      watches: this.sessions.watches,
    };
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
    const made = this.#tree.takeMade();
    if (made.length === 0 && this.#special.length === 0) return;
    const send = (watch: Watch, path: string) => this.#delivery.event(watch, path, cause);
    for (const { before, told } of made)
      fireChanges(this.sessions.watches, told, before, this.top, send);
    for (const special of this.#special) fireSpecial(this.sessions.watches, special, send);
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
    if (!domain.privileged) this.#fireSpecial('@introduceDomain', domain);
  }

  #shutdown(domain: Domain | undefined): void {
    if (domain?.introduced !== true || domain.shutdown || domain.privileged) return;
    domain.shutdown = true;
    this.#fireSpecial('@releaseDomain', domain);
  }

  #fireSpecial(event: SpecialPath, { id }: Domain): void {
    this.#special.push({ event, domain: id, top: this.top });
  }

  #answer(ticket: number, answer: Answer): void {
    const { connection, packet, question } = this.#questions.answered(ticket);
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
