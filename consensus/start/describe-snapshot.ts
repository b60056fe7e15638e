import { fail, ok, type Result } from '../../base/result.ts';
import { openSavedSnapshot } from '../adapters/snapshot-file.ts';
import { emptyBytes } from '../kv/byte-string.ts';
import type { RangeRequest } from '../kv/request.ts';
import { Store } from '../kv/store.ts';
import type { Revision } from '../kv/version.ts';

/** What a saved pool database holds. */
export interface SnapshotContent {
  /** The id of the pool that it was taken of, and the place in its log. */
  readonly pool: string;
  readonly term: number;
  readonly index: number;
  readonly revision: number;
  /** The SHA-256 at its end, in hexadecimal. */
  readonly digest: string;
  /** Left out where they were not counted. */
  readonly store?: {
    /** The oldest revision that can be read; 0: all can. */
    readonly compacted: number;
    readonly keys: number;
    readonly leases: number;
  };
}

const any = 0 as Revision;

const countAll: RangeRequest = {
  kind: 'range',
  range: { kind: 'span', from: emptyBytes, to: null },
  limit: 0,
  revision: any,
  sortTarget: 'key',
  descending: false,
  keysOnly: true,
  countOnly: true,
  minModRevision: any,
  maxModRevision: any,
  minCreateRevision: any,
  maxCreateRevision: any,
};

/**
 * Checks a saved pool database to its last byte. To have it `counted`, all of it is read as a restore
 * does it, which takes the memory of a member that holds as much. The failure is a sentence that names
 * the file.
 */
export async function describeSnapshot(
  path: string,
  counted: boolean,
): Promise<Result<SnapshotContent, string>> {
  const opened = openSavedSnapshot(path);
  if (!opened.ok) return opened;
  const { description, digest, chunks, close } = opened.value;
  const { pool, term, index, revision } = description;
  const content = { pool, term, index, revision, digest };
  if (!counted) {
    close();
    return ok(content);
  }
  const store = new Store();
  const restored = store.restore(chunks());
  close();
  if (!restored.ok) return fail(`${path} cannot be restored from: ${restored.error}`);
  const all = store.range(countAll);
  const keys = all.ok ? all.value.count : 0;
  const leases = [...store.leases()].length;
  return ok({ ...content, store: { compacted: store.compacted, keys, leases } });
}
