import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { verb } from '../command.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { liveRegion } from '../output/live-region.ts';
import { tableLines } from '../output/table.ts';
import { type Problem, problemLines } from '../problem.ts';
import { exitCodeOfStop, stopOn } from '../stop.ts';
import { memberColumns, memberJson, memberRow, surveyWarnings } from './report.ts';
import {
  type DatabaseFlags,
  type DatabaseSession,
  talksToDatabase,
  withDatabase,
} from './session.ts';
import { type Survey, survey } from './survey.ts';

interface MembersFlags extends DatabaseFlags {
  readonly watch?: boolean;
}

/** `flotilla pool members`. */
export function membersCommand(context: Context): Command {
  const summary = 'List the members of the pool database, and how each is';
  return talksToDatabase(
    verb(context, 'pool', 'members', summary).option(
      '--watch',
      'keep the list current until Ctrl-C',
    ),
  ).action((flags: MembersFlags) =>
    withDatabase(context, flags, async (session) => {
      if (flags.watch === true) return watchMembers(session);
      const found = await survey(session.database);
      if (!found.ok) return found;
      session.answer(surveyJson(found.value), surveyLines(session, found.value));
      return ok(exitCodes.done);
    }),
  );
}

/** The members as `--json` prints them. */
export function surveyJson({ members, revision, problem }: Survey): object {
  return {
    revision: Number(revision),
    problem: problem?.message ?? '',
    members: members.map(memberJson),
  };
}

/** A database that lists nobody: what is shown then. */
export function knownOnly(problem: Problem): string {
  return `${problem.message}; these are the members that are known`;
}

function surveyLines({ style }: DatabaseSession, found: Survey): readonly string[] {
  const rows = found.members.map((member) => memberRow(member, style));
  const warnings = surveyWarnings(found).map((line) => style.paint('busy', line));
  const unlisted =
    found.problem === undefined ? [] : [style.paint('bad', knownOnly(found.problem))];
  const notes = [...unlisted, ...warnings];
  return [...tableLines(memberColumns, rows, style), ...(notes.length === 0 ? [] : ['', ...notes])];
}

/** How often the members are asked: nobody tells when one of them changes. */
const askEvery = milliseconds(1000);

/**
 * Shows the members and keeps them current until Ctrl-C: drawn again in place on a terminal, printed
 * again where something but the index changed elsewhere, one JSON object a change with `--json`.
 */
async function watchMembers(session: DatabaseSession): Promise<Result<ExitCode, Problem>> {
  const { context, database, json } = session;
  const region = !json && context.stdout.isTty ? liveRegion(context.stdout) : undefined;
  const restore = context.onTermination(() => region?.keep());
  const stop = stopOn(session);
  let before = '';
  while (!stop.signal.aborted) {
    const found = await survey(database);
    if (stop.signal.aborted) break;
    const lines = found.ok ? surveyLines(session, found.value) : problemLines(found.error);
    const seen = found.ok ? essence(found.value) : lines.join('\n');
    if (region !== undefined) region.draw(lines);
    else if (seen !== before)
      if (found.ok) session.event(surveyJson(found.value), [...lines, '']);
      else session.note(...lines);
    before = seen;
    await sleep(askEvery, undefined, { signal: stop.signal }).catch(() => undefined);
  }
  region?.keep();
  restore();
  stop.release();
  return ok(exitCodeOfStop(stop));
}

/** What people watch for: not every index that grows. */
function essence({ members, problem }: Survey): string {
  const parts = members.map(({ id, name, learner, leader, why, alarms, clients, peers }) =>
    [id, name, learner, leader, why, alarms.join(), clients.join(), peers.join()].join(' '),
  );
  return [problem?.message ?? '', ...parts].join('\n');
}
