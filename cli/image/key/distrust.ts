import type { Command } from 'commander';
import { ok } from '../../../base/result.ts';
import { asksFirst, changesSomething, verb } from '../../command.ts';
import { call } from '../../connection/call.ts';
import type { Context } from '../../context.ts';
import { exitCodes } from '../../exit-codes.ts';
import { count } from '../../output/humane.ts';
import { withPool } from '../../session.ts';
import { allImages } from '../list.ts';
import { agreed, findOne } from '../one.ts';
import type { ImageChangeFlags } from '../publish.ts';
import { allKeys } from './list.ts';

/** `flotilla image key distrust`. */
export function distrustCommand(context: Context): Command {
  const summary = 'Believe nothing any more that a key signed: its images are not started again';
  return asksFirst(changesSomething(verb(context, 'image key', 'distrust <key>', summary))).action(
    (named: string, flags: ImageChangeFlags) =>
      withPool(context, flags, async (session) => {
        const keys = await allKeys(session.pool);
        if (!keys.ok) return keys;
        const found = findOne('image key', keys.value, named, ({ id, name }) => [id, name]);
        if (!found.ok) return found;
        const { id } = found.value;
        const images = await allImages(session.pool);
        if (!images.ok) return images;
        const signed = images.value.filter(({ keyId }) => keyId === id).length;
        const go = await agreed(session, flags, {
          would: `distrust key ${id}`,
          means: `it signed ${count(signed, 'image')} of the pool: what runs goes on, and is not started again`,
          question: `Distrust key ${id}?`,
          message: found.value,
        });
        if (!go.goesOn) return go.outcome;
        const done = await call(session.pool, (to, settings) =>
          to.image.distrustImageKey({ id }, settings),
        );
        if (!done.ok) return done;
        session.answer(done.value, [`the pool believes nothing any more that key ${id} signed`]);
        return ok(exitCodes.done);
      }),
  );
}
