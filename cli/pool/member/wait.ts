import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Result } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import { type ExitCode, exitCodes } from '../../exit-codes.ts';
import { liveRegion } from '../../output/live-region.ts';
import type { Problem } from '../../problem.ts';
import { stopOn } from '../../stop.ts';
import { idText, memberJson } from '../report.ts';
import type { DatabaseSession } from '../session.ts';
import { type MemberReport, survey } from '../survey.ts';

/** The member that was added. */
export interface NewMember {
  readonly id: bigint;
  readonly name: string;
  /** It is to stay one. */
  readonly learner: boolean;
}

/** Between two looks. */
const lookEvery = milliseconds(500);
/** A learner that lacks no more is taken to have caught up. */
const caughtUp = 100;

/**
 * Waits until a new member votes, or, if it is to stay a learner, has caught up. Ctrl-C and
 * `--timeout` end the waiting alone: the member goes on joining.
 */
export async function waitForMember(
  session: DatabaseSession,
  { id, name, learner }: NewMember,
): Promise<Result<ExitCode, Problem>> {
  const stop = stopOn(session);
  const told = teller(session);
  for (;;) {
    const found = await survey(session.database);
    const member = found.ok ? found.value.members.find((each) => each.id === id) : undefined;
    if (found.ok && found.value.problem === undefined && member === undefined) {
      told.close();
      stop.release();
      return fail(removed(name));
    }
    if (member !== undefined && isDone(member, learner)) {
      told.close();
      stop.release();
      session.answer({ member: memberJson(member) }, [
        learner ? `${name} has caught up, and stays a learner` : `${name} votes now`,
      ]);
      return ok(exitCodes.done);
    }
    told.say(
      `${name}: ${member === undefined ? 'the database does not answer' : progress(member)}`,
    );
    await sleep(lookEvery, undefined, { signal: stop.signal }).catch(() => undefined);
    const cause = stop.cause();
    if (cause === undefined) continue;
    told.close();
    stop.release();
    return fail(goesOn(cause, name, id));
  }
}

function isDone(member: MemberReport, learner: boolean): boolean {
  if (member.status === null) return false;
  return learner ? (member.behind ?? caughtUp + 1) <= caughtUp : !member.learner;
}

function progress(member: MemberReport): string {
  if (member.status === null) return member.why;
  return `catches up, ${member.behind} entries behind`;
}

function teller({ context, json, errorStyle }: DatabaseSession): {
  say(line: string): void;
  close(): void;
} {
  if (json) return { say: () => {}, close: () => {} };
  if (context.stderr.isTty) {
    const region = liveRegion(context.stderr);
    const restore = context.onTermination(() => region.keep());
    return {
      say: (line) => region.draw([errorStyle.paint('busy', line)]),
      close: () => {
        region.clear();
        restore();
      },
    };
  }
  let before = '';
  return {
    say: (line) => {
      if (line !== before) context.stderr.write(`${line}\n`);
      before = line;
    },
    close: () => {},
  };
}

function removed(name: string): Problem {
  return {
    exitCode: exitCodes.failed,
    message: `somebody removed ${name} meanwhile`,
    remedy: 'see who is a member with `flotilla pool members`',
    reason: 'CANCELLED',
  };
}

function goesOn(cause: 'interrupted' | 'timed out', name: string, id: bigint): Problem {
  const message =
    cause === 'interrupted'
      ? `${name} goes on joining by itself`
      : `${name} does not vote yet within --timeout; it goes on joining by itself`;
  return {
    exitCode: cause === 'interrupted' ? exitCodes.interrupted : exitCodes.timedOut,
    message,
    remedy: `watch it with \`flotilla pool members --watch\`, or take it back with \`flotilla pool member remove ${idText(id)}\``,
  };
}
