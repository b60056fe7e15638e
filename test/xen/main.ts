import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { BuildFailure } from '../../deploy/image/command.ts';
import { AgentUnreachable } from './agent-client.ts';
import { CommandFailure, type ControlDomain } from './control-domain.ts';
import { BootFailure } from './host.ts';
import { bootLab } from './lab.ts';
import { elapsedReport } from './progress.ts';
import { runningHosts } from './record.ts';
import { converse, keysHelp } from './terminal.ts';
import { refreshToolstack } from './toolstack.ts';

const usage = `Real Xen hosts under QEMU, on this machine.

  npm run xen [-- --hosts N] [--memory MIB]     boot hosts and open a shell on them
  npm run xen -- exec HOST COMMAND...           run a command on a host that runs already
  npm run xen -- shell [HOST]                   open one more shell on it
  npm run xen -- refresh                        push the checkout's sources to all of them

The second to fourth speak to the lab that was booted last. Without a terminal, the first one
waits until it is told to end (SIGTERM, Ctrl-C).
`;

/** Boots hosts and stays with them until the person, or a signal, ends it. */
async function boot(hosts: number, memory: number | undefined): Promise<number> {
  const report = elapsedReport();
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const options = memory === undefined ? { hosts, report } : { hosts, memory, report };
  const lab = await Promise.race([bootLab(options), interrupted]);
  // Interrupted in the middle of a boot: QEMU ends with this process.
  if (Array.isArray(lab)) return 130;
  report(`${lab.hosts.map(({ name }) => name).join(', ')}: Xen runs; flotilla and xl are there`);
  try {
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
      help: { type: 'boolean', default: false },
    },
  });
  if (!values.help)
    return boot(
      Number(values.hosts),
      values.memory === undefined ? undefined : Number(values.memory),
    );
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
