import { ByteWriter } from './byte-writer.ts';
import { crc32 } from './crc32.ts';
import type { History } from './history.ts';
import { recordKinds } from './snapshot-layout.ts';
import { compactedVersions, writeVersion } from './snapshot-writer.ts';
import type { Revision } from './version.ts';

/** What is hashed in one turn: less than a millisecond's work. */
const turnBytes = 64 * 2 ** 10;

/** A hash of the keys, and what it is of. Members that agree on both revisions agree on the hash. */
export interface KvHash {
  readonly hash: number;
  readonly revision: Revision;
  /** What older versions do not count any more. */
  readonly compacted: Revision;
}

/** Work that is done in turns: each `next` is one of them, and the last one has the outcome. */
export type Turns<Outcome> = Generator<void, Outcome, void>;

/**
 * Hashes every version that can be read at a revision from the compacted one to `revision`, the
 * store as it is at the call. How far this member has freed what was compacted makes no difference.
 */
export function hashVersions(history: History, revision: Revision): Turns<KvHash> {
  const unpin = history.pin();
  const { compacted, log } = history;
  const [start, end] = [log.firstAtOrAfter(compacted), log.firstAtOrAfter(next(revision))];
  return hashing(history, { revision, compacted }, [start, end], unpin);
}

function next(revision: Revision): Revision {
  return (revision + 1) as Revision;
}

function* hashing(
  history: History,
  of: Omit<KvHash, 'hash'>,
  [start, end]: readonly [number, number],
  unpin: () => void,
): Turns<KvHash> {
  let hash = 0;
  const writer = new ByteWriter();
  try {
    yield;
    for (const version of compactedVersions(history, of.compacted)) {
      writeVersion(writer, recordKinds.compacted, version);
      if (writer.length < turnBytes) continue;
      hash = crc32(writer.flush(), hash);
      yield;
    }
    for (let position = start; position < end; position += 1) {
      writeVersion(writer, recordKinds.change, history.log.at(position));
      if (writer.length < turnBytes) continue;
      hash = crc32(writer.flush(), hash);
      yield;
    }
    return { ...of, hash: crc32(writer.flush(), hash) };
  } finally {
    unpin();
  }
}
