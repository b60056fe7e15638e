import { fail, ok, type Result } from '../../base/result.ts';
import { closeNames } from '../close-names.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { idText, titleOf } from './report.ts';
import type { DatabaseSession } from './session.ts';
import { type MemberReport, type Survey, survey } from './survey.ts';

/** The member of that name or id (hexadecimal, as `etcdctl` prints it), with all others. */
export async function findMember(
  session: DatabaseSession,
  named: string,
): Promise<Result<{ readonly member: MemberReport; readonly all: Survey }, Problem>> {
  const all = await listedMembers(session);
  if (!all.ok) return all;
  const member = chosen(all.value.members, named);
  return member.ok ? ok({ member: member.value, all: all.value }) : member;
}

/** All members as the database lists them; without a leader nothing about them can be changed. */
export async function listedMembers({
  database,
}: DatabaseSession): Promise<Result<Survey, Problem>> {
  const all = await survey(database);
  if (!all.ok) return all;
  return all.value.problem === undefined ? all : fail(all.value.problem);
}

/** The one of that name or id. A name goes before an id: `a` may be either. */
export function chosen(
  members: readonly MemberReport[],
  named: string,
): Result<MemberReport, Problem> {
  const byName = members.filter((member) => member.name !== '' && member.name === named);
  const id = named.replace(/^0x/i, '').toLowerCase();
  const matching = byName.length > 0 ? byName : members.filter(({ id: own }) => idText(own) === id);
  const [first, ...others] = matching;
  if (first !== undefined && others.length === 0) return ok(first);
  if (first !== undefined)
    return fail({
      exitCode: exitCodes.usage,
      message: `${matching.length} members are named ${named}`,
      remedy: `name one by its id: ${matching.map((member) => idText(member.id)).join(', ')}`,
    });
  return fail({
    exitCode: exitCodes.notFound,
    message: `the pool database has no member "${named}"`,
    remedy: `name one that exists: ${members.map(titleOf).join(', ')}`,
    reason: 'NOT_FOUND',
    resource: { type: 'member', name: named },
    suggestions: closeNames(
      named,
      members.flatMap((member) => [member.name, idText(member.id)]).filter((each) => each !== ''),
    ),
  });
}
