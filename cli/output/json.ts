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
  const fields = Object.entries(message);
  const [lists, others] = [fields.filter(isList), fields.filter((field) => !isList(field))];
  return Object.fromEntries([...others, ...lists].map(([name, value]) => [name, jsonOf(value)]));
}

/** Lists come last: what something is called is then where one looks first. */
function isList([, value]: readonly [string, unknown]): boolean {
  return Array.isArray(value);
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
