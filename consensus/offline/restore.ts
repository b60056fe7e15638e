import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fail, ok, type Result } from '../../base/result.ts';
import { DiskLogStore } from '../adapters/disk/log-store.ts';
import { syncDirectory } from '../adapters/disk/segment.ts';
import { openSavedSnapshot } from '../adapters/snapshot-file.ts';
import { type Configuration, configurationOf } from '../core/configuration.ts';
import type { SnapshotMeta } from '../core/entry.ts';
import { logIndex, term } from '../core/ids.ts';
import { firstMemberId, restoredPool } from '../identity.ts';
import { Store } from '../kv/store.ts';

/**
 * More revisions than a pool makes between a save and a restore: clients that have seen some of
 * them, which the new pool never had, must not take later ones of the new pool for theirs.
 */
const revisionLeap = 1_000_000_000;

/** What to restore, and for whom: the same file and the same members on each of them. */
export interface RestoreOptions {
  /** The saved pool database. */
  readonly snapshot: string;
  readonly dataDir: string;
  readonly name: string;
  /** HOST:PORT of the members' own traffic, by name. */
  readonly initialCluster: ReadonlyMap<string, string>;
  readonly clusterToken: string;
}

/** What was made. */
export interface Restored {
  /** The id of the new pool. */
  readonly pool: string;
  /** The newest revision that was saved. */
  readonly saved: number;
  /** Those of the new pool go on from there. */
  readonly revision: number;
}

/**
 * Makes the data directory of a first member of a new pool that begins with what was saved. It is
 * made aside and renamed: there is all of it, or nothing. The failure is a sentence.
 */
export async function restore(options: RestoreOptions): Promise<Result<Restored, string>> {
  const { snapshot, dataDir } = options;
  const saved = openSavedSnapshot(snapshot);
  if (!saved.ok) return saved;
  try {
    const store = new Store();
    const readable = store.restore(saved.value.chunks());
    if (!readable.ok) return fail(`${snapshot} cannot be restored from: ${readable.error}`);
    const isFree = await isFreeForUse(dataDir);
    if (!isFree) return fail(`${dataDir} is not empty: name a directory that is not there yet`);
    const { revision } = store;
    store.leap(revisionLeap);
    const pool = await build(options, saved.value.digest, store);
    return pool.ok ? ok({ pool: pool.value, saved: revision, revision: store.revision }) : pool;
  } catch (error) {
    return fail(
      `could not restore into ${dataDir}: ${error instanceof Error ? error.message : error}`,
    );
  } finally {
    saved.value.close();
  }
}

async function isFreeForUse(directory: string): Promise<boolean> {
  await mkdir(dirname(resolve(directory)), { recursive: true });
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return true;
    throw error;
  }
}

/** Returns the id of the new pool. */
async function build(
  { dataDir, name, initialCluster, clusterToken: token }: RestoreOptions,
  digest: string,
  store: Store,
): Promise<Result<string, string>> {
  const { pool } = restoredPool(token, initialCluster.keys(), digest);
  const configuration = configurationFor(pool, initialCluster);
  const aside = `${resolve(dataDir)}.restoring`;
  await rm(aside, { recursive: true, force: true });
  const opened = await DiskLogStore.open({
    directory: aside,
    identity: { pool, member: firstMemberId(pool, name), name, token },
    configuration,
  });
  const filled = opened.ok
    ? await fill(opened.value, configuration, store)
    : fail(opened.error.detail);
  if (!filled.ok) {
    await rm(aside, { recursive: true, force: true });
    return filled;
  }
  await rename(aside, resolve(dataDir));
  await syncDirectory(dirname(resolve(dataDir)));
  return ok(pool);
}

function configurationFor(pool: string, cluster: ReadonlyMap<string, string>): Configuration {
  const addresses = [...cluster].map(([name, address]) => ({
    member: firstMemberId(pool, name),
    peers: [address],
  }));
  return { ...configurationOf(addresses.map(({ member }) => member)), addresses };
}

/** The log of the new pool begins at its first place, with the saved store. */
async function fill(
  disk: DiskLogStore,
  configuration: Configuration,
  store: Store,
): Promise<Result<void, string>> {
  const meta: SnapshotMeta = { index: logIndex(1), term: term(1), configuration };
  const stored = await disk.saveSnapshot(meta, store.snapshot());
  const hardState = { term: meta.term, vote: null, commit: meta.index };
  const written = stored.ok
    ? await disk.write([{ sequence: 0, hardState, reset: meta, entries: [] }])
    : stored;
  await disk.close();
  return written.ok ? written : fail(written.error.detail);
}
