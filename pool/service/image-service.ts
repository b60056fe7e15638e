import { isDeepStrictEqual } from 'node:util';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Input } from '../../proto/codec.ts';
import {
  type Image,
  ImageService,
  type PublishImageRequest,
} from '../../proto/gen/flotilla.pool.v1.ts';
import type { Stored } from '../collection.ts';
import { commit } from '../commit.ts';
import type { Revision } from '../database.ts';
import type { Failure } from '../failure.ts';
import { sha256Of } from '../images/digest.ts';
import { decodeManifest, type Manifest } from '../images/manifest.ts';
import { decodeSignature, type Signature } from '../images/signature.ts';
import { signedBytesOf, trustedKeys, trustManifest } from '../images/trust.ts';
import { notFound } from '../named-collection.ts';
import type { Pool } from '../pool.ts';
import type { Timestamp } from '../records/identifiers.ts';
import { type ImageRecord, imageId } from '../records/image.ts';
import { type Mounted, mount } from '../rpc/handler.ts';
import { nextPageToken, pageOf } from '../rpc/paging.ts';
import { exists, requiring } from '../transaction.ts';
import { type ImageServiceSettings, imageKeyHandlers } from './image-keys.ts';
import { imageMessage } from './image-messages.ts';
import { measurementHandlers } from './measurements.ts';

/** Signed manifests that a pool keeps: a few versions of each service, for each architecture. */
const imagesMax = 1000;

/** flotilla.pool.v1.ImageService; every host's vm-lifecycle service mounts it. */
export function imageService({ pool, clock }: ImageServiceSettings): Mounted {
  return mount(ImageService, {
    ...imageKeyHandlers({ pool, clock }),
    ...measurementHandlers(pool),
    listImages: async (request) => {
      const wanted = pageOf(request);
      if (!wanted.ok) return wanted;
      const page = await pool.images.list(wanted.value);
      if (!page.ok) return page;
      const keys = await trustedKeys(pool);
      if (!keys.ok) return keys;
      const images = page.value.items.map((stored) => {
        const trusted = trustManifest(signedBytesOf(stored.record), keys.value);
        return imageMessage(stored, trusted.ok);
      });
      return ok({ images, nextPageToken: nextPageToken(page.value) });
    },
    publishImage: async (request) => publish({ pool, clock }, request),
    deleteImage: async ({ digest, validateOnly }) => {
      const all = await pool.images.all();
      if (!all.ok) return all;
      const stored = all.value.find(({ record }) => record.digest === digest);
      if (stored === undefined) return fail(notFound('image', digest));
      const removed = validateOnly
        ? ok(stored.modRevision)
        : await commit(pool.database, pool.images.deleting(stored));
      return removed.ok ? ok(imageMessage(stored, false)) : removed;
    },
  });
}

async function publish(
  { pool, clock }: ImageServiceSettings,
  request: PublishImageRequest,
): Promise<Result<Input<Image>, Failure>> {
  const decoded = decode(request);
  if (!decoded.ok) return decoded;
  const { manifest, signature } = decoded.value;
  const keys = await trustedKeys(pool);
  if (!keys.ok) return keys;
  const trusted = trustManifest({ manifest: request.manifest, signature }, keys.value);
  if (!trusted.ok) return fail({ ...trusted.error, field: 'signature' });
  const record: ImageRecord = {
    service: manifest.service,
    architecture: manifest.architecture,
    digest: sha256Of(request.manifest),
    manifest: Buffer.from(request.manifest).toString('utf8'),
    signature,
    publishedAt: clock.wall() as number as Timestamp,
  };
  const known = await pool.images.get(imageId(record));
  if (!known.ok) return known;
  // One that another key signed is written anew: who signed it may not be trusted any more.
  if (known.value !== null && isDeepStrictEqual(known.value.record.signature, signature))
    return ok(imageMessage(known.value, true));
  return store(pool, known.value, record, request.validateOnly);
}

async function store(
  pool: Pool,
  known: Stored<ImageRecord> | null,
  record: ImageRecord,
  validateOnly: boolean,
): Promise<Result<Input<Image>, Failure>> {
  const all = await pool.images.all();
  if (!all.ok) return all;
  if (known === null && all.value.length >= imagesMax) return fail(tooMany);
  const id = imageId(record);
  const writing =
    known === null ? pool.images.creating(id, record) : pool.images.replacing(known, record);
  // The key must still be trusted when this is written.
  const trusting = requiring(exists(pool.imageKeys.key(record.signature.keyId)));
  const written = validateOnly ? ok(0 as Revision) : await commit(pool.database, trusting, writing);
  if (!written.ok) return written;
  return ok(imageMessage({ key: pool.images.key(id), record, modRevision: written.value }, true));
}

const tooMany: Failure = {
  reason: 'LIMIT',
  message: `the pool knows ${imagesMax} images, which is as many as it keeps`,
  remedy: 'Delete those that no host starts any more: flotilla image delete DIGEST.',
};

function decode(
  request: PublishImageRequest,
): Result<{ readonly manifest: Manifest; readonly signature: Signature }, Failure> {
  const manifest = decodeManifest(request.manifest);
  if (!manifest.ok) return fail(unreadable('manifest', manifest.error));
  const signature = decodeSignature(request.signature);
  if (!signature.ok) return fail(unreadable('signature', signature.error));
  return ok({ manifest: manifest.value, signature: signature.value });
}

function unreadable(field: 'manifest' | 'signature', why: string): Failure {
  const file = field === 'manifest' ? 'manifest.json' : 'manifest.json.sig';
  return {
    reason: 'INVALID_FIELD',
    message: `the ${field} cannot be read: ${why}`,
    remedy: `Give the bytes of ${file}, as flotilla image build and sign wrote them.`,
    field,
  };
}
