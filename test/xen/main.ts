import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { BuildFailure, type Report } from '../../deploy/image/command.ts';
import { AgentUnreachable } from './agent-client.ts';
import { CommandFailure, type ControlDomain } from './control-domain.ts';
import { BootFailure } from './host.ts';
import { bootLab, type Lab } from './lab.ts';
import { startPool } from './pool.ts';
import { elapsedReport } from './progress.ts';
import { runningHosts } from './record.ts';
import { converse, keysHelp } from './terminal.ts';
import { refreshToolstack } from './toolstack.ts';

const usage = `Real Xen hosts under QEMU, on this machine.

  npm run xen [-- --hosts N] [--memory MIB]     boot hosts, start one pool on them, open a shell
  npm run xen -- --bare ...                     the same without a pool: Xen and xl only
  npm run xen -- --xenstored c|none ...         with Xen's own xenstored; none starts nothing of Xen's
  npm run xen -- exec HOST COMMAND...           run a command on a host that runs already
  npm run xen -- shell [HOST]                   open one more shell on it
  npm run xen -- refresh                        push the checkout's sources to all of them

exec, shell and refresh speak to the lab that was booted last. Without a terminal, the first two
wait until they are told to end (SIGTERM, Ctrl-C).
`;

/** Starts the pool, and says how that went: a pool that does not start is for the shell to look at. */
async function poolStarted(lab: Lab, report: Report): Promise<string> {
  try {
    await startPool(lab, report);
    return 'one pool of all hosts serves; try: flotilla pool status, flotilla vm create --help';
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return `the pool does not answer (logs: /var/lib/flotilla/pool/HOST/logs): ${error.message}`;
  }
}

/** Boots hosts and stays with them until the person, or a signal, ends it. */
async function boot(
  hosts: number,
  memory: number | undefined,
  xenstored: string,
  bare: boolean,
): Promise<number> {
  const report = elapsedReport();
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const words = [`flotilla.xenstored=${xenstored}`];
  const options = { hosts, report, words, ...(memory === undefined ? {} : { memory }) };
  const lab = await Promise.race([bootLab(options), interrupted]);
  // Interrupted in the middle of a boot: QEMU ends with this process.
  if (Array.isArray(lab)) return 130;
  const names = lab.hosts.map(({ name }) => name).join(', ');
  report(`${names}: Xen runs${bare ? '' : '; starting Flotilla on it, which takes minutes'}`);
  try {
    const started = await Promise.race([
      bare ? 'xl is there' : poolStarted(lab, report),
      interrupted,
    ]);
    if (Array.isArray(started)) return 130;
    report(started);
    if (process.stdin.isTTY) {
      report(keysHelp);
      await Promise.race([converse(lab.hosts), interrupted]);
    } else {
      report('to use it: npm run xen -- exec HOST COMMAND...; to end it: SIGTERM');
      await interrupted;
    }
  } finally {
    report('stopping all hosts');
    await lab.close();
  }
  return 0;
}

async function find(name: string | undefined): Promise<ControlDomain> {
  const hosts = await runningHosts();
  const host = hosts.find((host) => host.name === (name ?? 'host-1'));
  if (host !== undefined) return host;
  const names = hosts.map(({ name }) => name).join(', ');
  throw new CommandFailure(
    hosts.length === 0
      ? 'no lab runs; start one with: npm run xen'
      : `no host ${name}, only ${names}`,
  );
}

async function execute(name: string | undefined, command: readonly string[]): Promise<number> {
  const [only] = command;
  const host = await find(name);
  const line = command.length === 1 && only !== undefined ? only : command;
  const { code, stdout, stderr } = await host.exec(line, { timeout: 3_600_000 });
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  return code;
}

async function refresh(): Promise<number> {
  await find(undefined);
  for (const host of await runningHosts()) {
    await refreshToolstack(host);
    console.log(`${host.name} has the checkout's sources`);
  }
  return 0;
}

async function main(): Promise<number> {
  // The words of a command that is to be run on a host are not ours to read.
  const [verb, name, ...command] = process.argv.slice(2);
  if (verb === 'exec' && command.length > 0) return execute(name, command);
  if (verb === 'refresh') return refresh();
  if (verb === 'shell') {
    await converse([await find(name)]);
    return 0;
  }
  const { values } = parseArgs({
    options: {
      hosts: { type: 'string', default: '1' },
      memory: { type: 'string' },
      bare: { type: 'boolean', default: false },
      xenstored: { type: 'string', default: 'flotilla' },
      help: { type: 'boolean', default: false },
    },
  });
  if (!values.help) {
    const memory = values.memory === undefined ? undefined : Number(values.memory);
    return boot(Number(values.hosts), memory, values.xenstored, values.bare);
  }
  process.stdout.write(usage);
  return 0;
}

try {
  process.exit(await main());
} catch (failure) {
  const expected =
    failure instanceof BuildFailure ||
    failure instanceof BootFailure ||
    failure instanceof CommandFailure ||
    failure instanceof AgentUnreachable ||
    (failure instanceof TypeError && failure.message.includes("'--"));
  if (!expected) throw failure;
  process.stderr.write(`error: ${failure.message}\n`);
  process.exit(1);
}
