import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type EtcdCluster, type EtcdKind, hasEtcd, startEtcd } from '../test/contract/etcd.ts';
import { PoolDatabaseClient, patience, utf8 } from '../test/contract/pool-database-client.ts';
import type { WatchersSay, WatchersWanted } from './watcher-thread.ts';

/**
 * What watchers cost a write: its latency with none, and with 10,000 watchers on distinct keys, of
 * which each write wakes one. Three members of each engine on loopback, in the same run; the
 * watches are spread over the members. The latency with none is taken before and after.
 */

const watchers = 10_000;
const streams = 30;
const seconds = 5;
/** Events that still are on their way come within this, or are counted as missing. */
const arrivalSeconds = 10;

const key = (at: number) => `/watched/${String(at).padStart(6, '0')}`;
const value = Buffer.alloc(256, 'v');

/** Latencies in milliseconds, in ascending order. */
type Latencies = readonly number[];

/** `npm run bench -- watchers [--seconds N]`; see the head of this file. */
export async function benchWatchers(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: { seconds: { type: 'string', default: String(seconds) } },
  });
  const duration = Number(values.seconds) * 1000;
  process.stdout.write(`latency of a put in ms, p50 / p99, for ${values.seconds} s each\n`);
  for (const kind of hasEtcd ? (['consensus', 'etcd'] as const) : (['consensus'] as const))
    await benchEngine(kind, duration);
}

async function benchEngine(kind: EtcdKind, duration: number): Promise<void> {
  const cluster = await startEtcd(kind, 3);
  const clients = cluster.members.map(({ endpoint }) => new PoolDatabaseClient(endpoint));
  const name = kind === 'consensus' ? 'flotilla' : 'etcd';
  for (const inFlight of [1, 10]) {
    await putFor(clients, inFlight, 1000);
    const before = await putFor(clients, inFlight, duration);
    const threads = await startWatchers(cluster);
    const during = await putFor(clients, inFlight, duration);
    const events = await arrived(threads, during.length);
    await threads.terminate();
    const after = await putFor(clients, inFlight, duration);
    const none = [...before, ...after].sort((one, other) => one - other);
    const times = (middle(during) / middle(none)).toFixed(2);
    process.stdout.write(
      `${name.padEnd(10)}${`${inFlight} in flight`.padEnd(14)}` +
        `none ${shown(none)}   ${watchers} watchers ${shown(during)}   ${times} times` +
        `   (${events} events of ${during.length} puts)\n`,
    );
  }
  for (const client of clients) client.close();
  await cluster.close();
}

/** Puts keys that are watched, one after the other in each of `inFlight` rows, at all members. */
async function putFor(
  clients: readonly PoolDatabaseClient[],
  inFlight: number,
  duration: number,
): Promise<Latencies> {
  const latencies: number[] = [];
  const end = performance.now() + duration;
  const row = async (first: number) => {
    for (let at = first; performance.now() < end; at += inFlight) {
      const begun = performance.now();
      const client = clients[at % clients.length];
      const put = await client?.kv.put({ key: utf8(key(at % watchers)), value }, patience);
      if (put?.ok !== true) throw new Error('a put failed');
      latencies.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, first) => row(first)));
  return latencies.sort((one, other) => one - other);
}

async function startWatchers(cluster: EtcdCluster): Promise<Worker> {
  const workerData: WatchersWanted = {
    endpoints: cluster.members.map(({ endpoint }) => endpoint),
    keys: Array.from({ length: watchers }, (_, at) => key(at)),
    streams,
  };
  const worker = new Worker(new URL('./watcher-thread.ts', import.meta.url), { workerData });
  await once(worker, 'message');
  return worker;
}

/** How many events there were, once as many came as were written, or none comes any more. */
async function arrived(worker: Worker, wanted: number): Promise<number> {
  let count = 0;
  for (let second = 0; second < arrivalSeconds && count < wanted; second += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    worker.postMessage('count');
    const [said]: WatchersSay[] = await once(worker, 'message');
    count = said?.kind === 'events' ? said.count : 0;
  }
  return count;
}

function middle(sorted: Latencies): number {
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function shown(sorted: Latencies): string {
  const late = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
  return `${middle(sorted).toFixed(2)} / ${late.toFixed(2)}`;
}
