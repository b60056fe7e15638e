import { join } from 'node:path';
import { assert, present } from '../../base/assert.ts';
import { runCommand } from '../../base/command.ts';
import { linkedProgram } from '../../base/linked-program.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import { writeSecret } from '../../pool/identity/files.ts';
import { hostDirectory, imageKeyFile, imagesDirectory } from '../host-seed/host-places.ts';
import type { HostSeed } from '../host-seed/seed.ts';
import type { HostPlan } from '../up/host-plan.ts';
import { hostPlan } from '../up/layout.ts';
import { hostBridge } from '../up/service-configuration.ts';
import { commandSentence, makeBridge } from './bridge.ts';
import type { BootStep } from './once.ts';
import { toolFile } from './xen-tools.ts';

/** Xen's tools ask xenstore and the hypervisor. */
const toolPatience = milliseconds(60_000);

/** A domain is built in seconds; on an emulated host that does other things, in minutes. */
const domainPatience = milliseconds(660_000);

/**
 * What brings a control domain from an empty kernel to a tool stack that can build domains, in this order:
 * xenstore is there before anything of Xen's asks for it.
 */
export function startUp(seed: HostSeed): readonly BootStep[] {
  return [
    {
      name: 'network',
      brings: `${seed.network.address} is on ${hostBridge}`,
      onceOnly: null,
      run: () => makeBridge(hostBridge, seed.network),
    },
    {
      name: 'xenstore-domain',
      brings: 'the xenstore domain serves',
      onceOnly:
        'the xenstore domain was begun and did not come to serve, and a boot has one try: boot the host again',
      run: () => startXenstoreDomain(seed),
    },
    {
      name: 'control-domain',
      brings: 'xenstore knows the control domain',
      onceOnly: null,
      run: () => told(toolFile('xen-init-dom0'), [], toolPatience),
    },
  ];
}

/** The domain is started by a command of this program, which checks its image and measures it. */
async function startXenstoreDomain({ pool, host: name }: HostSeed): Promise<Result<void, string>> {
  const host = present(
    pool.hosts.find((each) => each.name === name),
    'a seed is of a host of its pool',
  );
  const program = linkedProgram(import.meta.filename);
  assert(program !== null, 'a control domain runs a linked program');
  const words = [
    ...['xenstore-domain', '--image', join(imagesDirectory, 'xenstore')],
    ...['--trusted-key', imageKeyFile, '--host-id', host.id, '--host-name', name],
    ...['--data-dir', join(hostDirectory, 'xenstore-domain')],
  ];
  return told(process.execPath, [program, ...words], domainPatience);
}

async function told(
  program: string,
  words: readonly string[],
  patience: Milliseconds,
): Promise<Result<void, string>> {
  const done = await runCommand(program, words, patience);
  return done.ok ? ok(undefined) : fail(commandSentence(done.error));
}

/**
 * What this host runs: laid out by this image, of what the seed chose. Where its images are, and who signed
 * them, is the image's own to say.
 */
export function planOf({ pool, host }: HostSeed): HostPlan {
  const { guests } = pool;
  const own =
    guests === undefined
      ? {}
      : { guests: { ...guests, images: imagesDirectory, trustedKey: imageKeyFile } };
  return hostPlan({ ...pool, ...own }, host, hostDirectory);
}

/** Puts the identities of the host's services to where `planOf` has them. */
export async function writeIdentities({ identity }: HostSeed): Promise<void> {
  for (const [name, text] of Object.entries(identity))
    await writeSecret(join(hostDirectory, 'identity', name), text);
}
