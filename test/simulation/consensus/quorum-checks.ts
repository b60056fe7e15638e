import type { MemoryDisk } from '../../../consensus/adapters/memory/log-store.ts';
import { type Configuration, majority } from '../../../consensus/core/configuration.ts';
import type { LogIndex, MemberId, Term } from '../../../consensus/core/ids.ts';
import type { Raft } from '../../../consensus/core/raft.ts';
import { Violation } from './violation.ts';

/** What a member that leads was like after its last step. */
interface Seen {
  readonly term: Term;
  readonly commit: LogIndex;
  readonly configuration: Configuration;
}

/**
 * Looks at the disks themselves: whoever leads was voted for on the disks of a majority, and what
 * a leader commits by counting is of its own term, and on the disks of a majority. A crash that would show it need not come.
 */
export class QuorumChecks {
  readonly #diskOf: (member: MemberId) => MemoryDisk | undefined;
  readonly #leaders = new Map<MemberId, Seen>();

  constructor(diskOf: (member: MemberId) => MemoryDisk | undefined) {
    this.#diskOf = diskOf;
  }

  /** A member has taken a step. */
  observe(raft: Raft): void {
    if (raft.role !== 'leader') {
      this.#leaders.delete(raft.id);
      return;
    }
    const { term, commit, log } = raft;
    const before = this.#leaders.get(raft.id);
    if (before?.term !== term) this.#checkElection(raft);
    else if (commit > before.commit) this.#checkCommit(raft, before.configuration);
    this.#leaders.set(raft.id, { term, commit, configuration: log.configuration });
  }

  /** A member is gone; it may lead again in its next life. */
  ended(member: MemberId): void {
    this.#leaders.delete(member);
  }

  #checkElection({ id, term, log: { configuration } }: Raft): void {
    const voted = (voter: MemberId): boolean => {
      const state = this.#diskOf(voter)?.hardState;
      return (
        state !== undefined && (state.term > term || (state.term === term && state.vote === id))
      );
    };
    if (!majority(configuration, voted))
      throw new Violation(
        `${id} leads term ${term} without the votes of a majority on their disks`,
      );
  }

  /**
   * Of its own term, and by a majority of the configuration of now or of just before: a change may
   * come in the same step.
   */
  #checkCommit({ id, term, commit, log }: Raft, before: Configuration): void {
    const expected = log.termAt(commit);
    if (expected !== term)
      throw new Violation(
        `leader ${id} of term ${term} commits entry ${commit} of term ${expected} by counting`,
      );
    const holds = (voter: MemberId): boolean => {
      const disk = this.#diskOf(voter);
      if (disk === undefined) return false;
      if (commit <= disk.base.index || commit <= disk.snapshot.index) return true;
      return disk.entries[commit - disk.base.index - 1]?.term === expected;
    };
    if (!majority(log.configuration, holds) && !majority(before, holds))
      throw new Violation(
        `leader ${id} of term ${term} commits entry ${commit}, which is not on the disks of a majority`,
      );
  }
}
