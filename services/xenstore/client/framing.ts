import { type Packet, parsePacket } from '../core/wire.ts';

/** Cuts a stream of bytes into packets. It keeps at most one packet that is not whole. */
export class Framing {
  #rest: Uint8Array = new Uint8Array(0);

  /**
   * Gives every packet that is whole by now to `take`, with a view of the bytes as its payload. A
   * sentence comes back where the stream is none of packets: nothing after that can be read.
   */
  feed(bytes: Uint8Array, take: (packet: Packet) => void): string | null {
    const stream = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let start = 0;
    for (;;) {
      const parsed = parsePacket(stream, start);
      if (!parsed.ok) return parsed.error;
      if (parsed.value.kind === 'need-more') break;
      start += parsed.value.used;
      take(parsed.value.packet);
    }
    // Copied: whoever gave the bytes may use their memory again.
    this.#rest = new Uint8Array(stream.subarray(start));
    return null;
  }
}
