import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { milliseconds } from '../../../../base/units.ts';
import { encodePacket, payloadMax } from '../../core/wire.ts';
import { Framing } from '../framing.ts';
import type { Link, LinkListener, Transport } from '../link.ts';

/**
 * Where the daemon's socket is, as libxenstore finds it: `$XENSTORED_PATH`, or `socket` in
 * `$XENSTORED_RUNDIR`, or in `/var/run/xenstored`.
 */
export function socketPath(environment: NodeJS.ProcessEnv = process.env): string {
  const { XENSTORED_PATH: path, XENSTORED_RUNDIR: directory } = environment;
  return path ?? join(directory ?? '/var/run/xenstored', 'socket');
}

/** How long it is tried to get into the queue of a server that accepts nobody at the moment. */
const queuePatience = milliseconds(5_000);

/** The pause between two attempts. */
const queuePause = milliseconds(5);

/** Reaches a xenstored over its Unix socket, as a client of the control domain. */
export function unixSocket(path: string = socketPath()): Transport {
  return {
    connect: async (listener) => {
      const connected = await connectedTo(path, performance.now() + queuePatience);
      return connected.ok ? ok(linkOf(connected.value, listener)) : connected;
    },
  };
}

/**
 * C xenstored has a queue for one client. Where it is full, a socket that blocks, as libxenstore's
 * does, waits; Node's do not block, and are told EAGAIN.
 */
function connectedTo(path: string, until: number): Promise<Result<Socket, string>> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EAGAIN' && performance.now() < until)
        setTimeout(() => resolve(connectedTo(path, until)), queuePause);
      else resolve(fail(`cannot connect to ${path}: ${error.message}`));
    });
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(ok(socket));
    });
  });
}

function linkOf(socket: Socket, listener: LinkListener): Link {
  let unsent: Uint8Array[] = [];
  const close = serve(socket, listener);
  return {
    payloadMax,
    // What is sent in one turn of the event loop is one write.
    send: (packet) => {
      if (unsent.length === 0)
        process.nextTick(() => {
          if (!socket.destroyed) socket.write(Buffer.concat(unsent));
          unsent = [];
        });
      unsent.push(encodePacket(packet));
    },
    close,
  };
}

/** Gives what a socket brings to the listener; returns what ends it in silence. */
function serve(socket: Socket, listener: LinkListener): () => void {
  const framing = new Framing();
  let over = false;
  const end = (reason: string) => {
    socket.destroy();
    if (over) return;
    over = true;
    listener.closed(reason);
  };
  socket.on('data', (data) => {
    const fault = framing.feed(data, (packet) => {
      if (!over) listener.packet(packet);
    });
    if (fault !== null) end(`the server sent ${fault}`);
  });
  socket.on('error', (error) => end(error.message));
  socket.on('close', () => end('the server has closed the socket'));
  return () => {
    over = true;
    socket.destroy();
  };
}
