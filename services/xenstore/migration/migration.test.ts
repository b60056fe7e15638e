import { deepStrictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { beginning, type Happening, lifeOf, live } from '../../../test/fixtures/xenstore-life.ts';
import { formatPath } from '../core/path.ts';
import { textOf } from '../core/payload.ts';
import { type DomainId, formatPermission } from '../core/permissions.ts';
import { Store } from '../core/store.ts';
import type { Node } from '../core/tree.ts';
import { ByteWriter } from './bytes.ts';
import { decodeImage } from './decode.ts';
import { encodeImage } from './encode.ts';
import { storeOfStream } from './foreign.ts';
import type { Image, Link } from './image.ts';
import type { StreamRecord } from './records.ts';
import { readStream, writeEnd, writeHeader, writeRecord } from './stream.ts';
import { nodesOf } from './trees.ts';

const numRuns = Number(process.env.MIGRATION_RUNS ?? 150);

function ids(from = 100): () => number {
  let next = from;
  return () => {
    next += 1;
    return next;
  };
}

function lived(life: readonly Happening[]): { readonly store: Store; readonly last: number } {
  const store = new Store();
  for (const input of beginning) store.step(input);
  const newId = ids();
  for (const each of life) live(store, each, newId);
  return { store, last: newId() - 1 };
}

function imageOf(store: Store): Image {
  const links = new Map<number, Link>();
  const unsent = { bytes: Uint8Array.of(1, 2, 3), rest: 3 };
  links.set(1, { kind: 'socket', descriptor: 9, received: Uint8Array.of(7), unsent });
  links.set(7, {
    kind: 'ring',
    place: { domain: 7 as DomainId, gfn: -1, port: 4, features: 3 },
    boundPort: 21,
    state: {
      received: Uint8Array.of(8, 9),
      unsent: { bytes: new Uint8Array(0), rest: 0 },
      consumed: 0xffffffff,
      consumedBefore: 5,
      produced: 6,
      ended: 2,
      fault: 'indexes',
      resetting: null,
    },
  });
  for (const id of links.keys()) if (store.sessions.find(id) === undefined) links.delete(id);
  return { store: store.dump(), nextConnection: 500, links, listening: 3, eventChannels: null };
}

function encoded(image: Image): Buffer {
  return Buffer.concat([...encodeImage(image)]);
}

function nodes(top: Node): unknown {
  return [...nodesOf(top)].map(({ path, node: { children, ...rest } }) => [
    formatPath(path),
    { ...rest, value: [...rest.value] },
    children.names(),
  ]);
}

test('[X68] an image that was written down is the same when it is read', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(lifeOf, fc.nat(120), (life, moment) => {
        const { store, last } = lived(life.slice(0, moment));
        const image = imageOf(store);
        const decoded = decodeImage(encoded(image));
        if (!decoded.ok) throw new Error(decoded.error);
        const bare = ({ store: { top: _, connections, ...rest }, ...others }: Image) => ({
          ...others,
          rest,
          connections: connections.map(({ transactions, ...each }) => ({
            ...each,
            transactions: transactions.map(({ base: __, top: ___, ...meta }) => meta),
          })),
        });
        deepStrictEqual(bytewise(bare(decoded.value)), bytewise(bare(image)));
        deepStrictEqual(nodes(decoded.value.store.top), nodes(image.store.top));
        const heir = Store.from(decoded.value.store);
        const [one, other] = [ids(last), ids(last)];
        for (const each of life.slice(moment))
          deepStrictEqual(bytewise(live(heir, each, other)), bytewise(live(store, each, one)));
        deepStrictEqual(heir.check(), []);
        deepStrictEqual(nodes(heir.top), nodes(store.top));
      }),
      { numRuns, includeErrorInReport: true },
    ),
  );
});

/** Values of the same bytes are equal, whether they are buffers or not. */
function bytewise(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(bytewise);
  if (value instanceof Map) return bytewise([...value]);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, bytewise(each)]));
}

test('[X68] an image that is damaged or cut short is refused, and says where', (t) => {
  const life = fc.sample(lifeOf, { seed: 5, numRuns: 1 })[0] ?? [];
  const whole = encoded(imageOf(lived(life).store));
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        // The padding behind the checksum is nobody's.
        if (at < whole.length - 4 && decodeImage(damaged).ok) throw new Error(`byte ${at}`);
        if (decodeImage(whole.subarray(0, at)).ok && at < whole.length - 4)
          throw new Error(`cut at ${at}`);
      }),
      { numRuns: 2000, includeErrorInReport: true },
    ),
  );
  const sentence = decodeImage(whole.subarray(0, 100));
  t.regex(sentence.ok ? '' : sentence.error, /at byte \d+/);
});

