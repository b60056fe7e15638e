import { isDeepStrictEqual } from 'node:util';
import { domainsNamed } from '../../../services/xenstore/core/named.ts';
import { formatPath } from '../../../services/xenstore/core/path.ts';
import { bytesOf } from '../../../services/xenstore/core/payload.ts';
import { controlDomain, type DomainId } from '../../../services/xenstore/core/permissions.ts';
import { type Input, Store } from '../../../services/xenstore/core/store.ts';
import type { Node } from '../../../services/xenstore/core/tree.ts';
import { payloadMax } from '../../../services/xenstore/core/wire.ts';
import type { BytesSource } from './bytes-source.ts';

/** Pieces of payloads: what requests are made of, and what they should not be. */
const pieces = [
  ...[
    '/',
    '/a',
    '/a/b',
    '/a/b/c',
    '/local/domain/7/x',
    'x',
    'x/y',
    '@releaseDomain',
    '@introduceDomain/7',
  ],
  ...['', '0', '7', '8', '9', '65535', 'n7', 'b0', 'r8', 'w32757', 'T', 'F', 'token', '-1', '100'],
  ...[
    'check',
    'quota',
    'nodes',
    'soft-memory',
    'memreport',
    '/a//b',
    '/a/',
    '\xff',
    'v'.repeat(500),
  ],
  ...[`/${'p'.repeat(1000)}`, 'help', 'live-update', 'watches', 'max'],
] as const;
const [firstPiece, ...otherPieces] = pieces;

/** Steps of one input are bounded: a long input is no better than several. */
const stepsMax = 200;

/** Whatever happens to a store, in the order that bytes say; throws where a promise is broken. */
export function fuzzCore(source: BytesSource): void {
  const world = new World();
  for (let step = 0; step < stepsMax && !source.isOver; step += 1) world.step(source);
  world.check();
}

class World {
  readonly #store = new Store({ hypervisor: true });
  /** Whose a connection is. */
  readonly #connections = new Map<number, number>();
  #next = 1;

  constructor() {
    this.#connect();
    for (const domain of [7, 8]) this.#introduced(domain);
  }

  step(source: BytesSource): void {
    const kind = source.byte() % 32;
    const connection = this.#anyConnection(source);
    const domain = source.pick([7, 8]) as DomainId;
    if (kind < 26) this.#request(connection, source);
    else if (kind === 26) this.#feed({ kind: 'taken', connection, packets: source.byte() });
    else if (kind === 27) this.#feed({ kind: 'reset', connection });
    else if (kind === 28) this.#feed({ kind: 'second' });
    else if (kind === 29) this.#feed({ kind: 'domain-shutdown', domain });
    else if (kind === 30) {
      this.#feed({ kind: 'domain-gone', domain });
      this.#introduced(domain);
    } else {
      this.#connections.delete(connection);
      this.#feed({ kind: 'disconnect', connection });
      this.#connect();
    }
  }

  /** The store agrees with itself, and what it dumps makes the same one again. */
  check(): void {
    const dump = this.#store.dump();
    const again = Store.from(dump, { hypervisor: true });
    for (const store of [this.#store, again]) {
      const faults = store.check();
      if (faults.length > 0) throw new Error(faults.join('\n'));
    }
    const [one, other] = [contentOf(dump.top), contentOf(again.top)];
    if (!isDeepStrictEqual(one, other)) throw new Error('a dump makes another tree');
    if (this.#store.report() !== again.report()) throw new Error('a dump makes another store');
  }

  #anyConnection(source: BytesSource): number {
    const all = [...this.#connections.keys()];
    return all[source.byte() % all.length] ?? 1;
  }

  #connect(): void {
    this.#connections.set(this.#next, 0);
    this.#feed({ kind: 'connect', connection: this.#next, domain: controlDomain });
    this.#next += 1;
  }

  #introduced(domain: number): void {
    this.#connections.set(this.#next, domain);
    this.#next += 1;
    this.#feed({ kind: 'introduced', connection: this.#next - 1, domain: domain as DomainId });
  }

  #request(connection: number, source: BytesSource): void {
    const type = source.byte() % 28;
    const transactionId = source.pick([0, 0, 0, 1, 2, 3]);
    const packet = { type, requestId: 7, transactionId, payload: payloadFrom(source) };
    for (const domain of domainsNamed(packet))
      if (domain === 7 || domain === 8) this.#feed({ kind: 'domain-exists', domain });
    const answers = this.#feed({ kind: 'request', connection, packet });
    if (answers !== 1) throw new Error(`a request of type ${type} has ${answers} answers`);
  }

  /** Gives an input and does what the store wants; returns how many replies, or questions, came. */
  #feed(input: Input): number {
    let answers = 0;
    for (const output of this.#store.step(input))
      switch (output.kind) {
        case 'send':
          if (output.packet.payload.length > payloadMax) throw new Error('a packet is too long');
          if (!this.#connections.has(output.connection)) throw new Error('sent to nobody');
          if (output.packet.requestId === 7) answers += 1;
          break;
        case 'close':
          this.#connections.delete(output.connection);
          break;
        case 'ask':
          answers += this.#answer(output.ticket, output.question.kind);
          break;
        case 'hold':
        case 'rebind':
        case 'quota-exceeded':
        case 'wake':
          break;
      }
    return answers;
  }

  #answer(ticket: number, kind: 'map' | 'control'): number {
    if (kind === 'control')
      return this.#feed({ kind: 'answer', ticket, answer: { kind: 'text', text: 'text' } });
    const connection = this.#next;
    this.#next += 1;
    this.#connections.set(connection, 9);
    return this.#feed({ kind: 'answer', ticket, answer: { kind: 'mapped', connection } });
  }
}

function payloadFrom(source: BytesSource): Uint8Array {
  const count = source.byte() % 6;
  if (count === 5) return source.take(source.byte());
  const texts = Array.from({ length: count }, () => source.pick([firstPiece, ...otherPieces]));
  const end = source.byte() % 16 === 0 ? '' : '\0';
  return bytesOf(texts.join('\0') + (count === 0 ? '' : end)).subarray(0, payloadMax);
}

/** Everything that a tree says, as values. */
function contentOf(top: Node): readonly unknown[] {
  const content: unknown[] = [];
  const rest: { readonly path: readonly string[]; readonly node: Node }[] = [
    { path: [], node: top },
  ];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { path, node } = next;
    content.push([
      formatPath(path),
      node.value.toString(),
      node.permissions,
      node.children.names(),
    ]);
    node.children.forEach((child, name) => {
      rest.push({ path: [...path, name], node: child });
    });
  }
  return content.sort();
}
