import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import pino from 'pino';
import { present } from '../../base/assert.ts';
import { fail, type Result } from '../../base/result.ts';
import type { DomainUuid } from '../../hypervisor/port.ts';
import { createSimulated } from '../../hypervisor/simulated/index.ts';
import { systemClock } from '../../pool/clock.ts';
import type { PoolDatabase } from '../../pool/database.ts';
import { databaseUnavailable } from '../../pool/database-failures.ts';
import type { Failure } from '../../pool/failure.ts';
import { sha256Of } from '../../pool/images/digest.ts';
import { chainBeginning, followChain } from '../../pool/images/measurement.ts';
import { openPool, type Pool } from '../../pool/pool.ts';
import type { ServiceName } from '../../pool/records/host.ts';
import type { HostId } from '../../pool/records/identifiers.ts';
import { simulatedDatabase } from '../../pool/simulated/database.ts';
import { writing } from '../../pool/transaction.ts';
import {
  type AdmittedImage,
  admitImage,
} from '../../services/vm-lifecycle/adapters/images/admit.ts';
import {
  type GuestImages,
  openGuestImages,
} from '../../services/vm-lifecycle/adapters/images/guest-images.ts';
import {
  pinnedTrust,
  poolTrust,
} from '../../services/vm-lifecycle/adapters/images/trust-sources.ts';
import { pretendManifest, publishing, signingKey, writeImage } from '../fixtures/images.ts';
import { eventually } from '../fixtures/pool-records.ts';

const host = { id: '00000000-0000-4000-8000-000000000001' as HostId, name: 'host-1' };
const boot = 'b007b007-0000-4000-8000-000000000000';
const uuid = '00000000-0000-4000-8000-0000000000aa' as DomainUuid;
const mine = signingKey('mine');

function value<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function refusal(result: Result<unknown, Failure>): Failure {
  if (result.ok) throw new Error('it was not refused');
  return result.error;
}

interface Scene {
  readonly directory: string;
  readonly image: string;
  readonly pool: Pool;
  readonly images: GuestImages;
  /** Opens them anew, as a service does that restarts. */
  open(pool?: Pool): Promise<Result<GuestImages, Failure>>;
  admit(change?: {
    readonly service?: ServiceName;
    readonly hostWords?: string;
    readonly architecture?: 'aarch64';
  }): Promise<Result<AdmittedImage, Failure>>;
}

/** A host with a signed and published image of xenstore. */
async function scene(t: ExecutionContext): Promise<Scene> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-images-'));
  const image = join(directory, 'xenstore-image');
  const pool = openPool(simulatedDatabase());
  const open = async (through = pool) => {
    const settings = { host, dataDir: join(directory, 'data'), boot, pool: through };
    const log = pino({ level: 'silent' });
    const opened = await openGuestImages({ ...settings, clock: systemClock, log });
    if (opened.ok) t.teardown(() => opened.value.close());
    return opened;
  };
  t.teardown(async () => {
    pool.database.close();
    await rm(directory, { recursive: true });
  });
  await writeImage(image, { key: mine });
  value(await pool.database.transact(writing(...publishing(pool, pretendManifest(), mine))));
  const images = value(await open());
  return {
    ...{ directory, image, pool, images, open },
    admit: ({ service = 'xenstore', hostWords = '', architecture = 'x86_64' as const } = {}) =>
      admitImage(
        images,
        { name: host.name, architecture },
        {
          ...{ directory: image, service, hostWords },
          domain: { uuid, name: 'xenstore-guest' },
          trust: poolTrust(pool),
        },
      ),
  };
}

async function flipBit(path: string): Promise<{ readonly before: string; readonly after: string }> {
  const content = await readFile(path);
  const before = sha256Of(content);
  content[1] = (content[1] ?? 0) ^ 0x10;
  await writeFile(path, content);
  return { before, after: sha256Of(content) };
}

async function measurements(pool: Pool) {
  return value(await pool.measurements.all()).map(({ record }) => record);
}

function copied(pool: Pool, count: number) {
  return eventually('the pool’s copy of the measurements', async () => {
    const found = await measurements(pool);
    return found.length >= count ? found : null;
  });
}

