import type { Readable } from 'node:stream';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { Random } from '../../base/random.ts';
import { milliseconds } from '../../base/units.ts';
import { connect } from '../../proto/client.ts';
import type { Input } from '../../proto/codec.ts';
import { serviceDefinition } from '../../proto/codec.ts';
import {
  Auth,
  Cluster,
  type Compare,
  type DeleteRangeRequest,
  KV,
  Lease,
  Maintenance,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  type TxnRequest,
  Watch,
} from '../../proto/gen/etcdserverpb.ts';
import { type Attack, noise } from './http2-attacks.ts';

/** A call that is not refused by then is given up: hostile clients do not wait. */
const settings = { timeout: milliseconds(5000) };

const edges = [0n, 1n, -1n, 2n ** 31n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];

/** Keys below "~", which is where the witness of a test writes. */
const keys = ['', '\0', 'a', 'b', 'k\0', 'z', 'x'.repeat(5000)];

function key(random: Random): Buffer {
  return random.chance(0.3)
    ? (noise(random, 20).map((byte) => byte % 0x7e) as Buffer)
    : Buffer.from(random.pick(keys));
}

function value(random: Random): Buffer {
  return random.chance(0.05) ? Buffer.alloc(random.below(2 ** 20)) : noise(random, 30);
}

function range(random: Random): Input<RangeRequest> {
  return {
    key: key(random),
    rangeEnd: random.chance(0.5) ? key(random) : Buffer.alloc(0),
    limit: random.pick(edges),
    revision: random.chance(0.7) ? 0n : random.pick(edges),
    sortOrder: random.pick(['NONE', 'ASCEND', 'DESCEND'] as const),
    sortTarget: random.pick(['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'] as const),
    serializable: random.chance(0.5),
    keysOnly: random.chance(0.2),
    countOnly: random.chance(0.2),
    minModRevision: random.pick(edges),
    maxCreateRevision: random.pick(edges),
  };
}

function put(random: Random): Input<PutRequest> {
  return {
    key: key(random),
    value: value(random),
    lease: random.chance(0.8) ? 0n : random.pick(edges),
    prevKv: random.chance(0.3),
    ignoreValue: random.chance(0.1),
    ignoreLease: random.chance(0.1),
  };
}

function remove(random: Random): Input<DeleteRangeRequest> {
  return {
    key: key(random),
    // Not all keys: those of the witness are not the attacker's.
    rangeEnd: random.chance(0.5) ? Buffer.from(random.pick(['a', 'b', 'c'])) : Buffer.alloc(0),
    prevKv: random.chance(0.5),
  };
}

function compare(random: Random): Input<Compare> {
  return {
    key: key(random),
    rangeEnd: random.chance(0.2) ? key(random) : Buffer.alloc(0),
    result: random.pick(['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'] as const),
    target: random.pick(['VERSION', 'CREATE', 'MOD', 'VALUE', 'LEASE'] as const),
    version: random.pick(edges),
  };
}

function operation(random: Random, depth: number): Input<RequestOp> {
  const dice = random.below(depth > 0 ? 5 : 4);
  if (dice === 0) return { requestRange: range(random) };
  if (dice === 1) return { requestPut: put(random) };
  if (dice === 2) return { requestDeleteRange: remove(random) };
  return dice === 3 ? {} : { requestTxn: txn(random, depth - 1) };
}

function txn(random: Random, depth: number): Input<TxnRequest> {
  const many = <Item>(make: () => Item) => Array.from({ length: random.below(5) }, make);
  return {
    compare: many(() => compare(random)),
    success: many(() => operation(random, depth)),
    failure: many(() => operation(random, depth)),
  };
}

/** A tree of transactions with as many operations as one request can carry. */
function vast(kind: 'flat' | 'deep' | 'wide'): Input<TxnRequest> {
  const leaf = { requestPut: { key: Buffer.from('v') } };
  if (kind === 'flat') return { success: Array.from({ length: 250_000 }, () => leaf) };
  if (kind === 'deep') {
    let inner: Input<TxnRequest> = { success: [leaf] };
    for (let depth = 0; depth < 90; depth += 1)
      inner = { success: [{ requestTxn: inner }], failure: [{ requestTxn: {} }] };
    return inner;
  }
  const branch = { requestTxn: { success: Array.from({ length: 120 }, () => leaf) } };
  return { success: Array.from({ length: 120 }, () => branch), failure: [] };
}

