import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { memoryOf } from '../usage.ts';
import { type Name, start } from './contestant.ts';

/** A daemon that has just begun. */
export interface Beginning {
  /** From its start until a client can connect, in milliseconds. */
  readonly took: number;
  /** Resident then, in MiB. */
  readonly memory: number;
}

/** Starts a daemon, on nothing, and ends it again. */
export async function begin(name: Name, directory: string): Promise<Beginning> {
  const place = join(directory, `beginning-${name}`);
  const before = performance.now();
  const contestant = await start(name, place);
  const took = performance.now() - before;
  const { rss } = memoryOf(contestant.pid);
  await contestant.stop();
  await rm(place, { recursive: true });
  return { took, memory: rss };
}
