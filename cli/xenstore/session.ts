import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail, ok, type Result } from '../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import { XenstoreService } from '../../proto/gen/flotilla.xenstore.v1.ts';
import { anywhere, unixSocket } from '../../services/xenstore/client/index.ts';
import { answers, type Counterpart, namesPool } from '../command.ts';
import { call } from '../connection/call.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../exit-codes.ts';
import { type Problem, wrongUsage } from '../problem.ts';
import { type PoolFlags, report, type Session, type Voice, voiceOf, withPool } from '../session.ts';
import type { Xenstore } from './access.ts';
import { overGrpc } from './over-grpc.ts';
import { overSocket } from './over-socket.ts';
import { unreachable } from './problems.ts';

/** The flags that every command has which talks to a xenstored. */
export interface XenstoreFlags extends PoolFlags {
  readonly socket?: string;
  readonly host?: string;
}

/** One command at work: its words, and the xenstore that it is about. */
export interface XenstoreSession extends Voice {
  readonly xenstore: Xenstore;
  /** What is left of `--timeout`; undefined where there is none. */
  remaining(): Milliseconds | undefined;
}

/** What a command does once it has a xenstore. */
export type Body = (session: XenstoreSession) => Promise<Result<ExitCode, Problem>>;

/** What one call to a host may take where `--timeout` says nothing. */
const callPatience = milliseconds(30_000);

const exitCodesHelp = `
Exit codes:
  0    done
  1    xenstored refused
  2    wrong usage; nothing was sent
  3    xenstored cannot be reached
  4    the node does not exist
  5    --timeout ran out
  130  interrupted`;

/** What the commands of `flotilla xenstore` talk to. */
export const theXenstored: Counterpart = { flags: talksToXenstored, exitCodes: exitCodesHelp };

function talksToXenstored(command: Command): Command {
  const placed = command
    .option(
      '--socket <path>',
      'the socket of xenstored (default: $XENSTORED_PATH, else /var/run/xenstored/socket, else /dev/xen/xenbus)',
    )
    .option('--host <host>', 'the xenstored of this host of the pool, instead of a local one');
  return namesPool(answers(placed));
}

/** Finds the xenstored, connects to it, runs the command, and reports how it ended. */
export async function withXenstore(
  context: Context,
  flags: XenstoreFlags,
  body: Body,
): Promise<void> {
  const { host, socket } = flags;
  const json = flags.json === true;
  if (host !== undefined && socket !== undefined)
    return report(
      context,
      json,
      wrongUsage('--host and --socket name two xenstoreds', 'give one of them'),
    );
  if (host !== undefined) return withPool(context, flags, (session) => onHost(session, host, body));
  const transport =
    socket === undefined ? anywhere(context.env) : unixSocket(resolve(context.directory, socket));
  const { timeout } = flags;
  const xenstore = await overSocket(transport, timeout === undefined ? {} : { timeout });
  if (!xenstore.ok) return report(context, json, xenstore.error);
  const began = context.now();
  const outcome = await body({
    ...voiceOf(context, json),
    xenstore: xenstore.value,
    remaining: () =>
      timeout === undefined
        ? undefined
        : milliseconds(Math.max(0, began + timeout - context.now())),
  });
  xenstore.value.close();
  if (outcome.ok) context.finish(outcome.value);
  else report(context, json, outcome.error);
}

async function onHost(
  session: Session,
  named: string,
  body: Body,
): Promise<Result<ExitCode, Problem>> {
  const { pool } = session;
  const host = await call(pool, (to, settings) => to.pool.getHost({ host: named }, settings));
  if (!host.ok) return host;
  const { name, endpoints } = host.value;
  const address = endpoints.xenstore;
  if (address === undefined) return fail(unreachable(`${name} has no xenstored that is known`));
  const xenstore = overGrpc({
    name,
    client: pool.open(address).client(XenstoreService),
    patience: () => pool.remaining() ?? callPatience,
  });
  return body({ ...session, xenstore, remaining: () => pool.remaining() });
}

/** Done, with nothing to say but to programs: an object for each path. */
export function didAll(
  session: XenstoreSession,
  outcome: Result<readonly object[], Problem>,
  exitCode: ExitCode,
): Result<ExitCode, Problem> {
  if (!outcome.ok) return outcome;
  session.answer(outcome.value, []);
  return ok(exitCode);
}
