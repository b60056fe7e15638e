import { encodePacket, type Packet } from '../core/wire.ts';
import type { RingWriter } from './ends.ts';

/** Packets that wait for room in a buffer. Its owner bounds it, by `length`. */
export class Outbox {
  #packets: Uint8Array[] = [];
  #head = 0;
  /** Bytes of the first packet that are in the buffer already. */
  #written = 0;
  #length = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#length;
  }

  /** Whether a packet is in the buffer in part. */
  get partial(): boolean {
    return this.#written > 0;
  }

  /** Puts a packet behind the others; its bytes are copied. */
  push(packet: Packet): void {
    const bytes = encodePacket(packet);
    this.#packets.push(bytes);
    this.#length += bytes.length;
  }

  /** Writes as much as there is room for; returns how many packets have ended by that. */
  flush(writer: RingWriter, room: number): number {
    const head = this.#head;
    let left = room;
    for (let next = this.#packets[head]; next !== undefined && left > 0; ) {
      const piece = next.subarray(this.#written, this.#written + left);
      writer.write(piece);
      left -= piece.length;
      this.#written += piece.length;
      if (this.#written < next.length) break;
      this.#written = 0;
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

  /** Forgets everything that waits. */
  clear(): void {
    this.#packets = [];
    this.#head = 0;
    this.#written = 0;
    this.#length = 0;
  }
}
