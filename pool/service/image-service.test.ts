import { credentials, type ServiceError } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import type { Result } from '../../base/result.ts';
import { bytes, milliseconds } from '../../base/units.ts';
import { connect } from '../../proto/client.ts';
import { ImageService } from '../../proto/gen/flotilla.pool.v1.ts';
import { pretendManifest, signingKey } from '../../test/fixtures/images.ts';
import type { Write } from '../database.ts';
import { sha256Of } from '../images/digest.ts';
import type { SigningKey } from '../images/keys.ts';
import { encodeManifest, type Manifest } from '../images/manifest.ts';
import {
  type ChainHead,
  chainBeginning,
  headAfter,
  type Measurement,
  nextMeasurement,
} from '../images/measurement.ts';
import { encodeSignature, signManifest } from '../images/signature.ts';
import { openPool, type Pool } from '../pool.ts';
import type { HostId, Timestamp } from '../records/identifiers.ts';
import { measurementId } from '../records/measurement.ts';
import { serve } from '../rpc/server.ts';
import { failureOf } from '../rpc/status.ts';
import { simulatedClock } from '../simulated/clock.ts';
import { simulatedDatabase } from '../simulated/database.ts';
import { writing } from '../transaction.ts';
import { imageService } from './image-service.ts';

const mine = signingKey('mine');
const other = signingKey('other');
const settings = { timeout: milliseconds(20_000) };

