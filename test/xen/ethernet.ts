import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { freeUdpPort } from './free-port.ts';

/** Where a machine's NIC sends its frames, and where it takes those of others: UDP on loopback. */
export interface EthernetPort {
  readonly own: number;
  readonly hub: number;
}

/**
 * The Ethernet that the hosts of a lab share. A frame goes to all other hosts, never back to its
 * sender: a bridge that sees its own frames come in again sends its guests' traffic astray, which
 * is why this is not QEMU's multicast network.
 */
export interface Ethernet {
  /** One for each host, in their order. */
  readonly ports: readonly EthernetPort[];
  /** Cuts every connection between the hosts of one group (their indexes) and all others. */
  cut(group: readonly number[]): void;
  /** Mends all cuts. */
  mend(): void;
  close(): void;
}

/** Opens an Ethernet with a port for each of `count` hosts. */
export async function openEthernet(count: number): Promise<Ethernet> {
  const ends: { readonly socket: Socket; readonly own: number }[] = [];
  let severed = new Set<number>();
  const deliver = (from: number, frame: Buffer): void => {
    for (const [to, end] of ends.entries())
      if (to !== from && severed.has(to) === severed.has(from))
        end.socket.send(frame, end.own, '127.0.0.1');
  };
  for (let index = 0; index < count; index += 1) {
    const socket = createSocket('udp4');
    // A frame for a machine that is switched off is refused, and lost, as on a real cable.
    socket.on('error', () => undefined);
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    ends.push({ socket, own: await freeUdpPort() });
    socket.on('message', (frame) => deliver(index, frame));
  }
  return {
    ports: ends.map(({ socket, own }) => ({ own, hub: socket.address().port })),
    cut: (group) => {
      severed = new Set(group);
    },
    mend: () => {
      severed = new Set();
    },
    close: () => {
      for (const { socket } of ends) socket.close();
    },
  };
}
