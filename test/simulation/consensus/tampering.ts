import { configurationOf } from '../../../consensus/core/configuration.ts';
import { logIndex, memberId } from '../../../consensus/core/ids.ts';
import type { Message } from '../../../consensus/core/message.ts';
import type { Bug } from './bugs.ts';

/** What a seeded bug makes of a message. */
export interface Tampered {
  readonly message: Message;
  /** Delivered at once, wherever they are addressed to. */
  readonly echoes: readonly Message[];
  /** What is delivered if the message is repeated. */
  readonly copy: Message;
}

/** What a bug does to messages. */
export function tamperWith(bug: Bug | null): (message: Message) => Tampered {
  let appends = 0;
  return (message) => {
    const whole: Tampered = { message, echoes: [], copy: message };
    switch (bug) {
      case 'vote-for-outdated-log': {
        if (message.kind !== 'vote' && message.kind !== 'pre-vote') return whole;
        const [lastIndex, lastTerm] = [logIndex(Number.MAX_SAFE_INTEGER), message.term];
        return { ...whole, message: { ...message, lastIndex, lastTerm } };
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
      case 'snapshot-forgets-the-members': {
        if (message.kind !== 'snapshot-chunk') return whole;
        const configuration = configurationOf([memberId(1)]);
        const changed = { ...message, snapshot: { ...message.snapshot, configuration } };
        return { message: changed, echoes: [], copy: changed };
      }
      default:
        return whole;
    }
  };
}
