import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import * as v from 'valibot';
import { replaceFile } from '../../base/durable-file.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { NameSchema } from '../../pool/records/identifiers.ts';
import { verb } from '../command.ts';
import { type Context, processContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { fileExitCodes, unusable, unwritable } from '../image/files.ts';
import { readKey } from '../image/sign.ts';
import { type Problem, wrongUsage } from '../problem.ts';
import { report, type Voice, voiceOf } from '../session.ts';
import { GuestAddressSchema, readChoice, saveChoice, writeDurably } from '../up/choice.ts';
import { parseGuest } from '../up/guests.ts';
import { issueIdentities } from '../up/identities.ts';
import {
  type GuestType,
  guestTypes,
  type PoolChoice,
  type ServiceGuest,
} from '../up/pool-choice.ts';
import { poolFileContent } from '../up/pool-directory.ts';
import { poolOfSeed } from './choose.ts';
import { encodeSeed, type HostSeed } from './seed.ts';

interface Flags {
  readonly dir: string;
  readonly key: string;
  readonly address: string;
  readonly gateway?: string;
  readonly name?: string;
  readonly guest?: readonly ServiceGuest[];
  readonly guestType?: GuestType;
  readonly out: string;
  readonly json?: boolean;
}

function checked(schema: v.GenericSchema<unknown, string>): (text: string) => string {
  return (text) => {
    const parsed = v.safeParse(schema, text);
    if (parsed.success) return parsed.output;
    throw new InvalidArgumentError(parsed.issues[0].message);
  };
}

/** `flotilla host seed`. */
export function hostSeedCommand(context: Context = processContext()): Command {
  const summary = 'Make the signed seed by which a host of a host image knows who it is';
  return verb(context, 'host', 'seed', summary)
    .requiredOption('--out <file>', 'where to write the seed')
    .requiredOption(
      '--key <file>',
      "the operator's private key (PEM), whose other half is in the image",
    )
    .requiredOption(
      '--address <address/length>',
      "the host's own, on its bridge",
      checked(GuestAddressSchema),
    )
    .option(
      '--gateway <address>',
      'where it reaches what is not on that network',
      checked(v.pipe(v.string(), v.ipv4())),
    )
    .option(
      '--guest <service=address>',
      "a service guest's address there, such as consensus=10.0.0.21/24; for a new pool each of consensus, network, storage",
      parseGuest,
    )
    .addOption(
      new Option('--guest-type <type>', 'how Xen runs them (default: pvh)').choices(guestTypes),
    )
    .option('--name <name>', "the host's name (default: host-1)", checked(NameSchema))
    .option(
      '--dir <directory>',
      "the pool's directory, which stays with the operator; made where it is missing",
      '.flotilla',
    )
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', help)
    .action(async (flags: Flags) => {
      const voice = voiceOf(context, flags.json === true);
      const made = await makeSeed(voice, flags);
      if (!made.ok) return report(context, voice.json, made.error);
      const { host, pool, size } = made.value;
      voice.answer(made.value, [
        `the seed of ${host} of pool ${pool} is in ${flags.out}, ${size} bytes, signed by key ${made.value.keyId}`,
        'it holds private keys: keep it as you keep them',
        `next: write it to a disk of the host, as it is: dd if=${flags.out} of=/dev/DISK`,
      ]);
      context.finish(exitCodes.done);
    });
}

const help = `
The pool's authority stays in --dir, where the CLI finds the pool too. Make another seed when certificates
have grown old, after a year: the host takes the newer one at its next boot.
${fileExitCodes}`;

async function makeSeed(voice: Voice, flags: Flags) {
  const at = (path: string) => resolve(voice.context.directory, path);
  const key = await readKey(voice, at(flags.key), flags.key);
  if (!key.ok) return key;
  const directory = at(flags.dir);
  const there = readChoice(directory);
  if (!there.ok) return fail(wrongUsage(there.error, 'name another directory with --dir'));
  const { address, gateway = null, name, guest: guests, guestType: type } = flags;
  const choice = poolOfSeed({ address, name, guests, type }, there.value);
  if (!choice.ok) return fail(wrongUsage(choice.error, 'see flotilla host seed --help'));
  const pool = choice.value;
  const host = pool.hosts[0]?.name ?? '';
  const kept = await keepPool(directory, pool);
  if (!kept.ok) return kept;
  const encoded = encodeSeed(
    {
      ...{ format: 'flotilla-host-seed/1', made: voice.context.now(), host, pool },
      network: { address, gateway },
      identity: await identityFiles(join(directory, host, 'identity')),
    } satisfies HostSeed,
    key.value,
  );
  if (!encoded.ok) return fail(unusable('the seed', encoded.error, 'see the files in --dir'));
  const out = at(flags.out);
  try {
    await replaceFile(out, encoded.value);
  } catch (error) {
    return fail(unwritable(out, error));
  }
  const keyId = key.value.publicKey.id;
  return ok({ host, pool: pool.name, poolId: pool.id, keyId, out, size: encoded.value.byteLength });
}

/** Keeps what was chosen, and issues the identities anew. */
async function keepPool(directory: string, pool: PoolChoice): Promise<Result<void, Problem>> {
  try {
    saveChoice(directory, pool);
    await issueIdentities(directory, pool);
    writeDurably(
      join(directory, 'pool.json'),
      `${JSON.stringify(poolFileContent(pool), null, 2)}\n`,
    );
    return ok(undefined);
  } catch (error) {
    return fail(unwritable(directory, error));
  }
}

async function identityFiles(directory: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.pem')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  return Object.fromEntries(names.map((name, index) => [name, texts[index] ?? '']));
}
