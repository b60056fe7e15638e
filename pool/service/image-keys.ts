import * as v from 'valibot';
import { fail, ok } from '../../base/result.ts';
import type { ImageService } from '../../proto/gen/flotilla.pool.v1.ts';
import type { Clock } from '../clock.ts';
import { commit } from '../commit.ts';
import type { Revision } from '../database.ts';
import type { Failure } from '../failure.ts';
import { readPublicKey } from '../images/keys.ts';
import { notFound } from '../named-collection.ts';
import type { Pool } from '../pool.ts';
import type { Timestamp } from '../records/identifiers.ts';
import { ImageKeyNameSchema, type ImageKeyRecord } from '../records/image.ts';
import type { RpcHandlers } from '../rpc/handler.ts';
import { nextPageToken, pageOf } from '../rpc/paging.ts';
import { imageKeyMessage } from './image-messages.ts';

/** What the service answers with. */
export interface ImageServiceSettings {
  readonly pool: Pool;
  readonly clock: Pick<Clock, 'wall'>;
}

type Handlers = Pick<
  RpcHandlers<ImageService>,
  'listImageKeys' | 'trustImageKey' | 'distrustImageKey'
>;

/** Keys that a pool trusts: those of the few people and build machines that sign images. */
const keysMax = 100;

/** Handlers of the methods about the keys whose signatures the pool believes. */
export function imageKeyHandlers({ pool, clock }: ImageServiceSettings): Handlers {
  return {
    listImageKeys: async (request) => {
      const wanted = pageOf(request);
      if (!wanted.ok) return wanted;
      const page = await pool.imageKeys.list(wanted.value);
      if (!page.ok) return page;
      const keys = page.value.items.map(imageKeyMessage);
      return ok({ keys, nextPageToken: nextPageToken(page.value) });
    },
    trustImageKey: async ({ publicKey, name, validateOnly }) => {
      const key = readPublicKey(publicKey);
      if (!key.ok) return fail(badKey(key.error));
      const called = v.safeParse(ImageKeyNameSchema, name);
      if (!called.success) return fail(badName(called.issues[0].message));
      const { id, pem } = key.value;
      const all = await pool.imageKeys.all();
      if (!all.ok) return all;
      const known = all.value.find(({ record }) => record.id === id);
      if (known !== undefined) return ok(imageKeyMessage(known));
      if (all.value.length >= keysMax) return fail(tooMany);
      const record: ImageKeyRecord = {
        id,
        name,
        publicKey: pem,
        trustedAt: clock.wall() as number as Timestamp,
      };
      const written = validateOnly
        ? ok(0 as Revision)
        : await commit(pool.database, pool.imageKeys.creating(id, record));
      if (!written.ok) return written;
      const stored = { key: pool.imageKeys.key(id), record, modRevision: written.value };
      return ok(imageKeyMessage(stored));
    },
    distrustImageKey: async ({ id, validateOnly }) => {
      const stored = await pool.imageKeys.get(id);
      if (!stored.ok) return stored;
      if (stored.value === null)
        return fail({
          ...notFound('image key', id),
          remedy: 'List those that are trusted with: flotilla image key list',
        });
      const removed = validateOnly
        ? ok(stored.value.modRevision)
        : await commit(pool.database, pool.imageKeys.deleting(stored.value));
      return removed.ok ? ok(imageKeyMessage(stored.value)) : removed;
    },
  };
}

function badKey(why: string): Failure {
  return {
    reason: 'INVALID_FIELD',
    message: `the key cannot be trusted: ${why}`,
    remedy: 'Give the public key that flotilla image keygen wrote.',
    field: 'public_key',
  };
}

function badName(why: string): Failure {
  return {
    reason: 'INVALID_FIELD',
    message: `the name of the key ${why}`,
    remedy: 'Give a short text on one line, or none.',
    field: 'name',
  };
}

const tooMany: Failure = {
  reason: 'LIMIT',
  message: `the pool trusts ${keysMax} keys, which is as many as it keeps`,
  remedy: 'Distrust those that nobody signs with any more: flotilla image key distrust KEY.',
};
