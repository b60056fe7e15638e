import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../../base/result.ts';
import {
  controlDomain,
  type DiskConfig,
  type DomainConfig,
  type DomainId,
  type Hypervisor,
  type HypervisorError,
} from '../../../../hypervisor/port.ts';
import { sha256Of } from '../../../../pool/images/digest.ts';
import { encodeManifest } from '../../../../pool/images/manifest.ts';
import { type AdmittedImage, admitImage } from '../../adapters/images/admit.ts';
import type { GuestImages } from '../../adapters/images/guest-images.ts';
import type { TrustSource } from '../../adapters/images/trust-sources.ts';
import type { GuestConfiguration } from '../configuration.ts';
import { dataDevice, hostWords, seedDevice } from '../core/command-line.ts';
import type { JoinBridge } from './bridge.ts';
import { type DiskAccess, ensureDataDisk } from './disks.ts';
import { attempt } from './files.ts';
import { guestName, guestUuid } from './identity.ts';
import { makeSeed } from './seed.ts';
import { checkSeedConfiguration } from './seed-configuration.ts';
import { readStarted, writeStarted } from './started.ts';

/** What the starts of all guests of a host have in common. */
export interface StartEnvironment {
  readonly hostId: string;
  readonly dataDir: string;
  readonly hypervisor: Hypervisor;
  readonly hostName: string;
  readonly images: Pick<GuestImages, 'copies' | 'record'>;
  /** Whom to believe of an image. */
  readonly trust: TrustSource;
  readonly disks: DiskAccess;
  readonly join: JoinBridge;
  /** Milliseconds since 1970. */
  wall(): number;
}

/** Why a guest did not start. `refused`: its image is not to run, so a second try is of little use. */
export interface StartFailure {
  readonly kind: 'refused' | 'failed';
  readonly why: string;
}

/** The directory of one guest, for this supervisor alone. */
export function directoryOf(dataDir: string, service: string): string {
  return join(dataDir, service);
}

/**
 * Starts a guest: the same steps as a VM's start, but with nobody else's help, since nobody else is
 * there yet. Unpausing comes last: a domain that runs is one that has all that it needs. What a failed
 * start leaves is paused, and destroyed by the next look.
 */
export async function startGuest(
  environment: StartEnvironment,
  guest: GuestConfiguration,
): Promise<Result<DomainId, StartFailure>> {
  const { dataDir, hostId, hostName, images, trust } = environment;
  const { service } = guest;
  const own = directoryOf(dataDir, service);
  const made = await attempt(`${own} cannot be made`, () =>
    mkdir(own, { recursive: true, mode: 0o700 }),
  );
  if (!made.ok) return failed(made.error);
  const image = await admitImage(
    images,
    { name: hostName },
    {
      directory: guest.image,
      service,
      domain: { uuid: guestUuid(hostId, service), name: guestName(service) },
      hostWords: wordsOf(guest),
      trust,
    },
  );
  if (!image.ok) {
    const { message, remedy } = image.error;
    return fail({ kind: 'refused', why: `${message}. ${remedy}`.trimEnd() });
  }
  try {
    return await startImage(environment, guest, own, image.value);
  } finally {
    await image.value.release();
  }
}

function wordsOf({ address, gateway, bridge, data, seed }: GuestConfiguration): string {
  return hostWords({ address, gateway, bridge, hasData: data !== null, hasSeed: seed !== null });
}

async function startImage(
  environment: StartEnvironment,
  guest: GuestConfiguration,
  own: string,
  image: AdmittedImage,
): Promise<Result<DomainId, StartFailure>> {
  const { hypervisor } = environment;
  const listens = await checkSeedConfiguration(guest.seed, image.manifest);
  if (!listens.ok) return fail({ kind: 'refused', why: listens.error });
  const disks = await disksOf(environment, guest, own);
  if (!disks.ok) return failed(disks.error);
  const config = domainConfig(environment, guest, image, disks.value);
  const created = await build(hypervisor, config, await numberBefore(guest, own));
  if (!created.ok) return failed(`it cannot be built: ${created.error.detail}`);
  const id = created.value;
  const connected = await connectDevices(environment, id, config);
  if (!connected.ok) return connected;
  const { manifest } = image;
  const started = {
    domain: id,
    image: sha256Of(encodeManifest(manifest)),
    version: manifest.version,
    ports: manifest.ports.map(({ port }) => port),
    at: environment.wall(),
  };
  const noted = await writeStarted(own, started);
  if (!noted.ok) return failed(noted.error);
  const unpaused = await hypervisor.unpause(id);
  return unpaused.ok ? ok(id) : failed(`it cannot be unpaused: ${unpaused.error.detail}`);
}