function value<Value>(result: Result<Value, ServiceError | { readonly message: string }>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function refused(result: Result<unknown, ServiceError>) {
  if (result.ok) throw new Error('it succeeded');
  return failureOf(result.error);
}

function publication(key: SigningKey, changes: Partial<Manifest> = {}) {
  const manifest = encodeManifest(pretendManifest(changes));
  return { manifest, signature: encodeSignature(signManifest(manifest, key)) };
}

async function host(pool: Pool): Promise<HostId> {
  const id = '00000000-0000-4000-8000-000000000001' as HostId;
  await pool.database.transact(
    pool.hosts.creating({
      ...{ id, name: 'host-1', hypervisor: 'simulated', hypervisorVersion: '1', cpus: 4 },
      ...{ memoryTotal: bytes(2 ** 30), endpoints: {}, startedAt: 1 as Timestamp },
    }),
  );
  return id;
}

function measurement(head: ChainHead): Measurement {
  return nextMeasurement(head, {
    time: 1 as Timestamp,
    domain: { name: 'web', uuid: '00000000-0000-4000-8000-000000000009' },
    ...{ service: null, kernel: null, initramfs: null, manifest: null, hostWords: '' },
    commandLine: sha256Of(''),
  });
}

async function scene(t: ExecutionContext) {
  const clock = simulatedClock();
  const database = simulatedDatabase({ clock });
  const pool = openPool(database);
  const services = [imageService({ pool, clock })];
  const server = value(await serve({ listen: '127.0.0.1:0', credentials: null, services }));
  const connection = connect(server.address, credentials.createInsecure());
  t.teardown(async () => {
    connection.close();
    await server.close();
    database.close();
  });
  const images = connection.client(ImageService);
  const trust = (key: SigningKey, name = '') =>
    images.trustImageKey({ publicKey: key.publicKey.pem, name }, settings);
  const listed = async () => value(await images.listImages({}, settings)).images;
  return { pool, database, images, trust, listed };
}

test('an image that a trusted key signed is published once, and listed', async (t) => {
  const { images, trust, listed } = await scene(t);
  t.is(value(await trust(mine, 'the build machine')).id, mine.publicKey.id);
  const request = publication(mine);
  const digest = sha256Of(request.manifest);
  const published = value(await images.publishImage(request, settings));
  t.like(published, { digest, service: 'xenstore', version: '0.1.0', trusted: true });
  t.deepEqual(value(await images.publishImage(request, settings)), published, 'once more');
  t.deepEqual(await listed(), [published]);
  t.deepEqual(Buffer.from(published.manifest), Buffer.from(request.manifest));
  t.deepEqual(Buffer.from(published.signature), Buffer.from(request.signature));
});

test('what no trusted key signed is refused, and changes nothing', async (t) => {
  const { images, trust, database } = await scene(t);
  value(await trust(mine));
  const before = database.revision;
  const unknown = refused(await images.publishImage(publication(other), settings));
  t.is(unknown.reason, 'IMAGE');
  t.is(unknown.field, 'signature');
  t.regex(unknown.message, new RegExp(`signed by key ${other.publicKey.id}, which is not trusted`));
  t.regex(unknown.remedy, /image key trust/);
  const { signature } = publication(mine);
  const { manifest } = publication(mine, { memory: bytes(2 ** 30) });
  const changed = refused(await images.publishImage({ manifest, signature }, settings));
  t.regex(changed.message, /is not what key .* signed/);
  const broken = Buffer.from('{}');
  t.like(refused(await images.publishImage({ manifest: broken, signature }, settings)), {
    reason: 'INVALID_FIELD',
    field: 'manifest',
  });
  t.like(refused(await images.publishImage({ manifest, signature: broken }, settings)), {
    reason: 'INVALID_FIELD',
    field: 'signature',
  });
  t.is(database.revision, before);
});

test('a key that is trusted no longer takes its images with it, until another signs them', async (t) => {
  const { images, trust, listed } = await scene(t);
  value(await trust(mine));
  value(await images.publishImage(publication(mine), settings));
  const { id } = mine.publicKey;
  t.is(value(await images.distrustImageKey({ id }, settings)).id, id);
  t.like(refused(await images.distrustImageKey({ id }, settings)), { reason: 'NOT_FOUND' });
  t.like(await listed(), [{ keyId: id, trusted: false }]);
  value(await trust(other));
  value(await images.publishImage(publication(other), settings));
  t.like(await listed(), [{ keyId: other.publicKey.id, trusted: true }]);
});

test('a record whose manifest was changed in the database is trusted no more', async (t) => {
  const { pool, images, trust, listed } = await scene(t);
  value(await trust(mine));
  value(await images.publishImage(publication(mine), settings));
  const [stored] = value(await pool.images.all());
  t.truthy(stored);
  if (stored === undefined) return;
  const manifest = stored.record.manifest.replace('loglevel=1', 'loglevel=7');
  t.not(manifest, stored.record.manifest);
  await pool.database.transact(pool.images.replacing(stored, { ...stored.record, manifest }));
  t.like(await listed(), [{ trusted: false }]);
});

test('a dry run changes nothing; what is deleted is not listed', async (t) => {
  const { images, trust, listed, database } = await scene(t);
  value(await trust(mine));
  const request = publication(mine);
  const digest = sha256Of(request.manifest);
  const before = database.revision;
  value(await images.publishImage({ ...request, validateOnly: true }, settings));
  value(
    await images.trustImageKey({ publicKey: other.publicKey.pem, validateOnly: true }, settings),
  );
  const { id } = mine.publicKey;
  value(await images.distrustImageKey({ id, validateOnly: true }, settings));
  t.is(database.revision, before);
  value(await images.publishImage(request, settings));
  value(await images.deleteImage({ digest, validateOnly: true }, settings));
  t.is((await listed()).length, 1);
  t.is(value(await images.deleteImage({ digest }, settings)).digest, digest);
  t.deepEqual(await listed(), []);
  t.like(refused(await images.deleteImage({ digest }, settings)), { reason: 'NOT_FOUND' });
});

test('what is no public key, or has no decent name, is not trusted', async (t) => {
  const { images, trust } = await scene(t);
  const bad = refused(await images.trustImageKey({ publicKey: 'PEM' }, settings));
  t.like(bad, { reason: 'INVALID_FIELD', field: 'public_key' });
  t.like(refused(await trust(mine, 'a\nb')), { reason: 'INVALID_FIELD', field: 'name' });
  t.deepEqual(value(await images.listImageKeys({}, settings)).keys, []);
});

test('the measurements of a host are those of its last boot, page by page', async (t) => {
  const { pool, images } = await scene(t);
  const id = await host(pool);
  let head = chainBeginning(id, 'b00');
  const writes: Write[] = [pool.measurements.put(measurementId(id, 'a00', 1), measurement(head))];
  for (let made = 0; made < 3; made += 1) {
    const next = measurement(head);
    head = headAfter(next);
    writes.push(pool.measurements.put(measurementId(id, 'b00', next.sequence), next));
  }
  const told = { boot: 'b00', ...head, time: 1 as Timestamp };
  writes.push(pool.measurementHeads.put(id, told));
  value(await pool.database.transact(writing(...writes)));
  const request = { host: 'host-1', pageSize: 2 };
  const first = value(await images.listMeasurements(request, settings));
  t.like(first, { boot: 'b00', headSequence: 3, head: head.digest });
  const pageToken = first.nextPageToken;
  const second = value(await images.listMeasurements({ ...request, pageToken }, settings));
  const all = [...first.measurements, ...second.measurements];
  t.deepEqual(
    all.map(({ sequence }) => sequence),
    [1, 2, 3],
  );
  t.is(second.nextPageToken, '');
});

test('a host that measured nothing yet has an empty list; one that is unknown is not found', async (t) => {
  const { pool, images } = await scene(t);
  const id = await host(pool);
  t.like(value(await images.listMeasurements({ host: 'host-1' }, settings)), {
    hostId: id,
    boot: '',
    measurements: [],
  });
  t.like(refused(await images.listMeasurements({ host: 'host-2' }, settings)), {
    reason: 'NOT_FOUND',
  });
});
