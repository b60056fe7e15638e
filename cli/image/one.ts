import { fail, ok, type Result } from '../../base/result.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type Problem, wrongUsage } from '../problem.ts';
import { confirm } from '../prompt.ts';
import type { Session } from '../session.ts';
import type { ImageChangeFlags } from './publish.ts';

/** A digest may be cut short on a command line, but not below this: it would hardly name one thing. */
const shortest = 8;

/** The one thing that a name, or the beginning of a digest, stands for. */
export function findOne<Item>(
  noun: string,
  items: readonly Item[],
  named: string,
  namesOf: (item: Item) => readonly string[],
): Result<Item, Problem> {
  const digits = named.toLowerCase();
  const isShort = digits.length >= shortest && /^[0-9a-f]+$/.test(digits);
  const found = items.filter((item) =>
    namesOf(item).some(
      (name) =>
        name !== '' &&
        (name === named || (isShort && /^[0-9a-f]{64}$/.test(name) && name.startsWith(digits))),
    ),
  );
  const [one, ...others] = found;
  const list = `flotilla ${noun} list`;
  if (one === undefined)
    return fail({
      exitCode: exitCodes.notFound,
      message: `there is no ${noun} "${named}"`,
      remedy: `see \`${list}\`; a digest needs its first ${shortest} digits at least`,
      reason: 'NOT_FOUND',
    });
  if (others.length === 0) return ok(one);
  return fail(
    wrongUsage(`"${named}" stands for ${found.length} of them`, `write more digits: \`${list}\``),
  );
}

/** A change that takes something away. */
interface Removal {
  /** After "would". */
  readonly would: string;
  readonly means: string;
  readonly question: string;
  /** What it is about, for programs. */
  readonly message: unknown;
}

/** With `--dry-run` says what would be done; else asks, where `--yes` has not answered. */
export async function agreed(
  session: Session,
  flags: ImageChangeFlags,
  { would, means, question, message }: Removal,
): Promise<
  | { readonly goesOn: true }
  | { readonly goesOn: false; readonly outcome: Result<ExitCode, Problem> }
> {
  if (flags.dryRun === true) {
    session.answer(message, [`would ${would}`, `  ${means}`, 'nothing was changed']);
    return { goesOn: false, outcome: ok(exitCodes.done) };
  }
  if (flags.yes === true) return { goesOn: true };
  session.note(means);
  const confirmed = await confirm(session.context, question);
  return confirmed.ok ? { goesOn: true } : { goesOn: false, outcome: confirmed };
}
