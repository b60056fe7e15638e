import { crc32 } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { decodeRecords, encodeEntry } from '../../consensus/adapters/entry-codec.ts';
import { boundRequests } from '../../consensus/adapters/etcd/request-bounds.ts';
import {
  deleteRequest,
  putRequest,
  rangeRequest,
  txnRequest,
} from '../../consensus/adapters/etcd/requests.ts';
import { decodeFrame, decodeMessages } from '../../consensus/adapters/peers/read-frame.ts';
import { encodeMessages } from '../../consensus/adapters/peers/write-frame.ts';
import { checkFrames, chunksOf, frames } from '../../consensus/adapters/snapshot-frames.ts';
import { configurationOf } from '../../consensus/core/configuration.ts';
import type { Entry } from '../../consensus/core/entry.ts';
import { logIndex, memberId, term } from '../../consensus/core/ids.ts';
import type { Message } from '../../consensus/core/message.ts';
import { textBytes } from '../../consensus/kv/byte-string.ts';
import { decodeCommand, encodeCommand } from '../../consensus/kv/command-codec.ts';
import { keyRange } from '../../consensus/kv/key-range.ts';
import type { Command, PutRequest } from '../../consensus/kv/request.ts';
import { readSnapshot } from '../../consensus/kv/snapshot-reader.ts';
import { Store } from '../../consensus/kv/store.ts';
import { validate } from '../../consensus/kv/validate.ts';
import type { LeaseId, Revision } from '../../consensus/kv/version.ts';
import { codec, serviceDefinition } from '../../proto/codec.ts';
import { KV, RangeRequest, TxnRequest } from '../../proto/gen/etcdserverpb.ts';

/** `FLOTILLA_SEED=N` replays a seed; `FLOTILLA_LONG=SECONDS` makes each property run about so long. */
const seed = process.env.FLOTILLA_SEED;
const long = Number(process.env.FLOTILLA_LONG ?? 0);
const settings = {
  ...(seed === undefined ? {} : { seed: Number(seed) }),
  ...(long === 0
    ? { numRuns: 1500 }
    : {
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: 1000 * long,
        markInterruptAsFailure: false,
      }),
};

/** What is done to bytes that were right. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), at: fc.nat(), byte: fc.nat(255) }),
  fc.record({
    kind: fc.constant('cut' as const),
    at: fc.nat(),
    count: fc.integer({ min: 1, max: 20 }),
  }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.nat(),
    bytes: fc.uint8Array({ maxLength: 12 }),
  }),
  fc.record({
    kind: fc.constant('repeat' as const),
    at: fc.nat(),
    count: fc.integer({ min: 1, max: 40 }),
  }),
);

type Mutation = typeof mutation extends fc.Arbitrary<infer Each> ? Each : never;

function mutate(bytes: Uint8Array, mutations: readonly Mutation[]): Buffer {
  let result = Buffer.from(bytes);
  for (const each of mutations) {
    const at = result.length === 0 ? 0 : each.at % result.length;
    if (each.kind === 'set') {
      if (result.length > 0) result[at] = each.byte;
    } else {
      const [before, after] = [result.subarray(0, at), result.subarray(at)];
      if (each.kind === 'cut') result = Buffer.concat([before, after.subarray(each.count)]);
      else if (each.kind === 'insert') result = Buffer.concat([before, each.bytes, after]);
      else result = Buffer.concat([before, after.subarray(0, each.count), after]);
    }
  }
  return result;
}

/** Arbitrary bytes, and samples that were tampered with. */
function nearly(samples: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  const tampered = fc
    .tuple(fc.constantFrom(...samples), fc.array(mutation, { maxLength: 5 }))
    .map(([sample, mutations]) => mutate(sample, mutations));
  const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  return fc.oneof({ weight: 4, arbitrary: tampered }, { weight: 1, arbitrary: noise });
}

/** Whatever the bytes are, `decode` answers: what it throws fails the test. */
function answers(
  name: string,
  samples: readonly Uint8Array[],
  decode: (bytes: Buffer) => unknown,
): void {
  test(`${name}: any bytes are read or refused`, (t) => {
    t.timeout(60_000 + 3000 * long);
    t.notThrows(() =>
      fc.assert(
        fc.property(nearly(samples), (bytes) => {
          decode(bytes);
        }),
        settings,
      ),
    );
  });
}

const put: PutRequest = {
  kind: 'put',
  key: textBytes('key'),
  value: textBytes('value'),
  lease: 7n as LeaseId,
  withPrevious: true,
  ignoreValue: false,
  ignoreLease: false,
};
const range = keyRange(textBytes('a'), textBytes('z'));
const lease = 7n as LeaseId;

const commands: readonly Command[] = [
  { ...put, lease: 0n as LeaseId },
  put,
  { kind: 'delete', range, withPrevious: true },
  {
    kind: 'txn',
    compares: [
      { range, operator: 'equal', operand: { target: 'version', number: 1 } },
      { range, operator: 'less', operand: { target: 'value', value: textBytes('v') } },
    ],
    success: [put, { kind: 'txn', compares: [], success: [put], failure: [] }],
    failure: [{ kind: 'delete', range, withPrevious: false }],
  },
  { kind: 'compact', revision: 3 as Revision },
  { kind: 'grant', id: lease, ttl: 60 },
  { kind: 'revoke', id: lease },
  { kind: 'renew', ids: [lease, 8n as LeaseId] },
  { kind: 'expire', leases: [{ id: lease, renewals: 0 }] },
  { kind: 'describe', member: 1, name: textBytes('m'), clientUrls: [textBytes('http://a:1')] },
];

