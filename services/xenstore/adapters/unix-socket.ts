import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type OnReadOpts, type Server, Socket } from 'node:net';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Bytes, bytes, milliseconds } from '../../../base/units.ts';
import type { ConnectionId } from '../core/domain.ts';
import { controlDomain } from '../core/permissions.ts';
import { parsePacket } from '../core/wire.ts';
import type { SocketLink } from '../migration/image.ts';
import type { Peer } from './attached.ts';
import { BusyPoll } from './busy-poll.ts';
import type { Daemon } from './daemon.ts';
import { Departures } from './departures.ts';
import { descriptorOf, isSocket, readingInto } from './descriptors.ts';
import { SocketOutbox } from './socket-outbox.ts';

/** A client that leaves this much unread is disconnected: events for it would pile up (XSA-326). */
const unreadMax: Bytes = bytes(4 * 2 ** 20);

/** Above this much unread, no more of the client's requests are taken until it has read some. */
const unreadPause: Bytes = bytes(64 * 2 ** 10);

/** Replies and events are written at the latest when they are this much. */
const batchSize: Bytes = bytes(64 * 2 ** 10);

/** How long a socket file is given to show that somebody serves it already. */
const probePatience = milliseconds(1_000);

/** What is read in one go, of one client after the other. */
const readMax: Bytes = bytes(64 * 2 ** 10);

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
  const shared: Shared = {
    ...{ daemon, onTrouble, departures: new Departures(), busyPoll: new BusyPoll() },
    buffer: Buffer.allocUnsafeSlow(readMax),
  };
  const serve = (open: Open, left: LeftClient | null) => {
    const socket = serveClient(shared, open, left);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  };
  // An accepted socket is read only by the one that takes its place.
  const server = createServer({ pauseOnConnect: true }, (accepted) =>
    serve((onread) => readingInto(accepted, onread), null),
  );
  const listening = await listen(server, path, inherited);
  if (!listening.ok) return listening;
  chmodSync(path, 0o600);
  for (const [connection, link] of daemon.handedOver) {
    const { descriptor: fd } = link;
    if (!isSocket(fd)) continue;
    const open: Open = (onread) => new Socket({ fd, onread, readable: true, writable: true });
    serve(open, { connection, link });
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

/** What the clients of a socket share. */
interface Shared {
  readonly daemon: Daemon;
  readonly departures: Departures;
  readonly busyPoll: BusyPoll;
  /** What is read of a client is here until it is served. */
  readonly buffer: Buffer;
  readonly onTrouble: (message: string) => void;
}

/** Makes the socket of a client, which reads as it is told. */
type Open = (onread: OnReadOpts) => Socket;

function serveClient(
  { daemon, departures, busyPoll, buffer, onTrouble }: Shared,
  open: Open,
  left: LeftClient | null,
): Socket {
  const giveUp = (trouble: string) => {
    onTrouble(`a client ${trouble} and is disconnected`);
    socket.destroy();
  };
  /** What has come and is not served. */
  let received: Buffer = Buffer.from(left?.link.received ?? []);
  let serving = false;
  /** Packets that have left while nobody waited for it. */
  let untold = 0;
  const flush = () => {
    if (socket.destroyed) return;
    client.leaving();
    outbox.flush();
    if (outbox.unread > unreadMax) giveUp(`left ${outbox.unread} bytes unread`);
  };
  /** Serves what there is; what it leaves behind is a view of that. */
  const serve = (there: Buffer): Buffer => {
    const asked = performance.now();
    let start = 0;
    let whole = true;
    serving = true;
    while (whole && !socket.destroyed && outbox.unread <= unreadPause) {
      const parsed = parsePacket(there, start);
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
    if (departures.answered(flush)) busyPoll.answered(asked);
    // What was received waits, with no more read, until the client has taken its replies.
    if (whole) socket.pause();
    else if (socket.isPaused()) socket.resume();
    return start === there.length ? nothing : there.subarray(start);
  };
  const serveReceived = () => {
    received = serve(received);
  };
  const take = (length: number): boolean => {
    const come = buffer.subarray(0, length);
    const rest = serve(received.length === 0 ? come : Buffer.concat([received, come]));
    // The next client's bytes come where these are.
    received = rest.length === 0 ? nothing : Buffer.from(rest);
    return true;
  };
  const socket = open({ buffer, callback: take });
  const outbox = new SocketOutbox(socket, {
    left: (packets) => {
      if (client.awaited) client.taken(packets + untold);
      untold = client.awaited ? 0 : untold + packets;
    },
    drained: () => {
      if (socket.isPaused() && outbox.unread <= unreadPause) serveReceived();
    },
  });
  const peer: Peer = {
    send: (packet) => {
      outbox.add(packet);
      if (outbox.length >= batchSize) flush();
      else if (!serving) departures.soon(flush);
    },
    handOver: () => {
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
  socket.on('error', () => socket.destroy());
  socket.on('close', () => client.disconnect());
  if (left !== null) {
    outbox.resume(left.link.unsent);
    // What it has asked already waits until everybody is there.
    setImmediate(serveReceived);
  }
  return socket;
}
