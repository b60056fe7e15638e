import type { Milliseconds } from '../base/units.ts';
import type { Context } from './context.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** What ends a command that would go on: Ctrl-C, or `--timeout`. */
export interface Stop {
  /** Aborted when it is time to end. */
  readonly signal: AbortSignal;
  /** Why it ended; undefined while it has not. */
  cause(): 'interrupted' | 'timed out' | undefined;
  /** Gives Ctrl-C back. */
  release(): void;
}

/** What may be stopped: a command with its terminal, and what is left of its `--timeout`. */
export interface Stoppable {
  readonly context: Context;
  /** Whom it talks to; `remaining` is undefined where there is no `--timeout`. */
  readonly pool: { remaining(): Milliseconds | undefined };
}

/** Listens for Ctrl-C, and for the end of `--timeout`, until it is released. */
export function stopOn({ context, pool }: Stoppable): Stop {
  const controller = new AbortController();
  let cause: ReturnType<Stop['cause']>;
  const end = (why: typeof cause) => (): void => {
    cause ??= why;
    controller.abort();
  };
  const release = context.onInterrupt(end('interrupted'));
  const remaining = pool.remaining();
  const timer =
    remaining === undefined
      ? undefined
      : setTimeout(end('timed out'), Math.min(remaining, longest));
  return {
    signal: controller.signal,
    cause: () => cause,
    release: () => {
      clearTimeout(timer);
      release();
    },
  };
}

/** The longest time that a timer of Node's can be set to, about 24 days. */
const longest = 2 ** 31 - 1;

/** The exit code of a command that goes on until it is stopped. */
export function exitCodeOfStop(stop: Stop): ExitCode {
  switch (stop.cause()) {
    case 'interrupted':
      return exitCodes.interrupted;
    case 'timed out':
      return exitCodes.timedOut;
    case undefined:
      return exitCodes.done;
  }
}
