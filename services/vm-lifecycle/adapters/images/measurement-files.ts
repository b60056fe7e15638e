import { readdir, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import {
  type ChainHead,
  followChain,
  headAfter,
  type Measurement,
  readMeasurement,
} from '../../../../pool/images/measurement.ts';

/** What the pool may still have to be told stays in memory, wherever one file ends and another begins. */
const remembered = 1000;

/** The newest measurements of a chain, and where they continue it. */
export interface ChainTail {
  /** The chain before the first of them. */
  readonly from: ChainHead;
  readonly measurements: readonly Measurement[];
}

/** The newest files of a log. */
export interface LogFiles extends ChainTail {
  /** The file that is appended to; null: there is none yet. */
  readonly path: string | null;
  /** How many measurements are in that file. */
  readonly inFile: number;
}

/** What the file is called that begins with this measurement. */
export function partName(boot: string, sequence: number): string {
  return `${boot}-${String(sequence).padStart(10, '0')}.jsonl`;
}

/** The files of a boot, in the order in which they were begun. */
export async function partsOf(folder: string, boot: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  return names.filter((name) => name.startsWith(`${boot}-`) && name.endsWith('.jsonl')).sort();
}

/** Where a chain ends that has these measurements. */
export function headOf({ from, measurements }: ChainTail): ChainHead {
  const last = measurements.at(-1);
  return last === undefined ? from : headAfter(last);
}

/** Where it was at a sequence number; null where that is not among them. */
export function headAt({ from, measurements }: ChainTail, sequence: number): ChainHead | null {
  if (sequence === from.sequence) return from;
  const found = measurements[sequence - from.sequence - 1];
  return found === undefined ? null : headAfter(found);
}

/** The newest of them, as many as are remembered. */
export function newestOf(tail: ChainTail): ChainTail {
  const at = Math.max(0, tail.measurements.length - remembered);
  const from = headAt(tail, tail.from.sequence + at) ?? tail.from;
  return { from, measurements: tail.measurements.slice(at) };
}

/**
 * Reads and verifies the newest file of a boot, with the end of the one before it. A line that the end
 * of a process cut off is cut away, and a file that was begun and has nothing is removed. Rejects with
 * the system's error.
 */
export async function readNewest(
  folder: string,
  boot: string,
  beginning: ChainHead,
): Promise<Result<LogFiles, Failure>> {
  let newest: LogFiles | null = null;
  for (const name of (await partsOf(folder, boot)).toReversed()) {
    const path = join(folder, name);
    const read = await readPart(path, beginning);
    if (!read.ok) return read;
    const part = read.value;
    if (newest !== null) return joined(part, newest);
    if (part.measurements.length === 0 && name !== partName(boot, 1)) {
      await rm(path);
      continue;
    }
    newest = { ...part, path, inFile: part.measurements.length };
  }
  return ok(newest ?? { from: beginning, measurements: [], path: null, inFile: 0 });
}

function joined(before: ChainTail, newest: LogFiles): Result<LogFiles, Failure> {
  const end = headOf(before);
  const { sequence, digest } = newest.from;
  if (end.sequence !== sequence || end.digest !== digest)
    return fail(broken(newest.path ?? '', 'it does not continue the file before it'));
  const { from, measurements } = newestOf(before);
  return ok({ ...newest, from, measurements: [...measurements, ...newest.measurements] });
}

async function readPart(path: string, beginning: ChainHead): Promise<Result<ChainTail, Failure>> {
  const content = await readFile(path);
  const whole = content.lastIndexOf(0x0a) + 1;
  if (whole < content.length) await truncate(path, whole);
  const lines = content.subarray(0, whole).toString('utf8').split('\n').slice(0, -1);
  const measurements: Measurement[] = [];
  for (const [index, line] of lines.entries()) {
    const read = readMeasurement(line);
    if (!read.ok) return fail(broken(path, `line ${index + 1} cannot be read: ${read.error}`));
    measurements.push(read.value);
  }
  const [first] = measurements;
  const begins = Number(/(\d+)\.jsonl$/.exec(path)?.[1]);
  const from =
    begins === 1 || first === undefined
      ? beginning
      : { sequence: begins - 1, digest: first.previous };
  const followed = followChain(from, measurements);
  if (followed.ok) return ok({ from, measurements });
  const { sequence, why } = followed.error;
  return fail(broken(path, `measurement ${sequence} ${why}`));
}

/** The log is not what it was: nobody starts a guest whose measurement would continue it. */
export function broken(path: string, why: string): Failure {
  return {
    reason: 'IMAGE',
    message: `the measurement log ${path} was changed: ${why}`,
    remedy:
      'Keep the file, compare it with what the pool knows (flotilla host attest), and find out who changed it. Restart the host then: each boot begins a log of its own.',
  };
}
