import type { MemoryDisk } from '../../../consensus/adapters/memory/log-store.ts';
import { majorityIndex } from '../../../consensus/core/configuration.ts';
import { logIndex, term } from '../../../consensus/core/ids.ts';
import type { Message } from '../../../consensus/core/message.ts';
import type { Raft } from '../../../consensus/core/raft.ts';
import type { Tampered } from './network.ts';

/** Bugs that can be seeded, to prove that the checks find them. */
export const bugs = [
  'vote-lost-on-restart',
  'term-lost-on-restart',
  'answer-before-durable',
  'commit-old-term',
  'read-without-quorum',
  'vote-for-outdated-log',
  'repeated-proposal-taken',
  'snapshot-forgets-a-command',
] as const;

export type Bug = (typeof bugs)[number];

/** What a bug does to messages. */
export function tamperWith(bug: Bug | null): (message: Message) => Tampered {
  let appends = 0;
  return (message) => {
    const whole: Tampered = { message, echoes: [], copy: message };
    switch (bug) {
      case 'vote-for-outdated-log': {
        if (message.kind !== 'vote' && message.kind !== 'pre-vote') return whole;
        const lastTerm = term(Number.MAX_SAFE_INTEGER);
        return { ...whole, message: { ...message, lastTerm } };
      }
      case 'read-without-quorum': {
        if (message.kind !== 'heartbeat') return whole;
        const { from, to, round } = message;
        const echo: Message = {
          from: to,
          to: from,
          term: message.term,
          kind: 'heartbeat-reply',
          round,
        };
        return { ...whole, echoes: [echo] };
      }
      case 'repeated-proposal-taken': {
        if (message.kind !== 'propose') return whole;
        const proposals = message.proposals.map(({ id, command }) => ({
          id: { ...id, number: id.number + 0.5 },
          command,
        }));
        return { ...whole, copy: { ...message, proposals } };
      }
      case 'commit-old-term': {
        // Where old entries are committed by counting, a leader's own first entry seems to be in
        // no hurry; it leaves with one append of eight.
        if (message.kind !== 'append') return whole;
        appends += 1;
        const own = message.entries.findIndex((entry) => entry.term === message.term);
        if (own === -1 || appends % 8 === 0) return whole;
        return { ...whole, message: { ...message, entries: message.entries.slice(0, own) } };
      }
      case 'vote-lost-on-restart':
      case 'term-lost-on-restart':
      case 'answer-before-durable':
      case 'snapshot-forgets-a-command':
      case null:
        return whole;
    }
  };
}

/** What a bug does to a disk between two lives of its member. */
export function damageDisk(bug: Bug | null, disk: MemoryDisk): void {
  if (bug === 'vote-lost-on-restart') disk.hardState = { ...disk.hardState, vote: null };
  if (bug === 'term-lost-on-restart') {
    const last = disk.entries.at(-1)?.term ?? disk.base.term;
    disk.hardState = { ...disk.hardState, term: last, vote: null };
  }
}

/** What a bug does to a member after a step. */
export function damageMember(bug: Bug | null, raft: Raft): void {
  if (bug !== 'commit-old-term' || raft.leadership === null) return;
  const { progress } = raft.leadership;
  const index = majorityIndex(raft.log.configuration, (voter) =>
    voter === raft.id ? raft.log.durable : (progress.get(voter)?.match ?? logIndex(0)),
  );
  if (index > raft.commit) raft.commit = index;
}
