/**
 * protobuf's wire format (https://protobuf.dev/programming-guides/encoding/) as far as the messages
 * that are many need it: whole numbers up to 2^53, and parts with a length. They go straight from a
 * message to its bytes and back, where protobufjs would make objects and buffers in between.
 */

/** How a field is written: as a varint, as bytes after their length, or in a fixed size. */
const wireTypes = { varint: 0, fixed64: 1, part: 2, fixed32: 5 } as const;

/** The size of a whole number. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

/** The size of a number in its field; zero is left out. */
export function numberSize(field: number, value: number): number {
  return value === 0 ? 0 : varintSize(field * 8) + varintSize(value);
}

/** The size of a part of `size` bytes in its field. */
export function partSize(field: number, size: number): number {
  return varintSize(field * 8) + varintSize(size) + size;
}

/** Writes a whole number; returns where the next byte goes. */
export function writeVarint(buffer: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 0x80) {
    buffer[at] = (rest % 0x80) | 0x80;
    at += 1;
    rest = Math.floor(rest / 0x80);
  }
  buffer[at] = rest;
  return at + 1;
}

/** Writes a number in its field. */
export function writeNumber(buffer: Buffer, at: number, field: number, value: number): number {
  if (value === 0) return at;
  return writeVarint(buffer, writeVarint(buffer, at, field * 8 + wireTypes.varint), value);
}

/** Writes the beginning of a part; its `size` bytes must follow. */
export function writePart(buffer: Buffer, at: number, field: number, size: number): number {
  return writeVarint(buffer, writeVarint(buffer, at, field * 8 + wireTypes.part), size);
}

/**
 * Reads the fields between two places of a buffer, one by one. Numbers in a fixed size are passed
 * over: none of the messages has any. Once something cannot be read, a number beyond 2^53 for one,
 * there are no more fields, and the reader has `failed`.
 */
export class FieldReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;
  /** The number of the field that was read last. */
  field = 0;
  /** Whether it is a part: bytes from `start` on. Otherwise it is a number. */
  isPart = false;
  /** The number, or the size of the part. */
  value = 0;
  start = 0;
  failed = false;

  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
  }

  /** Reads the next field; returns whether there was one. */
  next(): boolean {
    while (this.#at < this.#end && !this.failed) {
      const tag = this.#varint();
      this.field = Math.floor(tag / 8);
      const type = tag % 8;
      this.isPart = type === wireTypes.part;
      if (type === wireTypes.varint || this.isPart) {
        this.value = this.#varint();
        this.start = this.#at;
        if (this.isPart) this.#skip(this.value);
        return !this.failed;
      }
      if (type === wireTypes.fixed64) this.#skip(8);
      else if (type === wireTypes.fixed32) this.#skip(4);
      else this.failed = true;
    }
    return false;
  }

  #skip(size: number): void {
    if (size > this.#end - this.#at) this.failed = true;
    else this.#at += size;
  }

  #varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.#at < this.#end ? (this.#buffer[this.#at] as number) : 0x80;
      this.#at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        this.failed ||= !Number.isSafeInteger(value);
        return value;
      }
    }
    this.failed = true;
    return 0;
  }
}
