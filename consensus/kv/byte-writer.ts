import type { ByteString } from './byte-string.ts';

/** Room that a writer starts with: most commands are smaller. */
const initialCapacity = 512;

/**
 * Writes the store's binary layout: whole numbers in groups of 7 bits, least first, as protobuf's
 * varints; signed 64-bit numbers as 8 bytes, least first; byte strings after their length.
 */
export class ByteWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity = initialCapacity) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length] = value;
    this.#length += 1;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#buffer.writeUInt32LE(value, this.#length);
    this.#length += 4;
  }

  i64(value: bigint): void {
    this.#reserve(8);
    this.#buffer.writeBigInt64LE(value, this.#length);
    this.#length += 8;
  }

  /** A whole number from 0 to 2^53 - 1. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length] = (rest % 0x80) | 0x80;
      this.#length += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length] = rest;
    this.#length += 1;
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A byte string, after its length. */
  bytes(value: ByteString): void {
    this.varint(value.length);
    this.#reserve(value.length);
    this.#buffer.write(value, this.#length, 'latin1');
    this.#length += value.length;
  }

  /** What was written, in a buffer of its own; the writer is empty again. */
  finish(): Buffer {
    const written = Buffer.allocUnsafe(this.#length);
    this.#buffer.copy(written, 0, 0, this.#length);
    this.#length = 0;
    return written;
  }

  /** Shows what was written, without a copy: good until the next byte is written. The writer is empty again. */
  flush(): Buffer {
    const written = this.#buffer.subarray(0, this.#length);
    this.#length = 0;
    return written;
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
