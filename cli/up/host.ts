import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linkedProgram } from '../../base/linked-program.ts';
import type { SupervisorHandlers } from '../../pool/supervision/serve.ts';
import type { HostPlan, HostProcess } from './host-plan.ts';
import { KeptProcess, type ProcessState } from './process.ts';
import { supervisedProcesses } from './supervised.ts';

/** Says that a process of a host is now in another state. */
export type HostListener = (processName: string, state: ProcessState) => void;

/** A host whose processes are kept running. */
export interface RunningHost {
  /** What is asked of its supervisor. */
  readonly handlers: SupervisorHandlers;
  /** Ends the services, which write down where they are while their database still answers. */
  stopServices(): Promise<void>;
  /** Ends every process; done when all have ended. */
  stop(): Promise<void>;
}

/** What the services stand on: it ends after them. */
const beneath: ReadonlySet<HostProcess['name']> = new Set([
  'consensus',
  'service-guests',
  'simulated-hypervisor',
]);

/** The program of an image; null where it is source files, which Node compiles. */
const linked = linkedProgram(import.meta.filename);

/** The file of the program itself. */
const program = linked ?? join(import.meta.dirname, '..', '..', 'main.ts');

/** Writes what each process of a host reads when it starts, and what each service guest is given. */
export function writeConfigurations(plan: HostPlan): void {
  for (const each of plan.processes) {
    mkdirSync(join(plan.directory, each.name), { recursive: true, mode: 0o700 });
    const text = `${JSON.stringify(each.configuration, null, 2)}\n`;
    writeFileSync(fileOf(plan, each.name), text, { mode: 0o600 });
  }
  for (const { directory, configuration, files } of plan.seeds ?? []) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const text = `${JSON.stringify(configuration, null, 2)}\n`;
    writeFileSync(join(directory, 'configuration.json'), text, { mode: 0o600 });
    for (const [name, path] of Object.entries(files)) copyFileSync(path, join(directory, name));
  }
}

function fileOf(plan: HostPlan, processName: string): string {
  return join(plan.directory, `${processName}.json`);
}

/** Where Node keeps what it compiles. An image brings that itself, and runs no code from its data disk. */
function compileCache({ directory }: HostPlan): Readonly<Record<string, string>> {
  const { NODE_COMPILE_CACHE = join(directory, '..', '.compile-cache') } = process.env;
  return { NODE_COMPILE_CACHE };
}

/**
 * Writes each process's configuration into the host's directory and starts them all at once: none
 * waits for another, each tries until what it needs answers.
 */
export function runHost(
  plan: HostPlan,
  options: { readonly restart: boolean; readonly onState: HostListener },
): RunningHost {
  const logs = join(plan.directory, 'logs');
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  writeConfigurations(plan);
  const supervised = supervisedProcesses(plan);
  const kept = plan.processes.map((each) => {
    const running = new KeptProcess({
      arguments: [program, ...each.command, '--config', fileOf(plan, each.name)],
      log: join(logs, `${each.name}.log`),
      restart: options.restart,
      environment: linked === null ? compileCache(plan) : {},
      onState: (state) => {
        supervised.heard(each.name, state);
        options.onState(each.name, state);
      },
    });
    return { name: each.name, running };
  });
  const stop = async (which: (name: HostProcess['name']) => boolean): Promise<void> => {
    const chosen = kept.filter((each) => which(each.name));
    await Promise.all(chosen.map((each) => each.running.stop()));
  };
  return {
    handlers: supervised.handlers((name) => kept.find((each) => each.name === name)?.running),
    stopServices: () => stop((name) => !beneath.has(name)),
    stop: () => stop(() => true),
  };
}
