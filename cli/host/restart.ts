import { Argument, type Command } from 'commander';
import { milliseconds } from '../../base/units.ts';
import { serviceNames } from '../../pool/records/host.ts';
import { askSupervisor } from '../../pool/supervision/ask.ts';
import { verb } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { report, voiceOf } from '../session.ts';
import { stopOn } from '../stop.ts';
import { findSupervisor, type SupervisorFlags } from './supervisors.ts';

/** Where `--timeout` says nothing: a guest may boot for minutes under emulation. */
const patience = milliseconds(600_000);

/** `flotilla host restart`. */
export function restartCommand(context: Context): Command {
  const summary = 'Start one service of a host anew, and say how long it was away';
  return verb(context, 'host', 'restart', summary)
    .addArgument(new Argument('<service>', 'which').choices(serviceNames))
    .option('--host <host>', 'whose, where several hosts are on this machine')
    .option('--socket <path>', "the supervisor's socket (default: found by the pool's directory)")
    .addHelpText('after', restartHelp)
    .action((service: string, flags: SupervisorFlags) => restart(context, service, flags));
}

const restartHelp = `
It is asked of the host's supervisor, which is on the host: flotilla up or flotilla host up for processes,
flotilla service-guests for guests. VMs run on meanwhile.`;

async function restart(context: Context, service: string, flags: SupervisorFlags): Promise<void> {
  const voice = voiceOf(context, flags.json === true);
  const found = await findSupervisor(context, flags, service);
  if (!found.ok) return report(context, voice.json, found.error);
  const { socket, host } = found.value;
  const stop = stopOn({ context, pool: { remaining: () => flags.timeout ?? patience } });
  const answer = await askSupervisor(
    socket,
    { ask: 'restart', service },
    { onProgress: (text) => voice.note(text), signal: stop.signal },
  );
  stop.release();
  if (answer.ok && answer.value.kind === 'restarted') {
    const { away, id } = answer.value;
    const kind = found.value.services.find((each) => each.service === service)?.kind ?? 'process';
    const number = id === null ? '' : ` as ${kind === 'guest' ? 'domain' : 'process'} ${id}`;
    voice.answer({ service, host, kind, id, awayMilliseconds: away }, [
      `${service} of ${host} serves again${number}; it was away for ${(away / 1000).toFixed(1)} s`,
    ]);
    return context.finish(exitCodes.done);
  }
  if (answer.ok) {
    const { message, remedy } =
      answer.value.kind === 'failed'
        ? answer.value
        : { message: `the supervisor of ${host} answered with something else`, remedy: '' };
    return report(context, voice.json, { exitCode: exitCodes.failed, message, remedy });
  }
  const cause = stop.cause();
  if (cause !== undefined)
    return report(context, voice.json, {
      exitCode: cause === 'interrupted' ? exitCodes.interrupted : exitCodes.timedOut,
      message: `${service} of ${host} is started anew, and nobody waits for it any more`,
      remedy: 'see how it does in the supervisor of the host',
    });
  report(context, voice.json, {
    exitCode: exitCodes.unreachable,
    message: `the supervisor of ${host} did not answer: ${answer.error.detail}`,
    remedy: 'see whether it runs: its services go on without it',
  });
}
