import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { freePorts } from '../contract/etcd.ts';
import { PoolDatabaseClient } from '../contract/pool-database-client.ts';
import { ConsensusCluster } from './consensus-cluster.ts';
import { eventually, type Ran } from './pool-process.ts';

const program = join(import.meta.dirname, '..', '..', 'main.ts');

/** Longest a command may take on a busy machine. */
const patience = 90_000;

/** The members of a real pool database, worked on by `flotilla pool ...` as an operator does. */
class Operator {
  readonly directory = mkdtempSync(join(tmpdir(), 'flotilla-operator-'));
  readonly #endpoints: readonly string[];
  readonly #started: ChildProcess[] = [];

  constructor(endpoints: readonly string[]) {
    this.#endpoints = endpoints;
    const script = `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`;
    writeFileSync(join(this.directory, 'flotilla'), script, { mode: 0o700 });
  }

  run(...words: readonly string[]): Promise<Ran> {
    const command = [program, 'pool', ...words, '--endpoints', this.#endpoints.join(',')];
    return new Promise((resolve) => {
      const settings = { timeout: patience, cwd: this.directory };
      execFile(process.execPath, command, settings, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
    });
  }

  async json<Value>(...words: readonly string[]): Promise<Value> {
    const ran = await this.run(...words, '--json');
    if (ran.code !== 0) throw new Error(`${words.join(' ')}: ${ran.code}\n${ran.stderr}`);
    return JSON.parse(ran.stdout) as Value;
  }

  /** Runs a line of a shell, in which `flotilla` is the program under test, until it ends. */
  start(line: string): ChildProcess {
    const env = { ...process.env, PATH: `${this.directory}:${process.env.PATH}` };
    const child = spawn('sh', ['-c', `exec ${line}`], { cwd: this.directory, env });
    this.#started.push(child);
    return child;
  }

  async close(): Promise<void> {
    for (const child of this.#started) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

interface Members {
  readonly members: readonly { readonly name: string; readonly role: string }[];
}

async function roles(operator: Operator): Promise<readonly string[]> {
  const { members } = await operator.json<Members>('members');
  return members.map(({ name, role }) => `${name} ${role}`);
}

test('an operator adds a member by the command that is printed, moves the leader, saves, and removes', async (t) => {
  t.timeout(600_000);
  const cluster = await ConsensusCluster.start(3);
  t.teardown(() => cluster.close());
  const operator = new Operator(cluster.endpoints);
  t.teardown(() => operator.close());
  const [client, peer] = await freePorts(2);
  const before = await roles(operator);
  t.is(before.filter((each) => each.endsWith(' voter')).length, 2);
  t.is(before.filter((each) => each.endsWith(' leader')).length, 1);

  const added = await operator.json<{ readonly command: string }>(
    ...['member', 'add', 'm3', '--peer', `127.0.0.1:${peer}`, '--client', `127.0.0.1:${client}`],
  );
  const fourth = operator.start(added.command);
  const exited = once(fourth, 'exit');
  const joined = await eventually(
    () => roles(operator),
    (all) => all.includes('m3 voter') || fourth.exitCode !== null,
    'the new member as a voter',
  );
  t.is(joined.length, 4);

  const moved = await operator.run('move-leader', 'm3');
  t.is(moved.code, 0, moved.stderr);
  t.true((await roles(operator)).includes('m3 leader'));

  const writer = new PoolDatabaseClient(cluster.endpoints[0] ?? '');
  for (const name of ['a', 'b', 'c'])
    await writer.kv.put({ key: Buffer.from(`/${name}`), value: Buffer.from('1') });
  writer.close();
  const saved = await operator.json<{ readonly content: object }>('snapshot', 'save', 'pool.db');
  t.like(saved, { engine: 'consensus', content: { revision: 4, store: { keys: 3, leases: 0 } } });
  const shown = await new Promise<Ran>((resolve) => {
    const words = [program, 'pool', 'snapshot', 'show', 'pool.db', '--json'];
    execFile(process.execPath, words, { cwd: operator.directory }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, stdout, stderr }),
    );
  });
  t.like(JSON.parse(shown.stdout), { content: saved.content });
  t.false(existsSync(join(operator.directory, 'pool.db.part')));

  // The leader itself goes: another one takes over, and the removed process ends by itself.
  const removed = await operator.run('member', 'remove', 'm3', '--yes');
  t.is(removed.code, 0, removed.stderr);
  const [code] = await exited;
  t.is(code, 2);
  const after = await eventually(
    () => roles(operator),
    (all) => all.filter((each) => each.endsWith(' leader')).length === 1,
    'one of the others as leader',
  );
  t.is(after.length, 3);
});
