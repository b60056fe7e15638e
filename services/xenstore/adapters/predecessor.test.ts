import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { endPredecessor, successorFile } from './predecessor.ts';

function pidFileOf(t: ExecutionContext, content: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'predecessor-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'pid');
  writeFileSync(path, content);
  return path;
}

/** A process that takes no SIGTERM, once it has said so. */
async function stubborn(t: ExecutionContext, ...words: readonly string[]): Promise<ChildProcess> {
  const script = 'process.on("SIGTERM", () => 0); setInterval(() => 0, 1000); console.log("up")';
  const child = spawn(process.execPath, ['-e', script, ...words]);
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

test('without a predecessor there is nothing to do', async (t) => {
  t.true((await endPredecessor('/no/such/file')).ok);
  t.true((await endPredecessor(pidFileOf(t, 'nonsense\n'))).ok);
  t.true((await endPredecessor(pidFileOf(t, `${process.pid}\n`))).ok);
});

test('a xenstored is ended, if need be by force', async (t) => {
  const child = await stubborn(t, 'xenstored', '--rings');
  const ended = once(child, 'exit');
  const pidFile = pidFileOf(t, `${child.pid}\n`);
  t.true((await endPredecessor(pidFile)).ok);
  t.deepEqual(await ended, [null, 'SIGKILL']);
  t.is(readFileSync(successorFile(pidFile), 'utf8'), `${process.pid}\n`, 'who goes on is known');
});

test('another process that has got its id is left alone', async (t) => {
  const child = await stubborn(t, 'something');
  const pidFile = pidFileOf(t, `${child.pid}\n`);
  t.true((await endPredecessor(pidFile)).ok);
  t.false(existsSync(successorFile(pidFile)));
  t.is(child.exitCode, null);
  t.is(child.signalCode, null);
});