const copiesOf = ({ directory }: Scene) => readdir(join(directory, 'data', 'boot-files'));

test('the image that was signed starts from its copies, and is measured', async (t) => {
  const scenery = await scene(t);
  const { pool, image, admit } = scenery;
  const admitted = value(await admit({ hostWords: 'flotilla.address=10.0.0.2/24 --event 7' }));
  t.is(admitted.commandLine, 'loglevel=1 flotilla.address=10.0.0.2/24 --event 7');
  t.is(admitted.manifest.memory, pretendManifest().memory);
  // What is changed between check and use changes nothing.
  await flipBit(join(image, 'vmlinuz'));
  t.is(await readFile(admitted.kernel, 'utf8'), 'a pretend kernel\n');
  t.is(await readFile(admitted.ramdisk, 'utf8'), 'a pretend initramfs\n');
  const hypervisor = createSimulated();
  t.teardown(() => hypervisor.close());
  const built = await hypervisor.createDomain({
    ...{ uuid, name: 'xenstore-guest', type: 'pvh', memory: admitted.manifest.memory, vcpus: 1 },
    ...{ kernel: admitted.kernel, ramdisk: admitted.ramdisk, disks: [], nics: [] },
    commandLine: admitted.commandLine,
  });
  t.true(built.ok);
  await admitted.release();
  t.deepEqual(await copiesOf(scenery), []);
  const [measured] = await copied(pool, 1);
  t.like(measured, {
    sequence: 1,
    domain: { name: 'xenstore-guest', uuid },
    service: 'xenstore',
    kernel: sha256Of('a pretend kernel\n'),
    initramfs: sha256Of('a pretend initramfs\n'),
    commandLine: sha256Of(admitted.commandLine),
    manifest: sha256Of(await readFile(join(image, 'manifest.json'))),
  });
});

test('an image with one bit changed does not start, and says which file, expected and found', async (t) => {
  for (const [file, role] of [
    ['vmlinuz', 'kernel'],
    ['initramfs.img', 'initramfs'],
  ] as const) {
    const scenery = await scene(t);
    const { before, after } = await flipBit(join(scenery.image, file));
    const failure = refusal(await scenery.admit());
    t.is(failure.reason, 'IMAGE');
    t.is(
      failure.message,
      `the xenstore guest of host-1 does not start: in ${scenery.image} ${file} (${role}): expected SHA-256 ${before}, found ${after}`,
    );
    t.regex(failure.remedy, /flotilla image verify/);
    t.deepEqual(await copiesOf(scenery), [], 'nothing is left of the copies');
    t.deepEqual(await measurements(scenery.pool), []);
  }
});

test('a manifest with one bit changed, or of which the pool knows nothing, is not believed', async (t) => {
  const { image, pool, admit } = await scene(t);
  const manifest = pretendManifest({ commandLine: 'init=/bin/sh' });
  await writeImage(image, { manifest, key: mine });
  const unknown = refusal(await admit());
  t.regex(unknown.message, /the pool knows no signed manifest [0-9a-f]{64}/);
  t.regex(unknown.remedy, /publish/);
  await flipBit(join(image, 'manifest.json'));
  t.regex(refusal(await admit()).message, /manifest\.json cannot be read: it is no manifest/);
  await writeImage(image, { key: mine });
  t.true((await admit()).ok);
  const key = present(value(await pool.imageKeys.get(mine.publicKey.id)), 'the key');
  value(await pool.database.transact(pool.imageKeys.deleting(key)));
  t.regex(refusal(await admit()).message, /which is not trusted/);
});

test('an image starts as what it is, where it is for, and with no words of others', async (t) => {
  const { admit, image } = await scene(t);
  t.regex(
    refusal(await admit({ service: 'network' })).message,
    /the image of the xenstore service/,
  );
  t.regex(refusal(await admit({ architecture: 'aarch64' })).message, /is for x86_64/);
  for (const hostWords of [
    'init=/bin/sh',
    'flotilla.shell=1',
    '--event x',
    'flotilla.log=a\nb',
    '-- sh',
  ])
    t.regex(refusal(await admit({ hostWords })).message, /may not add/, hostWords);
  await rm(join(image, 'initramfs.img'));
  t.like(refusal(await admit()), { reason: 'BOOT_FILE' });
});