/** How long a stream may say nothing before the attacker has seen enough. */
const quietTime = 300;

/** A stream that watches what somebody writes all the time is never quiet: it is left after this. */
const patienceWithStreams = 2000;

/** Resolves when a stream has said nothing for a while, has ended, or goes on for too long. */
function silence(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    const end = setTimeout(resolve, patienceWithStreams);
    let timer = setTimeout(resolve, quietTime);
    stream.on('data', () => {
      clearTimeout(timer);
      timer = setTimeout(resolve, quietTime);
    });
    stream.once('close', () => {
      clearTimeout(end);
      resolve();
    });
  });
}

/** Attacks that are well-formed protobuf, or nearly. */
export const grpcAttacks: readonly Attack[] = [
  {
    name: 'any bytes as any request',
    run: async (address, _path, random) => {
      const client = new Client(address, credentials.createInsecure());
      const same = (message: Buffer) => message;
      const paths = [KV, Lease, Cluster, Maintenance, Auth].flatMap((service) =>
        Object.values(serviceDefinition<object>(service)).map(({ path }) => path),
      );
      await Promise.all(
        Array.from(
          { length: 200 },
          () =>
            new Promise<void>((resolve) => {
              const options = { deadline: Date.now() + settings.timeout };
              const bytes = noise(random, 60);
              const path = random.pick(paths);
              client.makeUnaryRequest(path, same, same, bytes, new Metadata(), options, () =>
                resolve(),
              );
            }),
        ),
      );
      client.close();
    },
  },
  {
    name: 'hostile values in every field',
    run: async (address, _path, random) => {
      const connection = connect(address, credentials.createInsecure());
      const [kv, lease] = [connection.client(KV), connection.client(Lease)];
      for (let count = 0; count < 20; count += 1)
        await Promise.all([
          ...Array.from({ length: 5 }, () => kv.range(range(random), settings)),
          ...Array.from({ length: 5 }, () => kv.put(put(random), settings)),
          ...Array.from({ length: 5 }, () => kv.txn(txn(random, 4), settings)),
          kv.deleteRange(remove(random), settings),
          kv.compact({ revision: random.pick(edges), physical: random.chance(0.5) }, settings),
          lease.leaseGrant({ ID: random.pick(edges), TTL: random.pick(edges) }, settings),
          lease.leaseRevoke({ ID: random.pick(edges) }, settings),
          lease.leaseTimeToLive({ ID: random.pick(edges), keys: true }, settings),
        ]);
      connection.close();
    },
  },
  {
    name: 'transactions as large as they may be',
    run: async (address) => {
      const connection = connect(address, credentials.createInsecure());
      const kv = connection.client(KV);
      for (const kind of ['flat', 'deep', 'wide'] as const) await kv.txn(vast(kind), settings);
      connection.close();
    },
  },
  {
    name: 'watches by the thousand, on one stream',
    run: async (address, _path, random) => {
      const connection = connect(address, credentials.createInsecure());
      const stream = connection.client(Watch).watch();
      stream.on('error', () => {});
      const quiet = silence(stream);
      for (let count = 0; count < 10_000; count += 1)
        stream.write({
          createRequest: {
            key: key(random),
            rangeEnd: key(random),
            startRevision: random.pick([0n, 1n, -5n, 2n ** 62n]),
            prevKv: random.chance(0.5),
            fragment: random.chance(0.5),
            watchId: random.chance(0.9) ? 0n : random.pick(edges),
          },
        });
      await quiet;
      stream.cancel();
      connection.close();
    },
  },
  {
    name: 'leases by the thousand, and renewals of none',
    run: async (address, _path, random) => {
      const connection = connect(address, credentials.createInsecure());
      const lease = connection.client(Lease);
      for (let count = 0; count < 4; count += 1)
        await Promise.all(
          Array.from({ length: 200 }, () => lease.leaseGrant({ TTL: 3n }, settings)),
        );
      const stream = lease.leaseKeepAlive();
      stream.on('error', () => {});
      const quiet = silence(stream);
      for (let count = 0; count < 10_000; count += 1) stream.write({ ID: random.pick(edges) });
      await quiet;
      stream.cancel();
      connection.close();
    },
  },
];
