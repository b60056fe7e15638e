import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../../../../base/durable-file.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import {
  type ChainHead,
  chainBeginning,
  headAfter,
  type Measurement,
  measurementText,
  nextMeasurement,
} from '../../../../pool/images/measurement.ts';
import type { HostId } from '../../../../pool/records/identifiers.ts';
import {
  headAt,
  headOf,
  type LogFiles,
  newestOf,
  partName,
  partsOf,
  readNewest,
} from './measurement-files.ts';

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
  /** Those after a sequence number, as far as they are in memory: the newest 1000 and more; oldest first. */
  after(sequence: number): readonly Measurement[];
  /** Where the chain was at a sequence number; null where nobody in this process knows. */
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
 * newest files. A line that was cut off by the end of the process was never believed by anybody, and
 * is cut away. Whatever else does not fit is a failure: the log is evidence, and is not repaired.
 */
export async function openMeasurementLog({
  folder,
  host,
  boot,
}: LogSettings): Promise<Result<MeasurementLog, Failure>> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const files = await readNewest(folder, boot, chainBeginning(host, boot));
    if (!files.ok) return files;
    const { path } = files.value;
    const file = path === null ? await openPart(folder, boot, 1) : await open(path, 'a', 0o600);
    return ok(new OpenLog(folder, boot, files.value, file));
  } catch (error) {
    return fail(cannotWrite(folder, error));
  }
}

class OpenLog implements MeasurementLog {
  readonly boot: string;
  readonly #folder: string;
  #tail: { readonly from: ChainHead; readonly measurements: Measurement[] };
  #head: ChainHead;
  #file: FileHandle;
  /** Measurements that are in it. */
  #inFile: number;

  constructor(folder: string, boot: string, files: LogFiles, file: FileHandle) {
    this.#folder = folder;
    this.boot = boot;
    this.#tail = { from: files.from, measurements: [...files.measurements] };
    this.#head = headOf(files);
    this.#file = file;
    this.#inFile = files.inFile;
  }

  head(): ChainHead {
    return this.#head;
  }

  after(sequence: number): readonly Measurement[] {
    return this.#tail.measurements.filter((each) => each.sequence > sequence);
  }

  headAt(sequence: number): ChainHead | null {
    return headAt(this.#tail, sequence);
  }

  async append(
    measured: Omit<Measurement, 'sequence' | 'previous'>,
  ): Promise<Result<Measurement, Failure>> {
    const next = nextMeasurement(this.#head, measured);
    try {
      if (this.#inFile >= partMeasurements) await this.#beginPart();
      await this.#file.appendFile(`${measurementText(next)}\n`);
      await this.#file.sync();
    } catch (error) {
      return fail(cannotWrite(this.#folder, error));
    }
    this.#inFile += 1;
    this.#tail.measurements.push(next);
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
    this.#inFile = 0;
    const { from, measurements } = newestOf(this.#tail);
    this.#tail = { from, measurements: [...measurements] };
  }
}

async function openPart(folder: string, boot: string, sequence: number): Promise<FileHandle> {
  const file = await open(join(folder, partName(boot, sequence)), 'ax', 0o600);
  await syncDirectory(folder);
  await forgetOld(folder, boot);
  return file;
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

function cannotWrite(folder: string, error: unknown): Failure {
  const why = error instanceof Error ? error.message : String(error);
  return {
    reason: 'IMAGE',
    message: `the measurement log in ${folder} cannot be written: ${why}`,
    remedy: 'See that the disk is not full and that the service may write there.',
    field: 'dataDir',
  };
}
