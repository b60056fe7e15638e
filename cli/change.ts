import { randomUUID } from 'node:crypto';
import type { ServiceError } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../base/result.ts';
import type { CallSettings } from '../proto/client.ts';
import type { Operation } from '../proto/gen/flotilla.pool.v1.ts';
import { call } from './connection/call.ts';
import type { HostClients } from './connection/pool-connection.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Problem } from './problem.ts';
import { follow, outcomeOf } from './progress/follow.ts';
import { titleOf } from './progress/progress.ts';
import type { PoolFlags, Session } from './session.ts';

/** The flags of every command that starts an operation. */
export interface ChangeFlags extends PoolFlags {
  readonly dryRun?: boolean;
  /** False with `--no-wait`. */
  readonly wait: boolean;
}

/** The fields that every request which changes something has. */
export interface ChangeFields {
  readonly validateOnly: boolean;
  /** The same for every host that is tried, so that the change is made once. */
  readonly requestId: string;
}

/** A request that starts an operation, to one host. */
export type ChangeRequest = (
  to: HostClients,
  fields: ChangeFields,
  settings: CallSettings,
) => Promise<Result<Operation, ServiceError>>;

/** Asks the pool for the operation, and does not wait for it. */
export async function begin(
  session: Session,
  request: ChangeRequest,
  validateOnly: boolean,
): Promise<Result<Operation, Problem>> {
  const fields: ChangeFields = { validateOnly, requestId: randomUUID() };
  const begun = await call(session.pool, (to, settings) => request(to, fields, settings));
  if (begun.ok || begun.error.exitCode !== exitCodes.timedOut || validateOnly) return begun;
  const message = `${begun.error.message}; what was asked for may still be done`;
  return fail({ ...begun.error, message });
}

/** Asks for the operation and waits for it. The failure is the operation's own, or of the waiting. */
export async function perform(
  session: Session,
  request: ChangeRequest,
): Promise<Result<Operation, Problem>> {
  const begun = await begin(session, request, false);
  if (!begun.ok) return begun;
  const ended = await follow(session, begun.value);
  return ended.ok ? outcomeOf(ended.value) : ended;
}

/**
 * What every command that changes something does: with `--dry-run` it says what would be done, with
 * `--no-wait` it prints the operation, else it waits and says what is so now.
 */
export async function change(
  session: Session,
  flags: ChangeFlags,
  request: ChangeRequest,
  said: {
    /** After "would": `start web`. */
    readonly would: string;
    /** What is so now: `web is running on host-1`. */
    done(operation: Operation): Promise<string> | string;
  },
): Promise<Result<ExitCode, Problem>> {
  if (flags.dryRun === true) return dryRun(session, request, said.would);
  if (!flags.wait) return leave(session, request);
  const done = await perform(session, request);
  if (!done.ok) return done;
  session.answer(done.value, session.json ? [] : [await said.done(done.value)]);
  return ok(exitCodes.done);
}

/** Has the pool make all checks, and says what it would do. */
export async function dryRun(
  session: Session,
  request: ChangeRequest,
  would: string,
): Promise<Result<ExitCode, Problem>> {
  const checked = await begin(session, request, true);
  if (!checked.ok) return checked;
  session.answer(checked.value, [
    `would ${would}`,
    ...checked.value.steps.map((step) => `  ${step.description}`),
    'nothing was changed',
  ]);
  return ok(exitCodes.done);
}

async function leave(session: Session, request: ChangeRequest): Promise<Result<ExitCode, Problem>> {
  const begun = await begin(session, request, false);
  if (!begun.ok) return begun;
  session.answer(begun.value, [`${titleOf(begun.value)}: operation ${begun.value.id}`]);
  session.note(`watch it with \`flotilla operation watch ${begun.value.id}\``);
  return ok(exitCodes.done);
}
