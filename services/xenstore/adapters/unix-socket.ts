import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { fail, ok, type Result } from '../../../base/result.ts';
import { type Bytes, bytes, milliseconds } from '../../../base/units.ts';
import { controlDomain } from '../core/permissions.ts';
import { encodePacket, parsePacket } from '../core/wire.ts';
import type { Daemon } from './daemon.ts';

/** A client that leaves this much unread is disconnected: events for it would pile up (XSA-326). */
const unreadMax: Bytes = bytes(4 * 2 ** 20);

/** Above this much unread, no more of the client's requests are taken until it has read some. */
const unreadPause: Bytes = bytes(64 * 2 ** 10);

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
  if (await isServed(path))
    return fail(
      `${path} is served by another xenstored; stop that one, or choose another --socket`,
    );
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
  let received = Buffer.alloc(0);
  const client = daemon.attach(controlDomain, {
    send: (packet) => {
      socket.write(encodePacket(packet));
      if (socket.writableLength > unreadMax) {
        onTrouble(`a client left ${socket.writableLength} bytes unread and is disconnected`);
        socket.destroy();
      }
    },
  });
  const serve = () => {
    while (!socket.destroyed && socket.writableLength <= unreadPause) {
      const parsed = parsePacket(received);
      if (!parsed.ok) {
        onTrouble(`a client sent ${parsed.error} and is disconnected`);
        socket.destroy();
        return;
      }
      if (parsed.value.kind === 'need-more') {
        socket.resume();
        return;
      }
      received = received.subarray(parsed.value.used);
      client.request(parsed.value.packet);
    }
    // What was received waits, with no more read, until the client has taken its replies.
    socket.pause();
  };
  socket.on('data', (data) => {
    received = received.length === 0 ? data : Buffer.concat([received, data]);
    serve();
  });
  socket.on('drain', serve);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => client.disconnect());
}
