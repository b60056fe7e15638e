import type { Command } from 'commander';
import { ok, type Result } from '../../base/result.ts';
import type { Image, ImageKey } from '../../proto/gen/flotilla.pool.v1.ts';
import { verb } from '../command.ts';
import { allPages, pageOf } from '../connection/pages.ts';
import type { PoolConnection } from '../connection/pool-connection.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { age } from '../output/humane.ts';
import { tableLines } from '../output/table.ts';
import type { Problem } from '../problem.ts';
import { type PoolFlags, withPool } from '../session.ts';
import { allKeys } from './key/list.ts';

/** The beginning of a digest: enough to name one on a command line. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 12);
}

/** `flotilla image list`. */
export function listCommand(context: Context): Command {
  const summary = 'List the images that the pool knows, and whether it trusts them';
  return verb(context, 'image', 'list', summary).action((flags: PoolFlags) =>
    withPool(context, flags, async (session) => {
      const images = await allImages(session.pool);
      if (!images.ok) return images;
      const keys = await allKeys(session.pool);
      if (!keys.ok) return keys;
      if (images.value.length === 0)
        session.note('the pool knows no images yet: flotilla image publish DIR');
      const columns = ['SERVICE', 'VERSION', 'ARCHITECTURE', 'DIGEST', 'SIGNED BY', 'TRUSTED'];
      const rows = images.value.map((image) => [
        session.style.paint('strong', image.service),
        image.version,
        image.architecture,
        shortDigest(image.digest),
        signer(image, keys.value),
        session.style.paint(image.trusted ? 'good' : 'bad', image.trusted ? 'yes' : 'no'),
        age(image.publishTime, context.now()),
      ]);
      if (images.value.length > 0 || session.json)
        session.answer(
          images.value,
          tableLines(
            [...columns.map((heading) => ({ heading })), { heading: 'AGE', align: 'right' }],
            rows,
            session.style,
          ),
        );
      return ok(exitCodes.done);
    }),
  );
}

/** All images that the pool knows. */
export function allImages(pool: PoolConnection): Promise<Result<readonly Image[], Problem>> {
  return allPages(pool, async (to, page, settings) =>
    pageOf(await to.image.listImages(page, settings), ({ images }) => images),
  );
}

function signer({ keyId }: Image, keys: readonly ImageKey[]): string {
  const name = keys.find(({ id }) => id === keyId)?.name ?? '';
  return name === '' ? shortDigest(keyId) : name;
}
