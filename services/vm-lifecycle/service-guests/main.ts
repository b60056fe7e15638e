import { mkdir } from 'node:fs/promises';
import { Command } from 'commander';
import pino, { type Logger } from 'pino';
import { fail, ok, type Result } from '../../../base/result.ts';
import { servingChannel } from '../../../base/serving.ts';
import { connectHypervisor } from '../../../hypervisor/connect.ts';
import { systemClock } from '../../../pool/clock.ts';
import { readConfiguration } from '../../../pool/configuration.ts';
import type { Failure } from '../../../pool/failure.ts';
import { type Running, runService } from '../../../pool/service-command.ts';
import { askSupervisor } from '../../../pool/supervision/ask.ts';
import type { Request } from '../../../pool/supervision/messages.ts';
import { serveSupervisor } from '../../../pool/supervision/serve.ts';
import { bootId } from '../adapters/images/guest-images.ts';
import { pinnedTrust } from '../adapters/images/trust-sources.ts';
import { linuxBridge, simulatedBridge } from './adapters/bridge.ts';
import { fileAccess, loopAccess } from './adapters/disks.ts';
import { attempt } from './adapters/files.ts';
import { openOwnImages } from './adapters/own-images.ts';
import { guestSupervisor, type Supervisor } from './adapters/supervisor.ts';
import { readTrustedKeys } from './adapters/trusted-keys.ts';
import { type ServiceGuestsConfiguration, ServiceGuestsSchema } from './configuration.ts';

const name = 'service-guests';

/** `flotilla service-guests`: runs the supervisor, or asks the one that runs. */
export function serviceGuestsCommand(): Command {
  const option = ['--config <file>', "JSON: the host's guests, in their boot order"] as const;
  const configured = (command: Command): Command => command.requiredOption(...option);
  const command = new Command(name)
    .option(...option)
    .enablePositionalOptions()
    .description("Start a host's service guests, watch them, and start them again.")
    .action((flags: Partial<Flags>) =>
      flags.config === undefined
        ? complain("error: required option '--config <file>' not specified", 2)
        : runService({ name, schema: ServiceGuestsSchema, run: runServiceGuests }, { ...flags }),
    );
  command.addCommand(
    configured(new Command('status'))
      .description('Say how each guest does')
      .action((flags: Flags) => ask(flags, { ask: 'status' })),
  );
  return command.addCommand(
    configured(new Command('restart'))
      .argument('<service>', 'consensus, network or storage')
      .description('Start a guest anew: it is asked to stop, and destroyed if it does not')
      .action((service: string, flags: Flags) => ask(flags, { ask: 'restart', service })),
  );
}

interface Flags {
  readonly config: string;
}

/** Starts the supervisor; resolves when it watches its guests. */
async function runServiceGuests(
  configuration: ServiceGuestsConfiguration,
): Promise<Result<Running, Failure>> {
  const { hostName, socket, guests } = configuration;
  const log = pino({ base: { service: name, host: hostName } });
  let supervisor: Supervisor | null = null;
  // The socket first: whoever has it is the only one who touches the guests and the files.
  const served = await serveSupervisor(socket, {
    host: hostName,
    status: () => supervisor?.status() ?? [],
    restart: (...asked) => supervisor?.restart(...asked) ?? Promise.resolve(fail(notYet)),
  });
  if (!served.ok)
    return fail({
      reason: 'SERVICE_UNAVAILABLE',
      message: served.error,
      remedy: 'A host has one supervisor of its guests.',
    });
  const opened = await openSupervisor(configuration, log);
  if (!opened.ok) {
    await served.value.close();
    return opened;
  }
  supervisor = opened.value.supervisor;
  supervisor.begin();
  log.info({ socket, guests: guests.length }, 'serving');
  servingChannel.publish(null);
  return ok({
    close: async () => {
      await served.value.close();
      await opened.value.close();
    },
  });
}

const notYet = { message: 'the supervisor is starting', remedy: 'Ask again in a moment.' };

/** Opens what the supervisor works with. */
async function openSupervisor(
  configuration: ServiceGuestsConfiguration,
  log: Logger,
): Promise<Result<{ readonly supervisor: Supervisor; close(): Promise<void> }, Failure>> {
  const { hostId, hostName, dataDir, guests } = configuration;
  const trusted = await readTrustedKeys(configuration.trustedKeys);
  if (!trusted.ok)
    return fail(wrong('trustedKeys', trusted.error, 'Name the public keys of who signs images.'));
  const made = await attempt(`${dataDir} cannot be made`, () =>
    mkdir(dataDir, { recursive: true, mode: 0o700 }),
  );
  if (!made.ok) return fail(wrong('dataDir', made.error, 'Name a directory that may be written.'));
  const host = { id: hostId, name: hostName };
  const images = await openOwnImages({ host, dataDir, boot: await bootId(), clock: systemClock });
  if (!images.ok) return images;
  const simulated = configuration.hypervisor.kind === 'simulated';
  const hypervisor = await connectHypervisor(configuration.hypervisor);
  const supervisor = guestSupervisor({
    hostId,
    hostName,
    dataDir,
    guests,
    hypervisor,
    images: images.value,
    trust: pinnedTrust(trusted.value),
    disks: simulated ? fileAccess : loopAccess,
    join: simulated ? simulatedBridge : linuxBridge,
    log,
    now: () => systemClock.now(),
    wall: () => systemClock.wall(),
  });
  return ok({
    supervisor,
    close: async () => {
      supervisor.close();
      await hypervisor.close();
      await images.value.close();
    },
  });
}

function wrong(field: string, message: string, remedy: string): Failure {
  return { reason: 'INVALID_FIELD', field, message, remedy };
}

/** Asks the supervisor that runs with this configuration, and prints what it says. */
async function ask({ config }: Flags, request: Request): Promise<void> {
  const configuration = await readConfiguration(ServiceGuestsSchema, { config });
  if (!configuration.ok) return complain(configuration.error, 2);
  const path = configuration.value.socket;
  const answer = await askSupervisor(path, request, { onProgress: (text) => say(text) });
  if (!answer.ok)
    return complain(`no supervisor answers at ${path} (${answer.error.detail})\nIs it running?`, 3);
  const last = answer.value;
  switch (last.kind) {
    case 'status':
      for (const { service, state, id, detail } of last.services)
        say([service, state, id === null ? '-' : `domain ${id}`, detail].join('  ').trimEnd());
      return;
    case 'restarted':
      return say(`${last.service} serves again; it was away for ${last.away / 1000} s`);
    case 'failed':
      return complain(`${last.message}\n${last.remedy}`, 1);
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function complain(text: string, exitCode: number): void {
  process.stderr.write(`${text.trimEnd()}\n`);
  process.exitCode = exitCode;
}
