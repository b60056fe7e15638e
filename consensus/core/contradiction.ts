import type { SnapshotMeta } from './entry.ts';
import { type LogIndex, later, type MemberId, type Term } from './ids.ts';
import type { Log } from './log.ts';
import type { Message } from './message.ts';
import type { Raft } from './raft.ts';

/**
 * How far the terms of two members can be apart: an election takes a quarter of a second at least,
 * so that a pool needs more than thirty years for so many.
 */
const termLead = 2 ** 32;

type Of<Kind extends Message['kind']> = Message & { readonly kind: Kind };

/**
 * Why no member that follows the rules can have sent this, as a sentence; null if one can. Two
 * members of one pool never disagree about what is committed, who leads a term, or what one of them
 * has said in it. Whoever does is damaged or hostile, and is not listened to (SPEC R59).
 */
export function contradiction(raft: Raft, message: Message): string | null {
  if (message.term > raft.term + termLead)
    return `it says that its term is ${message.term}, and ${raft.term} is known here: so many elections cannot have been`;
  const alone = impossible(message);
  if (alone !== null) return alone;
  // What was said in an earlier term is not listened to anyhow.
  if (message.term < raft.term) return null;
  return disputedLeader(raft, message) ?? againstState(raft, message);
}

/** What is wrong whatever the state of the receiver. */
function impossible(message: Message): string | null {
  switch (message.kind) {
    case 'pre-vote':
    case 'vote':
      return message.lastTerm <= message.term
        ? null
        : `its log ends in term ${message.lastTerm}, and it is in term ${message.term}`;
    case 'append': {
      const { previousIndex, previousTerm, term } = message;
      return previousTerm <= term && (previousIndex > 0 || previousTerm === 0)
        ? null
        : `in term ${term} it sends what follows entry ${previousIndex} of term ${previousTerm}`;
    }
    case 'snapshot-chunk':
      return message.snapshot.term <= message.term
        ? null
        : `in term ${message.term} it sends a snapshot of term ${message.snapshot.term}`;
    case 'append-rejected': {
      const { rejected, hintIndex } = message;
      return hintIndex < rejected
        ? null
        : `it lacks entry ${rejected}, and may agree up to ${hintIndex}`;
    }
    case 'propose': {
      const numbers = message.proposals.map(({ id }) => id.number);
      return numbers.every((number, at) => number > (numbers[at - 1] ?? 0))
        ? null
        : 'the numbers of its proposals do not rise';
    }
    default:
      return null;
  }
}

/** What only the leader of a term says in it: two members cannot (3.4). */
function disputedLeader({ term, leader }: Raft, message: Message): string | null {
  switch (message.kind) {
    case 'append':
    case 'heartbeat':
    case 'commit':
    case 'snapshot-chunk':
    case 'propose-refused':
    case 'change-refused':
    case 'read-reply':
    case 'take-over':
      return message.term > term || leader === null || leader === message.from
        ? null
        : `it speaks as the leader of term ${term}, which is member ${leader}`;
    default:
      return null;
  }
}

function againstState(raft: Raft, message: Message): string | null {
  switch (message.kind) {
    case 'append':
      return againstLog(raft, message);
    case 'snapshot-chunk':
      return againstCommitted(raft, message);
    case 'append-reply':
      return unsent(raft, message, message.match, message.round);
    case 'append-rejected':
      return unsent(raft, message, message.rejected, message.round);
    case 'heartbeat-reply':
      return unsent(raft, message, 0, message.round);
    case 'snapshot-reply':
      return message.installed ? unsent(raft, message, message.index, 0) : null;
    default:
      return null;
  }
}

/** An append that differs from what is committed, or from what its sender has said in this term. */
function againstLog(
  raft: Raft,
  { term, previousIndex, previousTerm, entries }: Of<'append'>,
): string | null {
  const known = knownEqual(raft, term);
  if (previousIndex <= known && differs(raft.log, previousIndex, previousTerm))
    return instead(raft, previousIndex, previousTerm);
  for (const entry of entries) {
    if (entry.index > known) return null;
    if (differs(raft.log, entry.index, entry.term)) return instead(raft, entry.index, entry.term);
  }
  return null;
}

/** A snapshot that differs from what is committed, or from its own first piece. */
function againstCommitted(raft: Raft, { term, snapshot }: Of<'snapshot-chunk'>): string | null {
  const { log, commit } = raft;
  if (snapshot.index <= knownEqual(raft, term))
    return differs(log, snapshot.index, snapshot.term)
      ? instead(raft, snapshot.index, snapshot.term)
      : null;
  const committed = log.termAt(commit) ?? 0;
  if (snapshot.term < committed)
    return `its snapshot ends at ${snapshot.index} in term ${snapshot.term}, and entry ${commit} of term ${committed} is committed before that`;
  return raft.term === term ? againstFirstPiece(raft, snapshot) : null;
}

function againstFirstPiece({ following }: Raft, { index, term }: SnapshotMeta): string | null {
  const first = following.incoming?.snapshot;
  return first === undefined || first.index !== index || first.term === term
    ? null
    : `a snapshot that ends at ${index} in term ${first.term} goes on as one of term ${term}`;
}

/** Up to here this log equals that of a leader of this term: by commitment, or by what it said. */
function knownEqual({ commit, term, following }: Raft, leadersTerm: Term): LogIndex {
  return leadersTerm === term ? later(commit, following.matched) : commit;
}

function differs(log: Log, index: LogIndex, term: Term): boolean {
  const own = log.termAt(index);
  return own !== null && own !== term;
}

function instead({ log, commit }: Raft, index: LogIndex, term: Term): string {
  const why = index <= commit ? 'committed' : 'what it has sent itself';
  return `it has an entry of term ${term} at ${index}, where that of term ${log.termAt(index)} is ${why}`;
}

/** An answer to a leader about what it has not sent in this term. */
function unsent(
  { leadership, log, term }: Raft,
  message: { readonly from: MemberId; readonly term: Term },
  index: number,
  round: number,
): string | null {
  if (leadership === null || message.term !== term) return null;
  if (index > log.lastIndex)
    return `it answers to entry ${index}, and the log of its leader ends at ${log.lastIndex}`;
  if (round > leadership.round)
    return `it confirms round ${round} of term ${term}, and the last that was begun is ${leadership.round}`;
  return null;
}