test("[X68] whatever a stream has, the readers of Xen's format return", (t) => {
  const whole = encoded(imageOf(lived(fc.sample(lifeOf, { seed: 9, numRuns: 1 })[0] ?? []).store));
  const edits = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 20 });
  t.notThrows(() =>
    fc.assert(
      fc.property(edits, (list) => {
        const damaged = Buffer.from(whole);
        for (const [at, value] of list) damaged[at] = value;
        const made = storeOfStream(damaged);
        if (made.ok) deepStrictEqual(Store.from(made.value).check(), []);
      }),
      { numRuns: 2000, includeErrorInReport: true },
    ),
  );
});

const someRecords: readonly StreamRecord[] = [
  { kind: 'global', socket: 3, eventChannels: -1 },
  {
    kind: 'connection',
    id: 1,
    spec: { kind: 'ring', domain: 7, target: 0x7ff4, port: 21 },
    received: Uint8Array.of(1, 2),
    unsent: Uint8Array.of(3, 4, 5),
    partial: 2,
    uniqueId: 0x1_0000_0002n,
  },
  { kind: 'watch', connection: 1, path: '/a', token: 't', depth: 2 },
  { kind: 'transaction', connection: 1, id: 5 },
  {
    kind: 'node',
    connection: 0,
    transaction: 0,
    access: 0,
    path: '/',
    value: Uint8Array.of(0xff),
    permissions: [
      { domain: 0 as DomainId, read: false, write: false },
      { domain: 7 as DomainId, read: true, write: true, stale: true },
    ],
  },
  { kind: 'global-quota', domains: [['nodes', 10]], globals: [['x', 1]] },
  { kind: 'domain', domain: 7, features: 5, quotas: [['watches', 2]] },
];

test("[X68] records are laid out as in Xen's document", (t) => {
  const writer = new ByteWriter();
  writeHeader(writer);
  for (const record of someRecords) writeRecord(writer, record);
  writeEnd(writer);
  const bytes = writer.take();
  const expected = readFileSync(golden('records-2.txt'), 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('')
    .replaceAll(/\s/g, '');
  t.is(bytes.toString('hex'), expected);
  const stream = readStream(bytes);
  t.deepEqual(bytewise(stream.ok && stream.value.records), bytewise(someRecords));
});

function golden(name: string): string {
  return join(import.meta.dirname, '../../../test/golden/xenstore/migration', name);
}

test('[X68] the stream of a C xenstored is read', (t) => {
  const text = readFileSync(golden('c-xenstored-4.17.txt'), 'utf8');
  const dump = storeOfStream(Buffer.from(text.slice(text.indexOf('\n')), 'base64'));
  if (!dump.ok) throw new Error(dump.error);
  const { top, domains, watches } = dump.value;
  t.deepEqual(
    [...nodesOf(top)].map(({ path, node }) => {
      const { value, permissions } = node;
      return `${formatPath(path)} ${permissions.map(formatPermission)} ${textOf(value)}`;
    }),
    [
      '@releaseDomain n0 ',
      '@introduceDomain n0 ',
      '/ n0 ',
      '/tool n0 ',
      '/tool/xenstored n0 ',
      '/vm n0 ',
      '/vm/web n0,r7 ',
      '/vm/web/name n0 web',
      '/vm/web/memory n0 262144',
    ],
  );
  t.deepEqual(
    domains.map(({ id, introduced }) => [id, introduced]),
    [
      [0, true],
      [7, true],
    ],
  );
  t.deepEqual(
    watches.map(({ path, token, depth }) => [formatPath(path), token, depth]),
    [
      ['/vm/web', '/vm/web', null],
      ['@releaseDomain', '@releaseDomain', null],
    ],
  );
  t.deepEqual(Store.from(dump.value).check(), []);
});

test('[X68] a pending transaction is made of what the stream says that it has read and changed', (t) => {
  const life: Happening[] = [];
  const store = lived(life).store;
  const ask = (type: number, text: string, transactionId: number) =>
    store.step({
      kind: 'request',
      connection: 1,
      packet: { type, requestId: 0, transactionId, payload: Buffer.from(text) },
    });
  ask(11, '/d/old\0x', 0);
  ask(6, '\0', 0);
  ask(2, '/d\0', 1);
  ask(11, '/d/new\0y', 1);
  ask(13, '/d/old\0', 1);
  const dump = storeOfStream(encoded(imageOf(store)));
  if (!dump.ok) throw new Error(dump.error);
  const heir = Store.from(dump.value);
  const request = (type: number, text: string, transactionId: number) =>
    heir
      .step({
        kind: 'request',
        connection: 1,
        packet: { type, requestId: 0, transactionId, payload: Buffer.from(text) },
      })
      .flatMap((output) => (output.kind === 'send' ? [textOf(output.packet.payload)] : []));
  t.deepEqual(request(2, '/d/new\0', 1), ['y']);
  t.deepEqual(request(2, '/d/new\0', 0), ['ENOENT\0']);
  t.deepEqual(request(7, 'T\0', 1), ['OK\0']);
  t.deepEqual(request(1, '/d\0', 0), ['new\0']);
  t.deepEqual(heir.check(), []);
});
