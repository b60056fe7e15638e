import { type Bytes, bytes } from '../../../base/units.ts';
import { wouldWait } from '../../../linux/errno.ts';
import { headerLength, type Packet, packetLength, writePacket } from '../core/wire.ts';
import type { UnsentBytes } from '../rings/outbox.ts';

/** What a batch begins with: a few replies of the usual size. */
const batchStart: Bytes = bytes(256);

/** A batch that has grown larger is not kept for the next one. */
const batchKept: Bytes = bytes(4096);

/** A batch that waits for room, whole or in part. */
interface Batch {
  readonly bytes: Uint8Array;
  readonly packets: number;
  /** Its first bytes are the rest of a packet that another process has begun to write. */
  readonly rest: number;
}

/** The way to a client. */
export interface Line {
  /** How many of the first bytes the system has taken, or an errno as a number less than 0. */
  send(content: Uint8Array, length: number): number;
  /** `SocketOutbox.roomCame` is to be called when there is room, or is not. */
  awaitRoom(wanted: boolean): void;
  /** So many packets more have left. */
  left(packets: number): void;
  /** Nothing can be sent any more. */
  broken(): void;
}

/**
 * What is to be sent to one client, gathered so that replies to one piece leave in one piece. It is known
 * at any moment what has left and what has not.
 */
export class SocketOutbox {
  readonly #line: Line;
  #batch = Buffer.allocUnsafe(batchStart);
  #length = 0;
  #packets = 0;
  /** What the system has not taken; its first batch may have left in part. */
  #waiting: Batch[] = [];
  #waitingBytes = 0;
  /** So many bytes of the first batch that waits have left. */
  #at = 0;
  #broken = false;

  constructor(line: Line) {
    this.#line = line;
  }

  /** Bytes that are gathered and not flushed. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that were flushed, and that the system has not taken. */
  get unread(): number {
    return this.#waitingBytes;
  }

  add(packet: Packet): void {
    const needed = this.#length + packetLength(packet);
    if (needed > this.#batch.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#batch.length));
      larger.set(this.#batch.subarray(0, this.#length));
      this.#batch = larger;
    }
    this.#length = writePacket(this.#batch, this.#length, packet);
    this.#packets += 1;
  }

  /** Goes on with what another process has not written. */
  resume({ bytes: unsent, rest }: UnsentBytes): void {
    if (unsent.length === 0) return;
    this.#wait({ bytes: unsent, packets: packetsIn(unsent, rest), rest });
    this.roomCame();
  }

  /** Sends what is gathered, once what was flushed before has left. */
  flush(): void {
    if (this.#length === 0 || this.#broken) return;
    const length = this.#length;
    const packets = this.#packets;
    this.#length = 0;
    this.#packets = 0;
    if (this.#waiting.length === 0) {
      const taken = this.#send(this.#batch, length);
      if (taken === length) {
        if (this.#batch.length > batchKept) this.#batch = Buffer.allocUnsafe(batchStart);
        this.#line.left(packets);
        return;
      }
      if (this.#broken) return;
      this.#at = taken;
      this.#waitingBytes = -taken;
    }
    this.#wait({ bytes: this.#batch.subarray(0, length), packets, rest: 0 });
    this.#batch = Buffer.allocUnsafe(batchStart);
  }

  /** Sends on what waits, as much as there is room for. */
  roomCame(): void {
    let left = 0;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const rest = this.#at === 0 ? first.bytes : first.bytes.subarray(this.#at);
      const taken = this.#send(rest, rest.length);
      this.#at += taken;
      this.#waitingBytes -= taken;
      if (this.#at < first.bytes.length) break;
      this.#waiting.shift();
      this.#at = 0;
      left += first.packets;
    }
    if (this.#waiting.length === 0) this.#line.awaitRoom(false);
    if (left > 0) this.#line.left(left);
  }

  /** What has not left, copied. Tells of all that has. */
  unsent(): UnsentBytes {
    const gathered = this.#batch.subarray(0, this.#length);
    const [first, ...others] = this.#waiting;
    if (first === undefined) return { bytes: Buffer.concat([gathered]), rest: 0 };
    let end = first.rest;
    while (end < this.#at) end += lengthAt(first.bytes, end);
    const tail = first.bytes.subarray(this.#at);
    const rest = end - this.#at;
    const packets = packetsIn(tail, rest);
    if (first.packets > packets) this.#line.left(first.packets - packets);
    this.#waiting = [{ ...first, packets }, ...others];
    const parts = [tail, ...others.map((batch) => batch.bytes), gathered];
    return { bytes: Buffer.concat(parts), rest };
  }

  #wait(batch: Batch): void {
    if (this.#waiting.length === 0) this.#line.awaitRoom(true);
    this.#waiting.push(batch);
    this.#waitingBytes += batch.bytes.length;
  }

  #send(content: Uint8Array, length: number): number {
    const taken = this.#line.send(content, length);
    if (taken >= 0) return taken;
    if (taken !== wouldWait && !this.#broken) {
      this.#broken = true;
      this.#line.broken();
    }
    return 0;
  }
}

/** The length of the packet at `at`, which this process, or the one before it, has written. */
function lengthAt(content: Uint8Array, at: number): number {
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  return headerLength + view.getUint32(at + headerLength - 4, true);
}

function packetsIn(content: Uint8Array, rest: number): number {
  let packets = rest > 0 ? 1 : 0;
  for (let at = rest; at < content.length; at += lengthAt(content, at)) packets += 1;
  return packets;
}
