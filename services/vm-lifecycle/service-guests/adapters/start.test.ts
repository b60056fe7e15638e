import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as v from 'valibot';
import type { Result } from '../../../../base/result.ts';
import { milliseconds } from '../../../../base/units.ts';
import type { Domain, DomainId, Hypervisor } from '../../../../hypervisor/port.ts';
import {
  createSimulated,
  type SimulatedHypervisor,
} from '../../../../hypervisor/simulated/index.ts';
import { systemClock } from '../../../../pool/clock.ts';
import { sha256Of } from '../../../../pool/images/digest.ts';
import {
  chainBeginning,
  followChain,
  readMeasurement,
} from '../../../../pool/images/measurement.ts';
import type { HostId } from '../../../../pool/records/identifiers.ts';
import { pretendManifest, signingKey, writeImage } from '../../../../test/fixtures/images.ts';
import { pinnedTrust } from '../../adapters/images/trust-sources.ts';
import { type GuestConfiguration, ServiceGuestsSchema } from '../configuration.ts';
import { simulatedBridge } from './bridge.ts';
import { fileAccess } from './disks.ts';
import { guestUuid } from './identity.ts';
import { measurementsFolder, openOwnImages } from './own-images.ts';
import { type StartEnvironment, type StartFailure, startGuest } from './start.ts';
import { readTrustedKeys } from './trusted-keys.ts';

const hostId = '5cbe1b5c-0f0e-4a39-8a4e-111111111111' as HostId;
const boot = 'boot-1';
const key = signingKey('builder');

/** A host with one signed image of the storage service. */
class Place {
  readonly directory: string;
  readonly hypervisor: SimulatedHypervisor;
  readonly environment: StartEnvironment;
  readonly guest: GuestConfiguration;

  private constructor(
    directory: string,
    hypervisor: SimulatedHypervisor,
    environment: StartEnvironment,
    guest: GuestConfiguration,
  ) {
    this.directory = directory;
    this.hypervisor = hypervisor;
    this.environment = environment;
    this.guest = guest;
  }

  static async make(t: ExecutionContext, changes: object = {}): Promise<Place> {
    const directory = await mkdtemp(join(tmpdir(), 'start-'));
    await writeImage(join(directory, 'image'), {
      manifest: pretendManifest({ service: 'storage', architecture: architecture() }),
      key,
    });
    const configuration = v.parse(ServiceGuestsSchema, {
      hostId,
      hostName: 'host-1',
      hypervisor: { kind: 'xen' },
      dataDir: join(directory, 'guests'),
      trustedKeys: ['/builder.pem'],
      guests: [{ service: 'storage', image: join(directory, 'image'), ...changes }],
    });
    const host = { id: hostId, name: 'host-1' };
    const { dataDir } = configuration;
    const images = await openOwnImages({ host, dataDir, boot, clock: systemClock });
    if (!images.ok) throw new Error(images.error.message);
    const nothing = milliseconds(0);
    const latency = { create: nothing, boot: nothing, shutdown: nothing, destroy: nothing };
    const hypervisor = createSimulated({ latency });
    t.teardown(async () => {
      await hypervisor.close();
      await images.value.close();
      await rm(directory, { recursive: true });
    });
    const environment: StartEnvironment = {
      hostId,
      hostName: 'host-1',
      dataDir,
      hypervisor,
      images: images.value,
      trust: pinnedTrust([key.publicKey]),
      disks: fileAccess,
      join: simulatedBridge,
      wall: () => 0,
    };
    const [guest] = configuration.guests;
    if (guest === undefined) throw new Error('the configuration has a guest');
    return new Place(directory, hypervisor, environment, guest);
  }

  start(changes: Partial<StartEnvironment> = {}): Promise<Result<DomainId, StartFailure>> {
    return startGuest({ ...this.environment, ...changes }, this.guest);
  }

  async domains(): Promise<readonly Domain[]> {
    const listed = await this.hypervisor.listDomains();
    return listed.ok ? listed.value : [];
  }

  /** The one file of the measurement log. */
  async log(): Promise<string> {
    const folder = join(this.directory, 'guests', measurementsFolder);
    const names = await readdir(folder);
    return join(folder, names.join(' and '));
  }

  /** What is in the measurement log, verified. */
  async measured() {
    const lines = (await readFile(await this.log(), 'utf8')).trimEnd().split('\n');
    const measurements = lines.map((line) => {
      const read = readMeasurement(line);
      if (!read.ok) throw new Error(read.error);
      return read.value;
    });
    const followed = followChain(chainBeginning(hostId, boot), measurements);
    if (!followed.ok) throw new Error(followed.error.why);
    return measurements;
  }
}

function architecture(): 'x86_64' | 'aarch64' {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64';
}

test('a guest is built as its image and its host say, measured, and runs', async (t) => {
  const place = await Place.make(t, { address: '10.0.0.2/24', vcpus: 2, driverDomain: true });
  let built: Parameters<Hypervisor['createDomain']>[0] | null = null;
  const hypervisor: Hypervisor = {
    ...place.hypervisor,
    createDomain: async (config) => {
      built = config;
      // What boots is a copy that nobody else can read, and it is there while the domain is built.
      t.is(sha256Of(await readFile(config.kernel)), manifest.kernel.sha256);
      t.is((await stat(join(config.kernel, '..'))).mode & 0o777, 0o700);
      return place.hypervisor.createDomain(config);
    },
  };
  const manifest = pretendManifest();
  const started = await place.start({ hypervisor });
  t.true(started.ok);
  t.like(await place.domains(), [
    { uuid: guestUuid(hostId, 'storage'), name: 'flotilla-storage', state: { kind: 'running' } },
  ]);
  const commandLine = `${manifest.commandLine} flotilla.address=10.0.0.2/24`;
  t.like(built, {
    type: 'pvh',
    vcpus: 2,
    memory: manifest.memory,
    commandLine,
    driverDomain: true,
  });
  const [measured, ...more] = await place.measured();
  t.is(more.length, 0);
  t.like(measured, {
    sequence: 1,
    service: 'storage',
    kernel: manifest.kernel.sha256,
    initramfs: manifest.initramfs.sha256,
    commandLine: sha256Of(commandLine),
    hostWords: 'flotilla.address=10.0.0.2/24',
  });
  t.deepEqual(await readdir(join(place.directory, 'guests', 'boot-files')), []);
});

