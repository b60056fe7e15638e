import { copyFile, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../../deploy/image/command.ts';
import {
  AgentUnreachable,
  attach,
  type ExecOptions,
  execute,
  type Session,
} from './agent-client.ts';
import { freeTcpPort } from './free-port.ts';
import { type Machine, type MachineParts, startMachine } from './machine.ts';

/** What a host is made of, and the secret that its agent wants to hear. */
export interface HostPlan extends Omit<MachineParts, 'kernelWords' | 'serialLog'> {
  readonly token: string;
  readonly report: Report;
}

/** How a command on a host ended, with its outputs as text. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command on a host ended with another code than 0, where the lab needs it to succeed. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}

/** A real Xen host, and its control domain. */
export interface Host {
  /** Its host name: host-1, host-2 ... */
  readonly name: string;
  /** Its address on xenbr0, which all hosts of the lab share: 10.77.0.N. */
  readonly address: string;
  readonly serialLog: string;
  /** Runs a program with arguments, or a line of shell, in the control domain. */
  exec(command: readonly string[] | string, options?: ExecOptions): Promise<CommandResult>;
  /** The same, for what has to succeed: returns what it printed, or throws `CommandFailure`. */
  sh(command: readonly string[] | string, options?: ExecOptions): Promise<string>;
  /** Writes a file in the control domain, whole or not at all, and the directories above it. */
  put(path: string, content: Buffer | string, mode?: number): Promise<void>;
  /** Reads a file of the control domain, up to 64 MiB. */
  get(path: string): Promise<Buffer>;
  /** Makes a TCP port of the control domain reachable; returns the port on 127.0.0.1. */
  forward(port: number): Promise<number>;
  /** Runs a command with a terminal of its own, for a person. */
  attach: (
    command: readonly string[],
    size: { readonly rows: number; readonly columns: number },
    on: { readonly output: (chunk: Buffer) => void; readonly end: () => void },
  ) => Session;
  /** Switches the host off as its power button does; for what must survive `kill`. */
  shutdown(): Promise<void>;
  /** Pulls the plug. */
  kill(): Promise<void>;
}

/** What a boot takes on a quiet machine, ten times over: others may share the processor. */
const bootTimeout = 300_000;

/** Where the agent listens in the control domain. */
const agentPort = 7700;

/** Largest file that `get` reads. */
const fileMax = 64 * 2 ** 20;

/**
 * Boots a host and waits until its agent answers and its Xen tool stack runs. A boot that fails
 * is tried once more: emulated machines on a crowded one now and then do not come up.
 */
export async function bootHost(plan: HostPlan): Promise<Host> {
  await mkdir(plan.directory, { recursive: true });
  try {
    return await bootOnce(plan);
  } catch (failure) {
    if (!(failure instanceof BootFailure)) throw failure;
    plan.report(`${failure.message}; trying once more`);
    const log = join(plan.directory, 'serial.log');
    await copyFile(log, `${log}.first-try`).catch(() => undefined);
    return await bootOnce(plan);
  }
}

/** A host did not come up. */
class BootFailure extends Error {
  override readonly name = 'BootFailure';
}

async function bootOnce(plan: HostPlan): Promise<Host> {
  const name = `host-${plan.number}`;
  const address = `10.77.0.${plan.number}`;
  const serialLog = join(plan.directory, 'serial.log');
  const words = [`flotilla.host=${name}`, `flotilla.address=${address}/24`];
  words.push(`flotilla.agent=${agentPort}:${plan.token}`);
  const machine = startMachine({ ...plan, kernelWords: words, serialLog });
  const forward = async (port: number): Promise<number> => {
    const local = await freeTcpPort();
    const refusal = await machine.monitor.command(
      `hostfwd_add lab tcp:127.0.0.1:${local}-10.0.2.15:${port}`,
    );
    if (refusal !== '') throw new BootFailure(`${name}: QEMU does not forward a port: ${refusal}`);
    return local;
  };
  try {
    const endpoint = { port: await forward(agentPort), token: plan.token };
    plan.report(`${name} starts; its console goes to ${serialLog}`);
    await answered(name, endpoint, machine, serialLog, plan.report);
    return host(name, address, serialLog, machine, endpoint, forward);
  } catch (failure) {
    machine.process.kill('SIGKILL');
    await machine.ended;
    if (failure instanceof BootFailure) throw failure;
    const said = await readFile(join(plan.directory, 'qemu.log'), 'utf8').catch(() => '');
    throw new BootFailure(`${name}: ${String(failure)} ${said.trim()}`);
  }
}

/** Waits for the agent's first answer, and reports the milestones on the serial console. */
async function answered(
  name: string,
  endpoint: { port: number; token: string },
  machine: Machine,
  serialLog: string,
  report: Report,
): Promise<void> {
  let down = false;
  void machine.ended.then(() => {
    down = true;
  });
  let reported = 0;
  const deadline = performance.now() + bootTimeout;
  for (;;) {
    const lines = (await tail(serialLog)).split(/\r?\n/);
    const milestones = lines.filter((line) =>
      /flotilla-host: |Xen version|panic|FATAL/i.test(line),
    );
    for (const line of milestones.slice(reported)) report(`${name}: ${line.trim()}`);
    reported = milestones.length;
    if (lines.some((line) => /Kernel panic|Panic on CPU|flotilla-host: .*FATAL/.test(line)))
      throw new BootFailure(`${name} panicked: ${lines.slice(-30).join('\n')}`);
    if (down) throw new BootFailure(`${name} went down: ${lines.slice(-5).join(' | ')}`);
    if (performance.now() > deadline)
      throw new BootFailure(`${name} did not come up in ${bootTimeout / 1000} s`);
    const ready = /flotilla-host: the agent listens/.test(milestones.join('\n'));
    if (ready && (await execute(endpoint, ['true']).then(({ code }) => code === 0))) return;
    await sleep(250);
  }
}

/** The last MiB of a log that may not exist yet. */
async function tail(path: string): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, 2 ** 20);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('latin1');
  } finally {
    await file.close();
  }
}

