// Made by `npm run proto` from the .proto files. Not edited by hand.
import type { MessageType } from '../codec.ts';

/** A key at one revision. */
export interface KeyValue {
  readonly key: Uint8Array;
  /** The revision at which the key came to be, since it was last deleted. */
  readonly createRevision: bigint;
  /** The revision of the last write. */
  readonly modRevision: bigint;
  /** Writes since the key came to be; a deletion sets it to 0. */
  readonly version: bigint;
  readonly value: Uint8Array;
  /** The lease that the key is deleted with; 0 for none. */
  readonly lease: bigint;
}
export const KeyValue: MessageType<KeyValue> = { name: 'mvccpb.KeyValue', file: 'etcd/kv.proto' };

/** A change of one key. */
export interface Event {
  readonly type: Event_EventType;
  /** For PUT the key as it became; for DELETE the key and the revision of the deletion alone. */
  readonly kv: KeyValue | null;
  /** The key just before, where the watch asked for it and it is not compacted. */
  readonly prevKv: KeyValue | null;
}
export const Event: MessageType<Event> = { name: 'mvccpb.Event', file: 'etcd/kv.proto' };

export type Event_EventType =
  | 'PUT'
  | 'DELETE';
