import type { Command } from 'commander';
import { ok, type Result } from '../../../base/result.ts';
import type { ImageKey } from '../../../proto/gen/flotilla.pool.v1.ts';
import { verb } from '../../command.ts';
import { allPages, pageOf } from '../../connection/pages.ts';
import type { PoolConnection } from '../../connection/pool-connection.ts';
import type { Context } from '../../context.ts';
import { exitCodes } from '../../exit-codes.ts';
import { age, nothing } from '../../output/humane.ts';
import { tableLines } from '../../output/table.ts';
import type { Problem } from '../../problem.ts';
import { type PoolFlags, withPool } from '../../session.ts';

/** `flotilla image key list`. */
export function listKeysCommand(context: Context): Command {
  const summary = 'List the keys whose signatures of images the pool believes';
  return verb(context, 'image key', 'list', summary).action((flags: PoolFlags) =>
    withPool(context, flags, async (session) => {
      const keys = await allKeys(session.pool);
      if (!keys.ok) return keys;
      if (keys.value.length === 0)
        session.note('the pool trusts no key yet: flotilla image key trust FILE');
      const rows = keys.value.map(({ id, name, trustTime }) => [
        id,
        name === '' ? nothing : name,
        age(trustTime, context.now()),
      ]);
      if (keys.value.length > 0 || session.json)
        session.answer(
          keys.value,
          tableLines(
            [{ heading: 'KEY' }, { heading: 'NAME' }, { heading: 'AGE', align: 'right' }],
            rows,
            session.style,
          ),
        );
      return ok(exitCodes.done);
    }),
  );
}

/** All keys that the pool trusts. */
export function allKeys(pool: PoolConnection): Promise<Result<readonly ImageKey[], Problem>> {
  return allPages(pool, async (to, page, settings) =>
    pageOf(await to.image.listImageKeys(page, settings), ({ keys }) => keys),
  );
}
