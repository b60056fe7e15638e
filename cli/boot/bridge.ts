import { existsSync } from 'node:fs';
import { type CommandFailure, runCommand } from '../../base/command.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import type { HostSeed } from '../host-seed/seed.ts';

/** ip talks to the kernel alone; what takes longer hangs. */
const ipTimeout = milliseconds(15_000);

/** The interface by which the host is on its network, as the kernel names the first one. */
const uplink = 'eth0';

/**
 * Makes the bridge that service guests are on, with the host's first interface in it and the host's address.
 * It may be done again: what is there is left. The failure is a sentence.
 */
export async function makeBridge(
  bridge: string,
  { address, gateway }: HostSeed['network'],
): Promise<Result<void, string>> {
  if (!existsSync(`/sys/class/net/${uplink}`))
    return fail(
      `this host has no interface ${uplink}: name its driver when the image is built (flotilla host image --driver MODULE)`,
    );
  const commands = [
    ...(existsSync(`/sys/class/net/${bridge}`) ? [] : [`link add name ${bridge} type bridge`]),
    `link set dev ${uplink} master ${bridge}`,
    `link set dev ${uplink} up`,
    `link set dev ${bridge} up`,
    `address replace ${address} dev ${bridge}`,
    ...(gateway === null ? [] : [`route replace default via ${gateway}`]),
  ];
  for (const command of commands) {
    const done = await runCommand('ip', command.split(' '), ipTimeout);
    if (!done.ok)
      return fail(`the host's network cannot be set up: ${commandSentence(done.error)}`);
  }
  return ok(undefined);
}

/** What became of a command, as a clause. */
export function commandSentence({ kind, command, detail }: CommandFailure): string {
  switch (kind) {
    case 'missing':
      return `${command.split(' ')[0]} is not in this image`;
    case 'slow':
      return `${command} did not end in its time`;
    case 'refused':
      return `${command} failed: ${detail}`;
  }
}
