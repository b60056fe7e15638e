import { bytesOf, textOf } from '../core/payload.ts';

/** Numbers and byte strings of a stream, least significant byte first. */

/** What a writer begins with; it grows by doubling. */
const startLength = 4096;

/** Appends to a buffer that grows. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(startLength);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#length = this.#buffer.writeUInt8(value, this.#length);
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#length = this.#buffer.writeUInt16LE(value, this.#length);
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32LE(value, this.#length);
  }

  i32(value: number): void {
    this.u32(value >>> 0);
  }

  /** A whole number from 0 to 2^53, seven bits a byte. */
  count(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.u8((rest % 0x80) | 0x80);
    this.u8(rest);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  text(value: string): void {
    this.bytes(bytesOf(value));
  }

  /** Writes a number over four bytes that were written before. */
  patch(at: number, value: number): void {
    this.#buffer.writeUInt32LE(value, at);
  }

  /** What was written, until something else is. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Begins anew, with the same buffer. */
  clear(): void {
    this.#length = 0;
  }

  /** What was written since the last call. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#buffer = Buffer.allocUnsafe(startLength);
    this.#length = 0;
    return taken;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}

/**
 * Reads what a writer has written. What is not there reads as 0 or as nothing, and makes the reader
 * `broken` for good, so that it is asked once at the end; no length is believed before it was compared
 * with what is there.
 */
export class ByteReader {
  readonly #buffer: Buffer;
  #at = 0;
  #broken = false;

  constructor(content: Uint8Array) {
    this.#buffer = Buffer.from(content.buffer, content.byteOffset, content.length);
  }

  /** Whether more was read than there is, or something that cannot be. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Bytes that were not read yet. */
  get left(): number {
    return this.#buffer.length - this.#at;
  }

  /** Something was read that cannot be. */
  fail(): void {
    this.#broken = true;
    this.#at = this.#buffer.length;
  }

  u8(): number {
    return this.#has(1) ? this.#buffer.readUInt8(this.#at++) : 0;
  }

  u16(): number {
    if (!this.#has(2)) return 0;
    this.#at += 2;
    return this.#buffer.readUInt16LE(this.#at - 2);
  }

  u32(): number {
    if (!this.#has(4)) return 0;
    this.#at += 4;
    return this.#buffer.readUInt32LE(this.#at - 4);
  }

  i32(): number {
    return this.u32() | 0;
  }

  count(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) this.fail();
        return value;
      }
    }
    this.fail();
    return 0;
  }

  /** The next bytes: a view of the stream. */
  bytes(length: number): Uint8Array {
    if (!this.#has(length)) return this.#buffer.subarray(0, 0);
    this.#at += length;
    return this.#buffer.subarray(this.#at - length, this.#at);
  }

  text(length: number): string {
    return textOf(this.bytes(length));
  }

  #has(length: number): boolean {
    if (!this.#broken && length <= this.left) return true;
    this.fail();
    return false;
  }
}
