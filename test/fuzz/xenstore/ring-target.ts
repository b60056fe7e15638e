import { messageTypes, payloadMax } from '../../../services/xenstore/core/wire.ts';
import { ClientRing } from '../../../services/xenstore/rings/client.ts';
import { pageLength, ringFeatures } from '../../../services/xenstore/rings/layout.ts';
import { MemoryPage } from '../../../services/xenstore/rings/page.ts';
import { requestsPerTurn, ServerRing } from '../../../services/xenstore/rings/server.ts';
import type { BytesSource } from './bytes-source.ts';

const stepsMax = 200;

/** A guest that does what bytes say with its page, and mostly works; throws where a promise is broken. */
export function fuzzRing(source: BytesSource): void {
  const page = new MemoryPage(new ArrayBuffer(pageLength));
  const features = ringFeatures.reconnection | ringFeatures.error;
  const server = new ServerRing(page, { features, notify: () => undefined });
  const guest = new ClientRing(page, () => undefined);
  for (let step = 0; step < stepsMax && !source.isOver; step += 1) {
    switch (source.byte() % 12) {
      case 0:
        // The indexes and fields are in 28 bytes from 2048 on.
        page.store(2048 + 4 * (source.byte() % 7), source.word());
        break;
      case 1: {
        const offset = 2048 + 4 * (source.byte() % 7);
        page.store(offset, (page.load(offset) + source.byte() - 128) >>> 0);
        break;
      }
      case 2:
        page.copyIn((source.byte() * 8) % 2000, source.take(source.byte() % 32));
        break;
      case 3:
        guest.reconnect();
        break;
      case 4:
        page.copyIn(0, new Uint8Array(pageLength));
        break;
      case 5:
      case 6:
        server.send(packet(source.byte() * source.pick([1, 16])));
        break;
      case 7:
        guest.receive();
        break;
      default:
        guest.send(packet(source.byte() * source.pick([1, 1, 1, 16])));
        guest.flush();
    }
    serve(server);
  }
}

function packet(length: number) {
  const payload = new Uint8Array(Math.min(length, payloadMax));
  return { type: messageTypes.WRITE, requestId: 1, transactionId: 0, payload };
}

function serve(server: ServerRing): void {
  server.flush();
  const turn = server.turn();
  if (turn.kind === 'requests') {
    if (turn.packets.length > requestsPerTurn) throw new Error('a turn takes too much');
    for (const { payload } of turn.packets) {
      if (payload.length > payloadMax) throw new Error('a packet is too long');
      server.send(packet(payload.length % 64));
    }
  }
  server.flush();
}
