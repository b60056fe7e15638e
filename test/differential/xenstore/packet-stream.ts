import type { Packet } from '../../../services/xenstore/core/wire.ts';

/** Cuts what a socket brings into packets, also into those that are longer than the protocol allows. */
export class PacketStream {
  #bytes = Buffer.alloc(0);

  feed(data: Buffer): readonly Packet[] {
    this.#bytes = Buffer.concat([this.#bytes, data]);
    const packets: Packet[] = [];
    while (this.#bytes.length >= 16) {
      const length = this.#bytes.readUInt32LE(12);
      if (this.#bytes.length < 16 + length) break;
      packets.push({
        type: this.#bytes.readUInt32LE(0),
        requestId: this.#bytes.readUInt32LE(4),
        transactionId: this.#bytes.readUInt32LE(8),
        payload: this.#bytes.subarray(16, 16 + length),
      });
      this.#bytes = this.#bytes.subarray(16 + length);
    }
    return packets;
  }
}
