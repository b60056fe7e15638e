import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { replaceFile } from '../../base/durable-file.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import {
  encodeHostManifest,
  type HostManifest,
  hostGuests,
  hostSignatureFile,
} from '../../pool/images/host-manifest.ts';
import type { ImageKey, SigningKey } from '../../pool/images/keys.ts';
import { encodeManifest, type Manifest } from '../../pool/images/manifest.ts';
import { encodeSignature, signAs, signatureFile } from '../../pool/images/signature.ts';
import { verb } from '../command.ts';
import { type Context, processContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { fileExitCodes, unusable, unwritable } from '../image/files.ts';
import { readKey } from '../image/sign.ts';
import { readKeyFile, verifyImage } from '../image/verify.ts';
import type { Problem } from '../problem.ts';
import { report, type Voice, voiceOf } from '../session.ts';

/** A host image that is wanted. Paths are absolute, keys are PEM. */
export interface HostImageRequest {
  readonly images: string;
  readonly seedKey: string;
  readonly imageKey: string;
  readonly drivers: readonly string[];
  readonly disks: Readonly<Record<'data' | 'images' | 'seed', string>>;
  readonly xenWords: string;
  readonly out: string;
}

/** Builds a host image, but for its signatures. The failure says what stopped it, and what to do. */
export type BuildHostImage = (
  request: HostImageRequest,
  progress: (line: string) => void,
) => Promise<Result<{ readonly host: HostManifest; readonly controlDomain: Manifest }, string>>;

interface Flags {
  readonly out: string;
  readonly images: string;
  readonly imageKey?: string;
  readonly seedKey: string;
  readonly key: string;
  readonly driver?: readonly string[];
  readonly dataDisk: string;
  readonly imagesDisk: string;
  readonly seedDisk: string;
  readonly xenWords: string;
  readonly json?: boolean;
}

/** `flotilla host image`; `build` is what does it. */
export function hostImageCommand(
  build: BuildHostImage,
  context: Context = processContext(),
): Command {
  const summary = 'Build a bootable host: Xen, its control domain, and the guests of its services';
  return verb(context, 'host', 'image', summary)
    .requiredOption('--out <directory>', 'where to write it; made where it is missing')
    .requiredOption(
      '--images <directory>',
      `signed guest images, each in a directory of its name: ${hostGuests.join(', ')}`,
    )
    .option(
      '--image-key <file>',
      'the public key of who signed them (default: trusted-key.pem there)',
    )
    .requiredOption('--seed-key <file>', "the operator's public key: of who signs the host's seed")
    .requiredOption('--key <file>', 'the private key that this image is signed with')
    .option(
      '--driver <module>',
      "a kernel module for the machine's disk or interface, such as nvme; may be given more often",
      more,
    )
    .option('--data-disk <device>', 'with ext4, for what the host keeps', '/dev/vda')
    .option('--images-disk <device>', 'with images.squashfs, as it is', '/dev/vdb')
    .option('--seed-disk <device>', 'with the seed, as it is', '/dev/vdc')
    .option('--xen-words <words>', 'for the hypervisor', 'console=com1 com1=115200,8n1')
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', help)
    .action(async (flags: Flags) => {
      const voice = voiceOf(context, flags.json === true);
      const made = await make(voice, build, flags);
      if (!made.ok) return report(context, voice.json, made.error);
      const { host, controlDomain, keyId } = made.value;
      const { kernel, initramfs } = controlDomain;
      const size = [...host.files, kernel, initramfs].reduce((sum, file) => sum + file.size, 0);
      voice.answer({ ...made.value, out: flags.out, size }, [
        `built a host image in ${flags.out}, signed by key ${keyId}`,
        `Xen ${host.xen}; control domain with Linux ${kernel.release}; together ${(size / 2 ** 20).toFixed(1)} MiB`,
        `next: flotilla host seed --help; how its files are put onto a host is in docs/host-image.md`,
      ]);
      context.finish(exitCodes.done);
    });
}

function more(word: string, before: readonly string[] = []): readonly string[] {
  return [...before, word];
}

const help = `
It writes xen, vmlinuz and initramfs.img (the control domain: no shell, no login), images.squashfs, grub.cfg,
and what these are: manifest.json, host.json, sbom.cdx.json, with signatures. A host is for x86_64.
${fileExitCodes}`;

async function make(voice: Voice, build: BuildHostImage, flags: Flags) {
  const at = (path: string) => resolve(voice.context.directory, path);
  const { directory } = voice.context;
  const key = await readKey(voice, at(flags.key), flags.key);
  if (!key.ok) return key;
  const seedKey = await readKeyFile(directory, flags.seedKey);
  if (!seedKey.ok) return seedKey;
  const keyNamed = flags.imageKey ?? join(flags.images, 'trusted-key.pem');
  const imageKey = await readKeyFile(directory, keyNamed);
  if (!imageKey.ok) return imageKey;
  const fit = await imagesFit(directory, flags.images, imageKey.value, keyNamed);
  if (!fit.ok) return fit;
  const request: HostImageRequest = {
    ...{ images: at(flags.images), out: at(flags.out), drivers: flags.driver ?? [] },
    ...{ seedKey: seedKey.value.pem, imageKey: imageKey.value.pem, xenWords: flags.xenWords },
    disks: { data: flags.dataDisk, images: flags.imagesDisk, seed: flags.seedDisk },
  };
  const built = await build(request, (line) => voice.note(line));
  if (!built.ok) return fail({ exitCode: exitCodes.failed, message: built.error, remedy: '' });
  const signed = await signHost(request.out, built.value, key.value);
  return signed.ok ? ok({ ...built.value, keyId: key.value.publicKey.id }) : signed;
}

/** A host would refuse these guests at its boot: better that it is told now. */
async function imagesFit(
  directory: string,
  images: string,
  key: ImageKey,
  keyNamed: string,
): Promise<Result<void, Problem>> {
  for (const service of hostGuests) {
    const named = join(images, service);
    const verified = await verifyImage(directory, named, { key, named: keyNamed });
    if (!verified.ok) return verified;
    if (verified.value.service !== service || verified.value.architecture !== 'x86_64')
      return fail(
        unusable(
          named,
          `is an image of ${verified.value.service} for ${verified.value.architecture}`,
        ),
      );
  }
  return ok(undefined);
}

/** Signs what the host is, and what its control domain is. */
async function signHost(
  out: string,
  { host, controlDomain }: { readonly host: HostManifest; readonly controlDomain: Manifest },
  key: SigningKey,
): Promise<Result<void, Problem>> {
  const signatures = [
    [signatureFile, signAs('manifest', encodeManifest(controlDomain), key)],
    [hostSignatureFile, signAs('host image', encodeHostManifest(host), key)],
  ] as const;
  for (const [name, signature] of signatures)
    try {
      await replaceFile(join(out, name), encodeSignature(signature));
    } catch (error) {
      return fail(unwritable(join(out, name), error));
    }
  return ok(undefined);
}
