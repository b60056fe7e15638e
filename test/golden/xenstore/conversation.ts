import { bytesOf, textOf } from '../../../services/xenstore/core/payload.ts';
import type { DomainId } from '../../../services/xenstore/core/permissions.ts';
import {
  type Input,
  type Output,
  Store,
  type StoreOptions,
} from '../../../services/xenstore/core/store.ts';
import {
  type MessageName,
  messageName,
  messageTypes,
} from '../../../services/xenstore/core/wire.ts';

/**
 * A store that is talked to in text: `|` stands for NUL, and everything that it says is a line. The
 * domain of a connection has the connection's number, but for connections below 5: those are of the
 * control domain.
 */
export class Conversation {
  readonly store: Store;
  /** How much was sent to whom and is not taken yet. */
  readonly #sent = new Map<number, number>();

  constructor(connections: readonly number[] = [], options: StoreOptions = {}) {
    this.store = new Store(options);
    for (const connection of connections) this.connect(connection);
  }

  connect(connection: number, domain = connection < 5 ? 0 : connection): readonly string[] {
    return this.step({ kind: 'connect', connection, domain: domain as DomainId });
  }

  /** The ring of a domain is served, as a connection of the same number. */
  introduce(domain: number): readonly string[] {
    return this.step({ kind: 'introduced', connection: domain, domain: domain as DomainId });
  }

  gone(domain: number): readonly string[] {
    return this.step({ kind: 'domain-gone', domain: domain as DomainId });
  }

  /** The id of a domain. */
  domain(id: number): DomainId {
    return id as DomainId;
  }

  /** A request, whose name may be followed by `@` and the number of a transaction. */
  say(connection: number, request: string, text = ''): readonly string[] {
    const [name = '', transaction = '0'] = request.split('@');
    const type = messageTypes[name as MessageName] ?? Number(name);
    const payload = bytesOf(text.replaceAll('|', '\0'));
    return this.step({
      kind: 'request',
      connection,
      packet: { type, requestId: 5, transactionId: Number(transaction), payload },
    });
  }

  /** Every client takes all that was sent to it; what that leads to is not said. */
  takeAll(): void {
    for (const [connection, packets] of this.#sent)
      this.store.step({ kind: 'taken', connection, packets });
    this.#sent.clear();
  }

  step(input: Input): readonly string[] {
    const outputs = this.store.step(input);
    for (const output of outputs)
      if (output.kind === 'send')
        this.#sent.set(output.connection, (this.#sent.get(output.connection) ?? 0) + 1);
      else if (output.kind === 'close') this.#sent.delete(output.connection);
    return outputs.flatMap(render);
  }
}

function render(output: Output): readonly string[] {
  switch (output.kind) {
    case 'send': {
      const { type, payload } = output.packet;
      const content = textOf(payload).replaceAll('\0', '|');
      return [`${output.connection} ${messageName(type)} ${content}`];
    }
    case 'hold':
      return [`${output.held ? 'hold' : 'let go'} ${output.connection}`];
    case 'close':
      return [`close ${output.connection}`];
    case 'rebind':
      return [`rebind ${output.connection} to ${output.port}`];
    case 'ask': {
      const { question } = output;
      const rest =
        question.kind === 'map'
          ? `${question.domain} gfn ${question.gfn} port ${question.port} features ${question.features}`
          : [question.command, ...question.parameters].join(' ');
      return [`ask #${output.ticket} ${question.kind} ${rest}`];
    }
    case 'quota-exceeded':
      return [`quota ${output.quota} of ${output.domain}`];
    case 'wake':
      return ['wake'];
  }
}
