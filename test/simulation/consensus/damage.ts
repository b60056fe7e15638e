import type { MemoryDisk } from '../../../consensus/adapters/memory/log-store.ts';
import { type Configuration, majorityIndex } from '../../../consensus/core/configuration.ts';
import { type LogIndex, logIndex, type MemberId } from '../../../consensus/core/ids.ts';
import { appendPayloads } from '../../../consensus/core/leader.ts';
import { changedBy } from '../../../consensus/core/membership.ts';
import type { Leadership, Raft } from '../../../consensus/core/raft.ts';
import type { Bug } from './bugs.ts';

/** What a bug does to a disk between two lives of its member. */
export function damageDisk(bug: Bug | null, disk: MemoryDisk): void {
  if (bug === 'vote-lost-on-restart') disk.hardState = { ...disk.hardState, vote: null };
  if (bug === 'term-lost-on-restart') {
    const last = disk.entries.at(-1)?.term ?? disk.base.term;
    disk.hardState = { ...disk.hardState, term: last, vote: null };
  }
  if (bug !== 'acknowledged-write-lost' || (disk.entries.at(-1)?.index ?? 0) <= disk.snapshot.index)
    return;
  const commit = logIndex(disk.base.index + disk.entries.length - 1);
  disk.entries.pop();
  if (disk.hardState.commit > commit) disk.hardState = { ...disk.hardState, commit };
}

/** What a bug does to a member after its steps; for one life. */
export class MemberDamage {
  readonly #bug: Bug | null;
  #configuration: { readonly index: LogIndex; readonly value: Configuration } | null = null;
  /** The term in which an unlawful change was made. */
  #changedIn = 0;

  constructor(bug: Bug | null) {
    this.#bug = bug;
  }

  after(raft: Raft): void {
    const { leadership } = raft;
    if (this.#bug === 'configuration-outlives-its-entry') this.#clingTo(raft);
    if (leadership === null) return;
    switch (this.#bug) {
      case 'commit-old-term':
        commitUpTo(
          raft,
          majorityIndex(raft.log.configuration, (voter) => matchOf(raft, leadership, voter)),
        );
        break;
      case 'learner-counts':
        this.#commitWith(raft, leadership, raft.log.configuration.learners);
        break;
      case 'removed-member-counts': {
        const removed = [...leadership.progress].filter(([, { leaving }]) => leaving !== null);
        this.#commitWith(
          raft,
          leadership,
          removed.map(([member]) => member),
        );
        break;
      }
      case 'two-changes-at-once':
        if (raft.log.configurationIndex > raft.commit && raft.log.matches(raft.commit, raft.term))
          this.#changeUnlawfully(raft);
        break;
      case 'change-before-first-commit':
        if (!raft.log.matches(raft.commit, raft.term)) this.#changeUnlawfully(raft);
        break;
    }
  }

  /** Copies of some who have no vote count towards the voters' majority. */
  #commitWith(raft: Raft, leadership: Leadership, others: readonly MemberId[]): void {
    const { voters } = raft.log.configuration;
    const matches = [...voters, ...others].map((member) => matchOf(raft, leadership, member));
    const index = matches.sort((a, b) => b - a)[Math.floor(voters.length / 2)] ?? logIndex(0);
    if (raft.log.matches(index, raft.term)) commitUpTo(raft, index);
  }

  #changeUnlawfully(raft: Raft): void {
    const member = raft.log.configuration.voters.find((voter) => voter !== raft.id);
    if (member === undefined || this.#changedIn === raft.term) return;
    this.#changedIn = raft.term;
    const configuration = changedBy(raft.log.configuration, { kind: 'remove', member });
    appendPayloads(raft, [{ kind: 'configuration', configuration, proposal: null }]);
  }

  /** A configuration stays in force although its entry gave way. */
  #clingTo({ log }: Raft): void {
    const known = this.#configuration;
    const index = log.configurationIndex;
    if (known === null || index > known.index || log.base.index >= known.index) {
      Reflect.deleteProperty(log, 'configuration');
      this.#configuration = { index, value: log.configuration };
    } else if (index < known.index)
      Object.defineProperty(log, 'configuration', { value: known.value, configurable: true });
  }
}

function matchOf(raft: Raft, leadership: Leadership, member: MemberId): LogIndex {
  if (member === raft.id) return raft.log.durable;
  return leadership.progress.get(member)?.match ?? logIndex(0);
}

function commitUpTo(raft: Raft, index: LogIndex): void {
  if (index > raft.commit) raft.commit = index;
}
