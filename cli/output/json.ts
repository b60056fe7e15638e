import { failureOfStatus } from '../../pool/rpc/status.ts';
import type { Timestamp } from '../../proto/gen/google.protobuf.ts';
import type { Status } from '../../proto/gen/google.rpc.ts';
import { momentOf } from './humane.ts';

/**
 * A message as `--json` prints it: the field names of the .proto files in lower camel case, enums by
 * their names, 64-bit integers as numbers, times in RFC 3339, and what is not set as null or empty.
 * An error is what people read of it: reason, message, remedy.
 */
export function jsonOf(message: unknown): unknown {
  if (Array.isArray(message)) return message.map(jsonOf);
  if (message instanceof Uint8Array) return Buffer.from(message).toString('base64');
  if (typeof message !== 'object' || message === null) return message;
  if (isTimestamp(message)) return new Date(momentOf(message) ?? 0).toISOString();
  if (isStatus(message)) return failureOfStatus(message);
  const fields = Object.entries(message)
    .map(([name, value]) => [name, jsonOf(value)] as const)
    .sort(([, a], [, b]) => depth(a) - depth(b));
  return Object.fromEntries(fields);
}

/** Plain values come first, then what has fields, then lists: names are then where one looks. */
function depth(value: unknown): number {
  if (Array.isArray(value)) return 2;
  return typeof value === 'object' && value !== null ? 1 : 0;
}

/** Many lines, for a thing or a list that people may look at too. */
export function jsonText(message: unknown): string {
  return JSON.stringify(jsonOf(message), null, 2);
}

/** One line, for one event of many. */
export function jsonLine(message: unknown): string {
  return JSON.stringify(jsonOf(message));
}

function isTimestamp(message: object): message is Timestamp {
  return 'seconds' in message && 'nanos' in message;
}

function isStatus(message: object): message is Status {
  return 'code' in message && 'details' in message;
}
