import type { Bytes } from '../../../base/units.ts';

/** What the choice of a storage repository looks at. */
export interface Candidate {
  readonly id: string;
  /** The host whose disks it is on. */
  readonly host: string;
  /** What the file system underneath has left. */
  readonly physicalFree: Bytes;
}

/** What is asked of a storage repository. */
export interface Demand {
  readonly virtualSize: Bytes;
  /** Only this host's repositories count; null: those of every host do. */
  readonly host: string | null;
}

/**
 * Whether an image may be made. The provisioning is thin, yet honest: an image takes no space before
 * it is written, but none may be larger than what the file system could hold at the moment it is
 * made, or its guest would be promised sectors that nobody has.
 */
export function hasRoom(physicalFree: Bytes, virtualSize: Bytes): boolean {
  return virtualSize <= physicalFree;
}

/**
 * The repository with most room for the demand, or null if none has enough. Equals are told apart by
 * id, so that the answer does not depend on the order of the candidates.
 */
export function chooseRepository<Item extends Candidate>(
  candidates: readonly Item[],
  demand: Demand,
): Item | null {
  let best: Item | null = null;
  for (const candidate of candidates) {
    if (demand.host !== null && candidate.host !== demand.host) continue;
    if (!hasRoom(candidate.physicalFree, demand.virtualSize)) continue;
    if (best === null || isBetter(candidate, best)) best = candidate;
  }
  return best;
}

function isBetter(one: Candidate, other: Candidate): boolean {
  if (one.physicalFree !== other.physicalFree) return one.physicalFree > other.physicalFree;
  return one.id < other.id;
}
