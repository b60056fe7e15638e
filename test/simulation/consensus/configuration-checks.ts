import { present } from '../../../base/assert.ts';
import type { MemoryDisk } from '../../../consensus/adapters/memory/log-store.ts';
import { type Configuration, membersOf } from '../../../consensus/core/configuration.ts';
import type { Entry, SnapshotMeta } from '../../../consensus/core/entry.ts';
import type { MemberId } from '../../../consensus/core/ids.ts';
import type { Outputs } from '../../../consensus/core/output.ts';
import type { Raft } from '../../../consensus/core/raft.ts';
import type { Committed } from './safety-checks.ts';
import { Violation } from './violation.ts';

/** A configuration, and where it stands in a log. */
interface Placed {
  readonly index: number;
  readonly configuration: Configuration;
}

/**
 * The rules for configurations (Ongaro 4.1, and the erratum of 2015 about the leader's first
 * entry), checked on a copy of every member's log that holds nothing but configurations.
 */
export class ConfigurationChecks {
  readonly #committed: readonly Committed[];
  /** Those that are committed, oldest first; the first is the pool's beginning. */
  readonly #history: Placed[];
  readonly #logs = new Map<MemberId, Placed[]>();
  #seen = 0;
  /** How many changes were committed. */
  changes = 0;

  constructor(beginning: Configuration, committed: readonly Committed[]) {
    this.#committed = committed;
    this.#history = [{ index: 0, configuration: beginning }];
  }

  /** Whether a committed configuration has this member. */
  tookPart(member: MemberId): boolean {
    this.#follow();
    return this.#history.some(({ configuration }) => membersOf(configuration).includes(member));
  }

  /** A member starts with what its disk holds. */
  started(member: MemberId, { snapshot, entries }: MemoryDisk): void {
    this.#checkSnapshot(member, snapshot);
    const log: Placed[] = [snapshot];
    for (const entry of entries) if (entry.index > snapshot.index) place(log, entry);
    this.#logs.set(member, log);
  }

  /** A member has taken a step. */
  observe(raft: Raft, { persist, restore }: Outputs): void {
    const log = this.#logs.get(raft.id) ?? [];
    if (restore !== null) {
      this.#checkSnapshot(raft.id, restore);
      log.splice(0, log.length, restore);
    }
    const [first] = persist?.entries ?? [];
    if (first !== undefined) while ((log.at(-1)?.index ?? 0) >= first.index) log.pop();
    for (const entry of persist?.entries ?? []) {
      this.#checkFirstCommit(raft, entry, log);
      place(log, entry);
    }
    this.#follow();
    this.#checkInForce(raft, log);
    this.#checkOneAtATime(raft, log);
  }

  /** What a snapshot says of the members is what was committed up to its place. */
  #checkSnapshot(member: MemberId, { index, configuration }: SnapshotMeta): void {
    this.#follow();
    const before = this.#history.findLast((placed) => placed.index <= index);
    if (index > 0 && before !== undefined && !isSame(before.configuration, configuration))
      throw new Violation(
        `a snapshot of ${member} at ${index} says ${say(configuration)}, the log ${say(before.configuration)}`,
      );
  }

  /** No change before an entry of the leader's own term is committed. */
  #checkFirstCommit(raft: Raft, { index, term, payload }: Entry, log: readonly Placed[]): void {
    if (payload.kind !== 'configuration' || raft.role !== 'leader' || term !== raft.term) return;
    const before = log.at(-1)?.configuration;
    // A leader may say again what is in force.
    if (before !== undefined && isSame(before, payload.configuration)) return;
    if (!raft.log.matches(raft.commit, raft.term))
      throw new Violation(
        `leader ${raft.id} changes the members at ${index} before it has committed anything`,
      );
  }

  /** The newest configuration of a log is in force, committed or not, and no other. */
  #checkInForce({ id, log: { configuration } }: Raft, log: readonly Placed[]): void {
    const newest = log.at(-1)?.configuration;
    if (newest !== undefined && newest !== configuration && !isSame(newest, configuration))
      throw new Violation(`${id} goes by ${say(configuration)}, and its log by ${say(newest)}`);
  }

  #checkOneAtATime({ id }: Raft, log: readonly Placed[]): void {
    const open = log.filter(({ index }) => index > this.#committed.length);
    if (open.length > 1)
      throw new Violation(
        `${id} has changes of the members at ${open.map(({ index }) => index).join(' and ')} that are not committed`,
      );
  }

  /** Takes up what was committed since: one voter more or less at a time. */
  #follow(): void {
    for (; this.#seen < this.#committed.length; this.#seen += 1) {
      const payload = this.#committed[this.#seen]?.payload;
      if (payload?.kind !== 'configuration') continue;
      const { configuration } = payload;
      const before = present(this.#history.at(-1), 'it has a beginning').configuration;
      const { voters } = configuration;
      const changed =
        voters.filter((voter) => !before.voters.includes(voter)).length +
        before.voters.filter((voter) => !voters.includes(voter)).length;
      if (changed > 1)
        throw new Violation(`voters ${before.voters} became ${voters} in one change`);
      this.#history.push({ index: this.#seen + 1, configuration });
      if (!isSame(before, configuration)) this.changes += 1;
    }
  }
}

function place(log: Placed[], { index, payload }: Entry): void {
  if (payload.kind === 'configuration') log.push({ index, configuration: payload.configuration });
}

function isSame(one: Configuration, other: Configuration): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

function say({ voters, learners }: Configuration): string {
  return `voters ${voters} and learners ${learners}`;
}
