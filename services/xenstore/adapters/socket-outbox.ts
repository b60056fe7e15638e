import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type Bytes, bytes } from '../../../base/units.ts';
import { headerLength, type Packet, packetLength, writePacket } from '../core/wire.ts';
import type { UnsentBytes } from '../rings/outbox.ts';
import { descriptorOf, unwrittenOf } from './descriptors.ts';

/** What a batch begins with: a few replies of the usual size. */
const batchStart: Bytes = bytes(256);

/** A batch that has grown larger is not kept for the next one. */
const batchKept: Bytes = bytes(4096);

/** A batch that has been given to the socket, or waits for that. */
interface Batch {
  readonly bytes: Uint8Array;
  readonly packets: number;
  /** Its first bytes are the rest of a packet that another process has begun to write. */
  readonly rest: number;
}

/** Who is told of what has left. */
interface Told {
  /** So many packets more have left. */
  left(packets: number): void;
  /** Everything has left that had to wait for the client. */
  drained(): void;
}

/**
 * What is to be sent to one client, gathered so that replies to one piece leave in one piece. The socket
 * has one batch at a time, so that it is known at any moment what has left and what has not.
 */
export class SocketOutbox {
  readonly #socket: Socket;
  readonly #descriptor: number | null;
  readonly #told: Told;
  #batch = Buffer.allocUnsafe(batchStart);
  #length = 0;
  #packets = 0;
  /** Given to the socket; null where that has written all. */
  #given: Batch | null = null;
  #waiting: Batch[] = [];
  #waitingBytes = 0;
  /** Packets that have left, and that nobody was told of. */
  #left = 0;

  constructor(socket: Socket, told: Told) {
    this.#socket = socket;
    this.#descriptor = descriptorOf(socket);
    this.#told = told;
  }

  /** Bytes that are gathered and not flushed. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that the client has not taken. */
  get unread(): number {
    return this.#socket.writableLength + this.#waitingBytes;
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
    if (unsent.length > 0) this.#give({ bytes: unsent, packets: packetsIn(unsent, rest), rest });
  }

  /** Writes what is gathered, once what was flushed before has left. */
  flush(): void {
    if (this.#length === 0) return;
    const batch = this.#gathered();
    this.#length = 0;
    this.#packets = 0;
    if (this.#given === null) this.#give(batch);
    else {
      this.#waiting.push(batch);
      this.#waitingBytes += batch.bytes.length;
    }
    // What the system has taken is written, and its bytes can be used again.
    if (this.#given !== null || this.#batch.length > batchKept)
      this.#batch = Buffer.allocUnsafe(batchStart);
    this.#tell();
  }

  /** What has not left, copied; null where that cannot be known. Tells of all that has. */
  unsent(): UnsentBytes | null {
    const given = this.#given;
    const unwritten = given === null ? 0 : unwrittenOf(this.#socket);
    if (unwritten === null) return null;
    const parts = [...this.#waiting, this.#gathered()].map((batch) => batch.bytes);
    let rest = 0;
    if (given !== null) {
      const at = given.bytes.length - unwritten;
      const tail = given.bytes.subarray(at);
      let end = given.rest;
      while (end < at) end += lengthAt(given.bytes, end);
      rest = end - at;
      const packets = packetsIn(tail, rest);
      this.#left += given.packets - packets;
      this.#given = { ...given, packets };
      parts.unshift(tail);
    }
    this.#tell();
    return { bytes: Buffer.concat(parts), rest };
  }

  #gathered(): Batch {
    return { bytes: this.#batch.subarray(0, this.#length), packets: this.#packets, rest: 0 };
  }

  #give(batch: Batch): void {
    const taken = this.#writeNow(batch.bytes);
    this.#given = batch;
    if (taken === batch.bytes.length) this.#hasLeft();
    else this.#socket.write(batch.bytes.subarray(taken), this.#written);
  }

  /**
   * How many bytes the system takes at once, which mostly is all: it costs half of what the stream of the
   * socket does. What keeps it from taking them the stream is left to find out.
   */
  #writeNow(content: Uint8Array): number {
    // The number of a socket that is closed may be another client's by now.
    if (this.#descriptor === null || this.#socket.destroyed) return 0;
    if (this.#socket.writableLength > 0) return 0;
    try {
      return writeSync(this.#descriptor, content);
    } catch {
      return 0;
    }
  }

  #hasLeft(): void {
    this.#left += this.#given?.packets ?? 0;
    this.#given = null;
  }

  readonly #written = (): void => {
    if (this.#socket.writableLength > 0) return;
    this.#hasLeft();
    if (this.#waiting.length > 0) {
      const all = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      const packets = all.reduce((sum, each) => sum + each.packets, 0);
      this.#give({ bytes: Buffer.concat(all.map((each) => each.bytes)), packets, rest: 0 });
    }
    this.#tell();
    this.#told.drained();
  };

  #tell(): void {
    if (this.#left === 0) return;
    const left = this.#left;
    this.#left = 0;
    this.#told.left(left);
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
