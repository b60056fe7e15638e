import type { ChannelCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { systemClock } from '../adapters/clock.ts';
import { askMembers } from '../adapters/peers/ask-members.ts';
import type { MemberId, Replica } from '../replica.ts';
import type { MemberSettings } from '../settings.ts';
import { final, joinAgain, type StartFailure } from './failure.ts';
import { watchRemoval } from './removal.ts';

/**
 * Resolves with what to tell the operator, once it is certain that this member was removed; tells
 * the log if the pool has gone on under another name.
 */
export function untilRemoved<Reply>(
  { name, initialCluster }: MemberSettings,
  { pool, member, address }: { pool: string; member: MemberId; address: string },
  replica: Pick<Replica<Reply>, 'status' | 'onStatus'>,
  channel: ChannelCredentials,
  log: Logger,
): { readonly removed: Promise<StartFailure>; stop(): void } {
  let stop = () => {};
  let isForeign = false;
  const removed = new Promise<StartFailure>((resolve) => {
    stop = watchRemoval({
      self: member,
      pool,
      replica,
      clock: systemClock,
      addresses: [...initialCluster.values()].filter((other) => other !== address),
      ask: (addresses) => askMembers(addresses, channel),
      removed: () => {
        const remedy = joinAgain(name, address);
        resolve(final(`${name} was removed from the pool. To take part again, ${remedy}`));
      },
      foreign: (other) => {
        if (isForeign) return;
        isForeign = true;
        const remedy = joinAgain(name, address);
        log.error({ pool, other }, `the pool has gone on without ${name}: to join it, ${remedy}`);
      },
    });
  });
  return { removed, stop: () => stop() };
}
