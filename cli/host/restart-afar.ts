import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Result } from '../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import type { SupervisedService } from '../../proto/gen/flotilla.pool.v1.ts';
import { call } from '../connection/call.ts';
import type { PoolConnection } from '../connection/pool-connection.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import type { Session } from '../session.ts';
import { stopOn } from '../stop.ts';
import { meantHost } from './meant-host.ts';
import { type BegunRestart, beginRestart, followRestart } from './restart-stream.ts';
import {
  exitCodeOf,
  notAwaited,
  type RestartedService,
  type StopCause,
  tellRestarted,
} from './restarted.ts';

/** Between two looks whether a service serves again. */
const pause = milliseconds(200);

/** What is to be started anew. */
interface Wish {
  readonly service: string;
  /** Undefined: the pool's one host. */
  readonly host: string | undefined;
  /** How long it is waited for where `--timeout` says nothing. */
  readonly patience: Milliseconds;
}

/**
 * Has a service of any host of the pool started anew, by way of the vm-lifecycle services. Where the one that
 * tells of it is lost, above all because it is the one that was asked for, the pool is asked until the
 * service serves again.
 */
export async function restartAfar(
  session: Session,
  { service, host: named, patience }: Wish,
): Promise<Result<ExitCode, Problem>> {
  const host = await meantHost(session.pool, service, named);
  if (!host.ok) return host;
  const pool = preferring(session.pool, host.value);
  const stop = stopOn({ ...session, pool: { remaining: () => pool.remaining() ?? patience } });
  try {
    const request = { host: host.value, service };
    const begun = await call(pool, (to, settings) =>
      beginRestart(to, request, settings, stop.signal),
    );
    const outcome = begun.ok ? await toItsEnd(session, pool, begun.value, stop.signal) : begun;
    if (outcome.ok) return ok(tellRestarted(session, outcome.value));
    const cause = stop.cause();
    if (cause === undefined) return fail(outcome.error);
    return fail(begun.ok ? notAwaited(service, host.value, cause) : unanswered(request, cause));
  } finally {
    stop.release();
  }
}

/** The host that is meant is asked first, where its address is known: it can answer without the database. */
function preferring(pool: PoolConnection, name: string): PoolConnection {
  return {
    ...pool,
    candidates: () =>
      pool
        .candidates()
        .toSorted((a, b) => Number(b.host.name === name) - Number(a.host.name === name)),
  };
}

async function toItsEnd(
  session: Session,
  pool: PoolConnection,
  begun: BegunRestart,
  signal: AbortSignal,
): Promise<Result<RestartedService, Problem>> {
  const { host, before } = begun;
  const { service } = before;
  const accepted = performance.now();
  const kind = before.form === 'SERVICE_FORM_GUEST' ? 'guest' : 'process';
  const end = await followRestart(begun, (text) => session.note(text));
  switch (end.kind) {
    case 'restarted': {
      const { id, awayMilliseconds } = end.restarted;
      return ok({ service, host, kind, id: id === 0 ? null : id, awayMilliseconds });
    }
    case 'failed':
      return fail(end.problem);
    case 'lost': {
      if (!signal.aborted)
        session.note(
          service === 'vm-lifecycle'
            ? `${service} of ${host} ends; asking until it serves again`
            : `the connection was lost (${end.why}); asking until ${service} of ${host} serves again`,
        );
      const again = await servesAgain(pool, host, before, signal);
      if (!again.ok) return again;
      const awayMilliseconds = Math.round(performance.now() - accepted);
      return ok({ service, host, kind, id: again.value.id, awayMilliseconds });
    }
  }
}

/** Asks the pool until another run of a service serves. */
async function servesAgain(
  pool: PoolConnection,
  host: string,
  before: SupervisedService,
  signal: AbortSignal,
): Promise<Result<SupervisedService, Problem>> {
  let last = unknownEnd(before.service, host);
  while (!signal.aborted) {
    const answer = await call(
      pool,
      (to, settings) => to.supervisor.listServices({ host }, { ...settings, signal }),
      milliseconds(0),
    );
    if (answer.ok) {
      const now = answer.value.services.find(({ service }) => service === before.service);
      if (now?.state === 'serving' && isAnotherRun(now, before)) return ok(now);
      if (now?.state === 'refused' || now?.state === 'stopped') return fail(unstarted(now, host));
    } else {
      last = answer.error;
      if (!passes(last)) return fail(last);
    }
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
  return fail(last);
}

function isAnotherRun(now: SupervisedService, before: SupervisedService): boolean {
  return now.id !== before.id || now.starts !== before.starts;
}

/** What a restart of a host's services brings about for a while. */
function passes({ exitCode, reason }: Problem): boolean {
  return (
    exitCode === exitCodes.unreachable ||
    exitCode === exitCodes.timedOut ||
    reason === 'SERVICE_UNAVAILABLE' ||
    reason === 'HOST_UNREACHABLE' ||
    reason === 'CONFLICT'
  );
}

function unstarted({ service, state, detail }: SupervisedService, host: string): Problem {
  return {
    exitCode: exitCodes.failed,
    message: `${service} of ${host} does not start: it is ${state} (${detail})`,
    remedy: `put right what it names; see flotilla host show ${host}`,
  };
}

/** Who is asked may have heard it, and the answer was not waited for. */
function unanswered(
  { service, host }: Record<'service' | 'host', string>,
  cause: StopCause,
): Problem {
  return { ...unknownEnd(service, host), exitCode: exitCodeOf(cause) };
}

function unknownEnd(service: string, host: string): Problem {
  return {
    exitCode: exitCodes.failed,
    message: `whether ${service} of ${host} is started anew is not known`,
    remedy: `see flotilla host show ${host}`,
  };
}
