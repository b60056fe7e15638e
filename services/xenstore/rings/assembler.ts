import { assert } from '../../../base/assert.ts';
import { headerLength, type Packet, parsePacket, payloadMax } from '../core/wire.ts';
import type { RingReader } from './ends.ts';

/** What was taken out of a buffer. */
export interface Taken {
  readonly packets: readonly Packet[];
  /** Bytes that were read, and those of them that could be read and were not. */
  readonly read: number;
  readonly left: number;
  /** A packet announces more than is allowed: where the next one starts is not known. */
  readonly tooLong: boolean;
}

/**
 * Makes packets of what arrives in pieces. Each byte is copied out of the shared page once, and looked
 * at only afterwards, so that what was checked is what is used. It keeps at most one packet.
 */
export class PacketAssembler {
  readonly #bytes = new Uint8Array(headerLength + payloadMax);
  #have = 0;
  #need = headerLength;

  /** Begins with the beginning of a packet that another process has taken out of the page. */
  constructor(begun: Uint8Array = new Uint8Array(0)) {
    this.#bytes.set(begun);
    this.#have = begun.length;
    if (this.#have >= headerLength) this.#need = headerLength + this.#announced();
    const bounded = this.#need <= this.#bytes.length;
    assert(bounded && this.#have < this.#need, 'a packet that has begun is within its bounds');
  }

  /** The bytes of a packet that has begun, copied. */
  begun(): Uint8Array {
    return this.#bytes.slice(0, this.#have);
  }

  /** Whether a packet has begun and not ended. */
  get partial(): boolean {
    return this.#have > 0;
  }

  /** Forgets what has begun. */
  clear(): void {
    this.#have = 0;
    this.#need = headerLength;
  }

  /** Takes packets of `available` bytes until there are `limit`; of the next one nothing is read. */
  take(reader: Pick<RingReader, 'read'>, available: number, limit: number): Taken {
    const packets: Packet[] = [];
    let left = available;
    while (left > 0 && packets.length < limit) {
      const length = Math.min(left, this.#need - this.#have);
      reader.read(this.#bytes.subarray(this.#have, this.#have + length));
      this.#have += length;
      left -= length;
      if (this.#have < this.#need) break;
      const parsed = parsePacket(this.#bytes.slice(0, this.#have));
      if (!parsed.ok) return { packets, read: available - left, left, tooLong: true };
      if (parsed.value.kind === 'packet') {
        packets.push(parsed.value.packet);
        this.clear();
      } else this.#need = headerLength + this.#announced();
    }
    return { packets, read: available - left, left, tooLong: false };
  }

  /** The length of the payload, of a header that `parsePacket` has found to be in bounds. */
  #announced(): number {
    return new DataView(this.#bytes.buffer).getUint32(headerLength - 4, true);
  }
}
