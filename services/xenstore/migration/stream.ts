import { fail, ok, type Result } from '../../../base/result.ts';
import { type Bytes, bytes } from '../../../base/units.ts';
import type { ByteWriter } from './bytes.ts';
import { readBody, type StreamRecord, typeOf, writeBody } from './records.ts';

/** The frame of Xen's migration stream: a header, and records that are padded to 8 bytes. */

/** The newest version of docs/designs/xenstore-migration.md. */
export const streamVersion = 2;

/** Bytes of the header, and of a record's. */
export const headerBytes = 16;
const recordHeaderBytes = 8;

const ident = 'xenstore';
const end = 0;

/** The longest body of a record: a connection with all that it may leave unread, and more. */
export const bodyMax: Bytes = bytes(64 * 2 ** 20);

/** Writes the header, whose fields are big-endian whatever the flags say. */
export function writeHeader(writer: ByteWriter, version: 1 | 2 = streamVersion): void {
  writer.bytes(Buffer.from(ident, 'latin1'));
  writer.bytes(Uint8Array.of(0, 0, 0, version, 0, 0, 0, 0));
}

/**
 * Writes a record of any type; `body` writes what is in it. Its length counts the padding too, as C
 * xenstored has it and needs it: whoever knows the format finds the same with either length.
 */
export function writeFramed(writer: ByteWriter, type: number, body: () => void): void {
  writer.u32(type);
  writer.u32(0);
  const start = writer.length;
  body();
  while ((writer.length - start) % 8 !== 0) writer.u8(0);
  writer.patch(start - 4, writer.length - start);
}

export function writeRecord(writer: ByteWriter, record: StreamRecord): void {
  writeFramed(writer, typeOf(record), () => writeBody(writer, record));
}

export function writeEnd(writer: ByteWriter): void {
  writeFramed(writer, end, () => undefined);
}

/** A record of any type, and where the next one is. */
export interface Framed {
  readonly type: number;
  readonly body: Uint8Array;
  readonly next: number;
}

/** Reads the record at `at`. */
export function readFramed(content: Buffer, at: number): Result<Framed, string> {
  if (content.length - at < recordHeaderBytes) return fail(`it ends at byte ${content.length}`);
  const type = content.readUInt32LE(at);
  const length = content.readUInt32LE(at + 4);
  const start = at + recordHeaderBytes;
  if (length > bodyMax || length > content.length - start)
    return fail(`a record of ${length} bytes at byte ${at}`);
  // The padding of the last record may be missing.
  const next = Math.min(content.length, start + length + ((8 - (length % 8)) % 8));
  return ok({ type, body: content.subarray(start, start + length), next });
}

/** What a stream has. */
export interface Stream {
  readonly version: number;
  readonly records: readonly StreamRecord[];
  /** What is behind the record END: nothing in Xen's own streams. */
  readonly rest: Buffer;
}

/**
 * Reads a stream. Records of types that are not known are passed over. The failure says where the
 * stream is damaged; a big-endian one is refused, for no host of Xen that we have is big-endian.
 */
export function readStream(content: Buffer): Result<Stream, string> {
  if (content.length < headerBytes || content.toString('latin1', 0, 8) !== ident)
    return fail('it does not begin as a xenstore stream does');
  const version = content.readUInt32BE(8);
  if (version < 1 || version > streamVersion) return fail(`it has version ${version}`);
  if ((content.readUInt32BE(12) & 1) !== 0) return fail('it is big-endian');
  const records: StreamRecord[] = [];
  for (let at = headerBytes; ; ) {
    const framed = readFramed(content, at);
    if (!framed.ok) return framed;
    const { type, body, next } = framed.value;
    if (type === end) return ok({ version, records, rest: content.subarray(next) });
    const record = readBody(type, body, version);
    if (!record.ok) return fail(`${record.error} at byte ${at}`);
    if (record.value !== null) records.push(record.value);
    at = next;
  }
}
