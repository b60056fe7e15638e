import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytes } from '../../base/units.ts';
import { buildInit, buildStatic } from '../../deploy/guest-image/init.ts';
import { buildInitramfs } from '../../deploy/guest-image/initramfs.ts';
import { buildGuestKernel } from '../../deploy/guest-image/kernel/index.ts';
import { kernelNeeds } from '../../deploy/guest-image/kernel-needs.ts';
import { type GuestService, guestServices } from '../../deploy/guest-image/services.ts';
import { packSquashfs } from '../../deploy/guest-image/squashfs.ts';
import { callNumbers } from '../../deploy/guest-image/system-calls.ts';
import type { Report } from '../../deploy/image/command.ts';
import { sha256Of } from '../../pool/images/digest.ts';
import { makeKeyPair, readSigningKey } from '../../pool/images/keys.ts';
import { encodeManifest, manifestFile } from '../../pool/images/manifest.ts';
import { encodeSignature, signatureFile, signManifest } from '../../pool/images/signature.ts';
import { pretendManifest } from '../fixtures/images.ts';

/** What was taken over of a guest: its service, which runs as init started it, or its whole kernel. */
export type Foothold = 'service' | 'kernel';

/** The files of an image but its kernel, which is Debian's cloud kernel, and the key that signed them. */
export interface AttackerImage {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly publicKey: string;
}

/** Where the root of a guest has something mounted on. */
const mountPoints = ['dev', 'proc', 'run', 'seed', 'sys', 'usr', 'data'];

/**
 * The network service's guest with the attacker's program in Node's place: the same init, plan, kernel and
 * modules. Who has taken over its kernel has more than the plan gives its service: all that Xen lets the domain
 * do, for which Linux's devices stand here, and every capability.
 */
function guestOf(foothold: Foothold): GuestService {
  const { network } = guestServices;
  if (foothold === 'service') return network;
  const everything = Object.fromEntries(
    Array.from({ length: 41 }, (_, number) => [`capability ${number}`, number]),
  );
  return {
    ...network,
    runsAsRoot: true,
    capabilities: everything,
    modules: [
      ...network.modules,
      ...['xen-evtchn', 'xen-gntdev'].map((name) => ({ name })),
      // Linux otherwise keeps hypercalls from its processes, and whoever has the kernel is none of those.
      { name: 'xen-privcmd', parameters: 'unrestricted=1' },
    ],
  };
}

/** Builds and signs the image of an attacker. */
export async function buildAttacker(foothold: Foothold, report: Report): Promise<AttackerImage> {
  const service = guestOf(foothold);
  const architecture = 'x86_64';
  const sources = join(import.meta.dirname, 'attacker');
  const program = await buildStatic({ name: 'attacker', sources, architecture }, report);
  const init = await buildInit(architecture, report);
  const kernel = await buildGuestKernel('network', architecture, 'cloud', report);
  const needs = await kernelNeeds(kernel.modules, service.modules);
  const work = await mkdtemp(join(tmpdir(), 'attacker-'));
  try {
    const initramfs = await buildInitramfs({
      ...{ service, init, modules: needs.inserted, hasConfiguration: false },
      calls: foothold === 'service' ? await callNumbers('network', architecture, work) : [],
      root: await packed(work, 'root', async (tree) => {
        for (const place of mountPoints) await mkdir(join(tree, place));
      }),
      runtime: await packed(work, 'runtime', async (tree) => {
        await mkdir(join(tree, 'bin'));
        await copyFile(program, join(tree, 'bin/node'));
      }),
    });
    const vmlinuz = await readFile(kernel.image);
    const key = makeKeyPair();
    const signing = readSigningKey(key.privateKey);
    if (!signing.ok) throw new Error(signing.error);
    const { release, options } = kernel;
    const file = (name: string, content: Uint8Array) => ({
      ...{ file: name, sha256: sha256Of(content), size: bytes(content.byteLength) },
    });
    const manifest = encodeManifest(
      pretendManifest({
        service: 'network',
        kernel: { ...file('vmlinuz', vmlinuz), origin: 'cloud', release, options },
        initramfs: file('initramfs.img', initramfs),
        commandLine: ['panic=1', 'loglevel=4', ...service.kernelWords, ...needs.words].join(' '),
        memory: bytes(service.memory),
        ...{ ports: [], devices: [], privileges: [] },
      }),
    );
    return {
      files: {
        'initramfs.img': initramfs,
        [manifestFile]: manifest,
        [signatureFile]: encodeSignature(signManifest(manifest, signing.value)),
      },
      publicKey: key.publicKey,
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function packed(
  work: string,
  name: string,
  fill: (tree: string) => Promise<void>,
): Promise<string> {
  const tree = join(work, name);
  await mkdir(tree);
  await fill(tree);
  const file = join(work, `${name}.squashfs`);
  await packSquashfs(tree, file);
  return file;
}
