import { Argument, Command } from 'commander';
import { milliseconds } from '../../base/units.ts';
import { configured } from '../command.ts';
import { findPool } from '../connection/find-pool.ts';
import { hostNames, networkNames, operationIds, vmNames } from '../connection/names.ts';
import { connectPool } from '../connection/pool-connection.ts';
import { type Context, processContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { titleOf } from '../pool/report.ts';
import { type DatabaseFlags, findDatabase } from '../pool/session.ts';
import { survey } from '../pool/survey.ts';
import { type PoolFlags, poolChoice } from '../session.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { commandTree, type NamedKind, namedKinds } from './tree.ts';
import { zshScript } from './zsh.ts';

const shells = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
type Shell = keyof typeof shells;

/** `flotilla completion`: prints what a shell reads to complete the commands of the whole program. */
export function completionCommand(context: Context = processContext()): Command {
  const command = configured(new Command('completion'), context, 'flotilla completion')
    .description('Print the completion script of a shell')
    .addArgument(new Argument('<shell>').choices(Object.keys(shells)))
    .addHelpText('after', howToLoad);
  return command.action((shell: Shell) => {
    context.stdout.write(shells[shell](commandTree(command.parent ?? command)));
  });
}

const howToLoad = `
To load it:
  bash  source <(flotilla completion bash)     in ~/.bashrc
  zsh   source <(flotilla completion zsh)      in ~/.zshrc, after compinit
  fish  flotilla completion fish | source      in ~/.config/fish/config.fish`;

/** A shell waits for this with the cursor standing still. */
const patience = milliseconds(2000);

/**
 * `flotilla __complete vm|host|operation|network|member`: the names that the pool knows, one a line. A pool that
 * cannot be asked has none: whoever completes a word is not to be disturbed by errors.
 */
export function completeCommand(context: Context = processContext()): Command {
  return configured(new Command('__complete'), context, 'flotilla __complete')
    .description('Print the names of what the pool has, for completion scripts')
    .addArgument(new Argument('<kind>').choices(namedKinds))
    .option('--pool <pool>', 'as for every command')
    .option('--identity <directory>', 'as for every command')
    .option('--endpoints <addresses>', 'as for the commands of the database')
    .action(async (kind: NamedKind, flags: DatabaseFlags) => {
      const names =
        kind === 'member' ? await memberNames(context, flags) : await namesOf(context, kind, flags);
      context.stdout.write(names.map((name) => `${name}\n`).join(''));
      context.exit(exitCodes.done);
    });
}

const namesOfKind = {
  vm: vmNames,
  host: hostNames,
  operation: operationIds,
  network: networkNames,
} as const;

async function namesOf(
  context: Context,
  kind: keyof typeof namesOfKind,
  flags: PoolFlags,
): Promise<readonly string[]> {
  const location = findPool(poolChoice(context, flags));
  if (!location.ok) return [];
  const pool = await connectPool(location.value, { now: context.now, timeout: patience });
  if (!pool.ok) return [];
  const names = await namesOfKind[kind](pool.value);
  pool.value.close();
  return names;
}

/** The names of the database's members, and the ids of those that have none yet. */
async function memberNames(context: Context, flags: DatabaseFlags): Promise<readonly string[]> {
  const database = await findDatabase(context, { ...flags, timeout: patience });
  if (!database.ok) return [];
  const found = await survey(database.value);
  database.value.close();
  return found.ok ? found.value.members.map(titleOf) : [];
}
