import { execFile } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { bytesOf } from '../core/payload.ts';
import { Store } from '../core/store.ts';
import { headerLength, messageTypes } from '../core/wire.ts';
import { Daemon } from './daemon.ts';
import { Journal } from './journal.ts';
import { LocalClient } from './local-client.ts';
import { serveUnixSocket } from './unix-socket.ts';

const run = promisify(execFile);

async function installed(command: string): Promise<boolean> {
  return run('sh', ['-c', `command -v ${command}`]).then(
    () => true,
    () => false,
  );
}

function open(directory: string): { daemon: Daemon; journal: Journal } {
  const store = new Store();
  const journal = Journal.open(directory, store);
  if (!journal.ok) throw new Error(journal.error);
  return { daemon: new Daemon(store, journal.value), journal: journal.value };
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

test('after a kill the tree is there again, with values of any bytes and permissions', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  const before = new LocalClient(open(directory).daemon, () => undefined);
  const value = Uint8Array.from({ length: 256 }, (_, index) => index);
  before.request('WRITE', 0, Buffer.concat([bytesOf('/a/b\0'), value]));
  before.request('WRITE', 0, bytesOf('/a/gone\0x'));
  before.request('SET_PERMS', 0, bytesOf('/a\0n3\0r4\0'));
  before.request('RM', 0, bytesOf('/a/gone\0'));
  // The journal is not closed: that is what a kill leaves. A line that is cut short is another.
  appendFileSync(join(directory, 'journal'), '00000000 {"domain"');
  const after = new LocalClient(open(directory).daemon, () => undefined);
  const read = after.request('READ', 0, bytesOf('/a/b\0'));
  t.deepEqual(read.ok && [...read.value], [...value]);
  const permissions = after.request('GET_PERMS', 0, bytesOf('/a\0'));
  t.is(permissions.ok && Buffer.from(permissions.value).toString(), 'n3\0r4\0');
  const list = after.request('DIRECTORY', 0, bytesOf('/a\0'));
  t.is(list.ok && Buffer.from(list.value).toString(), 'b\0');
  rmSync(directory, { recursive: true });
});

test('a journal that is damaged in the middle is refused with what to do', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  const client = new LocalClient(open(directory).daemon, () => undefined);
  client.request('WRITE', 0, bytesOf('/a\0x'));
  client.request('WRITE', 0, bytesOf('/b\0x'));
  const file = join(directory, 'journal');
  writeFileSync(file, readFileSync(file, 'utf8').replace('["","a"]', '["","z"]'));
  const opened = Journal.open(directory, new Store());
  t.regex(opened.ok ? '' : opened.error, /damaged in line \d+; what to do/);
  rmSync(directory, { recursive: true });
});
