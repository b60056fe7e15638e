import { Argument, type Command } from 'commander';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { serviceNames } from '../../pool/records/host.ts';
import { askSupervisor } from '../../pool/supervision/ask.ts';
import { verb } from '../command.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { report, type Voice, voiceOf, withPool } from '../session.ts';
import { type Stop, stopOn } from '../stop.ts';
import { restartAfar } from './restart-afar.ts';
import { notAwaited, tellRestarted } from './restarted.ts';
import { findSupervisor, type KnownSupervisor, type SupervisorFlags } from './supervisors.ts';

/** Where `--timeout` says nothing: a guest may boot for minutes under emulation. */
const patience = milliseconds(600_000);

/** What a supervisor keeps: the services, and the program that keeps the guests among them. */
const restartable = [...serviceNames, 'service-guests'];

/** `flotilla host restart`. */
export function restartCommand(context: Context): Command {
  const summary = 'Start one service of a host anew, and say how long it was away';
  return verb(context, 'host', 'restart', summary)
    .addArgument(new Argument('<service>', 'which').choices(restartable))
    .option('--host <host>', 'whose, where there are several')
    .option('--socket <path>', 'ask the supervisor behind this socket of this machine')
    .addHelpText('after', restartHelp)
    .action((service: string, flags: SupervisorFlags) => restart(context, service, flags));
}

const restartHelp = `
The host's supervisor does it: flotilla up, flotilla host up or a host image's own for processes,
flotilla service-guests for guests. Where it is on this machine, it is asked itself; else by the pool, by
way of the vm-lifecycle service of the host, which needs no pool database for that. VMs run on meanwhile.`;

async function restart(context: Context, service: string, flags: SupervisorFlags): Promise<void> {
  const voice = voiceOf(context, flags.json === true);
  const found = await findSupervisor(context, flags, service);
  if (!found.ok) return report(context, voice.json, found.error);
  if (found.value === null)
    return withPool(context, flags, (session) =>
      restartAfar(session, { service, host: flags.host, patience }),
    );
  const stop = stopOn({ context, pool: { remaining: () => flags.timeout ?? patience } });
  const outcome = await restartHere(voice, found.value, service, stop);
  stop.release();
  if (outcome.ok) context.finish(outcome.value);
  else report(context, voice.json, outcome.error);
}

/** Asks the supervisor on this machine. */
async function restartHere(
  voice: Voice,
  { socket, host, services }: KnownSupervisor,
  service: string,
  stop: Stop,
): Promise<Result<ExitCode, Problem>> {
  const answer = await askSupervisor(
    socket,
    { ask: 'restart', service },
    { onProgress: (text) => voice.note(text), signal: stop.signal },
  );
  if (answer.ok && answer.value.kind === 'restarted') {
    const { away, id } = answer.value;
    const kind = services.find((each) => each.service === service)?.kind ?? 'process';
    return ok(tellRestarted(voice, { service, host, kind, id, awayMilliseconds: away }));
  }
  if (answer.ok) {
    const { message, remedy } =
      answer.value.kind === 'failed'
        ? answer.value
        : { message: `the supervisor of ${host} answered with something else`, remedy: '' };
    return fail({ exitCode: exitCodes.failed, message, remedy });
  }
  const cause = stop.cause();
  if (cause !== undefined) return fail(notAwaited(service, host, cause));
  return fail({
    exitCode: exitCodes.unreachable,
    message: `the supervisor of ${host} did not answer: ${answer.error.detail}`,
    remedy: 'see whether it runs: its services go on without it',
  });
}
