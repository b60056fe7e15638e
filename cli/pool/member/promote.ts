import type { Command } from 'commander';
import { ok, type Result } from '../../../base/result.ts';
import { Cluster } from '../../../proto/gen/etcdserverpb.ts';
import { changesSomething, verb } from '../../command.ts';
import type { Context } from '../../context.ts';
import { type ExitCode, exitCodes } from '../../exit-codes.ts';
import type { Problem } from '../../problem.ts';
import { agreed, type ChangeFlags, wrongState } from '../change.ts';
import { findMember } from '../find-member.ts';
import { majorityChange, majorityWords } from '../majority.ts';
import { idText, titleOf } from '../report.ts';
import { type DatabaseSession, talksToDatabase, withDatabase } from '../session.ts';

/** `flotilla pool member promote`. */
export function promoteCommand(context: Context): Command {
  const summary = 'Make a learner that has caught up a voter';
  return talksToDatabase(
    changesSomething(verb(context, 'pool member', 'promote <member>', summary)),
  ).action((named: string, flags: ChangeFlags) =>
    withDatabase(context, flags, (session) => promote(session, named, flags)),
  );
}

async function promote(
  session: DatabaseSession,
  named: string,
  flags: ChangeFlags,
): Promise<Result<ExitCode, Problem>> {
  const found = await findMember(session, named);
  if (!found.ok) return found;
  const { member, all } = found.value;
  const title = titleOf(member);
  const voters = all.members.filter((each) => !each.learner).length;
  const go = await agreed(session, flags, {
    would: `make ${title} a voter`,
    means: [
      majorityChange(voters, voters + 1),
      ...(member.behind === null ? [] : [`it is ${member.behind} entries behind`]),
    ],
    refused: member.learner ? undefined : wrongState(`${title} is a voter already`, ''),
  });
  if (!go.goesOn) return go.outcome;
  const done = await session.database.call(
    (to, settings) => to.client(Cluster).memberPromote({ ID: member.id }, settings),
    { changes: true },
  );
  if (!done.ok) return done;
  session.answer({ promoted: { name: member.name, id: idText(member.id) } }, [
    `${title} is a voter now: ${majorityWords(voters + 1)}`,
  ]);
  return ok(exitCodes.done);
}
