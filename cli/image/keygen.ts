import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { fail, ok, type Result } from '../../base/result.ts';
import { makeKeyPair } from '../../pool/images/keys.ts';
import { verb } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { propertyLines } from '../output/table.ts';
import type { Problem } from '../problem.ts';
import { report, voiceOf } from '../session.ts';
import { type FileFlags, fileExitCodes, isThere, unwritable, writeNew } from './files.ts';

/** Only who signs may read the private key; everybody may read the other. */
const privateMode = 0o600;
const publicMode = 0o644;

/** `flotilla image keygen`. */
export function keygenCommand(context: Context): Command {
  const summary = 'Make a pair of keys to sign images with (Ed25519)';
  return verb(context, 'image', 'keygen', summary)
    .requiredOption('--out <dir>', 'where to write image-key.pem (private) and image-key.pub.pem')
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', fileExitCodes)
    .action(async (flags: FileFlags & { readonly out: string }) => {
      const voice = voiceOf(context, flags.json === true);
      const made = await keygen(resolve(context.directory, flags.out), flags.out);
      if (!made.ok) return report(context, voice.json, made.error);
      const { keyId, privateKey, publicKey } = made.value;
      voice.answer(
        made.value,
        propertyLines(
          [
            ['key', keyId],
            ['private key', `${privateKey}, for \`flotilla image sign\`: keep it off the hosts`],
            ['public key', `${publicKey}, for \`flotilla image key trust\` and \`verify\``],
          ],
          voice.style,
        ),
      );
      context.finish(exitCodes.done);
    });
}

const files = { privateKey: 'image-key.pem', publicKey: 'image-key.pub.pem' } as const;

async function keygen(directory: string, named: string) {
  const { id, ...pair } = makeKeyPair();
  const made = await makeDirectory(directory, named);
  if (!made.ok) return made;
  // Both are looked at before either is written: half of a pair is of no use.
  for (const file of Object.values(files))
    if (existsSync(join(directory, file))) return fail(isThere(join(named, file)));
  for (const [half, mode] of [
    ['privateKey', privateMode],
    ['publicKey', publicMode],
  ] as const) {
    const written = await writeNew(join(directory, files[half]), pair[half], mode);
    if (!written.ok) return written;
  }
  return ok({
    keyId: id,
    privateKey: join(named, files.privateKey),
    publicKey: join(named, files.publicKey),
  });
}

async function makeDirectory(path: string, named: string): Promise<Result<void, Problem>> {
  try {
    await mkdir(path, { recursive: true });
    return ok(undefined);
  } catch (error) {
    return fail(unwritable(named, error));
  }
}
