import type { Command } from 'commander';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { KV } from '../../proto/gen/etcdserverpb.ts';
import { changesSomething, verb, wholeNumber } from '../command.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type Problem, wrongUsage } from '../problem.ts';
import { agreed, type ChangeFlags } from './change.ts';
import { type DatabaseSession, talksToDatabase, withDatabase } from './session.ts';
import { survey } from './survey.ts';

/** Enough for a watcher that was away for a while to come back. */
const keptDefault = 10_000;

/** Freeing a whole history takes a while; the database serves meanwhile. */
const compactTimeout = milliseconds(120_000);

interface CompactFlags extends ChangeFlags {
  readonly keep?: number;
  readonly revision?: number;
}

/** `flotilla pool compact`. */
export function compactCommand(context: Context): Command {
  const summary = 'Give up old revisions, which only watches and reads of the past need';
  return talksToDatabase(changesSomething(verb(context, 'pool', 'compact', summary)))
    .option('--keep <count>', `how many revisions stay (default: ${keptDefault})`, wholeNumber)
    .option(
      '--revision <revision>',
      'the oldest revision that stays, in place of --keep',
      wholeNumber,
    )
    .action((flags: CompactFlags) =>
      withDatabase(context, flags, (session) => compact(session, flags)),
    );
}

async function compact(
  session: DatabaseSession,
  flags: CompactFlags,
): Promise<Result<ExitCode, Problem>> {
  if (flags.keep !== undefined && flags.revision !== undefined)
    return fail(wrongUsage('--keep and --revision say the same', 'give one of them'));
  const found = await survey(session.database);
  if (!found.ok) return found;
  const newest = found.value.revision;
  const revision =
    flags.revision === undefined
      ? newest - BigInt(flags.keep ?? keptDefault)
      : BigInt(flags.revision);
  if (revision < 1n) {
    session.answer({ compacted: null, newest: Number(newest) }, [
      `there are ${newest} revisions, and ${flags.keep ?? keptDefault} stay: nothing to do`,
    ]);
    return ok(exitCodes.done);
  }
  const go = await agreed(session, flags, {
    would: `give up all before revision ${revision}; the newest is ${newest}`,
    means: ['a watch that has not come so far is told to begin anew'],
  });
  if (!go.goesOn) return go.outcome;
  const done = await session.database.call(
    (to, settings) => to.client(KV).compact({ revision, physical: true }, settings),
    { changes: true, timeout: compactTimeout },
  );
  if (!done.ok) return done;
  session.answer({ compacted: Number(revision), newest: Number(newest) }, [
    `what was before revision ${revision} is given up; the newest is ${newest}`,
  ]);
  return ok(exitCodes.done);
}
