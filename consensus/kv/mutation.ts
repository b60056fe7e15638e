import type { ByteString } from './byte-string.ts';
import type { History } from './history.ts';
import type { KeyRange } from './key-range.ts';
import type { LeaseTable } from './lease-table.ts';
import type { DeleteReply, PutReply } from './reply.ts';
import type { DeleteRequest, PutRequest } from './request.ts';
import { isTombstone, noLease, type Revision, tombstone, type Version } from './version.ts';

/**
 * The writes of one command. They all belong to one revision, which comes to be when the first of
 * them is made; without any, the store stays at the revision at which it was.
 */
export class Mutation {
  readonly #history: History;
  readonly #leases: LeaseTable;
  readonly #next: Revision;
  readonly #changes: Version[] = [];

  constructor(history: History, leases: LeaseTable) {
    this.#history = history;
    this.#leases = leases;
    this.#next = (history.revision + 1) as Revision;
  }

  /** The revision that the store has with what was written so far. */
  get revision(): Revision {
    return this.#changes.length === 0 ? this.#history.revision : this.#next;
  }

  get changes(): readonly Version[] {
    return this.#changes;
  }

  /** Ends the mutation: what was written is the store's newest revision. */
  commit(): readonly Version[] {
    this.#history.advance(this.revision);
    return this.#changes;
  }

  /** Writes a key. The request was checked: its lease exists, and its key where it must. */
  put(request: PutRequest): PutReply {
    const latest = this.#history.latest(request.key);
    // The versions of a key share its bytes.
    const key = latest?.key ?? request.key;
    const before = latest === null || isTombstone(latest) ? null : latest;
    const lease = request.ignoreLease && before !== null ? before.lease : request.lease;
    this.#append({
      key,
      value: request.ignoreValue && before !== null ? before.value : request.value,
      createRevision: before === null ? this.#next : before.createRevision,
      modRevision: this.#next,
      sub: this.#changes.length,
      version: before === null ? 1 : before.version + 1,
      lease,
      previous: latest,
    });
    if (before !== null) this.#leases.move(key, before.lease, lease);
    else this.#leases.move(key, noLease, lease);
    return {
      kind: 'put',
      revision: this.#next,
      previous: request.withPrevious ? before : null,
    };
  }

  /** Deletes the keys of a range that exist. */
  delete({ range, withPrevious }: Pick<DeleteRequest, 'range' | 'withPrevious'>): DeleteReply {
    const doomed = this.#existing(range);
    for (const version of doomed) this.deleteVersion(version);
    return {
      kind: 'delete',
      revision: this.revision,
      deleted: doomed.length,
      previous: withPrevious ? doomed : [],
    };
  }

  /** Deletes the key whose latest version this is. */
  deleteVersion(version: Version): void {
    this.#append(tombstone(version, this.#next, this.#changes.length));
    this.#leases.move(version.key, version.lease, noLease);
  }

  /** Deletes the keys that exist of a list. */
  deleteKeys(keys: readonly ByteString[]): void {
    for (const key of keys) {
      const version = this.#history.live(key);
      if (version !== null) this.deleteVersion(version);
    }
  }

  #existing(range: KeyRange): Version[] {
    const found: Version[] = [];
    this.#history.scan(range, this.#next, (version) => {
      found.push(version);
      return true;
    });
    return found;
  }

  #append(version: Version): void {
    this.#history.append(version);
    this.#changes.push(version);
  }
}
