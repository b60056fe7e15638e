import test from 'ava';
import fc from 'fast-check';
import { codec, type MessageType } from '../../../proto/codec.ts';
import {
  DeleteRangeResponse,
  PutResponse,
  RangeResponse,
  ResponseHeader,
  TxnResponse,
  WatchResponse,
} from '../../../proto/gen/etcdserverpb.ts';
import { type ByteString, bufferOf } from '../../kv/byte-string.ts';
import type { LeaseId, Revision, Version } from '../../kv/version.ts';
import {
  deleteResponse,
  encodeHeader,
  largeRangeResponse,
  putResponse,
  rangeResponse,
  txnResponse,
  watchResponse,
} from './responses.ts';

const bytesOf = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.constant(''),
);
const numberOf = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.constant(0));
const int64Of = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constant(0n));

const versionOf: fc.Arbitrary<Version> = fc.record({
  key: bytesOf.map((bytes) => bytes as ByteString),
  value: bytesOf.map((bytes) => bytes as ByteString),
  createRevision: numberOf.map((revision) => revision as Revision),
  modRevision: numberOf.map((revision) => revision as Revision),
  sub: fc.constant(0),
  version: numberOf,
  lease: int64Of.map((id) => id as LeaseId),
  previous: fc.constant(null),
});
const versionsOf = fc.array(versionOf, { maxLength: 5 });
const revisionOf = numberOf.map((revision) => revision as Revision);

const clusterId = 2n ** 64n - 3n;
const header = (revision: Revision) => encodeHeader(clusterId, 2 ** 48 - 1, revision, 7);

/** A message that is decoded must be what a message with these fields would be decoded to. */
function same<Message>(
  t: { deepEqual(actual: unknown, expected: unknown): void },
  type: MessageType<Message>,
  encoded: Uint8Array,
  expected: Parameters<ReturnType<typeof codec<Message>>['encode']>[0],
): void {
  const { decode, encode } = codec(type);
  t.deepEqual(decode(encoded), decode(encode(expected)));
}

function keyValue(version: Version, keyOnly = false) {
  return {
    key: bufferOf(version.key),
    createRevision: BigInt(version.createRevision),
    modRevision: BigInt(version.modRevision),
    version: BigInt(version.version),
    value: keyOnly ? null : bufferOf(version.value),
    lease: version.lease,
  };
}

function wireHeader(revision: Revision) {
  return { clusterId, memberId: 2n ** 48n - 1n, revision: BigInt(revision), raftTerm: 7n };
}

test('a header is encoded as its message says', (t) => {
  for (const revision of [0, 1, 127, 128, 2 ** 31, 2 ** 53 - 1] as Revision[])
    same(t, ResponseHeader, header(revision), wireHeader(revision));
});

test('what a range, a put and a deletion found is encoded as their messages say', (t) => {
  fc.assert(
    fc.property(
      versionsOf,
      revisionOf,
      fc.boolean(),
      numberOf,
      (versions, revision, flag, count) => {
        const range = {
          kind: 'range',
          revision,
          versions,
          keysOnly: flag,
          more: flag,
          count,
        } as const;
        same(t, RangeResponse, rangeResponse(range, header), {
          header: wireHeader(revision),
          kvs: versions.map((version) => keyValue(version, flag)),
          more: flag,
          count: BigInt(count),
        });
        const previous = versions[0] ?? null;
        same(t, PutResponse, putResponse({ kind: 'put', revision, previous }, header), {
          header: wireHeader(revision),
          prevKv: previous === null ? null : keyValue(previous),
        });
        const deletion = { kind: 'delete', revision, deleted: count, previous: versions } as const;
        same(t, DeleteRangeResponse, deleteResponse(deletion, header), {
          header: wireHeader(revision),
          deleted: BigInt(count),
          prevKvs: versions.map((version) => keyValue(version)),
        });
      },
    ),
  );
});

test('a large range is encoded in turns, as a small one is', (t) => {
  const version = (at: number): Version => ({
    key: `key-${at}` as ByteString,
    value: 'v'.repeat(at % 5000) as ByteString,
    createRevision: at as Revision,
    modRevision: (2 * at) as Revision,
    sub: 0,
    version: at % 300,
    lease: BigInt(at % 3) as LeaseId,
    previous: null,
  });
  const versions = Array.from({ length: 2000 }, (_, at) => version(at));
  for (const keysOnly of [false, true]) {
    const revision = 5000 as Revision;
    const reply = { kind: 'range', revision, versions, keysOnly, more: true, count: 9999 } as const;
    const turns = largeRangeResponse(reply, header);
    let count = 0;
    let turn = turns.next();
    for (; turn.done !== true; turn = turns.next()) count += 1;
    t.true(turn.value.equals(rangeResponse(reply, header)));
    t.true(keysOnly || count > 10);
  }
});

test('what a transaction did is encoded as its message says', (t) => {
  fc.assert(
    fc.property(versionsOf, revisionOf, fc.boolean(), (versions, revision, succeeded) => {
      const range = { kind: 'range', revision, versions, keysOnly: false, more: false } as const;
      const replies = [
        { ...range, count: 300 },
        { kind: 'put', revision, previous: null },
        { kind: 'delete', revision, deleted: versions.length, previous: versions },
      ] as const;
      const nested = { kind: 'txn', revision, succeeded: !succeeded, replies } as const;
      const inner = { revision: BigInt(revision) };
      const kvs = versions.map((version) => keyValue(version));
      const responses = [
        { responseRange: { header: inner, kvs, count: 300n } },
        { responsePut: { header: inner } },
        {
          responseDeleteRange: { header: inner, deleted: BigInt(versions.length), prevKvs: kvs },
        },
      ];
      const reply = { kind: 'txn', revision, succeeded, replies: [...replies, nested] } as const;
      same(t, TxnResponse, txnResponse(reply, header), {
        header: wireHeader(revision),
        succeeded,
        responses: [
          ...responses,
          { responseTxn: { header: {}, succeeded: !succeeded, responses } },
        ],
      });
    }),
  );
});

test('changes are encoded as a watch response says', (t) => {
  fc.assert(
    fc.property(
      versionsOf,
      versionsOf,
      int64Of,
      fc.boolean(),
      (versions, before, watchId, flag) => {
        const changed = versions.map((version, index) => {
          const previous = before[index] ?? null;
          if (version.version > 0) return { ...version, previous };
          // What a deletion leaves: a key and a revision.
          const rest = {
            value: '' as ByteString,
            createRevision: 0 as Revision,
            lease: 0n as LeaseId,
          };
          return { ...version, ...rest, previous };
        });
        const since = flag ? (5 as Revision) : null;
        const response = { header: header(9 as Revision), watchId, fragment: flag };
        const encoded = watchResponse({ ...response, versions: changed, previousSince: since });
        same(t, WatchResponse, encoded, {
          header: wireHeader(9 as Revision),
          watchId,
          fragment: flag,
          events: changed.map((version) => {
            const { previous } = version;
            const isTold =
              flag && previous !== null && previous.version > 0 && version.modRevision > 5;
            const type = version.version === 0 ? ('DELETE' as const) : ('PUT' as const);
            return { type, kv: keyValue(version), prevKv: isTold ? keyValue(previous) : null };
          }),
        });
      },
    ),
  );
});
