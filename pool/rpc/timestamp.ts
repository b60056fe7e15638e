import type { Timestamp as TimestampMessage } from '../../proto/gen/google.protobuf.ts';
import type { Timestamp } from '../records/identifiers.ts';

/** A moment as google.protobuf.Timestamp. */
export function timestampMessage(time: Timestamp): TimestampMessage {
  const seconds = Math.floor(time / 1000);
  return { seconds, nanos: (time - seconds * 1000) * 1e6 };
}
