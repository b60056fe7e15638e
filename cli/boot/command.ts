import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { readConfiguration } from '../../pool/configuration.ts';
import { supervisorSocket } from '../../pool/supervision/messages.ts';
import { serveSupervisor } from '../../pool/supervision/serve.ts';
import { hostDirectory, imageKeyFile, keptSeed } from '../host-seed/host-places.ts';
import type { HostSeed } from '../host-seed/seed.ts';
import { runHost } from '../up/host.ts';
import { progressOf } from '../up/supervised.ts';
import { type HostBootConfiguration, HostBootSchema } from './configuration.ts';
import { tellGuests } from './guest-progress.ts';
import { runOnce } from './once.ts';
import { seedSources, takeSeed } from './seed-source.ts';
import { planOf, startUp, writeIdentities } from './start-up.ts';
import { keepConsoles } from './xen-tools.ts';

/** The notes of this boot: what was done that is to be done once. */
const notes = '/run/flotilla/boot';

/** What stands in the way may be mended meanwhile, such as a disk that was forgotten: milliseconds. */
const retryInterval = 10_000;

/**
 * `flotilla host-boot`: the one service of a control domain's init. It brings the host up and keeps its
 * services running, and says on its output how far it is. Whatever ends it, it may be started again, and
 * goes on where it was.
 */
export function hostBootCommand(): Command {
  return new Command('host-boot')
    .description('Bring a host up from its image and its seed: what its control domain runs.')
    .requiredOption('--config <file>', 'whom to believe, as it is linked into the image')
    .action(async (flags: { readonly config: string }) => {
      const configuration = await readConfiguration(HostBootSchema, { ...flags });
      if (configuration.ok) return boot(configuration.value);
      process.stderr.write(`${configuration.error}\n`);
      process.exitCode = 2;
    });
}

async function boot({ seedKey, imageKey }: HostBootConfiguration): Promise<void> {
  const sources = await seedSources(keptSeed);
  const seed = await untilDone(() => takeSeed(sources, seedKey));
  say(
    `${seed.host} of pool ${seed.pool.name} takes its seed of ${new Date(seed.made).toISOString()}`,
  );
  await mkdir(hostDirectory, { recursive: true, mode: 0o700 });
  await writeFile(imageKeyFile, imageKey.pem, { mode: 0o600 });
  await writeIdentities(seed);
  await untilDone(() => runOnce(notes, startUp(seed), say));
  await runUntilStopped(seed);
}

/** Tries until it is done, and says once why it is not. */
async function untilDone<Value>(
  attempt: () => Promise<{ ok: true; value: Value } | { ok: false; error: string }>,
): Promise<Value> {
  for (let told = ''; ; ) {
    const outcome = await attempt();
    if (outcome.ok) return outcome.value;
    if (outcome.error !== told) say(`cannot go on: ${outcome.error}`);
    told = outcome.error;
    await sleep(retryInterval);
  }
}

/** Runs the services of the host until init tells this process to end. */
async function runUntilStopped(seed: HostSeed): Promise<void> {
  const plan = planOf(seed);
  const told = new Map<string, string>();
  const host = runHost(plan, {
    restart: true,
    onState: (name, state) => {
      const text = progressOf(name, state);
      if (told.get(name) !== text) say(text);
      told.set(name, text);
    },
  });
  const socket = await serveSupervisor(join(hostDirectory, supervisorSocket), host.handlers);
  if (!socket.ok) say(`its services cannot be asked for: ${socket.error}`);
  const stop = new AbortController();
  const beside = [keepConsoles(say, stop.signal), tellGuests(say, stop.signal)];
  await new Promise((resolve) => process.once('SIGTERM', resolve));
  say('the host is told to end');
  stop.abort();
  if (socket.ok) await socket.value.close();
  await host.stopServices();
  await host.stop();
  await Promise.all(beside);
}

function say(text: string): void {
  process.stdout.write(`flotilla host: ${text}\n`);
}