function host(
  name: string,
  address: string,
  serialLog: string,
  machine: Machine,
  endpoint: { port: number; token: string },
  forward: (port: number) => Promise<number>,
): Host {
  const argv = (command: readonly string[] | string): readonly string[] =>
    typeof command === 'string' ? ['sh', '-c', command] : command;
  const exec: Host['exec'] = async (command, options) => {
    const { code, stdout, stderr } = await execute(endpoint, argv(command), options);
    return { code, stdout: stdout.toString(), stderr: stderr.toString() };
  };
  const sh: Host['sh'] = async (command, options) => {
    const result = await exec(command, options);
    if (result.code === 0) return result.stdout;
    const said = `${result.stdout}${result.stderr}`.trim().slice(-2000);
    throw new CommandFailure(
      `${name}: "${argv(command).join(' ')}" ended with ${result.code}: ${said}`,
    );
  };
  const kill = async (): Promise<void> => {
    machine.process.kill('SIGKILL');
    await machine.ended;
  };
  return {
    ...{ name, address, serialLog, exec, sh, kill, forward },
    put: async (path, content, mode = 0o644) => {
      const write =
        'mkdir -p "$(dirname "$1")" && cat >"$1.part" && chmod "$2" "$1.part" && mv "$1.part" "$1"';
      await sh(['sh', '-c', write, 'sh', path, mode.toString(8)], { input: Buffer.from(content) });
    },
    get: async (path) => {
      const result = await execute(endpoint, ['cat', path], { outputMax: fileMax });
      if (result.code === 0 && !result.truncated) return result.stdout;
      const why = result.truncated
        ? `larger than ${fileMax} bytes`
        : result.stderr.toString().trim();
      throw new CommandFailure(`${name}: cannot read ${path}: ${why}`);
    },
    attach: (command, size, on) => attach(endpoint, command, size, on),
    shutdown: async () => {
      await exec('sync; poweroff').catch((error: unknown) => {
        if (!(error instanceof AgentUnreachable)) throw error;
      });
      await Promise.race([machine.ended, sleep(60_000, undefined, { ref: false })]);
      await kill();
    },
  };
}
