import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import { GuestAddressSchema } from './choice.ts';
import {
  type GuestsChoice,
  type GuestType,
  guestServices,
  guestTypes,
  type ServiceGuest,
} from './pool-choice.ts';

/** The flags that say which services run as guests of their own. */
export interface GuestFlags {
  readonly guest?: readonly ServiceGuest[];
  readonly guestImages?: string;
  readonly guestType?: GuestType;
}

const example = 'consensus=10.0.0.21/24';

/** Reads one more SERVICE=ADDRESS/LENGTH. Throws what commander expects. */
export function parseGuest(
  text: string,
  before: readonly ServiceGuest[] = [],
): readonly ServiceGuest[] {
  const [name, address = ''] = text.split('=');
  const service = guestServices.find((each) => each === name);
  if (service === undefined)
    throw new InvalidArgumentError(
      `write SERVICE=ADDRESS/LENGTH, such as ${example}; services that can be guests: ${guestServices.join(', ')}`,
    );
  if (!v.is(GuestAddressSchema, address))
    throw new InvalidArgumentError(`"${address}" is no ADDRESS/LENGTH of IPv4; write ${example}`);
  if (before.some((each) => each.service === service))
    throw new InvalidArgumentError(`${service} is named twice`);
  return [...before, { service, address }];
}

/** Adds the flags to a command. */
export function guestOptions(command: Command): Command {
  return command
    .option(
      '--guest <service=address>',
      `run a service of a new Xen pool as a guest with this address on xenbr0, such as ${example}; may be given for each of ${guestServices.join(', ')}`,
      parseGuest,
    )
    .option(
      '--guest-images <directory>',
      'where their signed images are, each in a directory of its name, beside trusted-key.pem',
    )
    .addOption(
      new Option('--guest-type <type>', 'how Xen runs them (default: pvh)').choices(guestTypes),
    );
}

/** What the flags choose; undefined: nothing. */
export function guestsOf({
  guest: guests,
  guestImages,
  guestType: type,
}: GuestFlags): Result<GuestsChoice | undefined, string> {
  const nothing = guests === undefined && guestImages === undefined && type === undefined;
  if (nothing) return ok(undefined);
  if (guests === undefined || guestImages === undefined)
    return fail(`--guest and --guest-images go together: --guest ${example} --guest-images DIR`);
  if (!guests.some(({ service }) => service === 'consensus'))
    return fail(
      `--guest ${guests[0]?.service}: a guest reaches the pool's database only where that is a guest too; give --guest ${example} as well`,
    );
  const images = resolve(guestImages);
  return ok({ images, ...(type === undefined ? {} : { type }), guests });
}
