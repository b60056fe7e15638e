import { Argument, type Command } from 'commander';
import { ok, type Result } from '../../base/result.ts';
import type { Input } from '../../proto/codec.ts';
import { type AlarmMember, type AlarmRequest, Maintenance } from '../../proto/gen/etcdserverpb.ts';
import { changesSomething, verb } from '../command.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { tableLines } from '../output/table.ts';
import type { Problem } from '../problem.ts';
import { agreed, type ChangeFlags } from './change.ts';
import { idText, titleOf } from './report.ts';
import { type DatabaseSession, talksToDatabase, withDatabase } from './session.ts';
import { survey } from './survey.ts';

/** `flotilla pool alarms`. */
export function alarmsCommand(context: Context): Command {
  const summary = 'List the alarms of the pool database, or end them';
  return talksToDatabase(changesSomething(verb(context, 'pool', 'alarms', summary)))
    .addArgument(
      new Argument('[action]', 'disarm: end all alarms, once their cause is gone').choices([
        'disarm',
      ]),
    )
    .action((action: 'disarm' | undefined, flags: ChangeFlags) =>
      withDatabase(context, flags, (session) =>
        action === undefined ? listAlarms(session) : disarm(session, flags),
      ),
    );
}

/** An alarm with the name of its member. */
interface NamedAlarm extends AlarmMember {
  readonly member: string;
}

async function alarms(session: DatabaseSession): Promise<Result<readonly NamedAlarm[], Problem>> {
  const asked = await ask(session, { action: 'GET' });
  if (!asked.ok) return asked;
  const found = await survey(session.database);
  const members = found.ok ? found.value.members : [];
  return ok(
    asked.value.map((alarm) => {
      const id = alarm.memberID;
      return {
        ...alarm,
        member: titleOf(members.find((each) => each.id === id) ?? { id, name: '' }),
      };
    }),
  );
}

async function ask(
  { database }: DatabaseSession,
  request: Input<AlarmRequest>,
): Promise<Result<readonly AlarmMember[], Problem>> {
  // To look, no leader is demanded: the built-in database tells its alarms in any state.
  const answer = await database.call((to, settings) =>
    to
      .client(Maintenance)
      .alarm(request, request.action === 'GET' ? { timeout: settings.timeout } : settings),
  );
  return answer.ok ? ok(answer.value.alarms) : answer;
}

function alarmJson({ memberID, member, alarm }: NamedAlarm): object {
  return { alarm, member, memberId: idText(memberID) };
}

async function listAlarms(session: DatabaseSession): Promise<Result<ExitCode, Problem>> {
  const found = await alarms(session);
  if (!found.ok) return found;
  if (found.value.length === 0) session.note('there is no alarm');
  const rows = found.value.map(({ alarm, member, memberID }) => [alarm, member, idText(memberID)]);
  const columns = [{ heading: 'ALARM' }, { heading: 'MEMBER' }, { heading: 'ID' }];
  if (rows.length > 0 || session.json)
    session.answer(found.value.map(alarmJson), tableLines(columns, rows, session.style));
  return ok(exitCodes.done);
}

async function disarm(
  session: DatabaseSession,
  flags: ChangeFlags,
): Promise<Result<ExitCode, Problem>> {
  const found = await alarms(session);
  if (!found.ok) return found;
  const words = found.value.map(({ alarm, member }) => `${alarm} of ${member}`);
  const go = await agreed(session, flags, {
    would: words.length === 0 ? 'end no alarm: there is none' : `end ${words.join(', ')}`,
    means: ['where the cause is not gone, the alarm comes back'],
  });
  if (!go.goesOn) return go.outcome;
  for (const { memberID, alarm } of found.value) {
    const ended = await ask(session, { action: 'DEACTIVATE', memberID, alarm });
    if (!ended.ok) return ended;
  }
  session.answer(
    { disarmed: found.value.map(alarmJson) },
    words.length === 0 ? ['there is no alarm'] : words.map((word) => `${word} is ended`),
  );
  return ok(exitCodes.done);
}
