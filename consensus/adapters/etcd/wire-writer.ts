import type { ByteString } from '../../kv/byte-string.ts';
import { ByteWriter } from '../../kv/byte-writer.ts';

/** Where a signed 64-bit number is taken apart: with bigints it would be one for each byte. */
const bits = Buffer.alloc(8);

/**
 * Writes protobuf's wire format (https://protobuf.dev/programming-guides/encoding/) straight from
 * the store's records, for the answers that are many or large: through protobufjs each number would
 * become a bigint, a Long and then bytes, and each byte string a buffer of its own.
 *
 * Field numbers are below 16, so that a tag is one byte. What is zero or empty is left out.
 */
export class WireWriter {
  readonly #bytes: ByteWriter;

  /** `capacity`: how much will be written, where that is known and is much. */
  constructor(capacity?: number) {
    this.#bytes = new ByteWriter(capacity);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** A whole number from 0 to 2^53 - 1. */
  number(field: number, value: number): void {
    if (value === 0) return;
    this.#bytes.u8(field * 8);
    this.#bytes.varint(value);
  }

  /** A signed 64-bit number. */
  int64(field: number, value: bigint): void {
    if (value === 0n) return;
    this.#bytes.u8(field * 8);
    bits.writeBigUInt64LE(BigInt.asUintN(64, value));
    let low = bits.readUInt32LE(0);
    let high = bits.readUInt32LE(4);
    while (high > 0 || low >= 0x80) {
      this.#bytes.u8((low & 0x7f) | 0x80);
      low = ((high << 25) | (low >>> 7)) >>> 0;
      high >>>= 7;
    }
    this.#bytes.u8(low);
  }

  flag(field: number, value: boolean): void {
    if (value) this.number(field, 1);
  }

  bytes(field: number, value: ByteString): void {
    if (value === '') return;
    this.#bytes.u8(field * 8 + 2);
    this.#bytes.bytes(value);
  }

  /** The beginning of a message within this one; its `size` bytes must follow. */
  message(field: number, size: number): void {
    this.#bytes.u8(field * 8 + 2);
    this.#bytes.varint(size);
  }

  /** Bytes that are in the wire format already. */
  raw(bytes: Uint8Array): void {
    this.#bytes.raw(bytes);
  }

  finish(): Buffer {
    return this.#bytes.finish();
  }

  /** What was written, without a copy: of a writer that writes nothing more. */
  flush(): Buffer {
    return this.#bytes.flush();
  }
}

/** The bytes that `number` writes. */
export function numberSize(value: number): number {
  if (value === 0) return 0;
  return 1 + varintSize(value);
}

/** The bytes that `int64` writes. */
export function int64Size(value: bigint): number {
  if (value === 0n) return 0;
  const bits = BigInt.asUintN(64, value);
  let size = 2;
  for (let rest = bits >> 7n; rest > 0n; rest >>= 7n) size += 1;
  return size;
}

/** The bytes that `bytes` writes for so many bytes. */
export function bytesSize(length: number): number {
  return length === 0 ? 0 : messageSize(length);
}

/** The bytes that `message` and the message of this size take. */
export function messageSize(size: number): number {
  return 1 + varintSize(size) + size;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}
