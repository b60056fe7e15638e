import type { Command } from 'commander';
import { ok, type Result } from '../../../base/result.ts';
import { Cluster } from '../../../proto/gen/etcdserverpb.ts';
import { asksFirst, changesSomething, verb } from '../../command.ts';
import type { Context } from '../../context.ts';
import { type ExitCode, exitCodes } from '../../exit-codes.ts';
import type { Problem } from '../../problem.ts';
import { agreed, type ChangeFlags, type PlannedChange, wrongState } from '../change.ts';
import { findMember } from '../find-member.ts';
import { majorityChange, majorityOf } from '../majority.ts';
import { idText, roleOf, stateOf, titleOf } from '../report.ts';
import { type DatabaseSession, talksToDatabase, withDatabase } from '../session.ts';
import type { MemberReport, Survey } from '../survey.ts';

/** `flotilla pool member remove`. */
export function removeCommand(context: Context): Command {
  const summary = 'Remove a member for good: what it has is never taken back';
  return talksToDatabase(
    asksFirst(changesSomething(verb(context, 'pool member', 'remove <member>', summary))),
  ).action((named: string, flags: ChangeFlags) =>
    withDatabase(context, flags, (session) => remove(session, named, flags)),
  );
}

async function remove(
  session: DatabaseSession,
  named: string,
  flags: ChangeFlags,
): Promise<Result<ExitCode, Problem>> {
  const found = await findMember(session, named);
  if (!found.ok) return found;
  const { member, all } = found.value;
  const go = await agreed(session, flags, removal(member, all));
  if (!go.goesOn) return go.outcome;
  const done = await session.database.call(
    (to, settings) => to.client(Cluster).memberRemove({ ID: member.id }, settings),
    { changes: true },
  );
  if (!done.ok) return done;
  session.answer({ removed: { name: member.name, id: idText(member.id) } }, [
    `${titleOf(member)} is a member no longer; its process ends or says so, and its data directory can be deleted`,
  ]);
  return ok(exitCodes.done);
}

/** What a removal means, and whether those who are left could go on without the member. */
export function removal(member: MemberReport, { members }: Survey): PlannedChange {
  const voters = members.filter((each) => !each.learner);
  const title = titleOf(member);
  const would = `remove ${title} (${roleOf(member)}, ${stateOf(member)}) from the pool database`;
  if (member.learner)
    return {
      would,
      means: [`it is a learner: ${majorityChange(voters.length, voters.length)}`],
      question: `Remove the learner ${title}?`,
    };
  const rest = voters.filter((each) => each !== member);
  const up = rest.filter((each) => each.status !== null).length;
  const leads = member.leader ? ['it leads: another member takes over first'] : [];
  return {
    would,
    means: [majorityChange(voters.length, rest.length), ...leads],
    refused: refusal(title, rest.length, up),
    question: `Remove ${title} for good?`,
  };
}

function refusal(title: string, rest: number, up: number): Problem | undefined {
  if (rest === 0)
    return wrongState(
      `${title} is the only voter: without it there is no database`,
      'add another member first: `flotilla pool member add --help`',
    );
  if (up >= majorityOf(rest)) return undefined;
  return wrongState(
    `without ${title} there are ${rest} voters, of which ${majorityOf(rest)} must answer, and ${up} ${up === 1 ? 'does' : 'do'}`,
    'start the members that are down, or remove one of those first; `flotilla pool members` shows them',
  );
}
