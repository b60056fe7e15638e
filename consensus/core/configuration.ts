import type { LogIndex, MemberId } from './ids.ts';
import { logIndex } from './ids.ts';

/**
 * Who takes part. A configuration is a value of the log: the newest one in a member's log is in
 * force for that member, committed or not (Ongaro 4.1).
 */
export interface Configuration {
  /** Those who vote, and whose copies count towards a commit. */
  readonly voters: readonly MemberId[];
  /** Those who receive the log without a vote, until they have caught up (Ongaro 4.2.1). */
  readonly learners: readonly MemberId[];
  /** The learners who become voters by themselves, once they have caught up. */
  readonly joining: readonly MemberId[];
  /** Where members listen for one another. A member whose address nobody has told is left out. */
  readonly addresses: readonly MemberAddress[];
}

/** Where a member listens for the others. The core hands it on, and never looks into it. */
export interface MemberAddress {
  readonly member: MemberId;
  /** `HOST:PORT`, in the order in which they are tried; at least one. */
  readonly peers: readonly string[];
}

/** A configuration of these voters and learners, whose addresses are not known. */
export function configurationOf(
  voters: readonly MemberId[],
  learners: readonly MemberId[] = [],
): Configuration {
  return { voters, learners, joining: [], addresses: [] };
}

/** Everyone who receives the log. */
export function membersOf(configuration: Configuration): readonly MemberId[] {
  return [...configuration.voters, ...configuration.learners];
}

/** Whether `member` votes. */
export function isVoter(configuration: Configuration, member: MemberId): boolean {
  return configuration.voters.includes(member);
}

/** Whether a majority of the voters satisfies `holds`. Without voters there is no majority. */
export function majority(
  configuration: Configuration,
  holds: (voter: MemberId) => boolean,
): boolean {
  const count = configuration.voters.filter(holds).length;
  return count > configuration.voters.length / 2;
}

/** The highest index that a majority of the voters has, where `matchOf` says what one voter has. */
export function majorityIndex(
  configuration: Configuration,
  matchOf: (voter: MemberId) => LogIndex,
): LogIndex {
  const matches = configuration.voters.map(matchOf).sort((a, b) => b - a);
  return matches[Math.floor(matches.length / 2)] ?? logIndex(0);
}
