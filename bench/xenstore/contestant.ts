import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { canConnect, Peer, type PeerName } from '../../test/peers/peer.ts';

/** Whose daemon serves: this project's `flotilla xenstored`, or one of the peers. */
export type Name = 'flotilla' | PeerName;

/** All of them, ours first. */
export const names: readonly Name[] = ['flotilla', 'xenstored', 'oxenstored'];

/** A daemon that is measured. */
export interface Contestant {
  readonly name: Name;
  readonly pid: number;
  readonly socket: string;
  stop(): Promise<void>;
}

/** How long ours may take until it answers, in milliseconds. */
const patience = 60_000;

// oxenstored's quotas bind the control domain as well; the measures are to reach none of them.
const unbounded = { nodes: 1_000_000, watches: 1_000_000, transactions: 1_000 };

/** Starts a daemon with its files in a directory; `nodeWords` are for the Node that runs ours. */
export function start(
  name: Name,
  directory: string,
  nodeWords: readonly string[] = [],
): Promise<Contestant> {
  return name === 'flotilla'
    ? startOurs(directory, nodeWords)
    : Peer.start(name, directory, unbounded);
}

/** As on a host, with its journal. */
async function startOurs(directory: string, nodeWords: readonly string[]): Promise<Contestant> {
  mkdirSync(directory, { recursive: true });
  const socket = join(directory, 'socket');
  const output = openSync(join(directory, 'output'), 'a');
  const main = join(import.meta.dirname, '..', '..', 'bin', 'flotilla.js');
  const words = ['--data-dir', directory, '--socket', socket];
  const child = spawn(process.execPath, [...nodeWords, main, 'xenstored', ...words], {
    stdio: ['ignore', output, output],
  });
  const until = performance.now() + patience;
  while (!(await canConnect(socket))) {
    if (child.exitCode !== null || performance.now() > until) {
      await end(child);
      const words = readFileSync(join(directory, 'output'), 'utf8');
      throw new Error(`flotilla xenstored does not answer:\n${words}`);
    }
    await delay(1);
  }
  return { name: 'flotilla', pid: child.pid ?? 0, socket, stop: () => end(child) };
}

/** By SIGTERM: a Node that writes a profile writes it when it ends in peace. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
