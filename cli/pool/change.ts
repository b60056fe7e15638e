import { fail, ok, type Result } from '../../base/result.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { confirm } from '../prompt.ts';
import type { DatabaseFlags, DatabaseSession } from './session.ts';

/** The flags of every command that changes the members or the store. */
export interface ChangeFlags extends DatabaseFlags {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** A change that is understood, and not done yet. */
export interface PlannedChange {
  /** After "would": `remove host-3 from the pool database`. */
  readonly would: string;
  /** What it means, a line each. */
  readonly means: readonly string[];
  /** Why the database would refuse it, as far as that can be told before. */
  readonly refused?: Problem | undefined;
  /** Asked on a terminal before it is done; left out where nothing can be lost. */
  readonly question?: string;
}

/** Whether a change is to be done; if not, how the command ends. */
export type Agreement =
  | { readonly goesOn: true }
  | { readonly goesOn: false; readonly outcome: Result<ExitCode, Problem> };

/** With `--dry-run` it is told and not done, and else asked for where it must be. */
export async function agreed(
  session: DatabaseSession,
  flags: ChangeFlags,
  { would, means, refused, question }: PlannedChange,
): Promise<Agreement> {
  if (refused !== undefined) return { goesOn: false, outcome: fail(refused) };
  if (flags.dryRun === true) {
    session.answer({ would, means }, [
      `would ${would}`,
      ...means.map((line) => `  ${line}`),
      'nothing was changed',
    ]);
    return { goesOn: false, outcome: ok(exitCodes.done) };
  }
  if (question === undefined || flags.yes === true) return { goesOn: true };
  session.note(...means);
  const answer = await confirm(session.context, question);
  return answer.ok ? { goesOn: true } : { goesOn: false, outcome: answer };
}

/** Something that the state of a member forbids. */
export function wrongState(message: string, remedy: string): Problem {
  return { exitCode: exitCodes.failed, reason: 'WRONG_STATE', message, remedy };
}
