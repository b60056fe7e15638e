import type { Entry } from '../../../consensus/core/entry.ts';
import { logIndex, type MemberId } from '../../../consensus/core/ids.ts';
import type { Outputs } from '../../../consensus/core/output.ts';
import type { Raft } from '../../../consensus/core/raft.ts';
import { Violation } from './violation.ts';

/** A committed entry. */
export interface Committed {
  readonly term: number;
  readonly what: string;
  readonly payload: Entry['payload'];
  /** The least term of any member that has seen it committed. */
  seenIn: number;
}

/** What an entry says, for comparison. */
export function describeEntry({ payload }: Entry): string {
  switch (payload.kind) {
    case 'noop':
      return 'noop';
    case 'command':
      return Buffer.from(payload.proposal.command).toString('latin1');
    case 'configuration':
      return JSON.stringify(payload.configuration);
  }
}

/**
 * The five safety properties of Raft (Ongaro figure 3.2), checked after every step of every
 * member, against everything that any member has done before.
 */
export class SafetyChecks {
  readonly #leaders = new Map<number, MemberId>();
  readonly #entries = new Map<string, { readonly what: string; readonly before: number | null }>();
  readonly #votes = new Map<string, MemberId>();
  readonly #leaderLogs = new Map<MemberId, { term: number; index: number; lastTerm: number }>();
  readonly #proposals = new Set<string>();
  readonly committed: Committed[] = [];

  /** A member has taken a step. */
  observe(raft: Raft, outputs: Outputs): void {
    if (outputs.lost !== null) throw new Violation(outputs.lost);
    for (const { from, detail } of outputs.contradictions)
      throw new Violation(`${raft.id} does not listen to ${from}: ${detail}`);
    this.#logMatching(raft, outputs);
    this.#oneVoteATerm(outputs);
    if (raft.role === 'leader') {
      this.#electionSafety(raft);
      this.#leaderAppendOnly(raft);
    } else this.#leaderLogs.delete(raft.id);
    for (const entry of outputs.committed) this.#stateMachineSafety(raft, entry);
  }

  /** A member has crashed: what it did as a leader does not bind its next life. */
  forget(member: MemberId): void {
    this.#leaderLogs.delete(member);
  }

  #electionSafety(raft: Raft): void {
    const known = this.#leaders.get(raft.term);
    if (known === raft.id) return;
    if (known !== undefined)
      throw new Violation(`election safety: ${known} and ${raft.id} both lead term ${raft.term}`);
    this.#leaders.set(raft.term, raft.id);
    this.#leaderCompleteness(raft);
  }

  #leaderAppendOnly(raft: Raft): void {
    const before = this.#leaderLogs.get(raft.id);
    const { log } = raft;
    if (before?.term === raft.term && before.index > log.base.index)
      if (log.termAt(logIndex(before.index)) !== before.lastTerm)
        throw new Violation(`leader append-only: leader ${raft.id} lost entry ${before.index}`);
    const { lastIndex, lastTerm } = log;
    this.#leaderLogs.set(raft.id, { term: raft.term, index: lastIndex, lastTerm });
  }

  /** By induction: one content and one predecessor for each index and term, everywhere. */
  #logMatching(raft: Raft, { persist }: Outputs): void {
    for (const entry of persist?.entries ?? []) {
      const name = `${entry.index}@${entry.term}`;
      const what = describeEntry(entry);
      const before = raft.log.termAt(logIndex(entry.index - 1));
      const known = this.#entries.get(name);
      if (known === undefined) this.#entries.set(name, { what, before });
      else if (known.what !== what)
        throw new Violation(`log matching: entry ${name} is "${known.what}" and "${what}"`);
      else if (before !== null && known.before !== null && before !== known.before)
        throw new Violation(`log matching: ${name} follows terms ${known.before} and ${before}`);
    }
  }

  #oneVoteATerm({ messages }: Outputs): void {
    for (const message of messages) {
      if (message.kind !== 'vote-reply' || !message.granted) continue;
      const name = `${message.from} in term ${message.term}`;
      const known = this.#votes.get(name) ?? message.to;
      if (known !== message.to)
        throw new Violation(`one vote a term: ${name} voted for ${known} and ${message.to}`);
      this.#votes.set(name, message.to);
    }
  }

  #leaderCompleteness(raft: Raft): void {
    for (let at = raft.log.base.index + 1; at <= this.committed.length; at += 1) {
      const entry = this.committed[at - 1];
      if (entry === undefined || entry.seenIn >= raft.term) continue;
      if (raft.log.termAt(logIndex(at)) !== entry.term)
        throw new Violation(
          `leader completeness: leader ${raft.id} of term ${raft.term} lacks committed entry ${at}`,
        );
    }
  }

  #stateMachineSafety(raft: Raft, entry: Entry): void {
    const known = this.committed[entry.index - 1];
    const what = describeEntry(entry);
    if (known === undefined) {
      if (entry.index !== this.committed.length + 1)
        throw new Violation(`entry ${entry.index} was committed before the one before it`);
      this.#onlyOnce(entry);
      const { payload } = entry;
      this.committed.push({ term: entry.term, what, payload, seenIn: raft.term });
      return;
    }
    if (known.term !== entry.term || known.what !== what)
      throw new Violation(
        `state machine safety: ${raft.id} applies "${what}" of term ${entry.term} at ` +
          `${entry.index}, another "${known.what}" of term ${known.term}`,
      );
    known.seenIn = Math.min(known.seenIn, raft.term);
  }

  /** What a member has proposed takes effect once. */
  #onlyOnce({ index, payload }: Entry): void {
    if (payload.kind === 'noop') return;
    const id = payload.kind === 'command' ? payload.proposal.id : payload.proposal;
    if (id === null) return;
    const name = `proposal ${id.number} of ${id.member}`;
    if (this.#proposals.has(name)) throw new Violation(`${name} took effect again at ${index}`);
    this.#proposals.add(name);
  }
}
