import { join } from 'node:path';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Bytes, bytes } from '../../../base/units.ts';
import type { Configuration } from '../../core/configuration.ts';
import type { Position, SnapshotMeta } from '../../core/entry.ts';
import { type LogIndex, logIndex, term } from '../../core/ids.ts';
import type { Persist, StoreChunk } from '../../core/output.ts';
import { emptyHardState, type Recovered } from '../../core/raft.ts';
import { recover } from '../../core/recovery.ts';
import type { LogStore, SnapshotPiece, StoreError } from '../../ports.ts';
import { makeDirectory } from './directories.ts';
import { damaged, fromErrno, type OpenError } from './errors.ts';
import { type Identity, readIdentity, writeIdentity } from './identity.ts';
import { type DirectoryLock, lockDirectory } from './lock.ts';
import { LogFiles } from './log-files.ts';
import { type ReadLog, readLog } from './read-log.ts';
import { SnapshotFiles } from './snapshot-files.ts';

/** Size of a segment: a few seconds of heavy writing, and little to fill with zeros at the start. */
export const segmentBytesDefault: Bytes = bytes(8 * 2 ** 20);

/** Which directory to open, and for whom. */
export interface DiskOptions {
  readonly directory: string;
  readonly identity: Identity;
  /** What the pool begins with; looked at only where the directory is empty. */
  readonly configuration: Configuration;
  readonly segmentBytes?: Bytes;
}

/**
 * A member's data directory: `member.json`, `log/` and `snapshot/`. Only one process at a time may
 * have it open.
 */
export class DiskLogStore implements LogStore {
  readonly recovered: Recovered;
  readonly incarnation: number;
  /** Bytes of an unfinished write that were cut from the log's end at opening. */
  readonly cutBytes: number;
  readonly #log: LogFiles;
  readonly #snapshots: SnapshotFiles;
  readonly #lock: DirectoryLock;
  readonly #named: (pool: string) => Promise<void>;
  readonly #busy = new Set<Promise<unknown>>();

  private constructor(
    opened: { recovered: Recovered; incarnation: number; cutBytes: number },
    log: LogFiles,
    snapshots: SnapshotFiles,
    lock: DirectoryLock,
    named: (pool: string) => Promise<void>,
  ) {
    this.#named = named;
    this.recovered = opened.recovered;
    this.incarnation = opened.incarnation;
    this.cutBytes = opened.cutBytes;
    this.#log = log;
    this.#snapshots = snapshots;
    this.#lock = lock;
  }

