import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
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

/** A daemon that serves a socket until the test is over, and what it has said of its clients. */
async function serving(t: ExecutionContext) {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const opened = open(directory);
  const path = join(directory, 'socket');
  const troubles: string[] = [];
  const served = await serveUnixSocket(opened.daemon, path, (trouble) => troubles.push(trouble));
  if (!served.ok) throw new Error(served.error);
  t.teardown(served.value.close);
  return { ...opened, path, troubles };
}

test("Debian's xenstore-write, -read, -list, -chmod, -ls and -rm work unmodified", async (t) => {
  if (!(await installed('xenstore-ls'))) {
    t.log('skipped: the package xenstore-utils is not installed');
    t.pass();
    return;
  }
  const { path } = await serving(t);
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
});

test('packets may arrive in pieces, and several at once', async (t) => {
  const { path } = await serving(t);
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
});

test('what has come of a packet is kept while others are read', async (t) => {
  const { path, daemon } = await serving(t);
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
});

test('a header that announces too much ends the connection and nothing else', async (t) => {
  const { path, daemon } = await serving(t);
  const other = new LocalClient(daemon, () => undefined);
  const socket = connect(path);
  const header = Buffer.alloc(headerLength);
  header.writeUInt32LE(0xffffffff, 12);
  socket.write(header);
  await new Promise((resolve) => socket.once('close', resolve));
  t.true(other.request('MKDIR', 0, bytesOf('/a\0')).ok);
});

/** All that comes until the daemon ends the connection. */
async function untilEnd(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

test('a client that asks, says that it asks no more, and waits has all its answers', async (t) => {
  const { path } = await serving(t);
  const socket = connect({ path, allowHalfOpen: true });
  const large = 'v'.repeat(4_000);
  socket.write(writePacketOf('/large', large));
  await once(socket, 'data');
  socket.pause();
  // More than the buffers of the socket hold, and less than is too much unread.
  const reads = 300;
  const payload = bytesOf('/large\0');
  const read = encodePacket({ type: messageTypes.READ, requestId: 2, transactionId: 0, payload });
  socket.end(Buffer.concat(Array.from({ length: reads }, () => read)));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const answers = await untilEnd(socket);
  t.is(answers.length, reads * (headerLength + large.length));
});

test('one that asks for more than it reads is served on when it has read, and its leaving is noticed', async (t) => {
  const { path, daemon } = await serving(t);
  const socket = connect(path);
  const value = 'v'.repeat(4_000);
  socket.write(writePacketOf('/large', value));
  await once(socket, 'data');
  socket.pause();
  const payload = bytesOf('/large\0');
  const read = encodePacket({ type: messageTypes.READ, requestId: 2, transactionId: 0, payload });
  const reads = 3_000;
  let came = 0;
  socket.write(Buffer.concat(Array.from({ length: reads }, () => read)));
  await new Promise((resolve) => setTimeout(resolve, 100));

  const all = reads * (headerLength + value.length);
  await new Promise<void>((resolve) => {
    socket.on('data', (data) => {
      came += data.length;
      if (came >= all) resolve();
    });
    socket.resume();
  });
  t.is(came, all);
  socket.pause();
  socket.write(Buffer.concat(Array.from({ length: reads }, () => read)));
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.is(daemon.clients, 1);
  socket.destroy();
  while (daemon.clients > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  t.is(daemon.clients, 0);
});

test('one that leaves too much unread is disconnected, in the middle of what another does', async (t) => {
  const { path, daemon, troubles } = await serving(t);
  const watcher = connect(path);
  const name = `/${'n'.repeat(2_000)}`;
  const watch = (token: string) =>
    encodePacket({
      ...{ type: messageTypes.WATCH, requestId: 1, transactionId: 0 },
      payload: bytesOf(`${name}\0${token}\0`),
    });
  watcher.write(Buffer.concat(Array.from({ length: 100 }, (_, index) => watch(`${index}`))));
  await once(watcher, 'data');
  watcher.pause();
  const writer = new LocalClient(daemon, () => undefined);
  for (let written = 0; troubles.length === 0 && written < 1_000; written += 1) {
    t.true(writer.request('WRITE', 0, bytesOf(`${name}\0${written}`)).ok);
    await new Promise(setImmediate);
  }
  t.regex(troubles.join(), /a client left \d+ bytes unread and is disconnected/);
  while (daemon.clients > 1) await new Promise(setImmediate);
  t.true(writer.request('READ', 0, bytesOf(`${name}\0`)).ok);
  watcher.destroy();
});

test('many connect and leave at once, and each is served', async (t) => {
  const { path, daemon } = await serving(t);
  const clients = Array.from({ length: 200 }, () => connect(path));
  const answers = clients.map(async (socket, index) => {
    socket.write(writePacketOf(`/c${index}`, `${index}`));
    const [reply] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return reply.toString('latin1', headerLength);
  });
  t.deepEqual(new Set(await Promise.all(answers)), new Set(['OK\0']));
  while (daemon.clients > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const local = new LocalClient(daemon, () => undefined);
  const values = clients.map((_, index) => local.request('READ', 0, bytesOf(`/c${index}\0`)));
  t.true(values.every(({ ok }) => ok));
});

test('a second daemon does not take over a socket that is served', async (t) => {
  const { path, daemon } = await serving(t);
  const second = await serveUnixSocket(daemon, path, () => undefined);
  t.regex(second.ok ? '' : second.error, /served by another xenstored/);
});
