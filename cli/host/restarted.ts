import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import type { Voice } from '../session.ts';
import type { Stop } from '../stop.ts';

/** A service that serves again. */
export interface RestartedService {
  readonly service: string;
  readonly host: string;
  readonly kind: 'process' | 'guest';
  /** Process id or domid; null where there is none. */
  readonly id: number | null;
  readonly awayMilliseconds: number;
}

/** Says that a service serves again. */
export function tellRestarted(voice: Voice, restarted: RestartedService): ExitCode {
  const { service, host, kind, id, awayMilliseconds } = restarted;
  const number = id === null ? '' : ` as ${runName(kind, id)}`;
  const away = (awayMilliseconds / 1000).toFixed(1);
  voice.answer(restarted, [
    `${service} of ${host} serves again${number}; it was away for ${away} s`,
  ]);
  return exitCodes.done;
}

/** `process 1234`, `domain 7`. */
export function runName(kind: RestartedService['kind'], id: number): string {
  return `${kind === 'guest' ? 'domain' : 'process'} ${id}`;
}

/** The problem of whoever does not wait for the end. */
export function notAwaited(service: string, host: string, cause: StopCause): Problem {
  return {
    exitCode: exitCodeOf(cause),
    message: `${service} of ${host} is started anew, and nobody waits for it any more`,
    remedy: `see how it does with flotilla host show ${host}`,
  };
}

/** Why nobody waits any more. */
export type StopCause = NonNullable<ReturnType<Stop['cause']>>;

/** How a command ends that was not waited for. */
export function exitCodeOf(cause: StopCause): ExitCode {
  return cause === 'interrupted' ? exitCodes.interrupted : exitCodes.timedOut;
}
