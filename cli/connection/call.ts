import { setTimeout as sleep } from 'node:timers/promises';
import { type ServiceError, status } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import type { FailureReason } from '../../pool/failure.ts';
import { failureOf } from '../../pool/rpc/status.ts';
import type { CallSettings } from '../../proto/client.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Problem, problemOf } from '../problem.ts';
import {
  type HostClients,
  type PoolConnection,
  refusedIdentity,
  unreachable,
} from './pool-connection.ts';

/** One unary call to one host. It may be made again on another one. */
export type Attempt<Response> = (
  to: HostClients,
  settings: CallSettings,
) => Promise<Result<Response, ServiceError>>;

/**
 * What the last host that can be asked has for an answer. A transaction of the pool database takes far
 * less; but a host whose processors are taken by others has been seen to take ten seconds, and nobody
 * else can answer.
 */
const attemptTimeout = milliseconds(20_000);
/** What it has while there is another one to ask: a host that hangs is not to hold up everybody. */
const hurriedTimeout = milliseconds(4000);
/** How long a pool that is electing a leader is asked again: an election takes one or two seconds. */
const electionPatience = milliseconds(15_000);
/** Between two rounds over the hosts. */
const pause = milliseconds(400);

/** How a call that failed is to be taken. */
export type CallFailure =
  /** The host did not answer: it is down, or hangs, or is being restarted. */
  | { readonly kind: 'silent'; readonly why: string }
  /** It answered that it cannot, for a reason of its own host: another host may. */
  | { readonly kind: 'elsewhere'; readonly problem: Problem }
  /** It answered that nobody can answer just now: no leader, or another change came in between. */
  | { readonly kind: 'not-now'; readonly problem: Problem }
  | { readonly kind: 'refused'; readonly problem: Problem };

/** Tells a host that does not answer from one that says no. */
export function callFailure(error: ServiceError): CallFailure {
  const answered = error.metadata.get('grpc-status-details-bin').length > 0;
  if (!answered) {
    if (error.code === status.DEADLINE_EXCEEDED)
      return { kind: 'silent', why: 'no answer in time' };
    if (error.code === status.UNAVAILABLE || isCutOff(error))
      return { kind: 'silent', why: reasonOf(error) };
  }
  const failure = failureOf(error);
  return { kind: kindOf(failure.reason), problem: problemOf(failure) };
}

function kindOf(reason: FailureReason): 'elsewhere' | 'not-now' | 'refused' {
  if (reason === 'SERVICE_UNAVAILABLE') return 'elsewhere';
  return reason === 'DATABASE_UNAVAILABLE' || reason === 'CONFLICT' ? 'not-now' : 'refused';
}

/** A server that is stopped at once resets the streams that it has; we ourselves did not cancel. */
export function isCutOff({ code, details }: ServiceError): boolean {
  return code === status.CANCELLED || (code === status.INTERNAL && details.includes('RST_STREAM'));
}

/** Why a server did not answer, in a few words. */
export function reasonOf({ details }: ServiceError): string {
  if (details.includes('ECONNREFUSED')) return 'connection refused';
  if (details.startsWith('No connection established')) return refusedIdentity;
  return details === '' ? 'unavailable' : details;
}

/**
 * Makes a call on the host that answered last, and on the others in turn where that one does not
 * answer. A call that changes something must carry a `request_id`, so that making it twice is making
 * it once. A pool that has no leader just now is asked again for as long as `patience`.
 */
export async function call<Response>(
  pool: PoolConnection,
  attempt: Attempt<Response>,
  patience = electionPatience,
): Promise<Result<Response, Problem>> {
  const givesUpAt = performance.now() + patience;
  for (;;) {
    const round = await oneRound(pool, attempt);
    if (round.ok) return round;
    const { kind, problem } = round.error;
    if (kind !== 'not-now' || performance.now() >= givesUpAt) return fail(problem);
    pool.waits(problem);
    await sleep(pause);
  }
}

type RoundFailure = {
  readonly kind: 'refused' | 'not-now' | 'all-silent';
  readonly problem: Problem;
};

async function oneRound<Response>(
  pool: PoolConnection,
  attempt: Attempt<Response>,
): Promise<Result<Response, RoundFailure>> {
  let notNow: Problem | undefined;
  let elsewhere: Problem | undefined;
  const candidates = pool.candidates();
  for (const [index, clients] of candidates.entries()) {
    const atMost = index < candidates.length - 1 ? hurriedTimeout : attemptTimeout;
    const timeout = timeLeft(pool, atMost);
    if (timeout <= 0) return fail({ kind: 'refused', problem: outOfTime() });
    const result = await attempt(clients, { timeout });
    if (result.ok) {
      pool.answered(clients.host);
      return ok(result.value);
    }
    if (result.error.code === status.DEADLINE_EXCEEDED && timeout < atMost)
      return fail({ kind: 'refused', problem: outOfTime() });
    const failure = callFailure(result.error);
    switch (failure.kind) {
      case 'silent':
        pool.wasSilent(clients.host, failure.why);
        break;
      case 'elsewhere':
        elsewhere = failure.problem;
        break;
      case 'not-now':
        notNow = failure.problem;
        break;
      case 'refused':
        pool.answered(clients.host);
        return fail({ kind: 'refused', problem: failure.problem });
    }
  }
  if (notNow !== undefined) return fail({ kind: 'not-now', problem: notNow });
  if (elsewhere !== undefined) return fail({ kind: 'refused', problem: elsewhere });
  return fail({ kind: 'all-silent', problem: unreachable(pool.location, pool.silent()) });
}

function timeLeft(pool: PoolConnection, atMost: Milliseconds): Milliseconds {
  const remaining = pool.remaining();
  return remaining === undefined || remaining > atMost ? atMost : remaining;
}

/** The pool did not answer within `--timeout`. */
export function outOfTime(): Problem {
  return {
    exitCode: exitCodes.timedOut,
    message: 'the pool did not answer within --timeout',
    remedy: 'allow more time, or see what the pool does with `flotilla pool status`',
  };
}
