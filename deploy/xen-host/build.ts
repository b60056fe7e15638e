import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Of } from '../../pool/images/digest.ts';
import {
  encodeHostManifest,
  type HostFileRole,
  type HostManifest,
  hostGuests,
  hostManifestFile,
} from '../../pool/images/host-manifest.ts';
import { decodeManifest, type Manifest, manifestFile } from '../../pool/images/manifest.ts';
import { signatureFile } from '../../pool/images/signature.ts';
import { buildGuestImage } from '../guest-image/build.ts';
import { packSquashfs } from '../guest-image/squashfs.ts';
import { BuildFailure, type Report } from '../image/command.ts';
import { bootWords, grubEntry, type HostDisks } from './boot-entry.ts';
import { hypervisor } from './hypervisor.ts';

/** A host image that is wanted. */
export interface HostRequest {
  /** A directory with the signed image of each guest in a directory of its name. */
  readonly images: string;
  /** Whom the host believes, as PEM: who signs seeds, and who signed the images. */
  readonly seedKey: string;
  readonly imageKey: string;
  /** Kernel modules for the machine's own disks and interfaces. */
  readonly drivers: readonly string[];
  readonly disks: HostDisks;
  /** Further words for the hypervisor. */
  readonly xenWords: string;
  /** The directory for its files. */
  readonly out: string;
}

/** A host image that was built, but for its signatures. */
export interface BuiltHost {
  readonly host: HostManifest;
  readonly controlDomain: Manifest;
}

/** The files of a host image besides those of its control domain. */
const names: Readonly<Record<HostFileRole, string>> = {
  hypervisor: 'xen',
  'control domain': manifestFile,
  'guest images': 'images.squashfs',
  'boot entry': 'grub.cfg',
};

/**
 * Builds what it takes to boot a host: hypervisor, control domain, the disk with the images of its guests, and
 * a boot entry. The images are taken as they are: a host starts none that was changed. What stops it is a
 * `BuildFailure`.
 */
export async function buildHostFiles(request: HostRequest, report: Report): Promise<BuiltHost> {
  const { out, images } = request;
  await mkdir(out, { recursive: true });
  const aside = await mkdtemp(join(out, '.build-'));
  try {
    // An old manifest would name files that are being replaced.
    await rm(join(out, hostManifestFile), { force: true });
    const controlDomain = await buildControlDomain(request, aside, report);
    const { path: xen, version } = await hypervisor(report);
    await copyFile(xen, join(aside, names.hypervisor));
    report('packing the images of guests');
    const guests = await packImages(images, join(aside, names['guest images']));
    const words = bootWords(controlDomain, request.disks, request.xenWords);
    const { kernel, initramfs } = controlDomain;
    const entry = grubEntry(words, { kernel: kernel.file, initramfs: initramfs.file });
    await writeFile(join(aside, names['boot entry']), entry);
    for (const role of ['hypervisor', 'guest images', 'boot entry'] as const)
      await rename(join(aside, names[role]), join(out, names[role]));
    const files = await Promise.all(
      (Object.keys(names) as HostFileRole[]).map((role) => named(out, role)),
    );
    const host: HostManifest = {
      format: 'flotilla-host-image/1',
      ...{ version: controlDomain.version, architecture: 'x86_64', xen: version, files, guests },
    };
    await writeFile(join(out, hostManifestFile), encodeHostManifest(host));
    return { host, controlDomain };
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function buildControlDomain(
  { seedKey, imageKey, drivers, out }: HostRequest,
  aside: string,
  report: Report,
): Promise<Manifest> {
  const configuration = join(aside, 'configuration.json');
  await writeFile(configuration, JSON.stringify({ seedKey, imageKey }));
  const { manifest } = await buildGuestImage(
    {
      ...{ service: 'vm-lifecycle', architecture: 'x86_64', kernel: null, drivers },
      ...{ configuration, out },
    },
    report,
  );
  return manifest;
}

/** Packs the files that the images' manifests name; returns the manifests' digests. */
async function packImages(images: string, file: string): Promise<HostManifest['guests']> {
  const tree = `${file}.tree`;
  const digests = new Map<string, HostManifest['guests']['xenstore']>();
  for (const service of hostGuests) {
    const from = join(images, service);
    const bytes = await readFile(join(from, manifestFile)).catch((error: unknown) => {
      throw new BuildFailure(`there is no image of ${service}: ${String(error)}`);
    });
    const manifest = decodeManifest(bytes);
    if (!manifest.ok) throw new BuildFailure(`${join(from, manifestFile)}: ${manifest.error}`);
    const { kernel, initramfs } = manifest.value;
    await mkdir(join(tree, service), { recursive: true });
    for (const name of [manifestFile, signatureFile, kernel.file, initramfs.file])
      await copyFile(join(from, name), join(tree, service, name));
    digests.set(service, sha256Of(bytes));
  }
  // All is compressed already, but for what is alike: the kernel that several have is there once.
  await packSquashfs(tree, file, 'as it is');
  await rm(tree, { recursive: true });
  const digest = (service: (typeof hostGuests)[number]) => {
    const found = digests.get(service);
    if (found === undefined) throw new BuildFailure(`there is no image of ${service}`);
    return found;
  };
  return {
    ...{ xenstore: digest('xenstore'), consensus: digest('consensus') },
    ...{ network: digest('network'), storage: digest('storage') },
  };
}

async function named(out: string, role: HostFileRole): Promise<HostManifest['files'][number]> {
  const content = await readFile(join(out, names[role]));
  const size = content.byteLength as Manifest['memory'];
  return { role, file: names[role], sha256: sha256Of(content), size };
}
