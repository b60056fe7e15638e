import { parseArgs } from 'node:util';
import { bytes, parseBytes } from '../../base/units.ts';
import { runSimulatedHypervisor } from './daemon.ts';
import { defaultHost } from './defaults.ts';

/**
 * The simulated hypervisor of one host as a process: `node hypervisor/simulated/main.ts --socket
 * PATH [--memory SIZE] [--cpus COUNT]`. It prints `ready` once it serves, and ends on SIGTERM.
 */

const usage = 'usage: main.ts --socket PATH [--memory SIZE] [--cpus COUNT]';

/** Most CPUs of a simulated host: what Xen 4.17 supports on x86. */
const cpusMax = 4095;

async function main(): Promise<string | null> {
  const { values } = parseArgs({
    options: { socket: { type: 'string' }, memory: { type: 'string' }, cpus: { type: 'string' } },
  });
  if (values.socket === undefined) return `--socket is missing; ${usage}`;
  const memory = parseBytes(values.memory ?? `${defaultHost.memory}`);
  if (!memory.ok) return `--memory: ${memory.error}`;
  const cpus = Number(values.cpus ?? defaultHost.cpus);
  if (!Number.isInteger(cpus) || cpus < 1 || cpus > cpusMax)
    return `--cpus: "${values.cpus}" is not a whole number from 1 to ${cpusMax}`;
  const running = await runSimulatedHypervisor({
    socketPath: values.socket,
    memory: bytes(memory.value),
    cpus,
  });
  if (!running.ok) return running.error;
  const stop = (): void => void running.value.close();
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.stdout.write('ready\n');
  return null;
}

const failure = await main().catch((error: unknown) => `${error}; ${usage}`);
if (failure !== null) {
  process.stderr.write(`simulated hypervisor: ${failure}\n`);
  process.exitCode = 2;
}
