import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { LocalClient } from '../../../test/fixtures/local-client.ts';
import { bytesOf } from '../core/payload.ts';
import { headerLength, messageTypes } from '../core/wire.ts';
import { Daemon } from './daemon.ts';
import { Journal } from './journal.ts';
import { serveUnixSocket } from './unix-socket.ts';

const run = promisify(execFile);

async function installed(command: string): Promise<boolean> {
  return run('sh', ['-c', `command -v ${command}`]).then(
    () => true,
    () => false,
  );
}

function open(directory: string): { daemon: Daemon; journal: Journal } {
  const journal = Journal.open(directory);
  if (!journal.ok) throw new Error(journal.error);
  const begun = Daemon.open(journal.value);
  if (!begun.ok) throw new Error(begun.error);
  return { daemon: begun.value, journal: journal.value };
}

async function serving(directory: string) {
  const opened = open(directory);
  const path = join(directory, 'socket');
  const served = await serveUnixSocket(opened.daemon, path, () => undefined);
  if (!served.ok) throw new Error(served.error);
  return { ...opened, path, close: served.value.close };
}

test("Debian's xenstore-write, -read, -list, -chmod, -ls and -rm work unmodified", async (t) => {
  if (!(await installed('xenstore-ls'))) {
    t.log('skipped: the package xenstore-utils is not installed');
    t.pass();
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  const { path, close } = await serving(directory);
  const env = { ...process.env, XENSTORED_PATH: path };
  const tool = async (command: string, ...parts: string[]) =>
    (await run(command, parts, { env })).stdout;

  await tool('xenstore-write', '/vm/web/name', 'web', '/vm/web/memory', '262144');
  t.is(await tool('xenstore-read', '/vm/web/name'), 'web\n');
  t.is(await tool('xenstore-list', '/vm/web'), 'name\nmemory\n');
  await tool('xenstore-chmod', '/vm/web', 'n0', 'r3');
  t.is(
    (await tool('xenstore-ls', '-p', '/vm')).replaceAll(/[ .]+\(/g, ' ('),
    'web = "" (n0,r3)\n name = "web" (n0)\n memory = "262144" (n0)\n',
  );
  await tool('xenstore-rm', '/vm/web');
  await t.throwsAsync(tool('xenstore-read', '/vm/web/name'), { message: /couldn't read path/ });
  await close();
  rmSync(directory, { recursive: true });
});

test('packets may arrive in pieces, and several at once', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  const { path, close } = await serving(directory);
  const socket = connect(path);
  const packet = Buffer.alloc(headerLength + 3);
  packet.writeUInt32LE(messageTypes.MKDIR, 0);
  packet.writeUInt32LE(3, 12);
  packet.set(bytesOf('/a\0'), headerLength);
  const replies: Buffer[] = [];
  const length = () => replies.reduce((sum, each) => sum + each.length, 0);
  const all = new Promise<void>((resolve) => {
    socket.on('data', (data) => {
      replies.push(data);
      if (length() === 3 * (headerLength + 3)) resolve();
    });
  });
  socket.write(packet.subarray(0, 7));
  setTimeout(() => socket.write(Buffer.concat([packet.subarray(7), packet, packet])), 20);
  await all;
  t.is(
    Buffer.concat(replies)
      .subarray(headerLength, headerLength + 3)
      .toString(),
    'OK\0',
  );
  socket.destroy();
  await close();
  rmSync(directory, { recursive: true });
});

test('a header that announces too much ends the connection and nothing else', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  const { path, close, daemon } = await serving(directory);
  const other = new LocalClient(daemon, () => undefined);
  const socket = connect(path);
  const header = Buffer.alloc(headerLength);
  header.writeUInt32LE(0xffffffff, 12);
  socket.write(header);
  await new Promise((resolve) => socket.once('close', resolve));
  t.true(other.request('MKDIR', 0, bytesOf('/a\0')).ok);
  await close();
  rmSync(directory, { recursive: true });
});

test('a second daemon does not take over a socket that is served', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  const { path, close, daemon } = await serving(directory);
  const second = await serveUnixSocket(daemon, path, () => undefined);
  t.regex(second.ok ? '' : second.error, /served by another xenstored/);
  await close();
  rmSync(directory, { recursive: true });
});