  /** Opens a directory, which is made if it is not there. */
  static async open(options: DiskOptions): Promise<Result<DiskLogStore, OpenError>> {
    const { directory } = options;
    try {
      for (const name of ['log', 'snapshot']) await makeDirectory(join(directory, name));
      const lock = await lockDirectory(directory);
      if (!lock.ok) return lock;
      const opened = await DiskLogStore.#openLocked(options, lock.value).catch(
        async (error: unknown) => {
          await lock.value.release();
          throw error;
        },
      );
      if (!opened.ok) await lock.value.release();
      return opened;
    } catch (error) {
      return fail(fromErrno(error, `open the data directory ${directory}`));
    }
  }

  static async #openLocked(
    options: DiskOptions,
    lock: DirectoryLock,
  ): Promise<Result<DiskLogStore, OpenError>> {
    const { directory, identity, segmentBytes = segmentBytesDefault } = options;
    const stored = await readIdentity(directory, identity);
    if (!stored.ok) return stored;
    const configuration = stored.value?.configuration ?? options.configuration;
    const read = await readLog(join(directory, 'log'));
    if (!read.ok) return read;
    const snapshots = await SnapshotFiles.open(join(directory, 'snapshot'));
    if (!snapshots.ok) return snapshots;
    const first: SnapshotMeta = { index: logIndex(0), term: term(0), configuration };
    const snapshot = snapshots.value.newest ?? first;
    const found = checkWhole(directory, stored.value !== null, read.value, snapshot);
    if (!found.ok) return found;
    const log = await beginLog(join(directory, 'log'), segmentBytes, read.value, snapshot);
    if (!log.ok) return log;
    const incarnation = (stored.value?.incarnation ?? 0) + 1;
    const named = (pool: string): Promise<void> =>
      writeIdentity(directory, { ...identity, pool }, incarnation, configuration);
    await named(identity.pool);
    const cutBytes = read.value?.cutBytes ?? 0;
    const opened = { recovered: log.value.recovered, incarnation, cutBytes };
    return ok(new DiskLogStore(opened, log.value.files, snapshots.value, lock, named));
  }

  write(list: readonly Persist[]): Promise<Result<void, StoreError>> {
    return this.#track(this.#log.write(list));
  }

  compact(index: LogIndex): void {
    this.#log.compact(index);
  }

  async saveSnapshot(
    snapshot: SnapshotMeta,
    chunks: Iterable<Uint8Array>,
  ): Promise<Result<void, StoreError>> {
    const saved = await this.#track(this.#snapshots.save(snapshot, chunks));
    if (saved.ok) return saved;
    const { code, detail } = saved.error;
    return fail({ code: code === 'full' ? 'full' : 'failed', detail });
  }

  loadSnapshot(index: LogIndex): Result<Iterable<Uint8Array>, StoreError> {
    return this.#snapshots.load(index);
  }

  readPiece(index: LogIndex, offset: number): Promise<Result<SnapshotPiece, StoreError>> {
    return this.#track(this.#snapshots.readPiece(index, offset));
  }

  storePiece(piece: StoreChunk): Promise<Result<number, StoreError>> {
    return this.#track(this.#snapshots.storePiece(piece));
  }

  /**
   * From now on this directory belongs to another pool, durably: the members of the former one are
   * strangers.
   */
  async adoptPool(pool: string): Promise<Result<void, StoreError>> {
    try {
      return ok(await this.#named(pool));
    } catch (error) {
      return fail(fromErrno(error, 'name the new pool in member.json'));
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#busy);
    await this.#log.close();
    await this.#snapshots.close();
    await this.#lock.release();
  }

  /** `close` waits for what is under way. */
  #track<Value>(work: Promise<Value>): Promise<Value> {
    this.#busy.add(work);
    void work.finally(() => this.#busy.delete(work));
    return work;
  }
}

/** Whether the parts of a directory belong together: none of them was lost. */
function checkWhole(
  directory: string,
  named: boolean,
  log: ReadLog | null,
  snapshot: SnapshotMeta,
): Result<void, OpenError> {
  if (log === null)
    return named || snapshot.index > 0
      ? fail(damaged(directory, 'its log is gone'))
      : ok(undefined);
  if (!named && log.sequence > 1) return fail(damaged(directory, 'its member.json is gone'));
  if (log.base.index > snapshot.index)
    return fail(damaged(directory, `the snapshot at index ${log.base.index} or later is gone`));
  const last = Math.max(log.entries.at(-1)?.index ?? log.base.index, snapshot.index);
  if (log.hardState.commit > last)
    return fail(damaged(directory, `its log ends at ${last}, but more was committed`));
  return ok(undefined);
}

/** Opens the log for writing, and brings it up to the snapshot if a crash has left it behind. */
async function beginLog(
  directory: string,
  segmentBytes: Bytes,
  log: ReadLog | null,
  snapshot: SnapshotMeta,
): Promise<Result<{ files: LogFiles; recovered: Recovered }, OpenError>> {
  const start: Position = { index: logIndex(0), term: term(0) };
  if (log === null) {
    const recovered = recover(emptyHardState, snapshot, start, []);
    return ok({
      files: await LogFiles.create(directory, segmentBytes, emptyHardState, start),
      recovered,
    });
  }
  const recovered = recover(log.hardState, snapshot, log.base, log.entries);
  const files = await LogFiles.resume(directory, segmentBytes, log);
  if (recovered.base.index === log.base.index) return ok({ files, recovered });
  const { hardState, base, entries } = recovered;
  const written = await files.write([{ sequence: 0, hardState, reset: base, entries }]);
  if (written.ok) return ok({ files, recovered });
  await files.close();
  const { code, detail } = written.error;
  return fail({ code: code === 'full' ? 'full' : 'failed', detail });
}
