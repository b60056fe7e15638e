import type { Milliseconds } from '../../base/units.ts';
import type { Proposal, SnapshotMeta } from './entry.ts';
import type { LogIndex, MemberId } from './ids.ts';
import type { MembershipChange } from './membership.ts';
import type { Message } from './message.ts';

/** Everything that can happen to a member. */
export type Input =
  /**
   * Time has passed. `jitter` is a random number from 0 to 1 (excluded), drawn anew for each
   * tick; the core uses it when it has an election time-out to choose (3.4).
   */
  | { readonly kind: 'tick'; readonly elapsed: Milliseconds; readonly jitter: number }
  /** A message has arrived. A `snapshot-chunk` with data goes through `chunk-stored` as well. */
  | { readonly kind: 'message'; readonly message: Message }
  /** The connection to this member broke, or messages to it were dropped. */
  | { readonly kind: 'unreachable'; readonly member: MemberId }
  /** Commands proposed at this member; their numbers rise. */
  | { readonly kind: 'propose'; readonly proposals: readonly Proposal[] }
  /** A change of the membership was asked for at this member; `number` rises with the proposals'. */
  | { readonly kind: 'change'; readonly number: number; readonly change: MembershipChange }
  /** A read was asked for at this member; `id` is the driver's. */
  | { readonly kind: 'read'; readonly id: number }
  /** Every `Persist` up to this sequence is durable. */
  | { readonly kind: 'persisted'; readonly sequence: number }
  /** A snapshot of everything applied up to its index is durable here. */
  | { readonly kind: 'snapshot-made'; readonly snapshot: SnapshotMeta }
  /** The piece from `StoreChunk` is stored, and if it was the last, the whole is durable. */
  | {
      readonly kind: 'chunk-stored';
      readonly snapshot: SnapshotMeta;
      readonly received: number;
      readonly last: boolean;
    }
  /** The piece that `ReadChunk` asked for cannot be read: begin again with the newest snapshot. */
  | { readonly kind: 'chunk-missing'; readonly to: MemberId; readonly index: LogIndex }
  /** Hand the leadership to `to` (3.10). Without effect unless this member leads. */
  | { readonly kind: 'transfer'; readonly to: MemberId };
