import test from 'ava';
import fc from 'fast-check';
import { serviceDefinition } from '../../../proto/codec.ts';
import { KV, Watch } from '../../../proto/gen/etcdserverpb.ts';
import { storeBounds } from '../../kv/bounds.ts';
import { boundRequests, hasTooMany, requestFieldsMax } from './request-bounds.ts';

const txn = boundRequests(serviceDefinition(KV)).txn;
const watch = boundRequests(serviceDefinition(Watch)).watch;

const leaf = { requestPut: { key: Buffer.from('k') } };

function many<Item>(item: Item, count: number): Item[] {
  return Array.from({ length: count }, () => item);
}

function decodes(request: object): boolean {
  if (txn === undefined) throw new Error('there is a Txn method');
  const bytes = txn.requestSerialize(request);
  try {
    return txn.requestDeserialize(bytes) !== null;
  } catch {
    return false;
  }
}

test('a transaction as large as the store serves one is decoded', (t) => {
  const { txnOperations, txnOperationsNested } = storeBounds;
  t.true(decodes({ success: many(leaf, txnOperations), failure: many(leaf, txnOperations) }));
  const nested = { requestTxn: { success: many(leaf, txnOperationsNested / 64 - 1) } };
  t.true(decodes({ success: many(nested, 64) }));
});

test('a transaction with more operations than are counted is not decoded, however they lie', (t) => {
  t.false(decodes({ success: many(leaf, requestFieldsMax) }));
  t.false(decodes({ failure: many(leaf, 2 * requestFieldsMax) }));
  t.false(decodes({ compare: many({ key: Buffer.from('k') }, 2 * requestFieldsMax) }));
  const nested = { requestTxn: { success: many(leaf, 100) } };
  t.false(decodes({ success: many({ requestTxn: { failure: many(nested, 100) } }, 10) }));
});

test('filters of a watch are counted, packed as they come', (t) => {
  const packed = Buffer.alloc(50_000);
  const field = Buffer.concat([Buffer.from([0x2a, 0xd0, 0x86, 0x03]), packed]);
  const request = Buffer.concat([Buffer.from([0x0a, 0xd4, 0x86, 0x03]), field]);
  t.throws(() => watch?.requestDeserialize(request), { message: /too many fields/ });
});

test('a large value is one field', (t) => {
  t.true(
    decodes({ success: [{ requestPut: { key: Buffer.from('k'), value: Buffer.alloc(10 ** 6) } }] }),
  );
});

test('any bytes are counted without an error', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 200 }), (noise) => {
      const long = Buffer.concat(many(Buffer.from(noise), 400));
      t.is(typeof hasTooMany(long, { 1: {}, 2: 'packed', 3: { 1: {} } }), 'boolean');
    }),
    { numRuns: 300 },
  );
});
