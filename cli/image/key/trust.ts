import type { Command } from 'commander';
import { ok } from '../../../base/result.ts';
import { changesSomething, verb } from '../../command.ts';
import { call } from '../../connection/call.ts';
import type { Context } from '../../context.ts';
import { exitCodes } from '../../exit-codes.ts';
import { withPool } from '../../session.ts';
import type { ImageChangeFlags } from '../publish.ts';
import { readKeyFile } from '../verify.ts';

/** `flotilla image key trust`. */
export function trustCommand(context: Context): Command {
  const summary = 'Believe what a key signs from now on';
  return changesSomething(verb(context, 'image key', 'trust <file>', summary))
    .option('--name <name>', 'what to call it in lists')
    .action((file: string, flags: ImageChangeFlags & { readonly name?: string }) =>
      withPool(context, flags, async (session) => {
        const key = await readKeyFile(context.directory, file);
        if (!key.ok) return key;
        const validateOnly = flags.dryRun === true;
        const request = { publicKey: key.value.pem, name: flags.name ?? '', validateOnly };
        const trusted = await call(session.pool, (to, settings) =>
          to.image.trustImageKey(request, settings),
        );
        if (!trusted.ok) return trusted;
        const what = `trust key ${trusted.value.id}`;
        session.answer(
          trusted.value,
          validateOnly
            ? [`would ${what}`, 'nothing was changed']
            : [`the pool believes key ${trusted.value.id} from now on`],
        );
        return ok(exitCodes.done);
      }),
    );
}
