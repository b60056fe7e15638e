import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { PoolDatabaseClient, text } from '../contract/pool-database-client.ts';

/** How often memory is looked at, and the witness asks. */
const interval = 25;

/** Problems that are told: one cause has many. */
const toldMax = 10;

/** What happened to a member while it was attacked. */
export interface Endured {
  /** Answers to a client that behaves well. */
  readonly served: number;
  /** What was wrong with them. */
  readonly problems: readonly string[];
  /** The longest of its calls, in milliseconds. */
  readonly slowest: number;
  /** By how many bytes the process grew at most, and in the end. */
  readonly peak: number;
  readonly growth: number;
}

/** Bytes of memory that a process has. */
export function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** Attacks a member while a client that behaves well writes and reads, and measures its memory. */
export async function endure(
  endpoint: string,
  pid: number,
  attack: () => Promise<void>,
): Promise<Endured> {
  const before = memoryOf(pid);
  const client = new PoolDatabaseClient(endpoint);
  const problems: string[] = [];
  let served = 0;
  let slowest = 0;
  let peak = before;
  let isOver = false;
  const witness = async (): Promise<void> => {
    const key = '~witness';
    while (!isOver) {
      const value = `${served}`;
      const began = performance.now();
      try {
        await client.put(key, value);
        const read = await client.get(key);
        if (text(read.kvs[0]?.value) !== value)
          problems.push(`read ${text(read.kvs[0]?.value)}, not ${value}`);
        served += 1;
      } catch (error) {
        problems.push(`${error}`);
      }
      slowest = Math.max(slowest, performance.now() - began);
      peak = Math.max(peak, memoryOf(pid));
      await delay(interval);
    }
  };
  const witnessing = witness();
  try {
    await attack();
    // At least one answer after the attack.
    for (const from = served; served === from && problems.length === 0; ) await delay(interval);
  } finally {
    isOver = true;
    await witnessing;
    client.close();
  }
  return {
    served,
    problems: problems.slice(0, toldMax),
    slowest,
    peak: peak - before,
    growth: memoryOf(pid) - before,
  };
}
