import type { Command } from 'commander';
import { fail, ok, type Result } from '../../base/result.ts';
import { Maintenance } from '../../proto/gen/etcdserverpb.ts';
import { changesSomething, verb } from '../command.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { agreed, type ChangeFlags, wrongState } from './change.ts';
import { chosen, listedMembers } from './find-member.ts';
import { idText, titleOf } from './report.ts';
import { type DatabaseSession, talksToDatabase, withDatabase } from './session.ts';
import { addressOf, type MemberReport, type Survey } from './survey.ts';

/** `flotilla pool move-leader`. */
export function moveLeaderCommand(context: Context): Command {
  const summary = 'Have another member lead, without an election and its pause';
  return talksToDatabase(changesSomething(verb(context, 'pool', 'move-leader', summary)))
    .argument('[member]', 'who is to lead (default: any other, the one that has most)')
    .action((named: string | undefined, flags: ChangeFlags) =>
      withDatabase(context, flags, (session) => moveLeader(session, named, flags)),
    );
}

async function moveLeader(
  session: DatabaseSession,
  named: string | undefined,
  flags: ChangeFlags,
): Promise<Result<ExitCode, Problem>> {
  const all = await listedMembers(session);
  if (!all.ok) return all;
  const { leader } = all.value;
  if (leader === undefined) return fail(noLeader);
  const target = named === undefined ? bestOther(all.value) : chosen(all.value.members, named);
  if (!target.ok) return target;
  const go = await agreed(session, flags, {
    would: `have ${titleOf(target.value)} lead in place of ${titleOf(leader)}`,
    means: ['writes wait for some milliseconds meanwhile'],
    refused: refusal(target.value),
  });
  if (!go.goesOn) return go.outcome;
  // Only the leader can hand over.
  const done = await session.database.call(
    (to, settings) => to.client(Maintenance).moveLeader({ targetID: target.value.id }, settings),
    { changes: true, at: leader.clients.map(addressOf)[0] },
  );
  if (!done.ok) return done;
  const names = { name: target.value.name, id: idText(target.value.id) };
  session.answer({ leader: names, before: { name: leader.name, id: idText(leader.id) } }, [
    `${titleOf(target.value)} leads now; before it was ${titleOf(leader)}`,
  ]);
  return ok(exitCodes.done);
}

const noLeader: Problem = {
  exitCode: exitCodes.unreachable,
  reason: 'DATABASE_UNAVAILABLE',
  message: 'no member leads just now',
  remedy: 'try again in a moment; `flotilla pool members` shows who is up',
};

/** The voter that is up, is not the leader, and lacks least of the log. */
export function bestOther({ members }: Survey): Result<MemberReport, Problem> {
  const candidates = members
    .filter((member) => !member.learner && !member.leader && member.status !== null)
    .toSorted((a, b) => (a.behind ?? 0) - (b.behind ?? 0));
  const [best] = candidates;
  if (best !== undefined) return ok(best);
  return fail(
    wrongState('no other voter is up', 'start one, or add one: see `flotilla pool members`'),
  );
}

function refusal(target: MemberReport): Problem | undefined {
  const title = titleOf(target);
  if (target.leader) return wrongState(`${title} leads already`, '');
  if (target.learner)
    return wrongState(
      `${title} is a learner, and only a voter can lead`,
      `promote it first: \`flotilla pool member promote ${title}\``,
    );
  if (target.status === null)
    return wrongState(`${title} does not answer: ${target.why}`, 'start it, or name another one');
  return undefined;
}
