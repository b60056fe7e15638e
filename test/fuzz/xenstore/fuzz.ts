import { seededRandom } from '../../../base/random.ts';
import { BytesSource } from './bytes-source.ts';
import { fuzzCore } from './core-target.ts';
import { Coverage } from './coverage.ts';
import { mutate } from './mutate.ts';
import { fuzzRing } from './ring-target.ts';
import { fuzzWire } from './wire-target.ts';

/** What is fuzzed, by name. */
export const targets = { core: fuzzCore, ring: fuzzRing, wire: fuzzWire } as const;
export type Target = keyof typeof targets;

/** What came of it. */
export interface Fuzzed {
  readonly inputs: number;
  /** Blocks that were reached, counted with how often. */
  readonly blocks: number;
  readonly corpus: number;
  /** The input that broke a promise, in hexadecimal, and how; null where none did. */
  readonly failure: { readonly input: string; readonly error: string } | null;
}

/** Runs one input; returns what is wrong. */
export function runInput(target: Target, bytes: Uint8Array): string | null {
  try {
    targets[target](new BytesSource(bytes));
    return null;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/**
 * Makes inputs of those that have reached something new before, for so many seconds of processor
 * time, or until one breaks a promise.
 */
export async function fuzz(target: Target, seed: number, seconds: number): Promise<Fuzzed> {
  const random = seededRandom(seed);
  const coverage = new Coverage('/services/xenstore/');
  await coverage.start();
  const corpus: Uint8Array[] = [];
  let inputs = 0;
  const done = (failure: Fuzzed['failure']): Fuzzed => ({
    inputs,
    blocks: coverage.size,
    corpus: corpus.length,
    failure,
  });
  const used = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(used);
    if (user + system > seconds * 1e6) return done(null);
    const bytes = mutate(random, corpus);
    inputs += 1;
    const error = runInput(target, bytes);
    if (error !== null) return done({ input: Buffer.from(bytes).toString('hex'), error });
    if (await coverage.isNew()) corpus.push(bytes);
  }
}
