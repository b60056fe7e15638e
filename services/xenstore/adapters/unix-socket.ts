import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Bytes, bytes, milliseconds } from '../../../base/units.ts';
import { controlDomain } from '../core/permissions.ts';
import { type Packet, packetLength, parsePacket, writePacket } from '../core/wire.ts';
import type { Daemon } from './daemon.ts';

/** A client that leaves this much unread is disconnected: events for it would pile up (XSA-326). */
const unreadMax: Bytes = bytes(4 * 2 ** 20);

/** Above this much unread, no more of the client's requests are taken until it has read some. */
const unreadPause: Bytes = bytes(64 * 2 ** 10);

/** Replies and events are written at the latest when they are this much. */
const batchSize: Bytes = bytes(64 * 2 ** 10);

/** What a batch begins with: a few replies of the usual size. */
const batchStart: Bytes = bytes(256);

/** How long a socket file is given to show that somebody serves it already. */
const probePatience = milliseconds(1_000);

/** A socket that is being served. */
export interface ServedSocket {
  close(): Promise<void>;
}

/**
 * Serves clients of domain 0 on a Unix socket, as `xenstore-ls` and libxenstore connect to. The socket
 * is open to the owner of the process alone: who may connect may do everything.
 */
export async function serveUnixSocket(
  daemon: Daemon,
  path: string,
  onTrouble: (message: string) => void,
): Promise<Result<ServedSocket, string>> {
  const free = await isFree(path);
  if (!free.ok) return free;
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveClient(daemon, socket, onTrouble);
  });
  const listening = await listen(server, path);
  if (!listening.ok) return listening;
  chmodSync(path, 0o600);
  return ok({
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  });
}

/**
 * Fails where somebody serves the socket already. To be asked before a xenstored touches its data: they
 * may be those of one that is at work.
 */
export async function isFree(path: string): Promise<Result<void, string>> {
  if (!(await isServed(path))) return ok(undefined);
  return fail(`${path} is served by another xenstored; stop that one, or choose another --socket`);
}

function listen(server: Server, path: string): Promise<Result<void, string>> {
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(fail(`cannot listen on ${path}: ${error.message}`)));
    server.listen(path, () => resolve(ok(undefined)));
  });
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const answer = (served: boolean) => {
      socket.destroy();
      resolve(served);
    };
    socket.setTimeout(probePatience, () => answer(true));
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}

function serveClient(daemon: Daemon, socket: Socket, onTrouble: (message: string) => void): void {
  const giveUp = (trouble: string) => {
    onTrouble(`a client ${trouble} and is disconnected`);
    socket.destroy();
  };
  let received: Buffer = Buffer.alloc(0);
  let serving = false;
  let scheduled = false;
  const outbox = new Outbox(socket, (packets) => client.taken(packets));
  const flush = () => {
    scheduled = false;
    if (socket.destroyed) return;
    client.leaving();
    outbox.flush(client.awaited);
    if (socket.writableLength > unreadMax) giveUp(`left ${socket.writableLength} bytes unread`);
  };
  const client = daemon.attach(controlDomain, {
    send: (packet) => {
      outbox.add(packet);
      if (outbox.length >= batchSize) flush();
      else if (!serving && !scheduled) {
        scheduled = true;
        queueMicrotask(flush);
      }
    },
  });
  const serve = () => {
    let start = 0;
    let whole = true;
    serving = true;
    while (whole && !socket.destroyed && socket.writableLength <= unreadPause) {
      const parsed = parsePacket(received, start);
      if (!parsed.ok) {
        giveUp(`sent ${parsed.error}`);
        break;
      }
      whole = parsed.value.kind === 'packet';
      if (parsed.value.kind === 'need-more') break;
      start += parsed.value.used;
      client.request(parsed.value.packet);
    }
    serving = false;
    received = received.subarray(start);
    flush();
    // What was received waits, with no more read, until the client has taken its replies.
    if (whole) socket.pause();
    else if (socket.isPaused()) socket.resume();
  };
  socket.on('data', (data: Buffer) => {
    received = received.length === 0 ? data : Buffer.concat([received, data]);
    serve();
  });
  socket.on('drain', serve);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => client.disconnect());
}

/** What is to be sent to one client, gathered so that replies to one piece leave in one piece. */
class Outbox {
  readonly #socket: Socket;
  readonly #onTaken: (packets: number) => void;
  #batch = Buffer.allocUnsafe(batchStart);
  #length = 0;
  /** Packets that were written, or are gathered, and that nobody was told of. */
  #packets = 0;

  /** `onTaken` is called with the number of packets that have left, where that is asked for. */
  constructor(socket: Socket, onTaken: (packets: number) => void) {
    this.#socket = socket;
    this.#onTaken = onTaken;
  }

  /** Bytes that are gathered and not written. */
  get length(): number {
    return this.#length;
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

  /** Writes what is gathered; if it is `awaited`, tells when it, and all before it, has left. */
  flush(awaited: boolean): void {
    if (this.#length === 0) return;
    const batch = this.#batch.subarray(0, this.#length);
    this.#batch = Buffer.allocUnsafe(batchStart);
    this.#length = 0;
    if (!awaited) {
      this.#socket.write(batch);
      return;
    }
    const packets = this.#packets;
    this.#packets = 0;
    this.#socket.write(batch, () => this.#onTaken(packets));
  }
}
