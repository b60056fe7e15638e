import type { ConnectionId } from '../../../services/xenstore/core/domain.ts';
import { domainsNamed } from '../../../services/xenstore/core/named.ts';
import { bytesOf, textOf } from '../../../services/xenstore/core/payload.ts';
import { controlDomain, type DomainId } from '../../../services/xenstore/core/permissions.ts';
import { type Input, type Output, Store } from '../../../services/xenstore/core/store.ts';
import { messageTypes, type Packet, payloadMax } from '../../../services/xenstore/core/wire.ts';
import type { Quotas } from './quotas.ts';
import {
  type Client,
  clients,
  type Guest,
  guests,
  isGuest,
  type Reply,
  type Step,
  type Told,
} from './step.ts';
import type { Subject } from './subject.ts';

const existing: ReadonlySet<number> = new Set(Object.values(guests));

/** Our store, on a hypervisor that has the guests. Everybody takes what is sent at once. */
export class Ours implements Subject {
  readonly #store = new Store({ hypervisor: true });
  readonly #connections = new Map<Client, ConnectionId>();
  readonly #held = new Set<ConnectionId>();
  /** By client, the newest first. */
  readonly #transactions = new Map<Client, number[]>();
  #next = 1;
  #reply: Reply = { kind: 'nothing' };
  #events: string[] = [];

  constructor(quotas: Quotas = {}) {
    for (const client of ['one', 'two'] as const) this.#connect(client);
    for (const [name, value] of Object.entries(quotas))
      this.#ask('one', messageTypes.SET_QUOTA, 0, `${name}\0${value}\0`);
  }

  perform(step: Step): Promise<Told> {
    this.#reply = { kind: 'nothing' };
    this.#events = [];
    switch (step.kind) {
      case 'request': {
        const { by, type, payload } = step;
        this.#reply = { kind: 'absent' };
        if (this.#connections.has(by)) this.#ask(by, type, this.#transaction(step), payload);
        break;
      }
      case 'reconnect':
        this.#disconnect(step.by);
        this.#connect(step.by);
        break;
      case 'shutdown':
      case 'death':
        this.#step({
          kind: step.kind === 'death' ? 'domain-gone' : 'domain-shutdown',
          domain: guests[step.domain] as DomainId,
        });
        break;
    }
    return Promise.resolve({ reply: this.#reply, events: this.#events.sort() });
  }

  /** What is wrong inside: nothing, unless there is a bug. */
  faults(): readonly string[] {
    return this.#store.check();
  }

  async close(): Promise<void> {}

  #connect(client: Client): void {
    this.#connections.set(client, this.#next);
    this.#step({ kind: 'connect', connection: this.#next, domain: controlDomain });
    this.#next += 1;
  }

  #disconnect(client: Client): void {
    const connection = this.#connections.get(client);
    if (connection === undefined) return;
    this.#connections.delete(client);
    this.#transactions.delete(client);
    this.#step({ kind: 'disconnect', connection });
  }

  #transaction({ by, transaction }: Extract<Step, { kind: 'request' }>): number {
    if (transaction === 0) return 0;
    return this.#transactions.get(by)?.[transaction - 1] ?? 0x7fffffff;
  }

  #ask(by: Client, type: number, transactionId: number, text: string): void {
    const connection = this.#connections.get(by);
    if (connection === undefined) return;
    // The socket does not give the store what the protocol does not allow.
    if (text.length > payloadMax && !isGuest(by)) {
      this.#disconnect(by);
      this.#connect(by);
      this.#reply = { kind: 'closed' };
      return;
    }
    const packet: Packet = { type, requestId: 1, transactionId, payload: bytesOf(text) };
    for (const domain of domainsNamed(packet))
      if (existing.has(domain)) this.#step({ kind: 'domain-exists', domain });
    while (this.#held.has(connection)) this.#step({ kind: 'second' });
    this.#reply = { kind: 'silence' };
    this.#step({ kind: 'request', connection, packet });
    this.#note(by, type, this.#reply);
  }

  /** Remembers a transaction that was begun. */
  #note(by: Client, type: number, reply: Reply): void {
    if (type === messageTypes.TRANSACTION_START && reply.kind === 'reply' && reply.type === type)
      this.#transactions.set(by, [
        Number.parseInt(reply.payload, 10),
        ...(this.#transactions.get(by) ?? []),
      ]);
  }

  #step(input: Input): void {
    for (const output of this.#store.step(input)) this.#do(output);
  }

  #do(output: Output): void {
    switch (output.kind) {
      case 'send':
        this.#sent(output.connection, output.packet);
        return;
      case 'hold':
        if (output.held) this.#held.add(output.connection);
        else this.#held.delete(output.connection);
        return;
      case 'close':
        this.#connections.delete(this.#clientOf(output.connection));
        this.#held.delete(output.connection);
        return;
      case 'ask':
        this.#answer(output);
        return;
      case 'rebind':
        this.#transactions.delete(this.#clientOf(output.connection));
        return;
      case 'quota-exceeded':
      case 'wake':
        return;
    }
  }

  #answer({ ticket, question }: Extract<Output, { kind: 'ask' }>): void {
    if (question.kind !== 'map') {
      this.#step({ kind: 'answer', ticket, answer: { kind: 'refused', error: 'EINVAL' } });
      return;
    }
    const guest = Object.entries(guests).find(([, domain]) => domain === question.domain);
    if (guest === undefined) {
      this.#step({ kind: 'answer', ticket, answer: { kind: 'refused', error: 'EINVAL' } });
      return;
    }
    const connection = this.#next;
    this.#next += 1;
    this.#connections.set(guest[0] as Guest, connection);
    this.#transactions.delete(guest[0] as Guest);
    this.#step({ kind: 'answer', ticket, answer: { kind: 'mapped', connection } });
  }

  #sent(connection: ConnectionId, { type, payload }: Packet): void {
    const text = textOf(payload);
    if (type === messageTypes.WATCH_EVENT) {
      const [path, token] = text.split('\0');
      this.#events.push(`${this.#clientOf(connection)} ${path} ${token}`);
    } else this.#reply = { kind: 'reply', type, payload: text };
    this.#step({ kind: 'taken', connection, packets: 1 });
  }

  #clientOf(connection: ConnectionId): Client {
    const found = clients.find((client) => this.#connections.get(client) === connection);
    if (found === undefined) throw new Error(`connection ${connection} is nobody's`);
    return found;
  }
}
