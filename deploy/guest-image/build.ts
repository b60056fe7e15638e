import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { sha256Of } from '../../pool/images/digest.ts';
import {
  type Architecture,
  encodeManifest,
  type Manifest,
  manifestFile,
} from '../../pool/images/manifest.ts';
import { BuildFailure, type Report } from '../image/command.ts';
import { billOfMaterials, type SystemPart } from './bill-of-materials.ts';
import { link } from './bundle.ts';
import { linkedConfiguration } from './configuration.ts';
import { buildInit } from './init.ts';
import { buildInitramfs } from './initramfs.ts';
import { buildGuestKernel, type GuestKernel, type KernelOrigin } from './kernel/index.ts';
import { kernelNeeds } from './kernel-needs.ts';
import { linkReport } from './link-report.ts';
import { linkedModules, npmPackage } from './linked-modules.ts';
import { machines } from './machines.ts';
import { nodeBinary } from './node-binary.ts';
import { packRoot, programPart } from './pack-root.ts';
import { buildRuntime } from './runtime.ts';
import {
  databasePrefixes,
  type GuestService,
  type GuestServiceName,
  guestServices,
  leftOutOfAll,
} from './services.ts';
import { startFiles } from './start-files.ts';
import { callNumbers } from './system-calls.ts';

/** The checkout that this file is part of: what it has is what images are made of. */
const checkout = resolve(import.meta.dirname, '../..');

/** An image that is wanted. */
export interface ImageRequest {
  readonly service: GuestServiceName;
  readonly architecture: Architecture;
  /** Null: the one of Debian's that its service takes. */
  readonly kernel: KernelOrigin | null;
  /** Modules for the kernel besides those of the table: drivers of the machine of a host. */
  readonly drivers?: readonly string[];
  /** A JSON file that is linked in; null: none. */
  readonly configuration: string | null;
  /** The directory for its files; one that has some already gets the new ones in their place. */
  readonly out: string;
}

/** An image that was built. */
export interface BuiltImage {
  readonly manifest: Manifest;
  /** What is linked in, and why, for a person. */
  readonly report: string;
}

/**
 * Builds the guest image of a service from this checkout, Debian's packages and a kernel. The same sources
 * and packages give the same files, bit for bit, wherever and whenever. What stops it is a `BuildFailure`.
 */
export async function buildGuestImage(request: ImageRequest, report: Report): Promise<BuiltImage> {
  const service: GuestService = guestServices[request.service];
  const { architecture, drivers = [] } = request;
  if (request.service === 'vm-lifecycle' && request.configuration === null)
    throw new BuildFailure(
      'the image of vm-lifecycle is a host, which has to know whom to believe; build it with flotilla host image, or link {"seedKey": PEM, "imageKey": PEM} in with --config',
    );
  const configuration =
    request.configuration === null
      ? null
      : await linkedConfiguration(request.service, request.configuration);
  report(`linking flotilla ${service.command}`);
  const leftOut = [...leftOutOfAll, ...service.leftOut];
  const bundle = await link({
    checkout,
    program: 'main.ts',
    loads: Object.values(service.commands),
    leftOut,
  });
  const modules = await linkedModules(checkout, bundle.metafile);
  const node = await nodeBinary(checkout, architecture, report);
  const runtime = await buildRuntime(node, service, architecture, report);
  const init = await buildInit(architecture, report);
  const origin = request.kernel ?? service.kernel;
  const kernel = await buildGuestKernel(request.service, architecture, origin, report);
  const named = drivers.map((name) => ({ name }));
  const needs = await kernelNeeds(kernel.modules, [...named, ...service.modules]);
  await mkdir(request.out, { recursive: true });
  const aside = await mkdtemp(join(request.out, '.build-'));
  try {
    report('packing the root');
    const root = join(aside, 'root.squashfs');
    const parts = { checkout, service, bundle, modules, configuration };
    await packRoot(root, { ...parts, init, node, runtime, architecture }, report);
    const initramfs = await buildInitramfs({
      ...{ service, init, root, runtime: runtime.image, modules: needs.inserted },
      hasConfiguration: configuration !== null,
      calls: await callNumbers(request.service, architecture, aside),
    });
    const { version } = await npmPackage(checkout, '.');
    const system = [kernelPart(kernel), programPart(version), ...runtime.parts];
    const name = `flotilla-${request.service}`;
    const sbom = billOfMaterials({ name, version, modules, system });
    const files = { vmlinuz: await readFile(kernel.image), initramfs, sbom: Buffer.from(sbom) };
    const words = [...service.kernelWords, ...needs.words];
    const manifest = manifestOf(request, { service, version, kernel, words, files, configuration });
    await writeOutputs(request.out, aside, {
      vmlinuz: files.vmlinuz,
      'initramfs.img': initramfs,
      'sbom.cdx.json': files.sbom,
      ...Object.fromEntries(
        Object.entries(startFiles(manifest, service)).map(([name, text]) => [
          name,
          Buffer.from(text),
        ]),
      ),
      // The last: where it is, all that it names is there.
      [manifestFile]: encodeManifest(manifest),
    });
    return { manifest, report: linkReport({ modules, system, leftOut }) };
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** What a manifest is made of, besides the request. */
interface Parts {
  readonly service: GuestService;
  readonly version: string;
  readonly kernel: GuestKernel;
  readonly words: readonly string[];
  readonly files: Readonly<Record<'vmlinuz' | 'initramfs' | 'sbom', Uint8Array>>;
  readonly configuration: Uint8Array | null;
}

function manifestOf(request: ImageRequest, parts: Parts): Manifest {
  const { service, version, words, files, configuration } = parts;
  const { release, origin, options } = parts.kernel;
  const { kernelWords } = machines[request.architecture];
  const file = (name: string, content: Uint8Array) => ({
    file: name,
    sha256: sha256Of(content),
    size: content.byteLength as Manifest['memory'],
  });
  return {
    format: 'flotilla-guest-image/1',
    service: request.service,
    version,
    architecture: request.architecture,
    kernel: { ...file('vmlinuz', files.vmlinuz), release, origin, options },
    initramfs: file('initramfs.img', files.initramfs),
    commandLine: ['panic=1', 'loglevel=4', ...kernelWords, ...words].join(' '),
    memory: service.memory as Manifest['memory'],
    ports: [...service.ports],
    devices: [...service.devices],
    privileges: [
      ...service.xenPrivileges,
      ...Object.keys(service.capabilities).map((name) => `linux: ${name}`),
    ],
    databasePrefixes: [...databasePrefixes(request.service)],
    configuration: configuration === null ? null : sha256Of(configuration),
    sbom: { file: 'sbom.cdx.json', sha256: sha256Of(files.sbom) },
  };
}

function kernelPart({ release, origin }: GuestKernel): SystemPart {
  const why = {
    cloud: "Debian's kernel for virtual machines",
    generic: "Debian's kernel for any machine",
    specialised: 'built for this service',
  }[origin];
  return {
    ...{ name: 'linux', version: release, purl: `pkg:generic/linux@${release}?origin=${origin}` },
    type: 'operating-system',
    files: [{ path: 'vmlinuz', why }],
  };
}

/** Writes all files aside, then puts each in its place: one that has its name is whole. */
async function writeOutputs(
  out: string,
  aside: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) await writeFile(join(aside, name), content);
  // An old manifest would name files that are being replaced.
  await rm(join(out, manifestFile), { force: true });
  for (const name of Object.keys(files))
    await rename(join(aside, name), join(out, name)).catch((error: unknown) => {
      throw new BuildFailure(`${join(out, name)} cannot be written: ${String(error)}`);
    });
}
