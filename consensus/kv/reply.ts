import type { Result } from '../../base/result.ts';
import type { Alarm } from './alarm.ts';
import type { StoreFailure } from './failure.ts';
import type { LeaseId, Revision, Version } from './version.ts';

/** What a Range found. */
export interface RangeReply {
  readonly kind: 'range';
  readonly revision: Revision;
  readonly versions: readonly Version[];
  /** The request asked for keys without their values. */
  readonly keysOnly: boolean;
  /** More keys were left out because of the limit. */
  readonly more: boolean;
  /** Keys of the range at that revision, whatever the limit and the filters. */
  readonly count: number;
}

/** What was there before is null where it was not asked for, or there was nothing. */
export interface PutReply {
  readonly kind: 'put';
  readonly revision: Revision;
  readonly previous: Version | null;
}

/** `previous` is empty where it was not asked for. */
export interface DeleteReply {
  readonly kind: 'delete';
  readonly revision: Revision;
  readonly deleted: number;
  readonly previous: readonly Version[];
}

/** One reply for each operation of the branch that was taken. */
export interface TxnReply {
  readonly kind: 'txn';
  readonly revision: Revision;
  readonly succeeded: boolean;
  readonly replies: readonly OperationReply[];
}

/** What became of one operation of a transaction. */
export type OperationReply = RangeReply | PutReply | DeleteReply | TxnReply;

/** What became of a command. `revision` is the store's after it. */
export type CommandReply =
  | PutReply
  | DeleteReply
  | TxnReply
  | { readonly kind: 'compact'; readonly revision: Revision }
  | {
      readonly kind: 'grant';
      readonly revision: Revision;
      readonly id: LeaseId;
      readonly ttl: number;
    }
  | { readonly kind: 'revoke'; readonly revision: Revision }
  /** In the order of the request: each lease's TTL in seconds, 0 where it does not exist. */
  | { readonly kind: 'renew'; readonly revision: Revision; readonly ttls: readonly number[] }
  | { readonly kind: 'describe'; readonly revision: Revision }
  | { readonly kind: 'raise'; readonly revision: Revision }
  | { readonly kind: 'auth'; readonly revision: Revision }
  /** The alarms that were there. */
  | { readonly kind: 'clear'; readonly revision: Revision; readonly cleared: readonly Alarm[] }
  /** The leases that were indeed revoked. */
  | { readonly kind: 'expire'; readonly revision: Revision; readonly expired: readonly LeaseId[] };

/** What applying a command returns: a refusal changed nothing. */
export type StoreReply = Result<CommandReply, StoreFailure>;
