import type { Logger } from 'pino';
import { milliseconds } from '../../base/units.ts';
import type { PeerEvents } from '../adapters/peers/transport.ts';
import { Repeats } from '../adapters/repeats.ts';

/** Who is refused tries again and again. */
const quietTime = milliseconds(10 * 60_000);

/** Writes into the log who comes, goes and is refused. */
export function peerEvents(log: Logger): PeerEvents {
  const repeats = new Repeats(quietTime);
  return {
    connected: (member, version) => log.info({ member, version }, 'connected'),
    disconnected: (member, reason) => log.warn({ member, reason }, 'disconnected'),
    contradicted: (member, reason) => {
      if (repeats.isNews(`contradicted by ${member}`))
        log.error(
          { member, reason },
          'a member says what cannot be: it is damaged, or this one is',
        );
    },
    refused: (reason) => {
      if (repeats.isNews(reason)) log.warn({ reason }, 'refused a caller');
    },
  };
}