test('one bit changed in a kernel: nothing is built, and the reason has the file and both digests', async (t) => {
  const place = await Place.make(t);
  const file = join(place.directory, 'image', 'vmlinuz');
  const content = await readFile(file);
  const expected = sha256Of(content);
  content.writeUInt8(content.readUInt8(3) ^ 1, 3);
  await writeFile(file, content);
  const refused = await place.start();
  t.like(refused, { ok: false, error: { kind: 'refused' } });
  const why = refused.ok ? '' : refused.error.why;
  const found = `vmlinuz (kernel): expected SHA-256 ${expected}, found ${sha256Of(content)}`;
  t.true(why.includes(found), why);
  t.deepEqual(await place.domains(), []);
  t.deepEqual(await readdir(join(place.directory, 'guests', 'boot-files')), []);
});

test('what nobody signed whom we trust is not started', async (t) => {
  const place = await Place.make(t);
  const stranger = signingKey('stranger').publicKey;
  const refused = await place.start({ trust: pinnedTrust([stranger]) });
  t.regex(
    refused.ok ? '' : refused.error.why,
    /is signed by key [0-9a-f]{64}, which is not trusted/,
  );
  t.deepEqual(await place.domains(), []);
});

test('a service that would listen elsewhere than its image says is not started', async (t) => {
  const seed = await mkdtemp(join(tmpdir(), 'start-seed-'));
  t.teardown(() => rm(seed, { recursive: true }));
  const place = await Place.make(t, { seed });
  const write = (text: string) => writeFile(join(seed, 'configuration.json'), text);
  await write('{"listen": "10.0.0.2:7000"}');
  const refused = await place.start();
  t.like(refused, { ok: false, error: { kind: 'refused' } });
  const why = refused.ok ? '' : refused.error.why;
  t.regex(why, /configuration\.json: listen has port 7000, and .* names none/);
  await write('{');
  const unread = await place.start();
  t.regex(unread.ok ? '' : unread.error.why, /configuration\.json is no JSON object/);
  t.deepEqual(await place.domains(), []);
  await write('{}');
  t.true((await place.start()).ok);
});

test('a log of measurements that was changed keeps guests from starting', async (t) => {
  const place = await Place.make(t);
  for (let start = 0; start < 2; start += 1) {
    const started = await place.start();
    if (!started.ok) return t.fail(started.error.why);
    await place.hypervisor.destroyDomain(started.value);
  }
  const log = await place.log();
  await writeFile(log, (await readFile(log, 'utf8')).replace('"storage"', '"network"'));
  const { dataDir } = place.environment;
  const host = { id: hostId, name: 'host-1' };
  const images = await openOwnImages({ host, dataDir, boot, clock: systemClock });
  if (!images.ok) return t.fail(images.error.message);
  const refused = await place.start({ images: images.value });
  t.regex(refused.ok ? '' : refused.error.why, /the measurement log .* was changed: measurement 2/);
  t.deepEqual(await place.domains(), []);
  await images.value.close();
});

test('a driver domain takes the number that it had, and another one where that is taken', async (t) => {
  const place = await Place.make(t, { driverDomain: true });
  const first = await place.start();
  if (!first.ok) return t.fail(first.error.why);
  await place.hypervisor.destroyDomain(first.value);
  t.deepEqual(await place.start(), first);
  await place.hypervisor.destroyDomain(first.value);
  const other = await place.hypervisor.createDomain({
    id: first.value,
    uuid: guestUuid(hostId, 'other'),
    name: 'other',
    type: 'pvh',
    memory: pretendManifest().memory,
    vcpus: 1,
    kernel: '',
    ramdisk: null,
    commandLine: '',
    disks: [],
    nics: [],
  });
  t.true(other.ok);
  const second = await place.start();
  t.true(second.ok);
  t.notDeepEqual(second, first);
});

test('where a device cannot be connected the domain is left paused, for the next look', async (t) => {
  const nics = [{ mac: '00:16:3e:00:00:01', bridge: 'xenbr9' }];
  const place = await Place.make(t, { nics });
  const failed = await place.start({
    join: () => Promise.resolve({ ok: false, error: 'there is no bridge xenbr9' }),
  });
  t.like(failed, { ok: false, error: { kind: 'failed' } });
  t.regex(failed.ok ? '' : failed.error.why, /vif\d+\.0 cannot join xenbr9: there is no bridge/);
  t.like(await place.domains(), [{ state: { kind: 'paused' } }]);
});

test('a key that is none is told by its file', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'start-key-'));
  const path = join(directory, 'key.pem');
  await writeFile(path, 'no key');
  const read = await readTrustedKeys([path]);
  t.regex(read.ok ? '' : read.error, /key\.pem is no public key: it holds no public key in PEM/);
  await writeFile(path, key.publicKey.pem);
  t.like(await readTrustedKeys([path]), { ok: true, value: [{ id: key.publicKey.id }] });
  await rm(directory, { recursive: true });
});
