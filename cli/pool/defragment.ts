import type { Command } from 'commander';
import { fail, ok, type Result } from '../../base/result.ts';
import { bytes, formatBytes, milliseconds } from '../../base/units.ts';
import { Maintenance } from '../../proto/gen/etcdserverpb.ts';
import { changesSomething, verb } from '../command.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { stopOn } from '../stop.ts';
import { agreed, type ChangeFlags } from './change.ts';
import { chosen } from './find-member.ts';
import { titleOf } from './report.ts';
import { type DatabaseSession, talksToDatabase, withDatabase } from './session.ts';
import { addressOf, type MemberReport, survey } from './survey.ts';

/** etcd's members rewrite their whole file, and serve nobody meanwhile. */
const defragmentTimeout = milliseconds(300_000);

/** `flotilla pool defragment`. */
export function defragmentCommand(context: Context): Command {
  const summary = 'Give the room back that compaction freed, one member after the other';
  return talksToDatabase(changesSomething(verb(context, 'pool', 'defragment', summary)))
    .argument('[member]', 'only this one (default: all that are up, the leader last)')
    .action((named: string | undefined, flags: ChangeFlags) =>
      withDatabase(context, flags, (session) => defragment(session, named, flags)),
    );
}

async function defragment(
  session: DatabaseSession,
  named: string | undefined,
  flags: ChangeFlags,
): Promise<Result<ExitCode, Problem>> {
  const found = await survey(session.database);
  if (!found.ok) return found;
  const { members } = found.value;
  const one = named === undefined ? undefined : chosen(members, named);
  if (one !== undefined && !one.ok) return one;
  const order =
    one === undefined
      ? members
          .filter(({ status }) => status !== null)
          .toSorted((a, b) => Number(a.leader) - Number(b.leader))
      : [one.value];
  const go = await agreed(session, flags, {
    would: `defragment ${order.map(titleOf).join(', then ')}`,
    means: ['a member may answer nobody while it does so'],
  });
  if (!go.goesOn) return go.outcome;
  return eachInTurn(session, order);
}

async function eachInTurn(
  session: DatabaseSession,
  order: readonly MemberReport[],
): Promise<Result<ExitCode, Problem>> {
  const stop = stopOn(session);
  const results: object[] = [];
  for (const [index, member] of order.entries()) {
    if (stop.signal.aborted) break;
    const title = titleOf(member);
    session.note(`${title} (${index + 1} of ${order.length}) ...`);
    const before = member.status?.dbSize ?? 0n;
    const done = await defragmentOne(session, member, stop.signal);
    if (stop.signal.aborted) break;
    if (!done.ok) {
      stop.release();
      return done;
    }
    results.push({ member: title, sizeBefore: Number(before), sizeAfter: done.value });
    session.note(
      `${title}: ${formatBytes(bytes(Number(before)))} before, ${formatBytes(bytes(done.value))} now`,
    );
  }
  stop.release();
  if (stop.cause() !== undefined)
    return fail({
      exitCode: stop.cause() === 'timed out' ? exitCodes.timedOut : exitCodes.interrupted,
      message: `${results.length} of ${order.length} members are defragmented`,
      remedy: 'go on with the others whenever you like',
    });
  session.answer({ defragmented: results }, [
    `${results.length} of ${order.length} members are defragmented`,
  ]);
  return ok(exitCodes.done);
}

async function defragmentOne(
  { database }: DatabaseSession,
  member: MemberReport,
  signal: AbortSignal,
): Promise<Result<number, Problem>> {
  const at = member.clients.map(addressOf)[0];
  const done = await database.call(
    (to, settings) => to.client(Maintenance).defragment({}, { ...settings, signal }),
    { at, timeout: defragmentTimeout },
  );
  if (!done.ok) return done;
  const after = await database.call((to, settings) => to.client(Maintenance).status({}, settings), {
    at,
  });
  return after.ok ? ok(Number(after.value.dbSize)) : after;
}