const encoded = commands.map((command) => Buffer.from(encodeCommand(command)));

answers('commands', encoded, (bytes) => decodeCommand(bytes));

test('commands: two stores that apply any that can be read agree', (t) => {
  t.timeout(60_000 + 3000 * long);
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(nearly(encoded), { maxLength: 30 }), (list) => {
        const stores = [new Store(), new Store()];
        for (const [index, bytes] of list.entries()) {
          if (!decodeCommand(bytes).ok) continue;
          const [one, other] = stores.map((store) => show(store.apply(index, bytes)));
          if (one !== other) throw new Error(`${one} and ${other}`);
        }
        const [one, other] = stores.map((store) => Buffer.concat([...store.snapshot()]));
        if (one === undefined || other === undefined || !one.equals(other))
          throw new Error('the stores differ');
        const restored = new Store();
        if (!restored.restore(stores[0]?.snapshot() ?? []).ok) throw new Error('no snapshot');
      }),
      { ...settings, ...(long === 0 ? { numRuns: 400 } : {}) },
    ),
  );
});

function show(reply: object): string {
  return JSON.stringify(reply, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
}

function filled(): Store {
  const store = new Store();
  const order = [5, 0, 1, 3, 0, 9, 2, 0, 1];
  for (const [index, which] of order.entries())
    store.apply(index, encoded[which] ?? Buffer.alloc(0));
  return store;
}

/** The first chunk without its checksum: a mutation is given one that fits. */
const chunk = Buffer.concat([...filled().snapshot()]).subarray(4);

answers('snapshots', [chunk], (bytes) => {
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(bytes));
  return readSnapshot([Buffer.concat([sum, bytes])]);
});

answers('snapshot frames', [Buffer.concat([...frames([Buffer.from('one'), chunk])])], (bytes) => {
  const readAt = (offset: number, length: number) => bytes.subarray(offset, offset + length);
  if (checkFrames(readAt, bytes.length).ok) [...chunksOf(readAt, bytes.length)];
});

const entries: readonly Entry[] = [
  { index: logIndex(5), term: term(2), payload: { kind: 'noop' } },
  {
    index: logIndex(6),
    term: term(2),
    payload: {
      kind: 'command',
      proposal: { id: { member: memberId(1), number: 9 }, command: Buffer.from('command') },
    },
  },
  {
    index: logIndex(7),
    term: term(3),
    payload: {
      kind: 'configuration',
      configuration: configurationOf([memberId(1)]),
      proposal: null,
    },
  },
];

answers('log records', [Buffer.concat(entries.map(encodeEntry))], (bytes) => decodeRecords(bytes));

const [from, to] = [memberId(2), memberId(1)];
const common = { from, to, term: term(3) };
const messages: readonly Message[] = [
  {
    ...common,
    kind: 'append',
    previousIndex: logIndex(4),
    previousTerm: term(1),
    entries,
    commit: logIndex(3),
    round: 1,
  },
  { ...common, kind: 'vote', lastIndex: logIndex(7), lastTerm: term(2), force: true },
  { ...common, kind: 'heartbeat', commit: logIndex(3), match: logIndex(2), round: 4 },
  {
    ...common,
    kind: 'propose',
    proposals: [{ id: { member: from, number: 4 }, command: Buffer.from('c') }],
  },
  {
    ...common,
    kind: 'snapshot-chunk',
    snapshot: { index: logIndex(5), term: term(1), configuration: configurationOf([from, to]) },
    offset: 0,
    data: Buffer.from('piece'),
    last: false,
  },
];

const frame = messages.map((message) => Buffer.from(encodeMessages([message])));

answers('messages of members', [...frame, Buffer.from(encodeMessages(messages))], (bytes) => {
  const outside = whatIsDecoded(() => decodeFrame(bytes));
  if (outside?.kind === 'messages') decodeMessages(from, to, outside.bytes);
  return decodeMessages(from, to, bytes);
});

const txn = codec(TxnRequest).encode({
  compare: [{ key: Buffer.from('k'), target: 'MOD', modRevision: 4n }],
  success: [
    { requestPut: { key: Buffer.from('k'), value: Buffer.from('v'), lease: 1n } },
    { requestTxn: { success: [{ requestRange: { key: Buffer.from('a'), limit: 3n } }] } },
  ],
  failure: [{ requestDeleteRange: { key: Buffer.from('b'), rangeEnd: Buffer.from('c') } }],
});
const read = codec(RangeRequest).encode({ key: Buffer.from('a'), rangeEnd: Buffer.from('\0') });
const methods = boundRequests(serviceDefinition(KV));

answers('requests', [txn, read], (bytes) => {
  for (const [name, method] of Object.entries(methods)) {
    const wire = whatIsDecoded(() => method.requestDeserialize(bytes));
    if (wire === null) continue;
    const request = requestOf(name, wire);
    if (request?.ok === true) validate(request.value);
  }
});

function requestOf(
  name: string,
  wire: Parameters<typeof rangeRequest>[0] &
    Parameters<typeof txnRequest>[0] &
    Parameters<typeof putRequest>[0],
) {
  switch (name) {
    case 'range':
      return rangeRequest(wire);
    case 'txn':
      return txnRequest(wire);
    case 'put':
      return { ok: true, value: putRequest(wire) } as const;
    case 'deleteRange':
      return { ok: true, value: deleteRequest(wire) } as const;
    default:
      return null;
  }
}

/** protobufjs throws on bytes that are none of its messages, as gRPC expects; null for those. */
function whatIsDecoded<Decoded>(decode: () => Decoded): Decoded | null {
  try {
    return decode();
  } catch {
    return null;
  }
}
