import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { LocalClient } from '../../../test/fixtures/local-client.ts';
import { bytesOf } from '../core/payload.ts';
import { encodePacket, headerLength, messageTypes } from '../core/wire.ts';
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

function writePacketOf(node: string, value: string): Uint8Array {
  const payload = bytesOf(`${node}\0${value}`);
  return encodePacket({ type: messageTypes.WRITE, requestId: 1, transactionId: 0, payload });
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

test('what has come of a packet is kept while others are read', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  const { path, close, daemon } = await serving(directory);
  const slow = connect(path);
  const written = writePacketOf('/slow', 'a'.repeat(2_000));
  const fast = connect(path);
  const sends = async (socket: Socket, content: Uint8Array) => {
    socket.write(content);
    await once(socket, 'data');
  };
  slow.write(written.subarray(0, 1_000));
  await sends(fast, writePacketOf('/fast', 'b'.repeat(3_000)));
  slow.write(written.subarray(1_000, 1_500));
  await sends(fast, writePacketOf('/fast', 'c'.repeat(3_000)));
  await sends(slow, written.subarray(1_500));
  const client = new LocalClient(daemon, () => undefined);
  const textAt = (node: string) => {
    const reply = client.request('READ', 0, bytesOf(`${node}\0`));
    return reply.ok ? Buffer.from(reply.value).toString() : reply.error;
  };
  t.is(textAt('/slow'), 'a'.repeat(2_000));
  t.is(textAt('/fast'), 'c'.repeat(3_000));
  slow.destroy();
  fast.destroy();
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
