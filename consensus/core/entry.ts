import type { Configuration } from './configuration.ts';
import type { LogIndex, MemberId, Term } from './ids.ts';

/**
 * Names one proposal for all time. `number` rises with every proposal of a member, over its
 * restarts too, so that a leader can tell a repeated message from a new one.
 */
export interface ProposalId {
  readonly member: MemberId;
  readonly number: number;
}

/** A command for the state machine, on its way into the log. */
export interface Proposal {
  readonly id: ProposalId;
  readonly command: Uint8Array;
}

/** What an entry of the log says. */
export type Payload =
  /** Nothing: a leader begins its term with it (Ongaro 6.4). */
  | { readonly kind: 'noop' }
  | { readonly kind: 'command'; readonly proposal: Proposal }
  /** `proposal`: whose change made it; null where the leader made it by itself. */
  | {
      readonly kind: 'configuration';
      readonly configuration: Configuration;
      readonly proposal: ProposalId | null;
    };

/** One entry of the replicated log. Index and term name it for all time (Ongaro 3.5). */
export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly payload: Payload;
}

/** A place in the log, and the term of the entry there. */
export interface Position {
  readonly index: LogIndex;
  readonly term: Term;
}

/** What a member must remember over a restart, beside its log (Ongaro figure 3.1). */
export interface HardState {
  readonly term: Term;
  readonly vote: MemberId | null;
  /** A lower bound only: the commit index is found again after a restart. */
  readonly commit: LogIndex;
}

/** What a snapshot stands for: everything up to `index`, and who took part then. */
export interface SnapshotMeta extends Position {
  readonly configuration: Configuration;
}

/** What an entry costs in messages and in memory beside its command, in bytes; an estimate. */
const entryOverhead = 64;

/** The size that bounds on batches and queues count, in bytes. */
export function entrySize(entry: Entry): number {
  return (
    entryOverhead +
    (entry.payload.kind === 'command' ? entry.payload.proposal.command.byteLength : 0)
  );
}
