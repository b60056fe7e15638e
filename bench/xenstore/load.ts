import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { compile } from '../../test/peers/compile.ts';
import type { Contestant } from './contestant.ts';

/** What was measured of one kind of operation; times in microseconds. */
const GaugeSchema = v.object({
  perSecond: v.number(),
  /** From one end to the next, so that it is a latency only where one is in flight. */
  mean: v.number(),
  /** 0 where the latency of single operations was not taken. */
  p50: v.number(),
  p99: v.number(),
  /** Of the server, for each operation, all its threads included. */
  cpu: v.number(),
});
export type Gauge = v.InferOutput<typeof GaugeSchema>;

const OutputSchema = v.record(v.string(), v.union([GaugeSchema, v.number(), v.string()]));
/** What a scenario printed, by name. */
export type Output = v.InferOutput<typeof OutputSchema>;

/** The longest that a scenario may take, in milliseconds: removing 10,000 children takes C long. */
const patience = 300_000;

/** Runs a scenario of `load/` on a daemon. */
export async function runLoad(
  { socket, pid }: Contestant,
  scenario: string,
  numbers: Readonly<Record<string, number>>,
): Promise<Output> {
  const words = Object.entries(numbers).map(([name, value]) => `${name}=${value}`);
  const { stdout } = await promisify(execFile)(
    program(),
    [socket, String(pid), scenario, ...words],
    { timeout: patience },
  );
  return v.parse(OutputSchema, JSON.parse(stdout));
}

function program(): string {
  const directory = join(import.meta.dirname, 'load');
  const sources = readdirSync(directory).map((name) => join(directory, name));
  return compile('xenstore-load', sources);
}
