import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fail, ok, type Result } from '../../base/result.ts';
import { askSupervisor } from '../../pool/supervision/ask.ts';
import {
  guestsSocket,
  type Supervised,
  supervisorSocket,
} from '../../pool/supervision/messages.ts';
import { findPool } from '../connection/find-pool.ts';
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

/** The supervisor of this machine which keeps a service running, of the host that was meant. */
export async function findSupervisor(
  context: Context,
  flags: SupervisorFlags,
  service: string,
): Promise<Result<KnownSupervisor, Problem>> {
  const sockets = socketsOf(context, flags);
  if (!sockets.ok) return sockets;
  const all = await answering(sockets.value);
  const { host } = flags;
  const meant = all.filter((each) => host === undefined || each.host === host);
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

/** Sockets that may be served: the one that was named, else those of the pool's hosts and guests. */
function socketsOf(context: Context, flags: SupervisorFlags): Result<readonly string[], Problem> {
  if (flags.socket !== undefined) return ok([resolve(context.directory, flags.socket)]);
  const location = findPool(poolChoice(context, flags));
  const directory = location.ok ? location.value.directory : undefined;
  const own =
    location.ok && directory !== undefined
      ? location.value.hosts.map(({ name }) => join(directory, name, supervisorSocket))
      : [];
  const sockets = [...own, guestsSocket].filter((path) => existsSync(path));
  if (sockets.length > 0) return ok(sockets);
  return fail(
    location.ok
      ? unreachable(
          `no supervisor of the pool ${location.value.name} runs on this machine`,
          'run the command on the host whose service is meant, or name the socket: --socket PATH',
        )
      : location.error,
  );
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
