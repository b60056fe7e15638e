import { assert } from '../../../base/assert.ts';
import { encodePacket, type Packet, parsePacket } from '../core/wire.ts';
import type { RingWriter } from './ends.ts';

/** What waits, to be given to another process that goes on with the same page. */
export interface UnsentBytes {
  readonly bytes: Uint8Array;
  /** How many of them, at the beginning, are the rest of a packet that is in the buffer in part. */
  readonly rest: number;
}

/** Packets that wait for room in a buffer. Its owner bounds it, by `length`. */
export class Outbox {
  #packets: Uint8Array[] = [];
  #head = 0;
  /** Bytes of the first packet that are in the buffer already. */
  #written = 0;
  /** The first packet is only the rest of one, of which another process has sent the beginning. */
  #isRest = false;
  #length = 0;

  /** Begins with what another has left, which is whole packets but for the first. */
  constructor({ bytes, rest }: UnsentBytes = { bytes: new Uint8Array(0), rest: 0 }) {
    this.#isRest = rest > 0;
    this.#length = bytes.length;
    if (rest > 0) this.#packets.push(bytes.slice(0, rest));
    for (let start = rest; start < bytes.length; ) {
      const parsed = parsePacket(bytes, start);
      assert(parsed.ok && parsed.value.kind === 'packet', 'what waits is made of packets');
      this.#packets.push(bytes.slice(start, start + parsed.value.used));
      start += parsed.value.used;
    }
  }

  /** What waits, copied. */
  unsent(): UnsentBytes {
    const waiting = this.#packets.slice(this.#head);
    const bytes = Buffer.concat(waiting).subarray(this.#written);
    const first = waiting[0]?.length ?? 0;
    return { bytes, rest: this.partial ? first - this.#written : 0 };
  }

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  /** Whether a packet is in the buffer in part. */
  get partial(): boolean {
    return this.#written > 0 || this.#isRest;
  }

  /** Puts a packet behind the others; its bytes are copied. */
  push(packet: Packet): void {
    const bytes = encodePacket(packet);
    this.#packets.push(bytes);
    this.#length += bytes.length;
  }

  /** Writes as much as there is room for; returns how many packets have ended by that. */
  flush(writer: Pick<RingWriter, 'write'>, room: number): number {
    const head = this.#head;
    let left = room;
    for (let next = this.#packets[head]; next !== undefined && left > 0; ) {
      const piece = next.subarray(this.#written, this.#written + left);
      writer.write(piece);
      left -= piece.length;
      this.#written += piece.length;
      if (this.#written < next.length) break;
      this.#written = 0;
      this.#isRest = false;
      this.#head += 1;
      next = this.#packets[this.#head];
    }
    this.#length -= room - left;
    const ended = this.#head - head;
    if (this.#head * 2 >= this.#packets.length) {
      this.#packets = this.#packets.slice(this.#head);
      this.#head = 0;
    }
    return ended;
  }

  /** The bytes that are left of the first packets; null where there are not so many. */
  lengthOf(packets: number): number | null {
    const first = this.#packets.slice(this.#head, this.#head + packets);
    if (first.length < packets) return null;
    return first.reduce((sum, { length }) => sum + length, 0) - (packets > 0 ? this.#written : 0);
  }

  /** Forgets bytes that another process has put into the buffer; returns how many packets ended. */
  skip(length: number): number {
    return this.flush({ write: () => undefined }, length);
  }

  /** Forgets everything that waits. */
  clear(): void {
    this.#packets = [];
    this.#head = 0;
    this.#written = 0;
    this.#isRest = false;
    this.#length = 0;
  }
}
