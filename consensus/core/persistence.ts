import { entrySize, type HardState } from './entry.ts';
import { earlier, type LogIndex, logIndex, type MemberId } from './ids.ts';
import type { Message, MessageBody } from './message.ts';
import type { Raft } from './raft.ts';
import { standingAfter } from './standing.ts';

/**
 * What promises nothing: questions, signs of life, and what a member does not have. A crash that
 * takes the term back makes none of it wrong, for terms that matter are durable with a majority of
 * voters; so a member whose disk is full can still ask its leader.
 */
const promisesNothing: ReadonlySet<MessageBody['kind']> = new Set([
  'pre-vote',
  'pre-vote-reply',
  'heartbeat-reply',
  'append-rejected',
  'propose',
  'change',
  'read',
]);

/**
 * Sends a message, or holds it back until the term and the vote under which it speaks are durable
 * (SPEC R24): what a member promised must still hold after it has crashed.
 */
export function send(raft: Raft, to: MemberId, body: MessageBody): void {
  const message: Message = { from: raft.id, to, term: raft.term, ...body };
  if (promisesNothing.has(body.kind) || speaksFor(raft, raft.durable))
    raft.effects.messages.push(message);
  else heldList(raft).push(message);
}

function speaksFor(raft: Raft, state: HardState): boolean {
  return state.term === raft.term && state.vote === raft.vote;
}

function heldList(raft: Raft): Message[] {
  if (!speaksFor(raft, raft.handedOut)) return raft.held;
  const pending = raft.pending.findLast((item) => item.hardState !== null);
  return pending?.held ?? raft.held;
}

/** At the end of a step: everything that changed and must become durable, as one `Persist`. */
export function collectPersist(raft: Raft): void {
  const entries = raft.log.takeUnwritten();
  const named = !speaksFor(raft, raft.handedOut);
  if (!named && entries.length === 0 && raft.reset === null) return;
  raft.sequence += 1;
  const current: HardState = { term: raft.term, vote: raft.vote, commit: raft.commit };
  const hardState = named || raft.commit !== raft.handedOut.commit ? current : null;
  if (hardState !== null) raft.handedOut = hardState;
  raft.pending.push({
    sequence: raft.sequence,
    hardState,
    last: raft.log.lastIndex,
    held: raft.held,
  });
  raft.effects.persist = { sequence: raft.sequence, hardState, reset: raft.reset, entries };
  raft.held = [];
  raft.reset = null;
}

/** Everything up to `sequence` is durable: what waited for it leaves now. */
export function persisted(raft: Raft, sequence: number): void {
  while ((raft.pending[0]?.sequence ?? Number.POSITIVE_INFINITY) <= sequence) {
    const done = raft.pending.shift();
    if (done === undefined) return;
    if (done.hardState !== null) raft.durable = done.hardState;
    raft.log.markDurable(done.last);
    raft.effects.messages.push(...done.held);
  }
}

/**
 * Entries from `first` on gave way to others. What is being written of them no longer counts as
 * durable when it arrives, even if the same entries should come back later.
 */
export function discardPending(raft: Raft, first: LogIndex): void {
  for (const pending of raft.pending) pending.last = earlier(pending.last, logIndex(first - 1));
}

/** What is known to be committed may be applied, as far as the log reaches. */
export function deliverCommitted(raft: Raft): void {
  const { log, effects, leadership } = raft;
  if (raft.commit <= raft.delivered) return;
  const count = raft.commit - raft.delivered;
  const entries = log.read(logIndex(raft.delivered + 1), Number.POSITIVE_INFINITY, count);
  for (const entry of entries) {
    effects.committed.push(entry);
    if (entry.payload.kind === 'configuration')
      raft.standing = standingAfter(raft.standing, entry.payload.configuration, raft.id);
  }
  raft.delivered = raft.commit;
  if (leadership === null) return;
  const size = entries.reduce((sum, entry) => sum + entrySize(entry), 0);
  leadership.uncommittedBytes = Math.max(0, leadership.uncommittedBytes - size);
}
