import { type Bytes, bytes } from '../../../base/units.ts';
import { wouldWait } from '../../../linux/errno.ts';
import type { Ready } from '../../../linux/readiness.ts';
import type { Sockets } from '../../../linux/sockets.ts';
import type { ConnectionId } from '../core/domain.ts';
import { controlDomain } from '../core/permissions.ts';
import { parsePacket } from '../core/wire.ts';
import type { SocketLink } from '../migration/image.ts';
import type { Attached, Peer } from './attached.ts';
import type { Daemon } from './daemon.ts';
import { SocketOutbox } from './socket-outbox.ts';
import type { SocketSet } from './socket-set.ts';

/** A client that leaves this much unread is disconnected: events for it would pile up (XSA-326). */
const unreadMax: Bytes = bytes(4 * 2 ** 20);

/** Above this much unread, no more of the client's requests are taken until it has read some. */
const unreadPause: Bytes = bytes(64 * 2 ** 10);

/** Replies and events are written at the latest when they are this much. */
const batchSize: Bytes = bytes(64 * 2 ** 10);

const nothing = Buffer.alloc(0);

/** A client that another process has handed over. */
export interface LeftClient {
  readonly connection: ConnectionId;
  readonly link: SocketLink;
}

/** What the clients of a socket share. */
export interface Shared {
  readonly daemon: Daemon;
  readonly sockets: Sockets;
  readonly set: SocketSet;
  /** What is read of a client is here until it is served. */
  readonly buffer: Buffer;
  readonly onTrouble: (message: string) => void;
  /** A client is gone. */
  readonly onGone: (client: SocketClient) => void;
}

/** One client of the socket, and its descriptor. */
export class SocketClient {
  readonly #shared: Shared;
  readonly #descriptor: number;
  readonly #token: number;
  readonly #outbox: SocketOutbox;
  readonly #client: Attached;
  /** What has come and is not served. */
  #received: Buffer = nothing;
  #serving = false;
  /** No more of it is taken until it has read some. */
  #paused = false;
  #awaitsRoom = false;
  /** Packets that have left while nobody waited for it. */
  #untold = 0;
  /** It asks nothing more, and has what it asked for when that has left. */
  #ends = false;
  #gone = false;

  constructor(shared: Shared, descriptor: number, left: LeftClient | null) {
    this.#shared = shared;
    this.#descriptor = descriptor;
    const { daemon, set, sockets } = shared;
    this.#outbox = new SocketOutbox({
      send: (content, length) => sockets.send(descriptor, content, length),
      awaitRoom: (wanted) => {
        this.#awaitsRoom = wanted;
        this.#look();
      },
      left: (packets) => this.#left(packets),
      broken: () => this.#endSoon(),
    });
    const peer: Peer = {
      send: (packet) => {
        if (this.#gone) return;
        this.#outbox.add(packet);
        if (this.#outbox.length >= batchSize) this.#flush();
        else if (!this.#serving) set.departures.soon(this.#flush);
      },
      handOver: () => this.#handOver(),
    };
    this.#token = set.add(descriptor, this.#onReady);
    if (left === null) {
      this.#client = daemon.attach(controlDomain, peer);
      return;
    }
    this.#client = daemon.takeOver(left.connection, peer);
    this.#received = Buffer.from(left.link.received);
    this.#outbox.resume(left.link.unsent);
    // What it has asked already waits until everybody is there.
    setImmediate(() => {
      if (!this.#gone) this.#serveReceived();
    });
  }

  /** Ends the connection. */
  end(): void {
    if (this.#gone) return;
    this.#goes();
    this.#client.disconnect();
  }

  readonly #onReady = ({ readable, writable, broken }: Ready): void => {
    if (writable) this.#roomCame();
    if (this.#gone) return;
    if (readable && !this.#paused && !this.#ends) this.#take();
    else if (broken) this.end();
  };

  #take(): void {
    const { sockets, buffer } = this.#shared;
    const length = sockets.receive(this.#descriptor, buffer);
    if (length === wouldWait) return;
    if (length <= 0) {
      this.#ends = true;
      if (length < 0 || this.#outbox.unread === 0) this.end();
      else this.#look();
      return;
    }
    const come = buffer.subarray(0, length);
    const known = this.#received;
    const rest = this.#serve(known.length === 0 ? come : Buffer.concat([known, come]));
    // The next client's bytes come where these are.
    this.#received = rest.length === 0 ? nothing : Buffer.from(rest);
  }

  #serveReceived(): void {
    this.#received = this.#serve(this.#received);
  }

  /** Serves what there is; what it leaves behind is a view of that. */
  #serve(there: Buffer): Buffer {
    let start = 0;
    let whole = true;
    this.#serving = true;
    while (whole && !this.#gone && this.#outbox.unread <= unreadPause) {
      const parsed = parsePacket(there, start);
      if (!parsed.ok) {
        this.#giveUp(`sent ${parsed.error}`);
        break;
      }
      whole = parsed.value.kind === 'packet';
      if (parsed.value.kind === 'need-more') break;
      start += parsed.value.used;
      this.#client.request(parsed.value.packet);
    }
    this.#serving = false;
    this.#shared.set.departures.soon(this.#flush);
    // What was received waits, with no more read, until the client has taken its replies.
    if (whole !== this.#paused) {
      this.#paused = whole;
      this.#look();
    }
    return start === there.length ? nothing : there.subarray(start);
  }

  readonly #flush = (): void => {
    if (this.#gone) return;
    this.#client.leaving();
    this.#outbox.flush();
    const { unread } = this.#outbox;
    if (unread > unreadMax) this.#giveUp(`left ${unread} bytes unread`);
  };

  #roomCame(): void {
    this.#outbox.roomCame();
    if (this.#gone) return;
    if (this.#ends && this.#outbox.unread === 0) this.end();
    else if (this.#paused && this.#outbox.unread <= unreadPause) this.#serveReceived();
  }

  #left(packets: number): void {
    if (this.#client.awaited) this.#client.taken(packets + this.#untold);
    this.#untold = this.#client.awaited ? 0 : this.#untold + packets;
  }

  #handOver(): SocketLink | null {
    if (this.#gone) return null;
    const unsent = this.#outbox.unsent();
    if (this.#untold > 0) this.#client.taken(this.#untold);
    this.#untold = 0;
    const received = new Uint8Array(this.#received);
    return { kind: 'socket', descriptor: this.#descriptor, received, unsent };
  }

  #giveUp(trouble: string): void {
    if (this.#gone) return;
    this.#shared.onTrouble(`a client ${trouble} and is disconnected`);
    this.#endSoon();
  }

  /** The daemon may be at work for it: it is told later. */
  #endSoon(): void {
    if (this.#gone) return;
    this.#goes();
    setImmediate(() => this.#client.disconnect());
  }

  #goes(): void {
    const { set, sockets, onGone } = this.#shared;
    this.#gone = true;
    set.remove(this.#descriptor, this.#token);
    sockets.close(this.#descriptor);
    onGone(this);
  }

  #look(): void {
    if (this.#gone) return;
    const readable = !this.#paused && !this.#ends;
    this.#shared.set.change(this.#descriptor, this.#token, {
      readable,
      writable: this.#awaitsRoom,
    });
  }
}
