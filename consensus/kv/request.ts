import type { Alarm, AlarmSelector } from './alarm.ts';
import type { AuthChange } from './auth/change.ts';
import type { ByteString } from './byte-string.ts';
import type { KeyRange } from './key-range.ts';
import type { LeaseId, Revision } from './version.ts';

/** What a Range is sorted by. */
export type SortTarget = 'key' | 'version' | 'create' | 'mod' | 'value';

/** Reads keys. Zero means "not given" for every number, as in etcd. */
export interface RangeRequest {
  readonly kind: 'range';
  readonly range: KeyRange;
  /** Most keys to return. */
  readonly limit: number;
  /** Reads the store as it was then; 0 is now. */
  readonly revision: Revision;
  readonly sortTarget: SortTarget;
  readonly descending: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  readonly minModRevision: Revision;
  readonly maxModRevision: Revision;
  readonly minCreateRevision: Revision;
  readonly maxCreateRevision: Revision;
}

/** Writes one key. */
export interface PutRequest {
  readonly kind: 'put';
  readonly key: ByteString;
  readonly value: ByteString;
  readonly lease: LeaseId;
  /** Answer with what was there before. */
  readonly withPrevious: boolean;
  /** Keep the value; the key must exist. */
  readonly ignoreValue: boolean;
  /** Keep the lease; the key must exist. */
  readonly ignoreLease: boolean;
}

/** Deletes the keys of a range. */
export interface DeleteRequest {
  readonly kind: 'delete';
  readonly range: KeyRange;
  readonly withPrevious: boolean;
}

/** How a transaction's compare relates what is stored to what is given. */
export type CompareOperator = 'equal' | 'greater' | 'less' | 'not-equal';

/** One condition of a transaction. On a range, it must hold for every key there. */
export interface Compare {
  readonly range: KeyRange;
  readonly operator: CompareOperator;
  readonly operand:
    | { readonly target: 'version' | 'create' | 'mod'; readonly number: number }
    | { readonly target: 'lease'; readonly lease: LeaseId }
    | { readonly target: 'value'; readonly value: ByteString };
}

/** If all compares hold, does `success`, otherwise `failure`; at one revision. */
export interface TxnRequest {
  readonly kind: 'txn';
  readonly compares: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

/** What a transaction can do. */
export type Operation = RangeRequest | PutRequest | DeleteRequest | TxnRequest;

/** What changes keys, leases, and what members tell of themselves. */
export type DataCommand =
  | PutRequest
  | DeleteRequest
  | TxnRequest
  | { readonly kind: 'compact'; readonly revision: Revision }
  | { readonly kind: 'grant'; readonly id: LeaseId; readonly ttl: number }
  | { readonly kind: 'revoke'; readonly id: LeaseId }
  | { readonly kind: 'renew'; readonly ids: readonly LeaseId[] }
  /** Revokes each lease that was not renewed since its count was `renewals`. */
  | {
      readonly kind: 'expire';
      readonly leases: readonly { readonly id: LeaseId; readonly renewals: number }[];
    }
  /** A member of the pool database says how clients reach it. */
  | {
      readonly kind: 'describe';
      readonly member: number;
      readonly name: ByteString;
      readonly clientUrls: readonly ByteString[];
    }
  | { readonly kind: 'raise'; readonly alarm: Alarm }
  | { readonly kind: 'clear'; readonly alarms: AlarmSelector };

/** A command without the name of who asks for it. */
export type PlainCommand =
  | DataCommand
  /** Who may do what is changed. */
  | { readonly kind: 'auth'; readonly change: AuthChange };

/** What is replicated: each changes the store in the same way on every member. */
export type Command =
  | PlainCommand
  /** A user asks for it: it is refused where the rights are wanting when its turn comes. */
  | { readonly kind: 'asked'; readonly user: ByteString; readonly command: PlainCommand };
