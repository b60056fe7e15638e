import { hostname } from 'node:os';
import { Command } from 'commander';
import * as v from 'valibot';
import { runCommand } from '../../../base/command.ts';
import { fail, type Result } from '../../../base/result.ts';
import { systemClock } from '../../../pool/clock.ts';
import type { Failure } from '../../../pool/failure.ts';
import { HostIdSchema } from '../../../pool/records/identifiers.ts';
import { bootId } from '../adapters/images/guest-images.ts';
import { pinnedTrust } from '../adapters/images/trust-sources.ts';
import { openOwnImages } from '../service-guests/adapters/own-images.ts';
import { readTrustedKeys } from '../service-guests/adapters/trusted-keys.ts';
import { findBuilder, noBuilder, startXenstoreDomain } from './start.ts';

/** What the command is told. */
interface Flags {
  readonly image: string;
  readonly trustedKey: readonly string[];
  readonly hostId: string;
  readonly hostName: string;
  readonly dataDir: string;
  readonly words: string;
}

/** A host that belongs to no pool yet. */
const nobody = '00000000-0000-0000-0000-000000000000';

/**
 * `flotilla xenstore-domain`: what a host's boot runs before anything else of Xen's tool stack. It ends
 * once the domain serves, with 0; with 1 where it could not be started, and with 2 for wrong words.
 */
export function xenstoreDomainCommand(): Command {
  return new Command('xenstore-domain')
    .description(
      "Start the domain that keeps this host's xenstore, once for each boot of the host.",
    )
    .requiredOption('--image <directory>', 'what flotilla image build wrote and image sign signed')
    .requiredOption('--trusted-key <file...>', 'public keys of who signs images (PEM)')
    .option('--host-id <uuid>', 'the id of this host in its pool', nobody)
    .option('--host-name <name>', 'its name there', hostname())
    .option('--data-dir <directory>', 'where to work, and measure', '/run/flotilla/xenstore-domain')
    .option(
      '--words <text>',
      "words for its kernel's command line, of those that a host may add",
      '',
    )
    .action(async (flags: Flags) => {
      const started = await start(flags);
      if (started.ok) return;
      const { message, remedy, reason } = started.error;
      process.stderr.write(`xenstore-domain: ${message}\n${remedy}\n`);
      process.exitCode = reason === 'INVALID_FIELD' ? 2 : 1;
    });
}

async function start(flags: Flags): Promise<Result<void, Failure>> {
  const { image, trustedKey, dataDir, words } = flags;
  const hostId = v.safeParse(HostIdSchema, flags.hostId);
  if (!hostId.success) return fail(wrong('--host-id is no UUID', 'Write the id of the host.'));
  const keys = await readTrustedKeys(trustedKey);
  if (!keys.ok) return fail(wrong(keys.error, 'Name the public keys of who signs images.'));
  const builder = await findBuilder();
  if (builder === null) return fail(noBuilder);
  const host = { id: hostId.output, name: flags.hostName };
  const boot = await bootId();
  const images = await openOwnImages({ host, dataDir, boot, clock: systemClock });
  if (!images.ok) return images;
  try {
    return await startXenstoreDomain({
      ...{ host, image, words, builder, images: images.value },
      ...{ trust: pinnedTrust(keys.value), run: runCommand },
    });
  } finally {
    await images.value.close();
  }
}

function wrong(message: string, remedy: string): Failure {
  return { reason: 'INVALID_FIELD', message, remedy };
}
