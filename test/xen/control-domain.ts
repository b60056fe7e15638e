import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AgentEndpoint,
  attach,
  type ExecOptions,
  execute,
  type Session,
} from './agent-client.ts';

/** How a command on a host ended, with its outputs as text. */
export interface CommandResult {
  /** The exit code; 137 when it was killed, as it is after its time-out. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line: a program with its arguments, or a line for the shell. */
export type CommandLine = readonly string[] | string;

/** A command on a host ended otherwise than the lab needs. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}

/** The control domain of a running host, as its agent makes it reachable. */
export interface ControlDomain {
  /** The host's name: host-1, host-2 ... */
  readonly name: string;
  /** The address on xenbr0, which all hosts of the lab share: 10.77.0.N. */
  readonly address: string;
  readonly agent: AgentEndpoint;
  /** Runs a command; two minutes by default. */
  exec(command: CommandLine, options?: ExecOptions): Promise<CommandResult>;
  /** The same, for what has to succeed: returns what it printed, or throws `CommandFailure`. */
  sh(command: CommandLine, options?: ExecOptions): Promise<string>;
  /**
   * Repeats a command until it ends with 0, and returns what it printed then. Throws
   * `CommandFailure` when `timeout` (milliseconds) has passed.
   */
  until(command: CommandLine, timeout?: number): Promise<string>;
  /** Writes a file, whole or not at all, and the directories above it. */
  put(path: string, content: Buffer | string, mode?: number): Promise<void>;
  /** Reads a file of up to 64 MiB. */
  get(path: string): Promise<Buffer>;
  /** Runs a program with a terminal of its own, for a person. */
  attach(
    command: readonly string[],
    size: { readonly rows: number; readonly columns: number },
    on: { readonly output: (chunk: Buffer) => void; readonly end: () => void },
  ): Session;
}

/** Largest file that `get` reads. */
const fileMax = 64 * 2 ** 20;

/** Between two looks of `until`; a look takes a tenth of a second of an emulated processor. */
const lookInterval = 500;

/** How long `until` looks by default: a PVH guest boots in 20 s, and in 100 s on a crowded machine. */
const untilTimeout = 300_000;

/** Speaks to the control domain whose agent is at the endpoint. */
export function controlDomain(name: string, address: string, agent: AgentEndpoint): ControlDomain {
  const argv = (command: CommandLine): readonly string[] =>
    typeof command === 'string' ? ['sh', '-c', command] : command;
  const failure = (
    command: CommandLine,
    { code, stdout, stderr }: CommandResult,
  ): CommandFailure => {
    const said = `${stdout}${stderr}`.trim().slice(-2000);
    return new CommandFailure(`${name}: "${argv(command).join(' ')}" ended with ${code}: ${said}`);
  };
  const exec: ControlDomain['exec'] = async (command, options) => {
    const { code, stdout, stderr } = await execute(agent, argv(command), options);
    return { code, stdout: stdout.toString(), stderr: stderr.toString() };
  };
  const sh: ControlDomain['sh'] = async (command, options) => {
    const result = await exec(command, options);
    if (result.code !== 0) throw failure(command, result);
    return result.stdout;
  };
  return {
    ...{ name, address, agent, exec, sh },
    until: async (command, timeout = untilTimeout) => {
      const deadline = performance.now() + timeout;
      for (;;) {
        const result = await exec(command);
        if (result.code === 0) return result.stdout;
        if (performance.now() > deadline) throw failure(command, result);
        await sleep(lookInterval);
      }
    },
    put: async (path, content, mode = 0o644) => {
      const write =
        'mkdir -p "$(dirname "$1")" && cat >"$1.part" && chmod "$2" "$1.part" && mv "$1.part" "$1"';
      await sh(['sh', '-c', write, 'sh', path, mode.toString(8)], { input: Buffer.from(content) });
    },
    get: async (path) => {
      const result = await execute(agent, ['cat', path], { outputMax: fileMax });
      if (result.code === 0 && !result.truncated) return result.stdout;
      const why = result.truncated ? `larger than ${fileMax} bytes` : `${result.stderr}`.trim();
      throw new CommandFailure(`${name}: cannot read ${path}: ${why}`);
    },
    attach: (command, size, on) => attach(agent, command, size, on),
  };
}
