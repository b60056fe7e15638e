import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Configuration } from '../../core/configuration.ts';
import { type MemberId, memberId } from '../../core/ids.ts';
import { readConfiguration } from '../configuration-json.ts';
import { damaged, fromErrno, type OpenError } from './errors.ts';
import { syncDirectory } from './segment.ts';

/** Whose directory this is. Directories of version 1 tell neither name nor token. */
export interface Identity {
  readonly pool: string;
  readonly member: MemberId;
  readonly name?: string | undefined;
  readonly token?: string | undefined;
}

const fileName = 'member.json';

/** The version of the directory's layout; a newer one is refused. */
const format = 1;

const Whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const StoredSchema = v.object({
  format: Whole,
  pool: v.string(),
  member: v.pipe(Whole, v.transform(memberId)),
  name: v.optional(v.string()),
  token: v.optional(v.string()),
  incarnation: Whole,
  configuration: v.unknown(),
});

/** What `member.json` says. */
export interface StoredIdentity extends Identity {
  readonly format: number;
  /** How often the directory was opened. */
  readonly incarnation: number;
  /** What the pool began with when the directory was made. */
  readonly configuration: Configuration;
}

/** Reads what a directory says of itself, whosever it is: null if it says nothing. */
export async function readStoredIdentity(
  directory: string,
): Promise<Result<StoredIdentity | null, OpenError>> {
  const path = join(directory, fileName);
  try {
    const stored = await readStored(path);
    const newer = stored.ok && stored.value !== null ? newerFormat(path, stored.value) : null;
    return newer === null ? stored : fail(newer);
  } catch (error) {
    return fail(fromErrno(error, `read ${path}`));
  }
}

/**
 * Reads what the directory says of itself: null if it says nothing. A directory of another member
 * or pool is refused.
 */
export async function readIdentity(
  directory: string,
  identity: Identity,
): Promise<Result<StoredIdentity | null, OpenError>> {
  const path = join(directory, fileName);
  const stored = await readStored(path);
  if (!stored.ok || stored.value === null) return stored;
  const foreign = compare(path, stored.value, identity);
  return foreign === null ? stored : fail(foreign);
}

/** Writes the directory's identity aside and puts it into place, durably. */
export async function writeIdentity(
  directory: string,
  identity: Identity,
  incarnation: number,
  configuration: Configuration,
): Promise<void> {
  const stored: StoredIdentity = { format, ...identity, incarnation, configuration };
  const aside = join(directory, `${fileName}.tmp`);
  const file = await open(aside, 'w');
  try {
    await file.writeFile(`${JSON.stringify(stored, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, join(directory, fileName));
  await syncDirectory(directory);
}

function compare(path: string, stored: StoredIdentity, identity: Identity): OpenError | null {
  const newer = newerFormat(path, stored);
  if (newer !== null) return newer;
  if (stored.pool !== identity.pool)
    return foreign(`${path} belongs to the pool ${stored.pool}, not to ${identity.pool}`);
  if (stored.member !== identity.member)
    return foreign(`${path} belongs to member ${stored.member}, not to ${identity.member}`);
  return null;
}

function newerFormat(path: string, { format: found }: StoredIdentity): OpenError | null {
  return found > format
    ? foreign(`${path} was written by a newer version (format ${found})`)
    : null;
}

function foreign(detail: string): OpenError {
  return { code: 'foreign', detail };
}

async function readStored(path: string): Promise<Result<StoredIdentity | null, OpenError>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ok(null);
    throw error;
  }
  const stored = parse(text);
  return stored === null ? fail(damaged(path, 'it cannot be read')) : ok(stored);
}

function parse(text: string): StoredIdentity | null {
  try {
    const parsed = v.safeParse(StoredSchema, JSON.parse(text));
    const configuration = parsed.success ? readConfiguration(parsed.output.configuration) : null;
    if (!parsed.success || configuration === null || !configuration.ok) return null;
    return { ...parsed.output, configuration: configuration.value };
  } catch {
    return null;
  }
}
