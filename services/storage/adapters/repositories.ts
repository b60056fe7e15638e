import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Stored } from '../../../pool/collection.ts';
import { commit } from '../../../pool/commit.ts';
import type { Failure } from '../../../pool/failure.ts';
import type { Pool } from '../../../pool/pool.ts';
import type { HostId, SrId } from '../../../pool/records/identifiers.ts';
import type { SrRecord } from '../../../pool/records/storage.ts';
import { openFileStore } from './file/file-store.ts';
import { checkMarker, type Marker, markerName, readMarker, writeMarker } from './file/marker.ts';
import type { VdiStore } from './vdi-store.ts';

/** Attempts to write an SR's record when others write it at the same time. */
const attemptsBound = 8;

/** A change of free space that is not worth a write to the pool database. */
const unnoticedChange = 16 * 2 ** 20;

/** An SR of the configuration. */
export interface SrConfiguration {
  readonly name: string;
  /** A folder of this host. */
  readonly path: string;
}

/** An SR of this host, open. */
export interface Repository {
  readonly id: SrId;
  readonly name: string;
  readonly store: VdiStore;
}

/** The SRs of this host by their ids. */
export type Repositories = ReadonlyMap<SrId, Repository>;

/**
 * Opens this host's SRs and registers them in the pool. An SR of the configuration whose folder has
 * no marker is made, unless the pool knows one of its name: then its disk is not mounted, or it is
 * somebody else's, and a second one in its place would hide the first one's images.
 */
export async function openRepositories(
  pool: Pool,
  host: HostId,
  configured: readonly SrConfiguration[],
): Promise<Result<Repositories, Failure>> {
  const repositories = new Map<SrId, Repository>();
  for (const configuration of configured) {
    const opened = await openRepository(pool, host, configuration);
    if (!opened.ok) return opened;
    repositories.set(opened.value.id, opened.value);
  }
  return ok(repositories);
}

async function openRepository(
  pool: Pool,
  host: HostId,
  { name, path }: SrConfiguration,
): Promise<Result<Repository, Failure>> {
  const marker = await markerOf(pool, host, { name, path });
  if (!marker.ok) return marker;
  const store = await openFileStore(path);
  if (!store.ok) return store;
  const repository = { id: marker.value.id, name, store: store.value };
  const registered = await refresh(pool, host, repository);
  if (registered.ok) return ok(repository);
  return registered.error.reason === 'NAME_TAKEN' ? fail(nameTaken({ name, path })) : registered;
}

async function markerOf(
  pool: Pool,
  host: HostId,
  { name, path }: SrConfiguration,
): Promise<Result<Marker, Failure>> {
  const found = await readMarker(path);
  if (!found.ok) return found;
  if (found.value !== null) return checkMarker(path, found.value, { host, name });
  const known = await pool.srs.find(name);
  if (known.ok) return fail(unmarked({ name, path }, known.value.record.host));
  if (known.error.reason !== 'NOT_FOUND') return known;
  const marker = { id: randomUUID() as SrId, host, name };
  const written = await writeMarker(path, marker);
  return written.ok ? ok(marker) : written;
}

/**
 * Writes down how much room an SR has, if that changed by more than is worth it; registers the SR
 * where the pool does not know it.
 */
export async function refresh(
  pool: Pool,
  host: HostId,
  { id, name, store }: Repository,
): Promise<Result<void, Failure>> {
  const space = await store.space();
  if (!space.ok) return space;
  const record: SrRecord = { id, name, type: 'file', host, ...space.value };
  for (let attempt = 1; ; attempt += 1) {
    const known = await pool.srs.get(id);
    if (!known.ok) return known;
    if (known.value !== null && isCurrent(known.value, record)) return ok(undefined);
    const written = await commit(
      pool.database,
      known.value === null
        ? pool.srs.creating(record)
        : pool.srs.replacing(known.value, { ...known.value.record, ...space.value }),
    );
    if (written.ok) return ok(undefined);
    if (written.error.reason !== 'CONFLICT' || attempt === attemptsBound) return written;
  }
}

function isCurrent({ record: known }: Stored<SrRecord>, now: SrRecord): boolean {
  const change = Math.abs(known.physicalFree - now.physicalFree);
  return known.physicalSize === now.physicalSize && change < unnoticedChange;
}

function unmarked({ name, path }: SrConfiguration, host: string): Failure {
  return {
    reason: 'STORAGE',
    message: `the pool has an SR "${name}" (of the host ${host}), but ${path} has no ${markerName}`,
    remedy:
      "Mount the SR's file system there, or give the new SR another name in the configuration's srs.",
    resource: { type: 'sr', name },
    field: 'srs',
  };
}

function nameTaken({ name, path }: SrConfiguration): Failure {
  return {
    reason: 'NAME_TAKEN',
    message: `another host has an SR "${name}" already`,
    remedy: `Choose another name in the configuration's srs, and write it into ${join(path, markerName)}.`,
    resource: { type: 'sr', name },
    field: 'srs',
  };
}
