import { isVoter } from './configuration.ts';
import { becomeFollower } from './election.ts';
import type { MemberId } from './ids.ts';
import { handOver } from './leader.ts';
import { isCaughtUp, isHeard, type Raft } from './raft.ts';

/** Why the leadership cannot be handed to a member now. */
export type TransferRefusal = 'no-leader' | 'not-ready' | 'member-not-found' | 'not-caught-up';

/**
 * Says so, or null: `not-ready` while it is handed over already, perhaps to another. Who lacks much
 * of the log would only keep the pool waiting.
 */
export function transferRefusal(raft: Raft, to: MemberId): TransferRefusal | null {
  const { leadership, log } = raft;
  if (leadership === null) return 'no-leader';
  if (!isVoter(log.configuration, to) || to === raft.id) return 'member-not-found';
  if (leadership.transfer !== null) return 'not-ready';
  return isCaughtUp(raft, to) ? null : 'not-caught-up';
}

/** Hands the leadership to another voter (3.10). It is the driver's to ask whether that is wise. */
export function beginTransfer(raft: Raft, to: MemberId): void {
  const { leadership, log } = raft;
  const progress = leadership?.progress.get(to);
  if (leadership === null || progress === undefined) return;
  if (leadership.transfer !== null || !isVoter(log.configuration, to)) return;
  leadership.transfer = { to, elapsed: 0, asked: false };
  handOver(raft, to, progress.match);
}

/** The voter to hand over to: of those that were heard lately the one with the longest log. */
export function successorOf(raft: Raft): MemberId | null {
  const { leadership, log } = raft;
  const others = [...(leadership?.progress ?? [])].filter(
    ([member]) => isVoter(log.configuration, member) && isHeard(raft, member),
  );
  return others.sort(([, a], [, b]) => b.match - a.match)[0]?.[0] ?? null;
}

/** Time passes for a transfer. A successor that does not come forward: the leader goes on (3.10). */
export function tickHandOver(raft: Raft, elapsed: number): void {
  const { leadership, limits } = raft;
  if (leadership === null || leadership.transfer === null) return;
  leadership.transfer.elapsed += elapsed;
  if (leadership.transfer.elapsed < limits.electionTimeoutMax) return;
  leadership.transfer = null;
  if (isRemoved(raft)) becomeFollower(raft, raft.term, null);
}

/**
 * At the end of a step: a leader whose own removal is committed asks the best of the others to
 * stand at once, when that one has the whole log, and steps down (4.2.2).
 */
export function retire(raft: Raft): void {
  const { leadership } = raft;
  if (leadership === null || !isRemoved(raft)) return;
  const to = leadership.transfer?.to ?? successorOf(raft);
  if (to !== null) {
    leadership.transfer ??= { to, elapsed: 0, asked: false };
    handOver(raft, to, leadership.progress.get(to)?.match ?? raft.commit);
    if (!leadership.transfer.asked) return;
  }
  becomeFollower(raft, raft.term, null);
}

function isRemoved({ log, commit, id }: Raft): boolean {
  return !isVoter(log.configuration, id) && log.configurationIndex <= commit;
}
