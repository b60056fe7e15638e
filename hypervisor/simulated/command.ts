import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import * as v from 'valibot';
import { bytes } from '../../base/units.ts';
import { runSimulatedHypervisor } from './daemon.ts';
import { defaultHost } from './defaults.ts';

/** Most CPUs of a simulated host: what Xen 4.17 supports on x86. */
const cpusMax = 4095;

const ConfigurationSchema = v.strictObject({
  /** Where its clients connect. */
  socket: v.string(),
  /** What its domains can be given. */
  memory: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(2 ** 20)), defaultHost.memory),
  cpus: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(cpusMax)),
    defaultHost.cpus,
  ),
});

/** `flotilla simulated-hypervisor --config FILE`: one host's pretended hypervisor as a process. */
export function simulatedHypervisorCommand(): Command {
  return new Command('simulated-hypervisor')
    .description('Pretend to be the hypervisor of a host; its domains are gone when it ends.')
    .requiredOption('--config <file>', 'JSON: socket; memory in bytes and cpus, if not the default')
    .action(async ({ config }: { readonly config: string }) => {
      const failure = await run(config);
      if (failure === null) return;
      process.stderr.write(`error: ${failure}\n`);
      process.exitCode = 2;
    });
}

async function run(file: string): Promise<string | null> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return `${file}: ${error instanceof Error ? error.message : String(error)}`;
  }
  const parsed = v.safeParse(ConfigurationSchema, content);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return `${file}: ${v.getDotPath(issue) ?? 'content'}: ${issue.message}`;
  }
  const { socket, memory, cpus } = parsed.output;
  const running = await runSimulatedHypervisor({ socketPath: socket, memory: bytes(memory), cpus });
  if (!running.ok) return running.error;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void running.value.close().then(() => process.exit(0)));
  process.stdout.write(
    `${JSON.stringify({ time: Date.now(), msg: 'serving', address: socket })}\n`,
  );
  return null;
}
