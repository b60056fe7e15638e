import { runCommand } from '../../base/command.ts';
import { milliseconds } from '../../base/units.ts';

/** ip talks to the kernel alone. */
const patience = milliseconds(15_000);

/**
 * A network namespace whose loopback interface has an address of an emulated machine's network. What is forwarded
 * to that machine from there is where the machine's own certificates and its pool say that it is, so that programs
 * reach it as they would reach a real one. Needs root.
 */
export class OwnNetwork {
  readonly #name: string;

  private constructor(name: string) {
    this.#name = name;
  }

  /** Makes one; this process may have one at a time. */
  static async make(address: string): Promise<OwnNetwork> {
    const name = `flotilla-host-${process.pid}`;
    await ip('netns', 'add', name);
    await ip('-n', name, 'link', 'set', 'lo', 'up');
    await ip('-n', name, 'address', 'add', `${address}/32`, 'dev', 'lo');
    // What comes from that address itself, the machine would not answer: QEMU hides loopback addresses alone.
    const route = ['local', address, 'dev', 'lo', 'table', 'local', 'proto', 'kernel'];
    await ip('-n', name, 'route', 'change', ...route, 'scope', 'host', 'src', '127.0.0.1');
    return new OwnNetwork(name);
  }

  /** The words before a program that runs in it. */
  get within(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  async remove(): Promise<void> {
    await ip('netns', 'delete', this.#name);
  }
}

async function ip(...words: readonly string[]): Promise<void> {
  const done = await runCommand('ip', words, patience);
  if (!done.ok) throw new Error(`${done.error.command}: ${done.error.detail}`);
}
