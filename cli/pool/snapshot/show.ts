import { resolve } from 'node:path';
import type { Command } from 'commander';
import { verb } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, exitCodesHelp } from '../../exit-codes.ts';
import { propertyLines } from '../../output/table.ts';
import { report, voiceOf } from '../../session.ts';
import { contentLines, type DescribeSnapshot, describeFile } from './content.ts';

/** `flotilla pool snapshot show`. */
export function showCommand(context: Context, describe: DescribeSnapshot): Command {
  const summary = 'Check a saved pool database to its last byte, and show what it holds';
  return verb(context, 'pool snapshot', 'show <path>', summary)
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', exitCodesHelp)
    .action(async (named: string, flags: { readonly json?: boolean }) => {
      const voice = voiceOf(context, flags.json === true);
      const path = resolve(context.directory, named);
      const content = await describeFile(path, describe);
      if (!content.ok) return report(context, voice.json, content.error);
      voice.answer(
        { path, ...content.value },
        propertyLines([['file', named], ...contentLines(content.value)], voice.style),
      );
      context.finish(exitCodes.done);
    });
}
