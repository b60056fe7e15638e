import type { Command } from 'commander';
import { pino } from 'pino';
import { servingChannel } from '../base/serving.ts';
import { giveSignsOfLife } from '../base/sign-of-life.ts';
import { systemClock } from './adapters/clock.ts';
import { collectAtRest, thisProcess } from './adapters/collect-at-rest.ts';
import { type Flags, flagsCommand, settingsOf } from './flags.ts';
import { recoverCommand, restoreCommand } from './offline/commands.ts';
import type { StartFailure } from './start/failure.ts';
import { startMember } from './start/member.ts';

/** Exit codes: starting again would not help, or it might. */
const exitCodes = { final: 2, failure: 1 } as const;

/** `flotilla consensus`: one member of the pool database as a process. */
export function consensusCommand(): Command {
  return flagsCommand()
    .action(async (flags: Flags) => {
      const failure = await run(flags);
      process.stderr.write(`error: ${failure.detail}\n`);
      process.exit(failure.isFinal ? exitCodes.final : exitCodes.failure);
    })
    .addCommand(restoreCommand())
    .addCommand(recoverCommand());
}

/** Runs until a signal ends the process; resolves with what else did. */
async function run(flags: Flags): Promise<StartFailure> {
  giveSignsOfLife();
  const settings = settingsOf(flags);
  if (!settings.ok) return { isFinal: true, detail: settings.error };
  const log = pino({ name: 'consensus', base: { member: settings.value.name } });
  const member = await startMember(settings.value, log);
  if (!member.ok) return member.error;
  const { storeSize, operations } = member.value;
  collectAtRest(systemClock, { ...thisProcess, storeSize, operations });
  let closing = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (closing) return;
      closing = true;
      void member.value.close().then(() => process.exit(0));
    });
  const { clientAddress, ended } = member.value;
  log.info({ address: clientAddress, peers: settings.value.listenPeer }, 'serving');
  servingChannel.publish(null);
  const failure = await ended;
  await member.value.close();
  return failure;
}
