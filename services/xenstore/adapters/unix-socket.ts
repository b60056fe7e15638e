import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, Socket } from 'node:net';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Bytes, bytes, milliseconds } from '../../../base/units.ts';
import type { ConnectionId } from '../core/domain.ts';
import { controlDomain } from '../core/permissions.ts';
import { parsePacket } from '../core/wire.ts';
import type { SocketLink } from '../migration/image.ts';
import type { Peer } from './attached.ts';
import type { Daemon } from './daemon.ts';
import { Departures } from './departures.ts';
import { descriptorOf, isSocket } from './descriptors.ts';
import { SocketOutbox } from './socket-outbox.ts';

/** A client that leaves this much unread is disconnected: events for it would pile up (XSA-326). */
const unreadMax: Bytes = bytes(4 * 2 ** 20);

/** Above this much unread, no more of the client's requests are taken until it has read some. */
const unreadPause: Bytes = bytes(64 * 2 ** 10);

/** Replies and events are written at the latest when they are this much. */
const batchSize: Bytes = bytes(64 * 2 ** 10);

/** How long a socket file is given to show that somebody serves it already. */
const probePatience = milliseconds(1_000);

const nothing = Buffer.alloc(0);

/** A socket that is being served. */
export interface ServedSocket {
  /** The descriptor that listens; null where it is not known. */
  descriptor(): number | null;
  close(): Promise<void>;
}

/**
 * Serves clients of domain 0 on a Unix socket, as `xenstore-ls` and libxenstore connect to. The socket
 * is open to the owner of the process alone: who may connect may do everything. With the descriptor
 * that another process has listened on, its clients are served on too.
 */
export async function serveUnixSocket(
  daemon: Daemon,
  path: string,
  onTrouble: (message: string) => void,
  inherited: number | null = null,
): Promise<Result<ServedSocket, string>> {
  if (inherited === null) {
    const free = await isFree(path);
    if (!free.ok) return free;
    rmSync(path, { force: true });
  }
  const sockets = new Set<Socket>();
  const departures = new Departures();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveClient(daemon, socket, departures, onTrouble);
  });
  const listening = await listen(server, path, inherited);
  if (!listening.ok) return listening;
  chmodSync(path, 0o600);
  for (const [connection, link] of daemon.handedOver) {
    if (!isSocket(link.descriptor)) continue;
    const socket = new Socket({ fd: link.descriptor, readable: true, writable: true });
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveClient(daemon, socket, departures, onTrouble, { connection, link });
  }
  return ok({
    descriptor: () => descriptorOf(server),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
      // Node removes what it has made, and not what it was handed.
      rmSync(path, { force: true });
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

function listen(
  server: Server,
  path: string,
  inherited: number | null,
): Promise<Result<void, string>> {
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(fail(`cannot listen on ${path}: ${error.message}`)));
    const place = inherited === null ? { path } : { fd: inherited };
    server.listen(place, () => resolve(ok(undefined)));
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

/** A client that another process has handed over. */
interface LeftClient {
  readonly connection: ConnectionId;
  readonly link: SocketLink;
}

function serveClient(
  daemon: Daemon,
  socket: Socket,
  departures: Departures,
  onTrouble: (message: string) => void,
  left: LeftClient | null = null,
): void {
  const giveUp = (trouble: string) => {
    onTrouble(`a client ${trouble} and is disconnected`);
    socket.destroy();
  };
  let received: Buffer = Buffer.from(left?.link.received ?? []);
  let serving = false;
  const outbox = new SocketOutbox(socket, (packets) => {
    if (client.awaited) client.taken(packets + untold);
    untold = client.awaited ? 0 : untold + packets;
    if (socket.isPaused() && outbox.unread <= unreadPause) serve();
  });
  /** Packets that have left while nobody waited for it. */
  let untold = 0;
  const flush = () => {
    if (socket.destroyed) return;
    client.leaving();
    outbox.flush();
    if (outbox.unread > unreadMax) giveUp(`left ${outbox.unread} bytes unread`);
  };
  const peer: Peer = {
    send: (packet) => {
      outbox.add(packet);
      if (outbox.length >= batchSize) flush();
      else if (!serving) departures.soon(flush);
    },
    handOver: () => {
      const more: Buffer | null = socket.read();
      if (more !== null) received = Buffer.concat([received, more]);
      const descriptor = descriptorOf(socket);
      const unsent = outbox.unsent();
      if (untold > 0) client.taken(untold);
      untold = 0;
      if (descriptor === null || unsent === null || socket.destroyed) return null;
      return { kind: 'socket', descriptor, received: new Uint8Array(received), unsent };
    },
  };
  const client =
    left === null ? daemon.attach(controlDomain, peer) : daemon.takeOver(left.connection, peer);
  const serve = () => {
    let start = 0;
    let whole = true;
    serving = true;
    while (whole && !socket.destroyed && outbox.unread <= unreadPause) {
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
    received = start === received.length ? nothing : received.subarray(start);
    departures.answered(flush);
    // What was received waits, with no more read, until the client has taken its replies.
    if (whole) socket.pause();
    else if (socket.isPaused()) socket.resume();
  };
  socket.on('data', (data: Buffer) => {
    received = received.length === 0 ? data : Buffer.concat([received, data]);
    serve();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => client.disconnect());
  if (left === null) return;
  outbox.resume(left.link.unsent);
  // What it has asked already waits until everybody is there.
  setImmediate(serve);
}
