import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { fail, ok } from '../../base/result.ts';
import { difference } from '../../pool/images/differences.ts';
import {
  decodeHostManifest,
  hostManifestFile,
  hostSignatureFile,
} from '../../pool/images/host-manifest.ts';
import { manifestSize } from '../../pool/images/manifest.ts';
import {
  decodeSignature,
  distrustText,
  signatureSize,
  verifyAs,
} from '../../pool/images/signature.ts';
import { verb } from '../command.ts';
import { type Context, processContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { type FileFlags, fileExitCodes, measureFile, readSmall, unusable } from '../image/files.ts';
import { readKeyFile, verifyImage } from '../image/verify.ts';
import { report, voiceOf } from '../session.ts';

/** `flotilla host verify`. */
export function hostVerifyCommand(context: Context = processContext()): Command {
  const summary = 'Check that the host image in a directory is the one that was signed';
  return verb(context, 'host', 'verify <dir>', summary)
    .requiredOption('--key <file>', 'the public key (PEM) of who signs')
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', fileExitCodes)
    .action(async (named: string, flags: FileFlags & { readonly key: string }) => {
      const voice = voiceOf(context, flags.json === true);
      const verified = await verifyHost(context.directory, named, flags.key);
      if (!verified.ok) return report(context, voice.json, verified.error);
      const { keyId, host } = verified.value;
      voice.answer(verified.value, [
        `the host image in ${named} is the one that key ${keyId} signed`,
        ...host.files.map(({ file, sha256 }) => `  ${file}  ${sha256}`),
      ]);
      context.finish(exitCodes.done);
    });
}

async function verifyHost(directory: string, named: string, keyNamed: string) {
  const key = await readKeyFile(directory, keyNamed);
  if (!key.ok) return key;
  const at = (file: string) => join(resolve(directory, named), file);
  const again = 'copy the image again from where it was built';
  const bytes = await readSmall(at(hostManifestFile), manifestSize);
  if (!bytes.ok) return bytes;
  const signed = await readSmall(at(hostSignatureFile), signatureSize);
  if (!signed.ok) return signed;
  const signature = decodeSignature(signed.value);
  if (!signature.ok) return fail(unusable(at(hostSignatureFile), signature.error, again));
  const signer = verifyAs('host image', bytes.value, signature.value, [key.value]);
  if (!signer.ok) return fail(unusable(at(hostManifestFile), distrustText(signer.error), again));
  const host = decodeHostManifest(bytes.value);
  if (!host.ok) return fail(unusable(at(hostManifestFile), `is no manifest: ${host.error}`, again));
  const details: string[] = [];
  for (const file of host.value.files) {
    const found = await measureFile(at(file.file));
    if (!found.ok) return found;
    const differs = difference(file, found.value);
    if (differs !== null) details.push(differs);
  }
  if (details.length > 0)
    return fail({
      exitCode: exitCodes.failed,
      message: `the host image in ${named} is not the one that was signed`,
      ...{ details, remedy: again, reason: 'IMAGE' as const },
    });
  // The control domain's manifest is one of the files, and has the digests of its kernel and its initramfs.
  const controlDomain = await verifyImage(directory, named, { key: key.value, named: keyNamed });
  if (!controlDomain.ok) return controlDomain;
  return ok({ keyId: signer.value.id, host: host.value, controlDomain: controlDomain.value });
}
