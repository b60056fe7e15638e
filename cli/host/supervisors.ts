import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fail, ok, type Result } from '../../base/result.ts';
import { askSupervisor } from '../../pool/supervision/ask.ts';
import {
  guestsSocket,
  type Supervised,
  supervisorSocket,
} from '../../pool/supervision/messages.ts';
import { findPool, type PoolLocation } from '../connection/find-pool.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Problem, wrongUsage } from '../problem.ts';
import { type PoolFlags, poolChoice } from '../session.ts';

/** The flags that say whose services are meant. */
export interface SupervisorFlags extends PoolFlags {
  readonly host?: string;
  readonly socket?: string;
}

/** A supervisor of this machine that has answered. */
export interface KnownSupervisor {
  readonly socket: string;
  readonly host: string;
  readonly services: readonly Supervised[];
}

/**
 * The supervisor of this machine which keeps a service running, of the host that was meant. Null: there is none
 * here, and the pool is to be asked.
 */
export async function findSupervisor(
  context: Context,
  flags: SupervisorFlags,
  service: string,
): Promise<Result<KnownSupervisor | null, Problem>> {
  const { host, socket } = flags;
  const location = findPool(poolChoice(context, flags));
  const afar = location.ok && socket === undefined;
  const all = await answering(socketsOf(context, flags, location));
  const meant = all.filter((each) => host === undefined || each.host === host);
  if (afar && meant.length === 0) return ok(null);
  if (!location.ok && all.length === 0 && socket === undefined) return location;
  const having = meant.filter(({ services }) => services.some((each) => each.service === service));
  const [first, ...more] = having;
  if (first === undefined) return fail(nobody(service, host, meant.length > 0 ? meant : all));
  if (more.length === 0) return ok(first);
  const hosts = [...new Set(having.map((each) => each.host))].sort();
  return fail(
    wrongUsage(
      `${service} runs on several hosts of this machine`,
      `name one: --host ${hosts.join(' or --host ')}`,
    ),
  );
}

/**
 * Sockets that may be served: the one that was named, else those of the pool's hosts, and of the guests of a
 * machine that is one of them. A pool that is known by addresses alone may be anywhere.
 */
function socketsOf(
  context: Context,
  flags: SupervisorFlags,
  location: Result<PoolLocation, Problem>,
): readonly string[] {
  if (flags.socket !== undefined) return [resolve(context.directory, flags.socket)];
  if (!location.ok) return [guestsSocket].filter((path) => existsSync(path));
  const { directory, hosts } = location.value;
  if (directory === undefined) return [];
  const own = hosts
    .map(({ name }) => join(directory, name, supervisorSocket))
    .filter((path) => existsSync(path));
  return own.length === 0 ? [] : [...own, guestsSocket].filter((path) => existsSync(path));
}

/** A file that a killed supervisor left answers nothing. */
async function answering(sockets: readonly string[]): Promise<readonly KnownSupervisor[]> {
  const asked = sockets.map(async (socket): Promise<readonly KnownSupervisor[]> => {
    const answer = await askSupervisor(socket, { ask: 'status' });
    if (!answer.ok || answer.value.kind !== 'status') return [];
    return [{ socket, host: answer.value.host, services: answer.value.services }];
  });
  return (await Promise.all(asked)).flat();
}

function nobody(
  service: string,
  host: string | undefined,
  known: readonly KnownSupervisor[],
): Problem {
  if (known.length === 0)
    return unreachable(
      'no supervisor of a host answers on this machine',
      'start it: flotilla up, flotilla host up, or flotilla service-guests',
    );
  const details = known.map((each) => {
    const names = each.services.map((one) => one.service).join(', ');
    return `${each.host}: ${names} (${each.socket})`;
  });
  const where = host === undefined ? 'on this machine' : `for ${host} on this machine`;
  return {
    exitCode: exitCodes.notFound,
    message: `no supervisor keeps ${service} ${where}`,
    details,
    remedy:
      'name a service and a host of those above, or run the command on the host that is meant',
  };
}

function unreachable(message: string, remedy: string): Problem {
  return { exitCode: exitCodes.unreachable, message, remedy };
}
