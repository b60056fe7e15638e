import { connect, type Socket } from 'node:net';
import { encodePacket, type Packet } from '../../../services/xenstore/core/wire.ts';
import { ClientRing } from '../../../services/xenstore/rings/client.ts';
import { FilePage } from './file-page.ts';
import { PacketStream } from './packet-stream.ts';

/** A connection to a peer. */
export interface Wire {
  send(...packets: readonly Packet[]): void;
  close(): void;
}

/** What a connection brings; null once when the peer has closed it. */
export type Listener = (packet: Packet | null) => void;

/**
 * Connects to a socket; tries again where the queue of the peer, which is one long, is full. Null where
 * nobody listens any more.
 */
export function socketWire(path: string, listener: Listener): Promise<Wire | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EAGAIN') setTimeout(() => resolve(socketWire(path, listener)), 5);
      else resolve(null);
    });
    socket.once('connect', () => resolve(serve(socket, listener)));
  });
}

function serve(socket: Socket, listener: Listener): Wire {
  const stream = new PacketStream();
  socket.removeAllListeners('error');
  // Whoever closes while there is something unread resets the connection: it is closed, no more.
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    for (const packet of stream.feed(data)) listener(packet);
  });
  socket.on('close', () => listener(null));
  return {
    send: (...packets) => {
      if (!socket.destroyed) socket.write(Buffer.concat(packets.map(encodePacket)));
    },
    close: () => {
      socket.removeAllListeners('close');
      socket.destroy();
    },
  };
}

/** A guest's ring, whose page is a file. */
export class RingWire implements Wire {
  readonly #page: FilePage;
  readonly #ring: ClientRing;
  readonly #listener: Listener;

  /** `kick` signals the event channel. */
  constructor(path: string, kick: () => void, listener: Listener) {
    this.#page = new FilePage(path);
    this.#ring = new ClientRing(this.#page, kick);
    this.#listener = listener;
  }

  send(...packets: readonly Packet[]): void {
    for (const packet of packets) this.#ring.send(packet);
    this.#ring.flush();
  }

  /** The peer has signalled the event channel. */
  signalled(): void {
    const received = this.#ring.receive();
    // What the listener does may send, and take what comes next.
    if (received.kind === 'packets') for (const packet of received.packets) this.#listener(packet);
    if (received.kind === 'broken') this.#listener(null);
    this.#ring.flush();
  }

  close(): void {
    this.#page.close();
  }
}
