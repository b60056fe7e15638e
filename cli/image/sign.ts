import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { replaceFile } from '../../base/durable-file.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { keyFileSize, readSigningKey, type SigningKey } from '../../pool/images/keys.ts';
import { encodeSignature, signatureFile, signManifest } from '../../pool/images/signature.ts';
import { verb } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { report, type Voice, voiceOf } from '../session.ts';
import { checkFiles, readImage } from './directory.ts';
import { type FileFlags, fileExitCodes, readSmall, unusable, unwritable } from './files.ts';

/** `flotilla image sign`. */
export function signCommand(context: Context): Command {
  const summary = 'Check the image in a directory, and sign its manifest';
  return verb(context, 'image', 'sign <dir>', summary)
    .requiredOption('--key <file>', 'the private key (PEM), from `flotilla image keygen`')
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', fileExitCodes)
    .action(async (named: string, flags: FileFlags & { readonly key: string }) => {
      const voice = voiceOf(context, flags.json === true);
      const signed = await signImage(voice, named, flags.key);
      if (!signed.ok) return report(context, voice.json, signed.error);
      const { service, architecture, keyId, signature } = signed.value;
      voice.answer(signed.value, [
        `signed the ${service} image for ${architecture} with key ${keyId}`,
        `the signature is in ${signature}`,
      ]);
      context.finish(exitCodes.done);
    });
}

async function signImage(voice: Voice, named: string, keyNamed: string) {
  const { directory } = voice.context;
  const key = await readKey(voice, resolve(directory, keyNamed), keyNamed);
  if (!key.ok) return key;
  const image = await readImage(resolve(directory, named));
  if (!image.ok) return image;
  const checked = await checkFiles(image.value);
  if (!checked.ok) return checked;
  const { manifest, bytes, digest, path } = image.value;
  const signature = signManifest(bytes, key.value);
  const file = join(path, signatureFile);
  try {
    await replaceFile(file, encodeSignature(signature));
  } catch (error) {
    return fail(unwritable(file, error));
  }
  return ok({
    service: manifest.service,
    architecture: manifest.architecture,
    version: manifest.version,
    manifest: digest,
    keyId: signature.keyId,
    signature: join(named, signatureFile),
  });
}

/** Reads a private key out of a file that the command line names; one that others may read is told. */
export async function readKey(
  voice: Voice,
  path: string,
  named: string,
): Promise<Result<SigningKey, Problem>> {
  const text = await readSmall(path, keyFileSize);
  if (!text.ok) return text;
  const key = readSigningKey(text.value.toString());
  if (!key.ok) return fail(unusable(named, `cannot be signed with: ${key.error}`));
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0)
    voice.note(`hint: others may read ${named}; \`chmod 600 ${named}\` keeps it yours`);
  return key;
}
