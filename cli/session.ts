import type { Result } from '../base/result.ts';
import type { Milliseconds } from '../base/units.ts';
import { findPool, type PoolChoice } from './connection/find-pool.ts';
import { connectPool, type PoolConnection } from './connection/pool-connection.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './exit-codes.ts';
import { jsonLine, jsonText } from './output/json.ts';
import { type Style, styleFor } from './output/style.ts';
import { type Problem, problemJson, problemLines } from './problem.ts';
import { withSuggestions } from './suggest.ts';

/** The flags that every command has which talks to a pool. */
export interface PoolFlags {
  readonly pool?: string;
  readonly identity?: string;
  readonly json?: boolean;
  readonly timeout?: Milliseconds;
}

/** Where the words of a command at work go. */
export interface Voice {
  readonly context: Context;
  /** Whether a program reads the output. */
  readonly json: boolean;
  /** Colours and signs for stdout, and for stderr. */
  readonly style: Style;
  readonly errorStyle: Style;
  /** The answer, to stdout: as JSON for a program, else as lines for people. */
  answer(message: unknown, lines: readonly string[]): void;
  /** One event of many, likewise. */
  event(message: unknown, lines: readonly string[]): void;
  /** A word on the side, to stderr; a program is not told. */
  note(...lines: readonly string[]): void;
}

/** One command at work: its words, and the pool it is about. */
export interface Session extends Voice {
  readonly pool: PoolConnection;
}

/** What a command does once it has a pool. */
export type Body = (session: Session) => Promise<Result<ExitCode, Problem>>;

/** Finds the pool, connects to it, runs the command, and reports how it ended. */
export async function withPool(context: Context, flags: PoolFlags, body: Body): Promise<void> {
  const json = flags.json === true;
  const location = findPool(poolChoice(context, flags));
  if (!location.ok) return report(context, json, location.error);
  const pool = await connectPool(location.value, {
    now: context.now,
    timeout: flags.timeout,
    onWait: ({ message }) => {
      if (!json) context.stderr.write(`waiting for the pool: ${message}\n`);
    },
  });
  if (!pool.ok) return report(context, json, pool.error);
  const session = { ...voiceOf(context, json), pool: pool.value };
  try {
    const outcome = await body(session);
    if (!outcome.ok) return report(context, json, await withSuggestions(pool.value, outcome.error));
    hintAtSilentHosts(session);
    context.finish(outcome.value);
  } finally {
    pool.value.close();
  }
}

/** What the flags say of the pool, else the environment. */
export function poolChoice({ env, directory }: Context, flags: PoolFlags): PoolChoice {
  return {
    pool: flags.pool ?? (env.FLOTILLA_POOL || undefined),
    identity: flags.identity ?? (env.FLOTILLA_IDENTITY || undefined),
    directory,
  };
}

/** How a command speaks: to people, or to a program. */
export function voiceOf(context: Context, json: boolean): Voice {
  const print = (lines: readonly string[]): void => {
    context.stdout.write(lines.map((line) => `${line}\n`).join(''));
  };
  return {
    context,
    json,
    style: styleFor(context.stdout, context.env),
    errorStyle: styleFor(context.stderr, context.env),
    answer: (message, lines) => print(json ? [jsonText(message)] : lines),
    event: (message, lines) => print(json ? [jsonLine(message)] : lines),
    note: (...lines) => {
      if (!json) context.stderr.write(lines.map((line) => `${line}\n`).join(''));
    },
  };
}

/** Tells of a problem on stderr and sets the exit code. */
export function report(context: Context, json: boolean, problem: Problem): void {
  const lines = json ? [problemJson(problem)] : problemLines(problem);
  context.stderr.write(lines.map((line) => `${line}\n`).join(''));
  context.finish(problem.exitCode);
}

function hintAtSilentHosts({ pool, note, errorStyle }: Session): void {
  for (const { host, why } of pool.silent())
    note(errorStyle.paint('busy', `hint: ${host.name} did not answer (${why}); another host did`));
}
