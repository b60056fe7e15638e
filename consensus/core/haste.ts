import { isVoter } from './configuration.ts';
import type { MemberId } from './ids.ts';
import type { Progress } from './progress.ts';
import type { Leadership, Raft } from './raft.ts';

const nobody: readonly MemberId[] = [];

/**
 * The followers without whose answer a leader has its majority: all but as many voters as it needs,
 * the furthest of them. What they are sent may wait for a moment, for what follows it, so that they
 * wake up once for several entries (SPEC R61). If one of those that are needed falls behind, an answer
 * of these makes up for it, and then it is among them. A quorum is asked before the rest as in Moraru,
 * Andersen, Kaminsky: "There Is More Consensus in Egalitarian Parliaments" (SOSP 2013), 6.2, "thrifty".
 */
export function unhurriedFollowers(raft: Raft): readonly MemberId[] {
  const { leadership, log, id } = raft;
  // A successor is to have the whole log soon, and then everybody is to hear of it.
  if (leadership === null || leadership.transfer !== null) return nobody;
  const { voters, learners } = log.configuration;
  const needed = Math.floor(voters.length / 2) + (isVoter(log.configuration, id) ? 0 : 1);
  const others = voters.length - (isVoter(log.configuration, id) ? 1 : 0);
  if (others <= needed && learners.length === 0) return nobody;
  const ranked = voters.filter((voter) => voter !== id && keepsUp(leadership, voter));
  ranked.sort((one, other) => further(leadership, one, other));
  // Where too few keep up it is not known on whom a majority will depend.
  if (ranked.length < needed) return nobody;
  const unhurried = ranked.slice(needed);
  for (const learner of learners) if (keepsUp(leadership, learner)) unhurried.push(learner);
  return unhurried;
}

/** Whether appends follow one another: who is looked for in the log, or gets a snapshot, does not. */
function keepsUp({ progress }: Leadership, member: MemberId): boolean {
  return progress.get(member)?.mode === 'replicate';
}

/** Negative if `one` has confirmed more of the log than `other`, or later rounds; then ids decide. */
function further({ progress }: Leadership, one: MemberId, other: MemberId): number {
  const [a, b] = [progress.get(one), progress.get(other)];
  return (
    value(b, 'match') - value(a, 'match') || value(b, 'round') - value(a, 'round') || one - other
  );
}

function value(progress: Progress | undefined, name: 'match' | 'round'): number {
  return progress?.[name] ?? 0;
}
