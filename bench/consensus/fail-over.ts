import { setTimeout as delay } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { milliseconds } from '../../base/units.ts';
import { connect } from '../../proto/client.ts';
import { KV } from '../../proto/gen/etcdserverpb.ts';
import { sampleKey, sampleValue } from './bodies.ts';
import type { Contestant } from './contestant.ts';

/** How long the client waits for one answer before it asks the next member. */
const attemptTimeout = milliseconds(200);

/** Between two writes, and between two attempts, in milliseconds. */
const pause = 5;

/** How long the client writes before the leader dies, and after it is served again. */
const before = 500;
const after = 500;

/** When a pool that was not served again counts as lost, in milliseconds. */
const patience = 30_000;

/**
 * Kills the leader under a client that writes one key after the other, and tries the next member as
 * soon as one fails or is silent. Returns the longest time between two writes that were served, in
 * milliseconds. The member is back, and has everything, when this is done.
 */
export async function failOver(contestant: Contestant): Promise<number> {
  const leader = await contestant.settled();
  const writer = new Writer(contestant.members.map(({ endpoint }) => endpoint));
  const written = writer.run();
  await delay(before);
  await leader.kill();
  const killed = performance.now();
  while (writer.lastServed < killed) {
    if (performance.now() > killed + patience) {
      writer.stop();
      throw new Error(`${contestant.name} serves no write ${patience} ms after its leader died`);
    }
    await delay(pause);
  }
  await delay(after);
  writer.stop();
  await written;
  await leader.start();
  await contestant.settled();
  return writer.longestGap;
}

/** A client that retries. */
class Writer {
  readonly #endpoints: readonly string[];
  #stopped = false;
  lastServed = performance.now();
  longestGap = 0;

  constructor(endpoints: readonly string[]) {
    this.#endpoints = endpoints;
  }

  async run(): Promise<void> {
    const options = {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 200,
    };
    const connections = this.#endpoints.map((endpoint) =>
      connect(endpoint, credentials.createInsecure(), options),
    );
    const clients = connections.map((connection) => connection.client(KV));
    this.lastServed = performance.now();
    for (let number = 0, at = 0; !this.#stopped; ) {
      const client = clients[at % clients.length];
      const put = { key: sampleKey(number), value: sampleValue(number) };
      const answer = await client?.put(put, { timeout: attemptTimeout });
      if (answer?.ok) {
        const now = performance.now();
        this.longestGap = Math.max(this.longestGap, now - this.lastServed);
        this.lastServed = now;
        number = (number + 1) % 100;
      } else at += 1;
      await delay(pause);
    }
    for (const connection of connections) connection.close();
  }

  stop(): void {
    this.#stopped = true;
  }
}
