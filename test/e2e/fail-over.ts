import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { present } from '../../base/assert.ts';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import { connect } from '../../proto/client.ts';
import { KV } from '../../proto/gen/etcdserverpb.ts';

/** What a retrying client does. */
export interface Retrying {
  /** One attempt; after it the next member is tried. */
  readonly attempt: Milliseconds;
  /** Between two attempts. */
  readonly pause: Milliseconds;
}

/** As a client that is written with care: a second for an answer, and no storm of retries. */
const careful: Retrying = { attempt: milliseconds(1000), pause: milliseconds(10) };

/** What such a client saw. */
export interface Gap {
  /** The longest time between two acknowledged writes that followed one another. */
  readonly longest: Milliseconds;
  readonly acknowledged: number;
  /** Attempts that failed, or of which it is not known whether they did. */
  readonly failed: number;
}

/**
 * The longest gap between the acknowledged writes of one client while something happens, such as
 * the death of a leader: `during` is called once the client is served, and the client goes on until
 * it has resolved and one more write was acknowledged. It stays at a member for as long as that
 * member serves it, beginning with the first of `endpoints`, and then tries the next. Serves any
 * engine of etcd's API, so that two can be compared.
 */
export async function longestGap(
  endpoints: readonly string[],
  during: () => Promise<void>,
  { attempt, pause }: Retrying = careful,
  channel: ChannelCredentials = credentials.createInsecure(),
): Promise<Gap> {
  const connections = endpoints.map((endpoint) =>
    connect(endpoint, channel, {
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 100,
      'grpc.use_local_subchannel_pool': 1,
    }),
  );
  const clients = connections.map((connection) => connection.client(KV));
  let at = 0;
  let acknowledged = 0;
  let failed = 0;
  const writeOnce = async (): Promise<void> => {
    for (;;) {
      const client = present(clients[at % clients.length], 'there is a member');
      const value = Buffer.from(`${acknowledged}`);
      const put = await client.put({ key: Buffer.from('/gap'), value }, { timeout: attempt });
      if (put.ok) break;
      failed += 1;
      at += 1;
      await delay(pause);
    }
    acknowledged += 1;
  };
  await writeOnce();
  let isOver = false;
  const happening = during().finally(() => {
    isOver = true;
  });
  let longest = 0;
  for (let ending = false; !ending; ) {
    ending = isOver;
    const before = performance.now();
    await writeOnce();
    longest = Math.max(longest, performance.now() - before);
  }
  await happening;
  for (const connection of connections) connection.close();
  return { longest: milliseconds(longest), acknowledged, failed };
}
