import type { ServiceDefinition } from '@grpc/grpc-js';

/**
 * Fields of one request that are decoded: those of the largest transaction that is served, its
 * nested ones included. Two megabytes can hold a million, whose decoding would hold up this member
 * for seconds, and with it the pool.
 */
export const requestFieldsMax = 10_000;

/** The messages within a message that are counted as well, by field; `packed`: by the byte. */
interface Shape {
  readonly [field: number]: Shape | 'packed';
}

/** RequestOp, whose fourth field is a transaction again. */
const operation: { [field: number]: Shape } = {};
const transaction: Shape = { 1: {}, 2: operation, 3: operation };
operation[4] = transaction;

/** What is not named here has repeated fields on its first level only. */
const shapes: Readonly<Record<string, Shape>> = {
  '/etcdserverpb.KV/Txn': transaction,
  '/etcdserverpb.Watch/Watch': { 1: { 5: 'packed' } },
};

/** Nested transactions that are looked into; protobufjs refuses about as many. */
const depthMax = 200;

/** A service whose requests are refused (INTERNAL) before they are decoded if they hold too much. */
export function boundRequests(definition: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => {
      const shape = shapes[method.path] ?? {};
      const decode = method.requestDeserialize;
      const requestDeserialize = (bytes: Buffer) => {
        if (hasTooMany(bytes, shape)) throw new RangeError('too many fields in one request');
        return decode(bytes);
      };
      return [name, { ...method, requestDeserialize }];
    }),
  );
}

/**
 * Whether an encoded request has more than `requestFieldsMax` fields. Bytes that are no protobuf
 * are left for the decoder to refuse.
 */
export function hasTooMany(bytes: Uint8Array, shape: Shape): boolean {
  // Each field takes two bytes at least.
  if (bytes.length < 2 * requestFieldsMax) return false;
  return count(bytes, 0, bytes.length, shape, 0) > requestFieldsMax;
}

/** Counts the fields from `at` to `end`; stops once there are too many, or no protobuf. */
function count(bytes: Uint8Array, start: number, end: number, shape: Shape, depth: number): number {
  let fields = 0;
  let at = start;
  while (at < end && fields <= requestFieldsMax) {
    const tag = varint(bytes, at);
    if (tag === null) return fields;
    fields += 1;
    at = tag.next;
    switch (tag.value & 7) {
      case 0: {
        const skipped = varint(bytes, at);
        if (skipped === null) return fields;
        at = skipped.next;
        break;
      }
      case 1:
        at += 8;
        break;
      case 5:
        at += 4;
        break;
      case 2: {
        const length = varint(bytes, at);
        if (length === null) return fields;
        const last = Math.min(end, length.next + length.value);
        const inner = shape[tag.value >>> 3];
        if (inner === 'packed') fields += last - length.next;
        else if (inner !== undefined && depth < depthMax)
          fields += count(bytes, length.next, last, inner, depth + 1);
        at = last;
        break;
      }
      default:
        return fields;
    }
  }
  return fields;
}

/** A number of up to 32 bits, and where the next byte is; null where there is none. */
function varint(bytes: Uint8Array, start: number): { value: number; next: number } | null {
  let value = 0;
  for (let at = start; at < start + 10; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) return null;
    const shift = 7 * (at - start);
    if (shift < 35) value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next: at + 1 };
  }
  return null;
}
