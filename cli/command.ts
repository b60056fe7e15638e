import { Command, type CommanderError, InvalidArgumentError } from 'commander';
import { type Milliseconds, milliseconds } from '../base/units.ts';
import type { Context } from './context.ts';
import { exitCodes, exitCodesHelp } from './exit-codes.ts';
import { problemJson, wrongUsage } from './problem.ts';

/** What the commands of a noun talk to: the flags that say which one, and how the commands may end. */
export interface Counterpart {
  readonly flags: (command: Command) => Command;
  readonly exitCodes: string;
}

/** A command that only holds others, such as `flotilla vm`; each of them talks to the pool. */
export function noun(
  context: Context,
  name: string,
  summary: string,
  verbs: readonly Command[],
  counterpart: Counterpart = thePool,
): Command {
  return holding(new Command(name), context, `flotilla ${name}`, summary, verbs, counterpart);
}

/** The same inside a noun, such as `flotilla pool member`. */
export function group(
  context: Context,
  parent: string,
  name: string,
  summary: string,
  verbs: readonly Command[],
): Command {
  return holding(new Command(name), context, `flotilla ${parent} ${name}`, summary, verbs);
}

function holding(
  empty: Command,
  context: Context,
  path: string,
  summary: string,
  verbs: readonly Command[],
  { flags, exitCodes: codes }: Counterpart = thePool,
): Command {
  const command = configured(empty, context, path)
    .description(summary)
    .helpCommand(false)
    .enablePositionalOptions()
    .addHelpText('after', codes);
  for (const each of verbs) command.addCommand(flags(each).addHelpText('after', codes));
  return command;
}

/** A command of a noun: `usage` is its name and arguments, such as `start <vm>`. */
export function verb(context: Context, parent: string, usage: string, summary: string): Command {
  const [name = '', ...parameters] = usage.split(' ');
  const command = configured(new Command(name), context, `flotilla ${parent} ${name}`);
  for (const parameter of parameters) command.argument(parameter);
  return command.description(summary);
}

/** Adds the flags that say which pool, and how the answer is to look. They come last in the help. */
function talksToPool(command: Command): Command {
  return namesPool(answers(command));
}

const thePool: Counterpart = { flags: talksToPool, exitCodes: exitCodesHelp };

/** Adds the flags that say how long to wait, and how the answer is to look. */
export function answers(command: Command): Command {
  return command
    .option('--timeout <duration>', 'give up waiting after this long, such as 30s or 5m', duration)
    .option('--json', 'print JSON, for programs');
}

/** Adds the flags that say which pool. */
export function namesPool(command: Command): Command {
  return command
    .option(
      '--pool <pool>',
      'the pool: its directory, its pool.json, or HOST:PORT,HOST:PORT of its vm-lifecycle services (default: FLOTILLA_POOL, else .flotilla here or in a parent directory)',
    )
    .option(
      '--identity <directory>',
      'where ca.pem, certificate.pem and key.pem are, to prove who you are (default: FLOTILLA_IDENTITY, else what pool.json says)',
    );
}

/** Adds `--dry-run`. */
export function changesSomething(command: Command): Command {
  return command.option('--dry-run', 'make all checks, say what would be done, and change nothing');
}

/** Adds `--no-wait`. */
export function takesTime(command: Command): Command {
  return command.option('--no-wait', 'print the operation and leave while it goes on');
}

/** Adds `--yes`. */
export function asksFirst(command: Command): Command {
  return command.option('-y, --yes', 'do not ask');
}

/**
 * Gives a command the context's streams, and the exit codes of the CLI: commander's own would end
 * the process with 1 for wrong usage. `path` is what it is called with.
 */
export function configured(command: Command, context: Context, path: string): Command {
  const json = context.argv.includes('--json');
  return command
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      getOutHelpWidth: () => Math.min(context.stdout.columns, helpWidth),
      getErrHelpWidth: () => Math.min(context.stderr.columns, helpWidth),
      outputError: (text, write) => {
        if (!json) return write(text);
        const message = text.trim().replace(/^error: /, '');
        const problem = wrongUsage(message, `see ${path} --help`);
        write(`${problemJson(problem)}\n`);
      },
    })
    .showHelpAfterError(json ? false : `what to do: see ${path} --help`)
    .exitOverride((error: CommanderError) =>
      context.exit(error.exitCode === 0 ? exitCodes.done : exitCodes.usage),
    );
}

/** Longer lines are hard to read, however wide the terminal. */
const helpWidth = 100;

/** Reads `30s`, `5m`, `1h`, `500ms`, or a bare number of seconds. Throws what commander expects. */
export function duration(text: string): Milliseconds {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?$/.exec(text);
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? 's'];
  if (match === null || unit === undefined)
    throw new InvalidArgumentError('Write a number and a unit, such as 30s, 5m or 1h.');
  return milliseconds(Number(match[1]) * unit);
}

/** Reads a whole number from 1. Throws what commander expects. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('Write a whole number, 1 or more.');
  return value;
}
