import type { Entry, HardState, Position, SnapshotMeta } from './entry.ts';
import { type LogIndex, logIndex } from './ids.ts';
import type { Recovered } from './raft.ts';

/**
 * Makes one whole of what a crash has left: a snapshot may be durable while the log is still
 * behind it or differs from it; then the snapshot is the log (SPEC R27).
 */
export function recover(
  hardState: HardState,
  snapshot: SnapshotMeta,
  base: Position,
  entries: readonly Entry[],
): Recovered {
  const fits = termAt(snapshot.index, base, entries) === snapshot.term;
  const log = fits ? { base, entries } : { base: snapshot, entries: [] };
  const lastTerm = log.entries.at(-1)?.term ?? log.base.term;
  const lastIndex = log.entries.at(-1)?.index ?? log.base.index;
  const behind = hardState.term < lastTerm;
  return {
    hardState: {
      term: behind ? lastTerm : hardState.term,
      vote: behind ? null : hardState.vote,
      commit: logIndex(Math.min(hardState.commit, lastIndex)),
    },
    snapshot,
    base: { index: log.base.index, term: log.base.term },
    entries: log.entries,
  };
}

function termAt(index: LogIndex, base: Position, entries: readonly Entry[]): number | null {
  if (index === base.index) return base.term;
  return entries[index - base.index - 1]?.term ?? null;
}
