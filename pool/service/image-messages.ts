import type { Input } from '../../proto/codec.ts';
import type { Image, ImageKey as ImageKeyMessage } from '../../proto/gen/flotilla.pool.v1.ts';
import type { Stored } from '../collection.ts';
import { decodeManifest } from '../images/manifest.ts';
import { encodeSignature } from '../images/signature.ts';
import type { ImageKeyRecord, ImageRecord } from '../records/image.ts';
import { timestampMessage } from '../rpc/timestamp.ts';

/** An image as the API shows it; `trusted` says whether a key that is trusted now signed it. */
export function imageMessage(
  { record, modRevision }: Stored<ImageRecord>,
  trusted: boolean,
): Input<Image> {
  const manifest = Buffer.from(record.manifest);
  const decoded = decodeManifest(manifest);
  return {
    digest: record.digest,
    service: record.service,
    version: decoded.ok ? decoded.value.version : '',
    architecture: record.architecture,
    keyId: record.signature.keyId,
    trusted,
    manifest,
    signature: encodeSignature(record.signature),
    publishTime: timestampMessage(record.publishedAt),
    revision: modRevision,
  };
}

/** A key as the API shows it. */
export function imageKeyMessage({
  record,
  modRevision,
}: Stored<ImageKeyRecord>): Input<ImageKeyMessage> {
  return {
    id: record.id,
    name: record.name,
    publicKey: record.publicKey,
    trustTime: timestampMessage(record.trustedAt),
    revision: modRevision,
  };
}
