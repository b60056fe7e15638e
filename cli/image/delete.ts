import type { Command } from 'commander';
import { ok } from '../../base/result.ts';
import { asksFirst, changesSomething, verb } from '../command.ts';
import { call } from '../connection/call.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { withPool } from '../session.ts';
import { allImages } from './list.ts';
import { agreed, findOne } from './one.ts';
import type { ImageChangeFlags } from './publish.ts';

/** `flotilla image delete`. */
export function deleteCommand(context: Context): Command {
  const summary = 'Make the pool forget an image: it is not started again';
  return asksFirst(changesSomething(verb(context, 'image', 'delete <digest>', summary))).action(
    (named: string, flags: ImageChangeFlags) =>
      withPool(context, flags, async (session) => {
        const images = await allImages(session.pool);
        if (!images.ok) return images;
        const found = findOne('image', images.value, named, ({ digest }) => [digest]);
        if (!found.ok) return found;
        const { digest, service, version, architecture } = found.value;
        const what = `the ${service} image ${version} for ${architecture}: ${digest}`;
        const go = await agreed(session, flags, {
          would: `delete ${what}`,
          means: 'what runs goes on, and is not started again',
          question: `Delete ${what}?`,
          message: found.value,
        });
        if (!go.goesOn) return go.outcome;
        const done = await call(session.pool, (to, settings) =>
          to.image.deleteImage({ digest }, settings),
        );
        if (!done.ok) return done;
        session.answer(done.value, [`deleted ${what}`]);
        return ok(exitCodes.done);
      }),
  );
}
