import { connect } from 'node:net';
import { join } from 'node:path';
import { fail, ok } from '../../../../base/result.ts';
import { encodePacket, payloadMax } from '../../core/wire.ts';
import { Framing } from '../framing.ts';
import type { LinkListener, Transport } from '../link.ts';

/**
 * Where the daemon's socket is, as libxenstore finds it: `$XENSTORED_PATH`, or `socket` in
 * `$XENSTORED_RUNDIR`, or in `/var/run/xenstored`.
 */
export function socketPath(environment: NodeJS.ProcessEnv = process.env): string {
  const { XENSTORED_PATH: path, XENSTORED_RUNDIR: directory } = environment;
  return path ?? join(directory ?? '/var/run/xenstored', 'socket');
}

/** Reaches a xenstored over its Unix socket, as a client of the control domain. */
export function unixSocket(path: string = socketPath()): Transport {
  return {
    connect: (listener) =>
      new Promise((resolve) => {
        const socket = connect(path);
        socket.once('error', (error) =>
          resolve(fail(`cannot connect to ${path}: ${error.message}`)),
        );
        socket.once('connect', () => {
          socket.removeAllListeners('error');
          let unsent: Uint8Array[] = [];
          const close = serve(socket, listener);
          resolve(
            ok({
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
            }),
          );
        });
      }),
  };
}

/** Gives what a socket brings to the listener; returns what ends it in silence. */
function serve(socket: ReturnType<typeof connect>, listener: LinkListener): () => void {
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
