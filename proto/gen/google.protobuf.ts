// Made by `npm run proto` from the .proto files. Not edited by hand.
import type { MessageType } from '../codec.ts';

export interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}
export const Timestamp: MessageType<Timestamp> = { name: 'google.protobuf.Timestamp', file: '' };

export interface Any {
  readonly type_url: string;
  readonly value: Uint8Array;
}
export const Any: MessageType<Any> = { name: 'google.protobuf.Any', file: '' };

export interface FieldMask {
  readonly paths: readonly string[];
}
export const FieldMask: MessageType<FieldMask> = { name: 'google.protobuf.FieldMask', file: '' };
