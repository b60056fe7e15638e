import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../../base/command.ts';
import { milliseconds } from '../../base/units.ts';
import type { OwnNetwork } from './own-network.ts';
import { checkout } from './toolstack.ts';

/** Each command is one that an emulated host may take minutes for. */
const patience = milliseconds(1_200_000);

/** Between two questions, and how long a console is read, in milliseconds and seconds. */
const askInterval = 10_000;
const consoleSeconds = 20;

/**
 * Somebody at another machine than the hosts, with `flotilla` and the directory of a pool: there is nothing else by
 * which a host of a host image can be reached.
 */
export class Operator {
  readonly #network: OwnNetwork;
  readonly #pool: string;

  constructor(network: OwnNetwork, pool: string) {
    this.#network = network;
    this.#pool = pool;
  }

  /** Runs `flotilla ...`; returns what it printed. */
  async flotilla(...words: readonly string[]): Promise<string> {
    const [program, ...rest] = this.#command(words);
    const done = await runCommand(program, rest, patience);
    if (done.ok) return done.value;
    throw new Error(`${done.error.command}: ${done.error.detail}`);
  }

  /** The same, of the pool. */
  asks(...words: readonly string[]): Promise<string> {
    return this.flotilla(...words, '--pool', this.#pool);
  }

  async json<Value>(...words: readonly string[]): Promise<Value> {
    return JSON.parse(await this.asks(...words, '--json')) as Value;
  }

  /** The same, until there is an answer: while guests boot beside it, an emulated host takes too long for one. */
  async jsonAtLast<Value>(...words: readonly string[]): Promise<Value> {
    for (const until = performance.now() + patience; ; await sleep(askInterval))
      try {
        return await this.json<Value>(...words);
      } catch (error) {
        if (performance.now() > until) throw error;
      }
  }

  /** What a VM's console has printed, once there is a text in it. */
  async consoleWith(vm: string, text: string): Promise<string> {
    for (const until = performance.now() + patience; ; await sleep(askInterval)) {
      const said = await this.#console(vm);
      if (said.includes(text)) return said;
      if (performance.now() > until) throw new Error(`no "${text}" of ${vm}, but:\n${said}`);
    }
  }

  /** The command goes on until it is ended. */
  #console(vm: string): Promise<string> {
    const words = ['vm', 'console', vm, '--pool', this.#pool];
    const [program, ...rest] = this.#command(words, ['timeout', `${consoleSeconds}`]);
    return new Promise((resolve) => {
      const child = execFile(program, rest, (_, stdout) => resolve(stdout));
      child.stdin?.end();
    });
  }

  #command(
    words: readonly string[],
    before: readonly string[] = [],
  ): [program: string, ...words: string[]] {
    const own = [process.execPath, join(checkout, 'main.ts'), ...words];
    const [program = '', ...rest] = [...this.#network.within, ...before, ...own];
    return [program, ...rest];
  }
}
