import { credentials } from '@grpc/grpc-js';
import { milliseconds } from '../../base/units.ts';
import { connect } from '../../proto/client.ts';
import { KV } from '../../proto/gen/etcdserverpb.ts';
import { sampleKey, sampleValue } from './bodies.ts';
import type { Contestant } from './contestant.ts';

/** Keys that a store holds before it is measured. */
export const preloadedKeys = 10_000;

/** Keys of one transaction; etcd allows 128 operations. */
const keysOfOne = 100;

/** Writes the keys from 0 on, so that what is read and written is found among others. */
export async function preload(contestant: Contestant): Promise<void> {
  const leader = await contestant.settled();
  const connection = connect(leader.endpoint, credentials.createInsecure());
  for (let first = 0; first < preloadedKeys; first += keysOfOne) {
    const success = Array.from({ length: keysOfOne }, (_, at) => ({
      requestPut: { key: sampleKey(first + at), value: sampleValue(first + at) },
    }));
    const written = await connection.client(KV).txn({ success }, { timeout: milliseconds(20_000) });
    if (!written.ok) throw new Error(`${contestant.name}: ${written.error.message}`);
  }
  connection.close();
}
