import { runCommand } from '../../base/command.ts';
import { milliseconds } from '../../base/units.ts';

/** Says what is being done; each call is one line for a person to read. */
export type Report = (line: string) => void;

/** A build that cannot go on for a reason outside this program: a missing tool, a full disk. */
export class BuildFailure extends Error {
  override readonly name = 'BuildFailure';
}

/** Ten minutes: the longest step downloads 150 MB of packages. */
const timeout = milliseconds(600_000);

/**
 * Runs a program to its end and returns what it printed. One that is missing, takes too long, or
 * ends with another code than 0 is a `BuildFailure` that quotes what it said.
 */
export async function run(program: string, args: readonly string[]): Promise<string> {
  const result = await runCommand(program, args, timeout);
  if (result.ok) return result.value;
  const { kind, command, detail } = result.error;
  const said = { missing: 'is not installed', refused: `failed: ${detail}`, slow: 'took too long' };
  throw new BuildFailure(`"${command.slice(0, 200)}" ${said[kind].slice(-2000)}`);
}

/** Quotes a text for a POSIX shell: the shell reads it as one word, whatever it holds. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
