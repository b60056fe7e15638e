import { setTimeout as delay } from 'node:timers/promises';
import type { ChannelCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { askMembers, type MembersAnswer } from '../adapters/peers/ask-members.ts';
import { configurationOf } from '../core/configuration.ts';
import { memberId } from '../core/ids.ts';
import { namedPool } from '../identity.ts';
import type { MemberSettings } from '../settings.ts';
import { final, joinAgain, type StartFailure } from './failure.ts';
import type { Self } from './self.ts';

/** How often the members are asked, and how long in all, before whoever supervises is told. */
const askInterval = milliseconds(1000);
const askPatience = milliseconds(5 * 60_000);

/**
 * Joins a pool: asks its members who listens at this member's address, and takes that id. The log
 * is empty then, and comes from the leader.
 */
export async function join(
  settings: MemberSettings,
  credentials: ChannelCredentials,
  log: Logger,
): Promise<Result<Self, StartFailure>> {
  const { name, initialCluster } = settings;
  const others = [...initialCluster].filter(([other]) => other !== name);
  const addresses = others.map(([, address]) => address);
  if (addresses.length === 0)
    return fail(final('initialCluster: names no other member; to join a pool, name some of it'));
  const asking = { asked: addresses };
  for (let waited = 0; waited < askPatience; waited += askInterval) {
    const answers = await askMembers(addresses, credentials);
    const current = answers.find(({ isCurrent }) => isCurrent);
    if (current !== undefined)
      return (await twin(settings, credentials)) ?? joined(settings, current);
    if (waited === 0)
      log.warn({ ...asking, answered: answers.length }, 'waits for members that have a leader');
    await delay(askInterval);
  }
  const detail = `none of the members ${addresses.join(', ')} has a leader, or answers`;
  return fail({ isFinal: false, detail });
}

/**
 * This member does not serve yet: if its address answers, somebody else took it, and the same id.
 * Whoever that is may be about to end.
 */
async function twin(
  { name, initialCluster }: MemberSettings,
  credentials: ChannelCredentials,
): Promise<Result<never, StartFailure> | null> {
  const address = initialCluster.get(name) ?? '';
  const answers = await askMembers([address], credentials);
  if (answers.length === 0) return null;
  const detail =
    `a member is served at ${address} already: stop it, or correct the address of ${name} in ` +
    '--initial-cluster';
  return fail({ isFinal: false, detail });
}

function joined(
  { name, initialCluster }: MemberSettings,
  { address: asked, pool, members }: MembersAnswer,
): Result<Self, StartFailure> {
  const address = initialCluster.get(name) ?? '';
  const self = members.find(({ peers }) => peers.includes(address));
  if (self === undefined) {
    const known = members.flatMap(({ peers }) => peers).join(', ');
    return fail(
      final(
        `the pool has no member at ${address}, says ${asked} (there are ${known}): add it first ` +
          `(flotilla pool member add ${name} --peer ${address}, or etcdctl member add), or correct ` +
          `the address of ${name} in --initial-cluster`,
      ),
    );
  }
  if (self.hasStarted)
    return fail(
      final(
        `the pool knows entries that member ${self.id} (${self.name}) at ${address} has confirmed, ` +
          'but the data directory is empty: its vote cannot be trusted. Remove it (flotilla pool ' +
          `member remove ${self.name}, or etcdctl member remove); then ${joinAgain(name, address)}`,
      ),
    );
  return ok({
    pool: namedPool(pool),
    member: memberId(self.id),
    configuration: configurationOf([]),
  });
}
