import { type Configuration, isVoter, membersOf } from './configuration.ts';
import type { SnapshotMeta } from './entry.ts';
import type { MemberId } from './ids.ts';

/**
 * What the committed part of a member's log says of the member itself. `outside`: it does not take
 * part yet, as far as its log has come. `removed`: it took part, and does so no longer.
 */
export type Standing = 'outside' | 'inside' | 'removed';

/**
 * The standing of a member that starts from this snapshot. A learner of a configuration before the
 * first entry is one that joins: the log that it will receive begins without it.
 */
export function standingAt(snapshot: SnapshotMeta, id: MemberId): Standing {
  const { index, configuration } = snapshot;
  if (isVoter(configuration, id)) return 'inside';
  return index > 0 && membersOf(configuration).includes(id) ? 'inside' : 'outside';
}

/** The standing once this configuration is committed. */
export function standingAfter(
  before: Standing,
  configuration: Configuration,
  id: MemberId,
): Standing {
  if (membersOf(configuration).includes(id)) return 'inside';
  return before === 'inside' ? 'removed' : before;
}
