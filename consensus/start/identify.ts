import type { ChannelCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { fail, ok, type Result } from '../../base/result.ts';
import { readStoredIdentity, type StoredIdentity } from '../adapters/disk/identity.ts';
import { firstMemberId, namedPool, poolIdentity } from '../identity.ts';
import type { MemberSettings } from '../settings.ts';
import { begin } from './begin.ts';
import { final, type StartFailure } from './failure.ts';
import { join } from './join.ts';
import type { Self } from './self.ts';

const poolPattern = /^[0-9a-f]{16}$/;

/**
 * Finds out who this member is: from its data directory if there is something in it, and otherwise
 * as one of those that begin the pool, or from the members of the pool that it joins.
 */
export async function identify(
  settings: MemberSettings,
  credentials: ChannelCredentials,
  log: Logger,
): Promise<Result<Self, StartFailure>> {
  const stored = await readStoredIdentity(settings.dataDir);
  if (!stored.ok) return fail({ isFinal: stored.error.code !== 'failed', ...stored.error });
  if (stored.value !== null) return known(settings, stored.value);
  return settings.initialClusterState === 'existing'
    ? join(settings, credentials, log)
    : begin(settings, credentials);
}

/** The directory tells; the flags must not speak of somebody else. */
function known(settings: MemberSettings, stored: StoredIdentity): Result<Self, StartFailure> {
  const { name, clusterToken, dataDir } = settings;
  const { pool, member, configuration } = stored;
  if (!poolPattern.test(pool)) return fail(final(`${dataDir} names a pool that is none: ${pool}`));
  if (stored.name === undefined || stored.token === undefined) {
    const first = poolIdentity(clusterToken, settings.initialCluster.keys()).pool;
    if (pool !== first)
      return fail(final(`${dataDir} belongs to the pool ${pool}, not to ${first}`));
    if (member !== firstMemberId(clusterToken, name))
      return fail(final(`${dataDir} belongs to member ${member}, which is not ${name}`));
  } else if (stored.name !== name)
    return fail(final(`${dataDir} belongs to the member ${stored.name}, not to ${name}`));
  else if (stored.token !== clusterToken)
    return fail(
      final(`${dataDir} belongs to a pool with the token ${stored.token}, not ${clusterToken}`),
    );
  return ok({ pool: namedPool(pool), member, configuration });
}
