import type { Command } from 'commander';
import { fail, ok, type Result } from '../base/result.ts';
import type { Operation } from '../proto/gen/flotilla.pool.v1.ts';
import { changesSomething, noun, takesTime, verb } from './command.ts';
import { call } from './connection/call.ts';
import { type Context, processContext } from './context.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { list, watchList } from './listing.ts';
import { findOperation } from './operation/find.ts';
import { operationLines, operationListing } from './operation/listing.ts';
import type { Problem } from './problem.ts';
import { follow, outcomeOf } from './progress/follow.ts';
import { hasEnded, titleOf } from './progress/progress.ts';
import type { PoolFlags, Session } from './session.ts';
import { withPool } from './session.ts';

/** `flotilla operation`: what the pool is doing, and did. */
export function operationCommand(context: Context = processContext()): Command {
  const verbs = [listCommand, showCommand, watchCommand, cancelCommand];
  return noun(
    context,
    'operation',
    'Look at what the pool is doing, and cancel it',
    verbs.map((make) => make(context)),
  );
}

interface ListFlags extends PoolFlags {
  readonly watch?: boolean;
  readonly active?: boolean;
  readonly resource?: string;
}

function listCommand(context: Context): Command {
  return verb(context, 'operation', 'list', 'List operations, the newest first')
    .option('--watch', 'keep the list current until Ctrl-C')
    .option('--active', 'only those that have not ended')
    .option('--resource <resource>', 'only those about this VM, disk or host: its name or id')
    .action((flags: ListFlags) =>
      withPool(context, flags, (session) => {
        const listing = operationListing({
          active: flags.active ?? false,
          resource: flags.resource ?? '',
        });
        return flags.watch === true ? watchList(session, listing, 'table') : list(session, listing);
      }),
    );
}

function showCommand(context: Context): Command {
  return verb(context, 'operation', 'show <operation>', 'Show an operation and its steps').action(
    (named: string, flags: PoolFlags) =>
      withPool(context, flags, async (session) => {
        const operation = await findOperation(session, named);
        if (!operation.ok) return operation;
        const host = await hostName(session, operation.value.host);
        const readable = { ...operation.value, host };
        const lines = operationLines(readable, context.now(), session.style);
        session.answer(operation.value, lines);
        return ok(exitCodes.done);
      }),
  );
}

/** The name of the host of that id; the id itself where nobody knows it. */
async function hostName(session: Session, id: string): Promise<string> {
  if (session.json || id === '') return id;
  const host = await call(session.pool, (to, settings) => to.pool.getHost({ host: id }, settings));
  return host.ok ? host.value.name : id;
}

function watchCommand(context: Context): Command {
  return verb(context, 'operation', 'watch', 'Watch an operation until it ends, or all of them')
    .argument('[operation]', 'only this one: its id, or the beginning of it')
    .action((named: string | undefined, flags: PoolFlags) =>
      withPool(context, flags, async (session) => {
        const everything = operationListing({ active: false, resource: '' });
        if (named === undefined) return watchList(session, everything, 'lines');
        const operation = await findOperation(session, named);
        return operation.ok ? waitFor(session, operation.value) : operation;
      }),
    );
}

async function waitFor(session: Session, operation: Operation): Promise<Result<ExitCode, Problem>> {
  const ended = await follow(session, operation);
  if (!ended.ok) return ended;
  const outcome = outcomeOf(ended.value);
  if (!outcome.ok) return outcome;
  session.answer(outcome.value, [`${titleOf(outcome.value)} is done`]);
  return ok(exitCodes.done);
}

interface CancelFlags extends PoolFlags {
  readonly dryRun?: boolean;
  readonly wait: boolean;
}

function cancelCommand(context: Context): Command {
  const summary = 'Have an operation undo what it did, and wait until it has';
  return takesTime(
    changesSomething(verb(context, 'operation', 'cancel <operation>', summary)),
  ).action((named: string, flags: CancelFlags) =>
    withPool(context, flags, async (session) => {
      const operation = await findOperation(session, named);
      return operation.ok ? cancel(session, flags, operation.value) : operation;
    }),
  );
}

async function cancel(
  session: Session,
  flags: CancelFlags,
  operation: Operation,
): Promise<Result<ExitCode, Problem>> {
  const title = titleOf(operation);
  if (flags.dryRun === true && !hasEnded(operation)) {
    session.answer(operation, [`would cancel ${title}`, 'nothing was changed']);
    return ok(exitCodes.done);
  }
  if (hasEnded(operation)) return fail(endedBefore(operation));
  const asked = await call(session.pool, (to, settings) =>
    to.pool.cancelOperation({ operation: operation.id }, settings),
  );
  if (!asked.ok) return asked;
  if (!flags.wait) {
    session.answer(asked.value, [`${title} was asked to undo what it did`]);
    return ok(exitCodes.done);
  }
  const ended = await follow(session, asked.value);
  if (!ended.ok) return ended;
  if (ended.value.state === 'OPERATION_STATE_SUCCEEDED') return fail(tooLate(ended.value));
  session.answer(ended.value, [`${title} is cancelled; what it had done is undone`]);
  return ok(exitCodes.done);
}

function endedBefore(operation: Operation): Problem {
  return {
    exitCode: exitCodes.failed,
    message: `${titleOf(operation)} has ended already`,
    remedy: `see how with \`flotilla operation show ${operation.id}\``,
    reason: 'WRONG_STATE',
  };
}

function tooLate(operation: Operation): Problem {
  return {
    exitCode: exitCodes.failed,
    message: `${titleOf(operation)} was past the point of no return, and is done`,
    remedy: '',
    reason: 'WRONG_STATE',
  };
}
