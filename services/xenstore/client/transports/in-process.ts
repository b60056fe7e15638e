import { ok } from '../../../../base/result.ts';
import { type Packet, payloadMax } from '../../core/wire.ts';
import type { Transport } from '../link.ts';

/** What a server in the same process calls. */
export interface LocalPeer {
  send(packet: Packet): void;
  hold(held: boolean): void;
  close(): void;
}

/** What a server in the same process is called by: adapters/daemon.ts's `Attached` is one. */
export interface LocalServer {
  request(packet: Packet): void;
  taken(packets: number): void;
  disconnect(): void;
}

/** Reaches a xenstored in the same process, as a client of whatever domain `attach` says. */
export function inProcess(attach: (peer: LocalPeer) => LocalServer): Transport {
  return {
    connect: async (listener) => {
      let over = false;
      let held = false;
      // The client bounds how many requests are on their way, and so how many are held.
      let kept: Packet[] = [];
      const server = attach({
        send: (packet) => {
          if (over) return;
          listener.packet(packet);
          server.taken(1);
        },
        hold: (now) => {
          held = now;
          const packets = kept;
          kept = [];
          for (const packet of packets) give(packet);
        },
        close: () => {
          if (over) return;
          over = true;
          listener.closed('the server has closed the connection');
        },
      });
      const give = (packet: Packet) => {
        if (held) kept.push(packet);
        else if (!over) server.request(packet);
      };
      return ok({
        payloadMax,
        send: give,
        close: () => {
          if (over) return;
          over = true;
          server.disconnect();
        },
      });
    },
  };
}
