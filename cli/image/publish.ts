import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ok, type Result } from '../../base/result.ts';
import { encodeSignature } from '../../pool/images/signature.ts';
import { changesSomething, verb } from '../command.ts';
import { call } from '../connection/call.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { type PoolFlags, type Session, withPool } from '../session.ts';
import { checkFiles, readImage, readSignature } from './directory.ts';

/** The flags of commands that change what the pool knows of images. */
export interface ImageChangeFlags extends PoolFlags {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** `flotilla image publish`. */
export function publishCommand(context: Context): Command {
  const summary = 'Make a signed image known to the pool: its hosts may start it then';
  return changesSomething(verb(context, 'image', 'publish <dir>', summary)).action(
    (named: string, flags: ImageChangeFlags) =>
      withPool(context, flags, (session) => publish(session, named, flags.dryRun === true)),
  );
}

async function publish(
  session: Session,
  named: string,
  validateOnly: boolean,
): Promise<Result<ExitCode, Problem>> {
  const image = await readImage(resolve(session.context.directory, named));
  if (!image.ok) return image;
  const signature = await readSignature(image.value);
  if (!signature.ok) return signature;
  const checked = await checkFiles(image.value);
  if (!checked.ok) return checked;
  const request = {
    manifest: image.value.bytes,
    signature: encodeSignature(signature.value),
    validateOnly,
  };
  const published = await call(session.pool, (to, settings) =>
    to.image.publishImage(request, settings),
  );
  if (!published.ok) return published;
  const { service, architecture, version, digest } = published.value;
  const what = `the ${service} image ${version} for ${architecture}: ${digest}`;
  session.answer(published.value, [
    ...(validateOnly ? [`would publish ${what}`, 'nothing was changed'] : [`published ${what}`]),
  ]);
  return ok(exitCodes.done);
}
