import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { errnoOf } from '../../../../base/durable-file.ts';
import { type Milliseconds, milliseconds } from '../../../../base/units.ts';
import type { Probe } from '../core/guest.ts';

/** How long a guest may take. */
export interface ProbePatience {
  /** Until its kernel takes the connection: a kernel does so at once, if it is there. */
  readonly connect: Milliseconds;
  /**
   * Until its service says something from then on. One that is at work does within milliseconds; on a
   * machine under load it has taken many seconds, and whoever hangs up asks for the same work again.
   */
  readonly answer: Milliseconds;
}

const usual: ProbePatience = { connect: milliseconds(3_000), answer: milliseconds(15_000) };

/**
 * Asks whether a program answers on a port. That the connection is taken proves nothing, for the kernel
 * does so while the program hangs: so a TLS handshake is begun, and any byte that comes back counts. A
 * server of TLS answers the greeting before it asks who calls; one of plain HTTP/2 sends its settings
 * unasked. No identity is needed, and none is checked: nothing is told to whoever answers.
 */
export function probePort(
  host: string,
  port: number,
  patience: ProbePatience = usual,
): Promise<Probe> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (probe: Probe): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(probe);
    };
    let timer = setTimeout(() => end('silent'), patience.connect);
    const refused = (error: Error): void =>
      end(errnoOf(error) === 'ECONNREFUSED' ? 'unserved' : 'silent');
    socket.once('error', refused);
    socket.once('connect', () => {
      socket.off('error', refused);
      clearTimeout(timer);
      timer = setTimeout(() => end('silent'), patience.answer);
      greet(socket, end);
    });
  });
}

/** Begins TLS on a connection, and ends with what came back; hung up without a byte is nobody. */
function greet(socket: Socket, end: (probe: Probe) => void): void {
  const secure = connectTls({ socket, rejectUnauthorized: false });
  const look = (): void => end(socket.bytesRead > 0 ? 'answered' : 'unserved');
  for (const event of ['secureConnect', 'error', 'close'] as const) secure.on(event, look);
  socket.on('error', look);
}

/** Asks all ports of a guest: the worst of their answers. */
export async function probePorts(host: string, ports: readonly number[]): Promise<Probe> {
  const found = await Promise.all(ports.map((port) => probePort(host, port)));
  const worst = (['silent', 'unserved'] as const).find((probe) => found.includes(probe));
  return worst ?? 'answered';
}
