import type { Command } from 'commander';
import { ok } from '../../base/result.ts';
import { verb } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { withXenstore, type XenstoreFlags } from './session.ts';

/** `flotilla xenstore control`. */
export function controlCommand(context: Context): Command {
  const summary = 'Give xenstored a command, and print its answer; "help" lists them';
  return verb(context, 'xenstore', 'control <command> [words...]', summary)
    .passThroughOptions()
    .addHelpText('after', controlHelp)
    .action((command: string, words: readonly string[], flags: XenstoreFlags) =>
      withXenstore(context, flags, async (session) => {
        const answer = await session.xenstore.control([command, ...words]);
        if (!answer.ok) return answer;
        session.answer({ answer: answer.value }, answer.value.trimEnd().split('\n'));
        return ok(exitCodes.done);
      }),
    );
}

const controlHelp = `
Flags of this command come before the words of xenstored's:
  flotilla xenstore control --json quota                   what each domain may use
  flotilla xenstore control quota 7                        what domain 7 uses, and the most it has used
  flotilla xenstore control quota set nodes 2000           for domains that come from now on
  flotilla xenstore control log on                         each request into a file`;
