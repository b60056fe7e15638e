import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import type { MemberAddress } from '../consensus-cluster.ts';

/** How members are kept from each other. */
export type Cut =
  /** Their link is down: nothing passes. */
  | 'down'
  /** The separated hear everything and are not heard. */
  | 'mute'
  /** The separated are heard and hear nothing. */
  | 'deaf';

const run = promisify(execFile);

async function ip(...words: readonly string[]): Promise<void> {
  await run('ip', words);
}

/** Whether this machine and this user can make network namespaces and join them (needs root). */
export function hasNamespaces(): boolean {
  const name = `flotilla-probe-${process.pid}`;
  const quiet = { stdio: 'ignore' } as const;
  try {
    execFileSync('ip', ['netns', 'add', name], quiet);
  } catch {
    return false;
  }
  try {
    execFileSync('ip', ['-n', name, 'link', 'add', 'bridge', 'type', 'bridge'], quiet);
    execFileSync('ip', ['-n', name, 'link', 'add', 'one', 'type', 'veth', 'peer', 'other'], quiet);
    return true;
  } catch {
    return false;
  } finally {
    execFileSync('ip', ['netns', 'delete', name], quiet);
  }
}

/** Ports of every member in its own namespace. */
const clientPort = 2379;
const peerPort = 2380;

/**
 * A network namespace for each member. Members reach each other over a bridge, in a namespace of
 * its own; clients reach each member over a link that no fault concerns. Addresses are of
 * 198.18.0.0/15, which is for measurements of networks (RFC 2544) and so of nobody here.
 */
export class Namespaces {
  readonly #count: number;
  readonly #blackholes: { readonly at: number; readonly to: number }[] = [];
  /** Test processes that run at one time do not share names and addresses. */
  readonly #block = process.pid % 64;

  private constructor(count: number) {
    this.#count = count;
  }

  /** Makes everything for so many members, at most four. Needs root. */
  static async make(count: number): Promise<Namespaces> {
    const network = new Namespaces(count);
    await network.remove();
    const hub = network.#hub;
    await ip('netns', 'add', hub);
    await ip('-n', hub, 'link', 'add', 'bridge', 'type', 'bridge');
    await ip('-n', hub, 'link', 'set', 'bridge', 'up');
    for (let index = 0; index < count; index += 1) await network.#join(index);
    return network;
  }

  /** Where each member listens. */
  get addresses(): readonly MemberAddress[] {
    return Array.from({ length: this.#count }, (_, index) => ({
      client: `${this.#clientSide(index, 2)}:${clientPort}`,
      peer: `${this.#peerSide(index)}:${peerPort}`,
    }));
  }

  /** All addresses of members, for their certificates. */
  get hosts(): readonly string[] {
    return Array.from({ length: this.#count }, (_, index) => index).flatMap((index) => [
      this.#clientSide(index, 2),
      this.#peerSide(index),
    ]);
  }

  /** The words before a program that runs in a member's namespace. */
  within(index: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.#member(index)];
  }

  /** Keeps some members from all others of `count`, and the others from them. */
  async separate(members: readonly number[], count: number, how: Cut): Promise<void> {
    for (const member of members) {
      if (how === 'down') {
        await ip('-n', this.#hub, 'link', 'set', `member-${member}`, 'down');
        continue;
      }
      for (let other = 0; other < count; other += 1)
        if (!members.includes(other))
          await (how === 'mute' ? this.#blackhole(member, other) : this.#blackhole(other, member));
    }
  }

  /** Keeps two members from each other, while both reach the rest. */
  async part(one: number, other: number, how: Cut): Promise<void> {
    if (how !== 'deaf') await this.#blackhole(one, other);
    if (how !== 'mute') await this.#blackhole(other, one);
  }

  async heal(): Promise<void> {
    for (let index = 0; index < this.#count; index += 1)
      await ip('-n', this.#hub, 'link', 'set', `member-${index}`, 'up');
    for (const { at, to } of this.#blackholes.splice(0))
      await ip('-n', this.#member(at), 'route', 'del', 'blackhole', this.#peerSide(to));
  }

  /** Removes the namespaces, and with them every link. */
  async remove(): Promise<void> {
    const { stdout } = await run('ip', ['netns', 'list']);
    const names = stdout.split('\n').map((line) => line.split(' ')[0] ?? '');
    for (const name of names)
      if (name.startsWith(`flotilla-${this.#block}-`)) await ip('netns', 'delete', name);
  }

  /** One member does not send to another any more. */
  async #blackhole(at: number, to: number): Promise<void> {
    this.#blackholes.push({ at, to });
    await ip('-n', this.#member(at), 'route', 'add', 'blackhole', this.#peerSide(to));
  }

  async #join(index: number): Promise<void> {
    const [name, hub, host] = [this.#member(index), this.#hub, `fl${this.#block}-${index}`];
    await ip('netns', 'add', name);
    await ip('-n', name, 'link', 'set', 'lo', 'up');
    await ip('link', 'add', host, 'type', 'veth', 'peer', 'clients', 'netns', name);
    await ip('addr', 'add', `${this.#clientSide(index, 1)}/30`, 'dev', host);
    await ip('link', 'set', host, 'up');
    await ip('-n', name, 'addr', 'add', `${this.#clientSide(index, 2)}/30`, 'dev', 'clients');
    await ip('-n', name, 'link', 'set', 'clients', 'up');
    const port = `member-${index}`;
    await ip('-n', hub, 'link', 'add', port, 'type', 'veth', 'peer', 'members', 'netns', name);
    await ip('-n', hub, 'link', 'set', port, 'master', 'bridge', 'up');
    await ip('-n', name, 'addr', 'add', `${this.#peerSide(index)}/24`, 'dev', 'members');
    await ip('-n', name, 'link', 'set', 'members', 'up');
  }

  get #hub(): string {
    return `flotilla-${this.#block}-hub`;
  }

  #member(index: number): string {
    return `flotilla-${this.#block}-${index}`;
  }

  #clientSide(index: number, end: 1 | 2): string {
    return `198.18.${this.#block * 4 + index}.${end}`;
  }

  #peerSide(index: number): string {
    return `198.19.0.${index + 1}`;
  }
}
