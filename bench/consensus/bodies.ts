import { codec } from '../../proto/codec.ts';
import { PutRequest, RangeRequest } from '../../proto/gen/etcdserverpb.ts';

/** Size of every value that is written, in bytes. */
export const valueBytes = 256;

/** What a load asks for. */
export type Request = 'put' | 'linearizable read' | 'serializable read';

/** The path of the gRPC method that serves a request. */
export function pathOf(request: Request): string {
  return request === 'put' ? '/etcdserverpb.KV/Put' : '/etcdserverpb.KV/Range';
}

/** The key of this number; `preload` writes those from 0 on. */
export function sampleKey(number: number): Buffer {
  return Buffer.from(`bench/${String(number).padStart(8, '0')}`);
}

/** A value that does not compress to nothing. */
export function sampleValue(number: number): Buffer {
  return Buffer.from(Array.from({ length: valueBytes }, (_, at) => 33 + ((number + at * at) % 90)));
}

/** A request for one key as the body of a gRPC call: not compressed, its length, the message. */
export function bodyOf(request: Request, number: number): Buffer {
  const key = sampleKey(number);
  const message =
    request === 'put'
      ? codec(PutRequest).encode({ key, value: sampleValue(number) })
      : codec(RangeRequest).encode({ key, serializable: request === 'serializable read' });
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([prefix, message]);
}
