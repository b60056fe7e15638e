import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bodyOf, pathOf, type Request, valueBytes } from './bodies.ts';

/**
 * The load comes from h2load, a native HTTP/2 client (https://nghttp2.org/documentation/h2load.1.html):
 * it costs a few microseconds a call, where a gRPC client in Node would cost more than the servers.
 * It sends one body over and over, so a key is a process; each process has one connection.
 */

/** Whether this machine has h2load (Debian: `apt-get install nghttp2-client`). */
export const hasH2load = spawnSync('h2load', ['--version']).status === 0;

/** Calls under way in each process at most: eight keys at a thousand in flight. */
const processesFor = (inFlight: number): number => Math.min(8, Math.ceil(inFlight / 25));

/** How long the load runs before it is measured, in milliseconds. */
const warmUp = 300;

/** One kind of call to one member. */
export interface Load {
  readonly request: Request;
  readonly endpoint: string;
  readonly inFlight: number;
  /** The number of its first key; it takes one for each process. */
  readonly firstKey: number;
}

/** What a load did. */
export interface Outcome {
  /** Calls that were answered while it was measured. */
  readonly operations: number;
  /** How long each took, in microseconds, ascending. */
  readonly latencies: Float64Array;
}

/** How long to go on: some seconds after a warm-up, or until so many calls were answered. */
export type Extent =
  | { readonly kind: 'seconds'; readonly seconds: number }
  | { readonly kind: 'calls'; readonly calls: number };

/** Told when the warm-up is over, and when the measured time is. */
export interface Phases {
  measuring(): void;
  measured(): void;
}

/** Runs loads at the same time; returns what each of them did. */
export async function runLoads(
  loads: readonly Load[],
  extent: Extent,
  directory: string,
  phases: Phases,
): Promise<Outcome[]> {
  let [begun, ended] = [false, false];
  const phase = (line: string) => {
    if (!begun && /^Main benchmark duration is started/.test(line)) {
      begun = true;
      phases.measuring();
    }
    if (!ended && /^Main benchmark duration is over/.test(line)) {
      ended = true;
      phases.measured();
    }
  };
  return Promise.all(loads.map((load) => runLoad(load, extent, directory, phase)));
}

async function runLoad(
  load: Load,
  extent: Extent,
  directory: string,
  phase: (line: string) => void,
): Promise<Outcome> {
  const { inFlight, firstKey } = load;
  const count = processesFor(inFlight);
  const shares = Array.from({ length: count }, (_, at) => ({
    ...load,
    firstKey: firstKey + at,
    inFlight: Math.floor(inFlight / count) + (at < inFlight % count ? 1 : 0),
  }));
  const whole: Extent =
    extent.kind === 'calls' ? { kind: 'calls', calls: Math.ceil(extent.calls / count) } : extent;
  const parts = await Promise.all(shares.map((share) => runOne(share, whole, directory, phase)));
  const latencies = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    latencies.set(part, at);
    at += part.length;
  }
  return { operations: latencies.length, latencies: latencies.sort() };
}

/** One process. Its log has a line for each call that was measured: begin, status, microseconds. */
async function runOne(
  { request, endpoint, inFlight, firstKey }: Load,
  extent: Extent,
  directory: string,
  phase: (line: string) => void,
): Promise<number[]> {
  const body = join(directory, `${request}-${firstKey}.body`);
  const log = join(directory, `${request}-${firstKey}.log`);
  await writeFile(body, bodyOf(request, firstKey));
  await rm(log, { force: true });
  const long =
    extent.kind === 'seconds'
      ? ['-D', `${Math.round(extent.seconds * 1000)}ms`, '--warm-up-time', `${warmUp}ms`]
      : ['-n', String(extent.calls)];
  const child = spawn(
    'h2load',
    [
      ...long,
      ...['-c', '1', '-m', String(inFlight), '-d', body, `--log-file=${log}`],
      ...['-H', 'content-type: application/grpc', '-H', 'te: trailers'],
      `http://${endpoint}${pathOf(request)}`,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const output: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    output.push(line);
    phase(line);
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`h2load ended with ${code}:\n${output.join('\n')}`);
  checkAnswers(request, output.join('\n'));
  const lines = (await readFile(log, 'latin1'))
    .trim()
    .split('\n')
    .map((line) => line.split('\t'));
  await Promise.all([rm(log), rm(body)]);
  // What was still under way when the time was over has no status.
  const answered = lines.filter(([, status]) => status !== '0');
  const failed = answered.find(([, status]) => status !== '200');
  if (failed !== undefined) throw new Error(`${endpoint} answered a ${request} with ${failed[1]}`);
  return answered.map(([, , microseconds]) => Number(microseconds));
}

/**
 * Whether the calls were served: an error of gRPC has HTTP's status 200 too, but no message. Puts are
 * counted by the store's revision besides.
 */
function checkAnswers(request: Request, output: string): void {
  const done = Number(/(\d+) done/.exec(output)?.[1]);
  const bytes = Number(/\((\d+)\) data/.exec(output)?.[1]);
  const least = request === 'put' ? 10 : valueBytes;
  if (!(bytes / done >= least)) throw new Error(`${request} was answered with errors:\n${output}`);
}
