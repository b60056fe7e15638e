import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { errnoOf, removeFile, replaceFile } from '../../../base/durable-file.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Failure } from '../../../pool/failure.ts';
import { EpochSchema, NetworkIdSchema, VmIdSchema } from '../../../pool/records/identifiers.ts';
import type { Slot } from '../core/plugs.ts';

const PlugSchema = v.object({
  vm: VmIdSchema,
  index: v.pipe(v.number(), v.integer(), v.minValue(0)),
  epoch: EpochSchema,
  network: NetworkIdSchema,
  mac: v.string(),
  interface: v.string(),
  bridge: v.string(),
});

/** A plug as it is kept: see `Plug` of the core. */
export type PlugRecord = v.InferOutput<typeof PlugSchema>;

/**
 * What is plugged on this host, in memory and in a folder, one small file each: it is the host's own
 * affair, like the interfaces that it is about, and changes as fast with a thousand VMs as with one.
 */
export interface PlugJournal {
  readonly plugs: readonly PlugRecord[];
  /** Writes down a plug, in place of the one at its place. It survives a loss of power. */
  write(plug: PlugRecord): Promise<Result<void, Failure>>;
  /** Forgets the plug of a place, if there is one. */
  forget(slot: Slot): Promise<Result<void, Failure>>;
}

/** Opens the journal in a folder, which it makes. A file that is damaged is a failure. */
export async function openPlugJournal(directory: string): Promise<Result<PlugJournal, Failure>> {
  const read = await attempt(directory, () => readAll(directory));
  if (!read.ok) return read;
  if (!read.value.ok) return read.value;
  const plugs = new Map(read.value.value.map((plug) => [fileName(plug), plug]));
  return ok({
    get plugs() {
      return [...plugs.values()];
    },
    write: async (plug) => {
      const name = fileName(plug);
      const written = await attempt(directory, () =>
        replaceFile(join(directory, name), JSON.stringify(plug)),
      );
      if (written.ok) plugs.set(name, plug);
      return written;
    },
    forget: async (slot) => {
      const name = fileName(slot);
      if (!plugs.has(name)) return ok(undefined);
      const removed = await attempt(directory, () => removeFile(join(directory, name)));
      if (removed.ok) plugs.delete(name);
      return removed;
    },
  });
}

function fileName({ vm, index }: Slot): string {
  return `${vm}-${index}.json`;
}

async function readAll(directory: string): Promise<Result<PlugRecord[], Failure>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const plugs: PlugRecord[] = [];
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.json')) continue;
    const path = join(directory, name);
    const text = await readFile(path, 'utf8');
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), PlugSchema), text);
    if (!parsed.success || fileName(parsed.output) !== name) return fail(damaged(path));
    plugs.push(parsed.output);
  }
  return ok(plugs);
}

async function attempt<Value>(
  directory: string,
  work: () => Promise<Value>,
): Promise<Result<Value, Failure>> {
  try {
    return ok(await work());
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    return fail({
      reason: 'NETWORK',
      message: `cannot keep what is plugged in ${directory}: the system answered ${errno}`,
      remedy: 'Give the user that runs network all rights there, and see that the disk has room.',
    });
  }
}

function damaged(path: string): Failure {
  return {
    reason: 'NETWORK',
    message: `${path}, the record of a plugged interface, is damaged`,
    remedy: 'Delete it; restart the VM that it is about.',
  };
}
