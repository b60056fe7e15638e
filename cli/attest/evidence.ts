import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import type { HostEvidence } from '../../pool/images/attestation.ts';
import { Sha256Schema, sha256Of } from '../../pool/images/digest.ts';
import type { ImageKey } from '../../pool/images/keys.ts';
import { readPublicKey } from '../../pool/images/keys.ts';
import { type Measurement, MeasurementSchema } from '../../pool/images/measurement.ts';
import { decodeSignature } from '../../pool/images/signature.ts';
import { type TrustedManifest, trustManifest } from '../../pool/images/trust.ts';
import { HostIdSchema } from '../../pool/records/identifiers.ts';
import type {
  Image,
  ImageKey as ImageKeyMessage,
  ListMeasurementsResponse,
  Measurement as MeasurementMessage,
} from '../../proto/gen/flotilla.pool.v1.ts';
import { call } from '../connection/call.ts';
import { allPages } from '../connection/pages.ts';
import type { PoolConnection } from '../connection/pool-connection.ts';
import { exitCodes } from '../exit-codes.ts';
import { momentOf } from '../output/humane.ts';
import type { Problem } from '../problem.ts';

/** What a host measured, as the pool has it; null where it measured nothing yet. */
export async function evidenceOf(
  pool: PoolConnection,
  host: string,
): Promise<Result<HostEvidence | null, Problem>> {
  const first = await call(pool, (to, settings) =>
    to.image.listMeasurements({ host, pageSize: 1 }, settings),
  );
  if (!first.ok) return first;
  if (first.value.boot === '') return ok(null);
  const messages = await allPages(pool, async (to, page, settings) => {
    const response = await to.image.listMeasurements({ host, ...page }, settings);
    if (!response.ok) return response;
    const { measurements, nextPageToken, boot } = response.value;
    // A host that restarts between two pages begins another chain.
    const same = boot === first.value.boot;
    return ok({ items: same ? measurements : [], nextPageToken: same ? nextPageToken : '' });
  });
  if (!messages.ok) return messages;
  return readEvidence(host, first.value, messages.value);
}

/** Nothing that a service answers is believed before it was read by its schema. */
function readEvidence(
  host: string,
  { hostId, boot, head, headSequence }: ListMeasurementsResponse,
  messages: readonly MeasurementMessage[],
): Result<HostEvidence, Problem> {
  const id = v.safeParse(HostIdSchema, hostId);
  const digest = v.safeParse(Sha256Schema, head);
  if (!id.success || !digest.success) return fail(unreadable(host, 'its head'));
  const measurements: Measurement[] = [];
  for (const message of messages) {
    const parsed = v.safeParse(MeasurementSchema, fieldsOf(message));
    if (!parsed.success) return fail(unreadable(host, `measurement ${message.sequence}`));
    measurements.push(parsed.output);
  }
  const told = { sequence: headSequence, digest: digest.output };
  return ok({ host: id.output, boot, head: told, measurements });
}

function fieldsOf(message: MeasurementMessage): unknown {
  const orNull = (text: string) => (text === '' ? null : text);
  return {
    sequence: message.sequence,
    time: momentOf(message.time),
    domain: { name: message.domainName, uuid: message.domainUuid },
    service: orNull(message.service),
    kernel: orNull(message.kernel),
    initramfs: orNull(message.initramfs),
    commandLine: message.commandLine,
    hostWords: message.hostWords,
    manifest: orNull(message.manifest),
    previous: message.previous,
  };
}

function unreadable(host: string, what: string): Problem {
  return {
    exitCode: exitCodes.failed,
    message: `what ${host} measured cannot be read: ${what} is not of this release`,
    remedy: 'use the release of the host',
    reason: 'IMAGE',
  };
}

/** The keys that the pool says it trusts; what is no key is passed over. */
export function keysOf(messages: readonly ImageKeyMessage[]): readonly ImageKey[] {
  return messages.flatMap(({ id, publicKey }) => {
    const key = readPublicKey(publicKey);
    return key.ok && key.value.id === id ? [key.value] : [];
  });
}

/** The manifests that these keys signed: the pool's own word on it is not asked for. */
export function trustedOf(
  images: readonly Image[],
  keys: readonly ImageKey[],
): readonly TrustedManifest[] {
  return images.flatMap(({ manifest, signature: encoded, digest }) => {
    const signature = decodeSignature(encoded);
    if (!signature.ok || sha256Of(manifest) !== digest) return [];
    const trusted = trustManifest({ manifest, signature: signature.value }, keys);
    return trusted.ok ? [trusted.value] : [];
  });
}
