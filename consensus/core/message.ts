import type { Entry, Proposal, SnapshotMeta } from './entry.ts';
import type { LogIndex, MemberId, Term } from './ids.ts';
import type { MembershipChange, MembershipRefusal } from './membership.ts';

/** `term` is always the sender's current term, in every message. */
export interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: Term;
}

/** What members say to one another (Ongaro figure 3.1, and where a line names another section). */
export type MessageBody =
  /** "Would you vote for me in term + 1?" (9.6). Promises nothing, changes nothing. */
  | { readonly kind: 'pre-vote'; readonly lastIndex: LogIndex; readonly lastTerm: Term }
  /** `asked` is the term that was asked about. */
  | { readonly kind: 'pre-vote-reply'; readonly asked: Term; readonly granted: boolean }
  /** `force`: the leader itself has asked for this election (3.10), so nobody sticks to it. */
  | {
      readonly kind: 'vote';
      readonly lastIndex: LogIndex;
      readonly lastTerm: Term;
      readonly force: boolean;
    }
  | { readonly kind: 'vote-reply'; readonly granted: boolean }
  /** Entries to follow the entry at `previousIndex`. `round` numbers confirmations (6.4). */
  | {
      readonly kind: 'append';
      readonly previousIndex: LogIndex;
      readonly previousTerm: Term;
      readonly entries: readonly Entry[];
      readonly commit: LogIndex;
      readonly round: number;
    }
  /** The sender's log equals the leader's up to `match`, durably. `round`: the highest it saw. */
  | { readonly kind: 'append-reply'; readonly match: LogIndex; readonly round: number }
  /** The entry at `rejected` is missing or differs; the logs may agree up to the hint (3.5). */
  | {
      readonly kind: 'append-rejected';
      readonly rejected: LogIndex;
      readonly hintIndex: LogIndex;
      readonly hintTerm: Term;
      readonly round: number;
    }
  /** `match` is what the receiver has confirmed, which it may have forgotten in a restart. */
  | {
      readonly kind: 'heartbeat';
      readonly commit: LogIndex;
      readonly match: LogIndex;
      readonly round: number;
    }
  | { readonly kind: 'heartbeat-reply'; readonly round: number }
  /** News of the commit index between two heartbeats; asks for no reply. */
  | { readonly kind: 'commit'; readonly commit: LogIndex; readonly match: LogIndex }
  /** A piece of a snapshot (5.1). Its bytes are read and stored by the driver. */
  | {
      readonly kind: 'snapshot-chunk';
      readonly snapshot: SnapshotMeta;
      readonly offset: number;
      readonly data: Uint8Array;
      readonly last: boolean;
    }
  /** `received` bytes are stored; once `installed`, the sender's log begins at the snapshot. */
  | {
      readonly kind: 'snapshot-reply';
      readonly index: LogIndex;
      readonly received: number;
      readonly installed: boolean;
    }
  /** A follower hands proposals to its leader. */
  | { readonly kind: 'propose'; readonly proposals: readonly Proposal[] }
  /** These were not taken into the log, and never will be. */
  | {
      readonly kind: 'propose-refused';
      readonly numbers: readonly number[];
      readonly reason: 'overloaded' | 'transferring';
    }
  /** A follower hands a change of the membership to its leader; `number` is among its proposals'. */
  | { readonly kind: 'change'; readonly number: number; readonly change: MembershipChange }
  /** The change was not taken into the log, and never will be. */
  | {
      readonly kind: 'change-refused';
      readonly number: number;
      readonly reason: MembershipRefusal;
    }
  /** A follower asks from which index on a read is linearizable (6.4). */
  | { readonly kind: 'read'; readonly id: number }
  | { readonly kind: 'read-reply'; readonly id: number; readonly index: LogIndex }
  /** The leader asks its successor to start an election at once (3.10). */
  | { readonly kind: 'take-over' };

/** One message between two members. */
export type Message = Envelope & MessageBody;