/**
 * The number that a driver domain had before: the frontends of its guests have made out their grants
 * and event channels to it (docs/driver-domains.md). Others take whatever number comes.
 */
async function numberBefore(guest: GuestConfiguration, own: string): Promise<DomainId | null> {
  if (!guest.driverDomain) return null;
  const before = await readStarted(own);
  return before.ok ? before.value.domain : null;
}

/** Builds a domain, under its number of before if nobody else has that now. */
async function build(
  hypervisor: Hypervisor,
  config: DomainConfig,
  number: DomainId | null,
): Promise<Result<DomainId, HypervisorError>> {
  if (number === null) return hypervisor.createDomain(config);
  const built = await hypervisor.createDomain({ ...config, id: number });
  if (built.ok || built.error.code !== 'domain-exists') return built;
  return hypervisor.createDomain(config);
}

/** Its data, which is made when it is missing, and its seed, which is made anew at each start. */
async function disksOf(
  { disks }: StartEnvironment,
  guest: GuestConfiguration,
  own: string,
): Promise<Result<readonly DiskConfig[], string>> {
  const configs: DiskConfig[] = [];
  if (guest.data !== null) {
    const there = await ensureDataDisk(guest.data, `flotilla-${guest.service}`.slice(0, 16));
    if (!there.ok) return there;
    const path = await disks.open(guest.data.path, false);
    if (!path.ok) return path;
    configs.push(ownDisk(dataDevice, path.value, false));
  }
  if (guest.seed !== null) {
    const file = join(own, 'seed.img');
    const closed = await disks.close(file);
    if (!closed.ok) return closed;
    const made = await makeSeed(guest.seed, file);
    if (!made.ok) return made;
    const path = await disks.open(file, true);
    if (!path.ok) return path;
    configs.push(ownDisk(seedDevice, path.value, true));
  }
  return ok(configs);
}

/** A disk that the control domain serves: nobody else is there to do it. */
function ownDisk(vdev: string, path: string, readOnly: boolean): DiskConfig {
  return { vdev, path, readOnly, backend: controlDomain, device: null };
}

function domainConfig(
  { hostId }: StartEnvironment,
  guest: GuestConfiguration,
  { manifest, kernel, ramdisk, commandLine }: AdmittedImage,
  disks: readonly DiskConfig[],
): DomainConfig {
  return {
    uuid: guestUuid(hostId, guest.service),
    name: guestName(guest.service),
    type: guest.type,
    memory: guest.memory ?? manifest.memory,
    vcpus: guest.vcpus,
    kernel,
    ramdisk,
    commandLine,
    disks,
    nics: guest.nics.map(({ mac, bridge }, index) => ({
      index,
      mac,
      bridge,
      backend: controlDomain,
    })),
    driverDomain: guest.driverDomain,
  };
}

async function connectDevices(
  { hypervisor, join: joinBridge }: StartEnvironment,
  id: DomainId,
  { disks, nics }: DomainConfig,
): Promise<Result<void, StartFailure>> {
  const refused = (what: string, { detail }: HypervisorError) =>
    failed(`${what} cannot be connected: ${detail}`);
  for (const disk of disks) {
    const connected = await hypervisor.connectDisk(id, disk);
    if (!connected.ok) return refused(`its disk ${disk.vdev}`, connected.error);
  }
  for (const { index, bridge } of nics) {
    const name = await hypervisor.nicInterface(id, index);
    if (!name.ok) return refused(`its interface ${index}`, name.error);
    const joined = await joinBridge(name.value, bridge);
    if (!joined.ok) return failed(`${name.value} cannot join ${bridge}: ${joined.error}`);
    const connected = await hypervisor.connectNic(id, index);
    if (!connected.ok) return refused(`its interface ${index}`, connected.error);
  }
  return ok(undefined);
}

function failed(why: string): Result<never, StartFailure> {
  return fail({ kind: 'failed', why });
}
