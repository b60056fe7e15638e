import * as v from 'valibot';
import { Sha256Schema } from '../images/digest.ts';
import { keyFileSize } from '../images/keys.ts';
import { architectures, manifestSize } from '../images/manifest.ts';
import { SignatureSchema } from '../images/signature.ts';
import { serviceNames } from './host.ts';
import { TimestampSchema } from './identifiers.ts';

/** What an operator calls a key: any text that can be printed. */
export const ImageKeyNameSchema = v.pipe(
  v.string(),
  v.maxLength(100),
  v.regex(/^\P{C}*$/u, 'holds a character that cannot be printed'),
);

/** A public key whose signatures of images the pool believes. Key: `image-keys/<id>`. */
export const ImageKeyRecordSchema = v.object({
  id: Sha256Schema,
  name: ImageKeyNameSchema,
  /** As PEM. */
  publicKey: v.pipe(v.string(), v.maxLength(keyFileSize)),
  trustedAt: TimestampSchema,
});
export type ImageKeyRecord = v.InferOutput<typeof ImageKeyRecordSchema>;

/**
 * A signed manifest. It is believed while a key that the pool trusts has signed it: whoever uses it
 * checks that again. Key: `images/<service>/<architecture>/<digest>`.
 */
export const ImageRecordSchema = v.object({
  service: v.picklist(serviceNames),
  architecture: v.picklist(architectures),
  /** Of the manifest's bytes. */
  digest: Sha256Schema,
  /** The bytes of `manifest.json`, which are UTF-8. */
  manifest: v.pipe(v.string(), v.maxLength(manifestSize)),
  signature: SignatureSchema,
  publishedAt: TimestampSchema,
});
export type ImageRecord = v.InferOutput<typeof ImageRecordSchema>;

/** The id of an image's record. */
export function imageId({
  service,
  architecture,
  digest,
}: Pick<ImageRecord, 'service' | 'architecture' | 'digest'>): string {
  return `${service}/${architecture}/${digest}`;
}
