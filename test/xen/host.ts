import { copyFile, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../../deploy/image/command.ts';
import { AgentUnreachable, execute } from './agent-client.ts';
import { type ControlDomain, controlDomain } from './control-domain.ts';
import { freeTcpPort } from './free-port.ts';
import { type Machine, type MachineParts, startMachine } from './machine.ts';

/** What a host is made of, and the secret that its agent wants to hear. */
export interface HostPlan extends Omit<MachineParts, 'kernelWords' | 'serialLog'> {
  readonly token: string;
  /** Words for the control domain's kernel besides those that say who the host is. */
  readonly words: readonly string[];
  readonly report: Report;
}

/** A real Xen host under QEMU, with its control domain. */
export interface Host extends ControlDomain {
  /** What the hypervisor and the control domain's kernel printed. */
  readonly serialLog: string;
  /** Makes a TCP port of the control domain reachable; returns the port on 127.0.0.1. */
  forward(port: number): Promise<number>;
  /** Stops all processors of the host in the middle of what they do; it notices nothing. */
  freeze(): Promise<void>;
  /** Lets a frozen host go on. */
  thaw(): Promise<void>;
  /** Switches the host off in good order. */
  shutdown(): Promise<void>;
  /** Pulls the plug. */
  kill(): Promise<void>;
}

/** A host did not come up. */
export class BootFailure extends Error {
  override readonly name = 'BootFailure';
}

/** How long a boot may take, and how long its console may be silent. A quiet machine boots in 15 s,
 * a crowded one has been seen to take two minutes, half of them in silence. */
const bootTimeout = 900_000;
const silenceTimeout = 300_000;

/** What a shutdown takes, several times over; then the plug is pulled. */
const shutdownTimeout = 60_000;

/** Where the agent listens in the control domain. */
const agentPort = 7700;

/** The part of a serial log that is looked at: a boot prints some 20 KiB. */
const logTail = 2 ** 20;

/**
 * Boots a host and waits until its agent answers and Xen's tool stack runs. A boot that fails is
 * tried once more: emulated machines on a crowded one now and then do not come up.
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

async function bootOnce(plan: HostPlan): Promise<Host> {
  const name = `host-${plan.number}`;
  const address = `10.77.0.${plan.number}`;
  const serialLog = join(plan.directory, 'serial.log');
  const words = [...plan.words, `flotilla.host=${name}`, `flotilla.address=${address}/24`];
  words.push(`flotilla.agent=${agentPort}:${plan.token}`);
  const machine = startMachine({ ...plan, kernelWords: words, serialLog });
  const { monitor } = machine;
  let expected = false;
  const kill = async (): Promise<void> => {
    expected = true;
    machine.process.kill('SIGKILL');
    await machine.ended;
  };
  const forward = async (port: number): Promise<number> => {
    const local = await freeTcpPort();
    const rule = `tcp:127.0.0.1:${local}-10.0.2.15:${port}`;
    const refusal = await monitor.command(`hostfwd_add lab ${rule}`);
    if (refusal === '') return local;
    throw new BootFailure(`${name}: QEMU does not forward port ${port}: ${refusal}`);
  };
  try {
    const control = controlDomain(name, address, {
      port: await forward(agentPort),
      token: plan.token,
    });
    plan.report(`${name} starts; its console goes to ${serialLog}`);
    await answered(control, machine, serialLog, plan.report);
    void machine.ended.then(async () => {
      if (expected) return;
      const end = (await tail(serialLog)).split(/\r?\n/).slice(-40).join('\n');
      plan.report(`${name} went down by itself; its console said at last:\n${end}`);
    });
    const shutdown = async (): Promise<void> => {
      expected = true;
      await control.exec('sync; poweroff').catch((error: unknown) => {
        if (!(error instanceof AgentUnreachable)) throw error;
      });
      await Promise.race([machine.ended, sleep(shutdownTimeout, undefined, { ref: false })]);
      await kill();
    };
    const freeze = async (): Promise<void> => void (await monitor.command('stop'));
    const thaw = async (): Promise<void> => void (await monitor.command('cont'));
    return { ...control, serialLog, forward, freeze, thaw, shutdown, kill };
  } catch (failure) {
    await kill();
    if (failure instanceof BootFailure) throw failure;
    const said = await readFile(join(plan.directory, 'qemu.log'), 'utf8').catch(() => '');
    throw new BootFailure(`${name}: ${String(failure)} ${said.trim()}`);
  }
}

/** Waits for the agent's first answer, and reports the milestones on the serial console. */
async function answered(
  control: ControlDomain,
  machine: Machine,
  serialLog: string,
  report: Report,
): Promise<void> {
  const { name } = control;
  let down = false;
  void machine.ended.then(() => {
    down = true;
  });
  const start = performance.now();
  let reported = 0;
  let [seen, spoke] = ['', start];
  for (;;) {
    const log = await tail(serialLog);
    if (log !== seen) [seen, spoke] = [log, performance.now()];
    const lines = log.split(/\r?\n/);
    const milestones = lines.flatMap((line) => /flotilla-host: .+/.exec(line)?.[0] ?? []);
    for (const line of milestones.slice(reported)) report(`${name}: ${line.replace(/^.*?: /, '')}`);
    reported = milestones.length;
    const listens = milestones.some((line) => line.includes('the agent listens'));
    if (listens && (await execute(control.agent, ['true'])).code === 0) return;
    const trouble = whatIsWrong(lines, down, performance.now() - start, performance.now() - spoke);
    if (trouble !== undefined) throw new BootFailure(`${name} ${trouble}`);
    await sleep(250);
  }
}

/** Why a boot is to be given up, with the part of its console that tells most; undefined: go on. */
function whatIsWrong(
  lines: readonly string[],
  down: boolean,
  elapsed: number,
  silent: number,
): string | undefined {
  const end = `; its console said at last:\n${lines.slice(-10).join('\n')}`;
  const bad = lines.findIndex((line) => /Kernel panic|Panic on CPU|host: .*FATAL/.test(line));
  if (bad >= 0)
    return `failed; its console said:\n${lines.slice(Math.max(0, bad - 5), bad + 10).join('\n')}`;
  if (down) return `went down${end}`;
  if (elapsed > bootTimeout) return `did not come up in ${bootTimeout / 1000} s${end}`;
  if (silent > silenceTimeout) return `has been silent for ${silenceTimeout / 1000} s${end}`;
  return undefined;
}

/** The last part of a log that may not exist yet. */
async function tail(path: string): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, logTail);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('latin1');
  } finally {
    await file.close();
  }
}