test('before the pool answers, the keys of the host’s seed are believed, and no others', async (t) => {
  const { image, images } = await scene(t);
  const start = (name: string) =>
    admitImage(
      images,
      { name: host.name, architecture: 'x86_64' },
      {
        ...{ directory: image, service: 'xenstore', hostWords: '', domain: { uuid, name: 'x' } },
        trust: pinnedTrust([signingKey(name).publicKey]),
      },
    );
  t.true((await start('mine')).ok);
  t.regex(refusal(await start('other')).message, /which is not trusted/);
  await rm(join(image, 'manifest.json.sig'));
  t.regex(refusal(await start('mine')).message, /manifest\.json\.sig cannot be read/);
});

test('an ordinary VM is measured and started, whatever it boots', async (t) => {
  const scenery = await scene(t);
  const { image, images, pool } = scenery;
  await flipBit(join(image, 'vmlinuz'));
  const kernel = join(image, 'vmlinuz');
  const vm = { uuid, name: 'web', kernel, ramdisk: null, commandLine: 'password=secret' };
  const boots = value(await images.measure(vm));
  t.deepEqual(await readFile(boots.kernel), await readFile(kernel));
  t.is(boots.ramdisk, null);
  await boots.release();
  value(await images.measure({ ...vm, kernel: '' }));
  const all = await copied(pool, 2);
  t.deepEqual(
    all.map((each) => [each.kernel, each.initramfs, each.service, each.manifest]),
    [
      [sha256Of(await readFile(kernel)), null, null, null],
      [null, null, null, null],
    ],
  );
  t.false(JSON.stringify(all).includes('secret'));
  t.like(refusal(await images.measure({ ...vm, kernel: image })), { reason: 'BOOT_FILE' });
  t.like(refusal(await images.measure({ ...vm, kernel: '/no/such' })), { reason: 'BOOT_FILE' });
});

test('what could not be told to the pool is told when it answers, also by the next process', async (t) => {
  const { images, pool, open } = await scene(t);
  const vm = { uuid, name: 'web', kernel: '', ramdisk: null, commandLine: '' };
  value(await images.measure(vm));
  await copied(pool, 1);
  await images.close();
  const away: PoolDatabase = {
    ...pool.database,
    get: () => Promise.resolve(fail(databaseUnavailable('it is away'))),
  };
  const cutOff = value(await open(openPool(away)));
  for (let times = 0; times < 60; times += 1) value(await cutOff.measure(vm));
  await cutOff.close();
  t.is((await measurements(pool)).length, 1);
  const back = value(await open());
  const all = await copied(pool, 61);
  value(await back.measure(vm));
  await copied(pool, 62);
  const from = chainBeginning(host.id, boot);
  t.true(followChain(from, all).ok);
  const head = present(value(await pool.measurementHeads.get(host.id)), 'a head').record;
  t.like(followChain(from, await measurements(pool)), {
    ok: true,
    value: { sequence: head.sequence, digest: head.digest },
  });
});

test('a log that was changed, or lost, starts nothing any more; the service itself goes on', async (t) => {
  const { images, pool, directory, open } = await scene(t);
  const vm = { uuid, name: 'web', kernel: '', ramdisk: null, commandLine: '' };
  for (const name of ['one', 'two']) value(await images.measure({ ...vm, name }));
  await copied(pool, 2);
  await images.close();
  const file = join(directory, 'data', 'measurements', `${boot}-0000000001.jsonl`);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('"one"', '"eno"'));
  const changed = refusal(await value(await open()).measure(vm));
  t.regex(changed.message, /was changed: measurement 2 does not continue/);
  t.regex(changed.remedy, /flotilla host attest/);
  await writeFile(file, `${text.split('\n')[0]}\n`);
  const cut = refusal(await value(await open()).measure(vm));
  t.regex(cut.message, /the pool knows 2 measurements of this boot, the log 1/);
  await rm(file);
  t.regex(refusal(await value(await open()).measure(vm)).message, /knows 2 .* the log 0/);
  await writeFile(file, text);
  await appendFile(file, '{"torn');
  t.true((await value(await open()).measure(vm)).ok);
});
