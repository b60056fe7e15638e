import type { Logger } from 'pino';
import type { PeerEvents } from '../adapters/peers/transport.ts';

/** Callers whose refusals are told apart; then they are told again. */
const refusalsMax = 100;

/** Writes into the log who comes, goes and is refused. */
export function peerEvents(log: Logger): PeerEvents {
  const refusals = new Set<string>();
  return {
    connected: (member, version) => log.info({ member, version }, 'connected'),
    disconnected: (member, reason) => log.warn({ member, reason }, 'disconnected'),
    refused: (reason) => {
      if (refusals.size >= refusalsMax) refusals.clear();
      // Who is refused tries again and again.
      if (!refusals.has(reason)) log.warn({ reason }, 'refused a caller');
      refusals.add(reason);
    },
  };
}
