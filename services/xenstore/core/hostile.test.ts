import test from 'ava';
import fc from 'fast-check';
import { bytesOf } from './payload.ts';
import type { DomainId } from './permissions.ts';
import { type Output, Store } from './store.ts';
import { headerLength, messageTypes, payloadMax } from './wire.ts';

/** Payloads that are nearly requests, and some that are anything. */
const wordOf = fc.constantFrom(
  ...['/', '/d', '/d/a', '/d/a/b', 'x', '@releaseDomain', '@releaseDomain/7', '', '0', '7', '8'],
  ...['n7', 'r8', 'b0', 'r32757', 'T', 'F', 't', '65535', '-1', 'nodes', 'quota', '/d//', '\u00ff'],
);
const payloadOf = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.array(wordOf, { maxLength: 4 }).map((words) => `${words.join('\0')}\0`),
  },
  { weight: 1, arbitrary: fc.array(wordOf, { maxLength: 3 }).map((words) => words.join('\0')) },
  {
    weight: 1,
    arbitrary: fc
      .string({ unit: 'binary', maxLength: 30 })
      .map((text) => text.replaceAll(/[^\0-\xff]/gu, '')),
  },
);
const inputOf = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('request' as const),
      connection: fc.constantFrom(7, 8),
      type: fc.oneof(fc.constantFrom(...Object.values(messageTypes)), fc.nat(40)),
      transactionId: fc.constantFrom(0, 0, 1, 2, 3),
      payload: payloadOf,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('taken' as const),
      connection: fc.constantFrom(1, 7, 8),
      packets: fc.nat(40),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('reset' as const, 'second', 'domain-gone', 'domain-shutdown'),
      connection: fc.constantFrom(7, 8),
    }),
  },
);
type Happening = typeof inputOf extends fc.Arbitrary<infer Each> ? Each : never;

function newStore(): Store {
  const store = new Store();
  store.step({ kind: 'connect', connection: 1, domain: 0 as DomainId });
  const ask = (type: number, text: string) =>
    store.step({
      kind: 'request',
      connection: 1,
      packet: { type, requestId: 0, transactionId: 0, payload: bytesOf(text) },
    });
  ask(messageTypes.MKDIR, '/d\0');
  ask(messageTypes.SET_PERMS, '/d\0b0\0');
  ask(messageTypes.WATCH, '/d\0t\0');
  for (const domain of [7, 8])
    store.step({ kind: 'introduced', connection: domain, domain: domain as DomainId });
  return store;
}

function run(store: Store, each: Happening): readonly Output[] {
  switch (each.kind) {
    case 'request': {
      const { type, transactionId } = each;
      const packet = { type, requestId: 0, transactionId, payload: bytesOf(each.payload) };
      return store.step({ kind: 'request', connection: each.connection, packet });
    }
    case 'taken':
      return store.step(each);
    case 'reset':
      return store.step({ kind: 'reset', connection: each.connection });
    case 'second':
      return store.step({ kind: 'second' });
    case 'domain-shutdown':
      return store.step({ kind: 'domain-shutdown', domain: each.connection as DomainId });
    case 'domain-gone': {
      const domain = each.connection as DomainId;
      const outputs = store.step({ kind: 'domain-gone', domain });
      store.step({ kind: 'introduced', connection: each.connection, domain });
      return outputs;
    }
  }
}

test('whatever guests send, each request has one reply that fits, and all sums agree', (t) => {
  const holds = () =>
    fc.assert(
      fc.property(fc.array(inputOf, { maxLength: 80, size: 'max' }), (happenings) => {
        const store = newStore();
        for (const each of happenings) {
          const sent = run(store, each).filter((output) => output.kind === 'send');
          const replies = sent.filter(({ packet }) => packet.type !== messageTypes.WATCH_EVENT);
          if (replies.length !== (each.kind === 'request' ? 1 : 0))
            throw new Error(`${replies.length} replies to ${JSON.stringify(each)}`);
          if (sent.some(({ packet }) => packet.payload.length > payloadMax))
            throw new Error(`too long a packet after ${JSON.stringify(each)}`);
        }
        const faults = store.check();
        if (faults.length > 0) throw new Error(faults.join('\n'));
        for (const domain of [7, 8])
          store.step({ kind: 'domain-gone', domain: domain as DomainId });
        store.step({ kind: 'taken', connection: 1, packets: 100_000 });
        const left = [...store.domains].filter(({ id }) => id === 7 || id === 8);
        if (left.length > 0) throw new Error('a domain that is gone is known');
        if (store.awaits(1)) throw new Error('somebody waits for nothing');
      }),
      { numRuns: Number(process.env.HOSTILE_RUNS ?? 500), includeErrorInReport: true },
    );
  t.notThrows(holds);
});

test('what a domain is charged is nothing again when it has taken all and removed all', (t) => {
  const store = newStore();
  const ask = (name: keyof typeof messageTypes, text: string, transactionId = 0) =>
    store.step({
      kind: 'request',
      connection: 7,
      packet: { type: messageTypes[name], requestId: 0, transactionId, payload: bytesOf(text) },
    });
  const domain = store.domains.find(7 as DomainId);
  ask('WRITE', '/d/a/b\0value');
  ask('WATCH', '/d\0token\0');
  ask('TRANSACTION_START', '\0');
  ask('READ', '/d/a\0', 1);
  ask('WRITE', '/d/c\0value', 1);
  t.true((domain?.used.memory ?? 0) > 10 * headerLength);
  ask('TRANSACTION_END', 'F\0', 1);
  ask('UNWATCH', '/d\0token\0');
  ask('RM', '/d/a\0');
  for (const connection of [1, 7]) store.step({ kind: 'taken', connection, packets: 1000 });
  const { nodes, watches, transactions, outstanding, memory } = domain?.used ?? {};
  t.deepEqual([nodes, watches, transactions, outstanding, memory], [0, 0, 0, 0, 0]);
});
