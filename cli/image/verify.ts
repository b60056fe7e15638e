import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail, ok, type Result } from '../../base/result.ts';
import { filesOf } from '../../pool/images/differences.ts';
import { type ImageKey, keyFileSize, readPublicKey } from '../../pool/images/keys.ts';
import { distrustText, verifyManifest } from '../../pool/images/signature.ts';
import { verb } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { report, voiceOf } from '../session.ts';
import { checkFiles, readImage, readSignature } from './directory.ts';
import { type FileFlags, fileExitCodes, readSmall, unusable } from './files.ts';

/** `flotilla image verify`. */
export function verifyCommand(context: Context): Command {
  const summary = 'Check that the image in a directory is the one that was signed';
  return verb(context, 'image', 'verify <dir>', summary)
    .requiredOption('--key <file>', 'the public key (PEM) of who signs')
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', fileExitCodes)
    .action(async (named: string, flags: FileFlags & { readonly key: string }) => {
      const voice = voiceOf(context, flags.json === true);
      const key = await readKeyFile(context.directory, flags.key);
      if (!key.ok) return report(context, voice.json, key.error);
      const by = { key: key.value, named: flags.key };
      const verified = await verifyImage(context.directory, named, by);
      if (!verified.ok) return report(context, voice.json, verified.error);
      const { service, architecture, keyId, files } = verified.value;
      voice.answer(verified.value, [
        `the ${service} image for ${architecture} is the one that key ${keyId} signed`,
        ...files.map(({ file, sha256 }) => `  ${file}  ${sha256}`),
      ]);
      context.finish(exitCodes.done);
    });
}

/** Verifies the image in a directory by a key and the name of its file, for people. */
export async function verifyImage(
  directory: string,
  named: string,
  { key, named: keyNamed }: { readonly key: ImageKey; readonly named: string },
) {
  const image = await readImage(resolve(directory, named));
  if (!image.ok) return image;
  const signature = await readSignature(image.value);
  if (!signature.ok) return signature;
  const signer = verifyManifest(image.value.bytes, signature.value, [key]);
  if (!signer.ok)
    return fail({
      ...unusable(
        `the manifest in ${named}`,
        distrustText(signer.error),
        signer.error.kind === 'unknown-key'
          ? `${keyNamed} is key ${key.id}; name the key of who signed this image`
          : 'copy the image again from where it was signed',
      ),
      reason: 'IMAGE' as const,
    });
  const checked = await checkFiles(image.value);
  if (!checked.ok) return checked;
  const { manifest, digest } = image.value;
  return ok({
    service: manifest.service,
    architecture: manifest.architecture,
    version: manifest.version,
    manifest: digest,
    keyId: signer.value.id,
    files: filesOf(manifest).map(({ role, file, sha256 }) => ({ role, file, sha256 })),
  });
}

/** Reads a public key out of a file that the command line names. */
export async function readKeyFile(
  directory: string,
  named: string,
): Promise<Result<ImageKey, Problem>> {
  const text = await readSmall(resolve(directory, named), keyFileSize);
  if (!text.ok) return text;
  const key = readPublicKey(text.value.toString());
  return key.ok ? key : fail(unusable(named, `is no public key: ${key.error}`));
}
