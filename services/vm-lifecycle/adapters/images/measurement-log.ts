import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
} from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../../../../base/durable-file.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import {
  type ChainHead,
  chainBeginning,
  followChain,
  headAfter,
  type Measurement,
  measurementText,
  nextMeasurement,
  readMeasurement,
} from '../../../../pool/images/measurement.ts';
import type { HostId } from '../../../../pool/records/identifiers.ts';

/** Measurements of one file, about 6 MB: what is read and verified when the service starts. */
const partMeasurements = 10_000;

/** Files that are kept, over all boots: the newest 100 000 measurements and more. */
const partsKept = 16;

/** A host that is to keep such a log. */
export interface LogSettings {
  readonly folder: string;
  readonly host: HostId;
  /** The boot that it is in: see `bootId`. */
  readonly boot: string;
}

/** The measurements of one boot of a host: each is on the disk before it counts. */
export interface MeasurementLog {
  readonly boot: string;
  head(): ChainHead;
  /** Those after a sequence number, as far as the newest file has them; oldest first. */
  after(sequence: number): readonly Measurement[];
  /** Where the chain was at a sequence number; null where the newest file does not say. */
  headAt(sequence: number): ChainHead | null;
  /**
   * Continues the chain. One append at a time. After a failure nobody knows what is in the file: close
   * the log, and open it again.
   */
  append(
    measured: Omit<Measurement, 'sequence' | 'previous'>,
  ): Promise<Result<Measurement, Failure>>;
  close(): Promise<void>;
}

/**
 * Opens the log of this boot, `<boot>-<first sequence number>.jsonl` in its folder, and verifies its
 * newest file. A line that was cut off by the end of the process was never believed by anybody, and
 * is cut away. Whatever else does not fit is a failure: the log is evidence, and is not repaired.
 */
export async function openMeasurementLog({
  folder,
  host,
  boot,
}: LogSettings): Promise<Result<MeasurementLog, Failure>> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const beginning = chainBeginning(host, boot);
    for (const name of (await partsOf(folder, boot)).toReversed()) {
      const path = join(folder, name);
      const read = await readPart(path, beginning);
      if (!read.ok) return read;
      const { from, measurements } = read.value;
      const file = await open(path, 'a', 0o600);
      if (measurements.length > 0 || name === partName(boot, 1))
        return ok(new OpenLog(folder, boot, from, measurements, file));
      // The process ended when it had begun a file, and nothing was in it.
      await file.close();
      await rm(path);
    }
    return ok(new OpenLog(folder, boot, beginning, [], await openPart(folder, boot, 1)));
  } catch (error) {
    return fail(cannotWrite(folder, error));
  }
}

class OpenLog implements MeasurementLog {
  readonly boot: string;
  readonly #folder: string;
  /** Where the newest file begins. */
  #from: ChainHead;
  /** What the newest file holds. */
  #measurements: Measurement[];
  #head: ChainHead;
  #file: FileHandle;

  constructor(
    folder: string,
    boot: string,
    from: ChainHead,
    measurements: readonly Measurement[],
    file: FileHandle,
  ) {
    this.#folder = folder;
    this.boot = boot;
    this.#from = from;
    this.#measurements = [...measurements];
    const last = measurements.at(-1);
    this.#head = last === undefined ? from : headAfter(last);
    this.#file = file;
  }

  head(): ChainHead {
    return this.#head;
  }

  after(sequence: number): readonly Measurement[] {
    return this.#measurements.filter((each) => each.sequence > sequence);
  }

  headAt(sequence: number): ChainHead | null {
    if (sequence === this.#from.sequence) return this.#from;
    const found = this.#measurements[sequence - this.#from.sequence - 1];
    return found === undefined ? null : headAfter(found);
  }

  async append(
    measured: Omit<Measurement, 'sequence' | 'previous'>,
  ): Promise<Result<Measurement, Failure>> {
    const next = nextMeasurement(this.#head, measured);
    try {
      if (this.#measurements.length >= partMeasurements) await this.#beginPart();
      await this.#file.appendFile(`${measurementText(next)}\n`);
      await this.#file.sync();
    } catch (error) {
      return fail(cannotWrite(this.#folder, error));
    }
    this.#measurements.push(next);
    this.#head = headAfter(next);
    return ok(next);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #beginPart(): Promise<void> {
    const file = await openPart(this.#folder, this.boot, this.#head.sequence + 1);
    await this.#file.close();
    this.#file = file;
    this.#from = this.#head;
    this.#measurements = [];
  }
}

async function openPart(folder: string, boot: string, sequence: number): Promise<FileHandle> {
  const file = await open(join(folder, partName(boot, sequence)), 'ax', 0o600);
  await syncDirectory(folder);
  await forgetOld(folder, boot);
  return file;
}

function partName(boot: string, sequence: number): string {
  return `${boot}-${String(sequence).padStart(10, '0')}.jsonl`;
}

/** The files of a boot, in the order in which they were begun. */
async function partsOf(folder: string, boot: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  return names.filter((name) => name.startsWith(`${boot}-`) && name.endsWith('.jsonl')).sort();
}

/** Earlier boots go first, the oldest at the front, and then what this one began with. */
async function forgetOld(folder: string, boot: string): Promise<void> {
  const own = await partsOf(folder, boot);
  const others: { readonly name: string; readonly time: number }[] = [];
  for (const name of await readdir(folder))
    if (name.endsWith('.jsonl') && !own.includes(name))
      others.push({ name, time: (await stat(join(folder, name))).mtimeMs });
  const oldest = [...others.sort((a, b) => a.time - b.time).map(({ name }) => name), ...own];
  for (const name of oldest.slice(0, Math.max(0, oldest.length - partsKept)))
    await rm(join(folder, name));
}

async function readPart(
  path: string,
  beginning: ChainHead,
): Promise<Result<{ readonly from: ChainHead; readonly measurements: Measurement[] }, Failure>> {
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

function cannotWrite(folder: string, error: unknown): Failure {
  const why = error instanceof Error ? error.message : String(error);
  return {
    reason: 'IMAGE',
    message: `the measurement log in ${folder} cannot be written: ${why}`,
    remedy: 'See that the disk is not full and that the service may write there.',
    field: 'dataDir',
  };
}
