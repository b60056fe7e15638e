/** HTTP/2 (RFC 9113) as bytes, with nothing that keeps them right: what a hostile client sends. */

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flags = { endStream: 1, ack: 1, endHeaders: 4, padded: 8 } as const;

/** One frame. `length` may lie about the payload's. */
export function frame(
  type: number,
  flag: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
  length: number = payload.length,
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flag, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** SETTINGS with these numbers and values. */
export function settings(values: readonly (readonly [number, number])[] = []): Buffer {
  const payload = Buffer.alloc(6 * values.length);
  for (const [position, [id, value]] of values.entries()) {
    payload.writeUInt16BE(id, 6 * position);
    payload.writeUInt32BE(value, 6 * position + 2);
  }
  return frame(frameTypes.settings, 0, 0, payload);
}

/** A whole number of four bytes, as RST_STREAM and WINDOW_UPDATE have. */
export function word(value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value, 0);
  return payload;
}

/** A header field of HPACK (RFC 7541), as a literal without an index. */
export function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

/** A header field that is entered into the dynamic table. */
export function indexedLiteral(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);
}

function text(content: string): Buffer {
  const bytes = Buffer.from(content, 'latin1');
  return Buffer.concat([prefixed(bytes.length, 7), bytes]);
}

/** HPACK's integers, with a prefix of some bits whose other bits are zero. */
function prefixed(value: number, bits: number): Buffer {
  const most = 2 ** bits - 1;
  if (value < most) return Buffer.from([value]);
  const groups = [most];
  let rest = value - most;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) groups.push((rest % 0x80) | 0x80);
  return Buffer.from([...groups, rest]);
}

/** The headers of a gRPC call. */
export function callHeaders(path: string): Buffer {
  return Buffer.concat([
    literal(':method', 'POST'),
    literal(':scheme', 'http'),
    literal(':path', path),
    literal(':authority', 'localhost'),
    literal('content-type', 'application/grpc'),
    literal('te', 'trailers'),
  ]);
}

/** A gRPC message (its five bytes in front): `length` may lie, and `compressed` be what it will. */
export function grpcMessage(
  content: Uint8Array,
  length: number = content.length,
  compressed = 0,
): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt8(compressed, 0);
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, content]);
}

/** A call in whole, or without its end. */
export function call(path: string, stream: number, body: Uint8Array, ends = true): Buffer {
  return Buffer.concat([
    frame(frameTypes.headers, flags.endHeaders, stream, callHeaders(path)),
    ...inFrames(stream, body, ends),
  ]);
}

/** A body in DATA frames of the size that every receiver takes. */
export function inFrames(stream: number, body: Uint8Array, ends: boolean): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < Math.max(1, body.length); at += 16_384) {
    const part = body.subarray(at, at + 16_384);
    const isLast = at + 16_384 >= body.length;
    frames.push(frame(frameTypes.data, isLast && ends ? flags.endStream : 0, stream, part));
  }
  return frames;
}
