import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ok } from '../../../../base/result.ts';
import { bytesOf } from '../../core/payload.ts';
import { encodePacket, messageTypes, parsePacket } from '../../core/wire.ts';
import { XenstoreClient } from '../client.ts';
import { firstOf } from '../link.ts';
import { socketPath, unixSocket } from './unix-socket.ts';

/** Listens; every socket that connects is given to `serve`. */
function listen(path: string, serve: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer(serve);
    server.listen(path, () => resolve(server));
  });
}

/** Replies to each request, in pieces of `length` bytes. */
function replying(length: number, text: string): (socket: Socket) => void {
  return (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      for (let start = 0; ; ) {
        const parsed = parsePacket(data, start);
        if (!parsed.ok || parsed.value.kind !== 'packet') break;
        start += parsed.value.used;
        const reply = encodePacket({ ...parsed.value.packet, payload: bytesOf(text) });
        for (let at = 0; at < reply.length; at += length)
          socket.write(reply.subarray(at, at + length));
      }
    });
  };
}

async function inDirectory(run: (path: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'xenstore-socket-'));
  await run(join(directory, 'socket'));
  rmSync(directory, { recursive: true });
}

test('the socket is found as libxenstore finds it', (t) => {
  t.is(socketPath({}), '/var/run/xenstored/socket');
  t.is(socketPath({ XENSTORED_RUNDIR: '/run/x' }), '/run/x/socket');
  t.is(socketPath({ XENSTORED_RUNDIR: '/run/x', XENSTORED_PATH: '/tmp/s' }), '/tmp/s');
});

test('replies may arrive in pieces', async (t) => {
  await inDirectory(async (path) => {
    const server = await listen(path, replying(7, 'a value of some length'));
    const client = await XenstoreClient.open(unixSocket(path));
    if (!client.ok) throw new Error(client.error.message);
    const reads = await Promise.all(['/a', '/b', '/c'].map((each) => client.value.readText(each)));
    for (const read of reads) t.deepEqual(read, ok('a value of some length'));
    client.value.close();
    await new Promise((resolve) => server.close(resolve));
  });
});

test('where nobody serves, the failure says so, and the next way is tried', async (t) => {
  await inDirectory(async (path) => {
    const none = await XenstoreClient.open(firstOf(unixSocket(`${path}-1`), unixSocket(path)));
    t.regex(none.ok ? '' : none.error.message, /cannot connect to .*socket-1: .*; cannot connect/);
    const server = await listen(path, replying(4096, 'x'));
    const client = await XenstoreClient.open(firstOf(unixSocket(`${path}-1`), unixSocket(path)));
    t.true(client.ok);
    if (client.ok) client.value.close();
    await new Promise((resolve) => server.close(resolve));
  });
});

test('a server that announces too much is left', async (t) => {
  await inDirectory(async (path) => {
    const server = await listen(path, (socket) => {
      const header = Buffer.alloc(16);
      header.writeUInt32LE(messageTypes.READ, 0);
      header.writeUInt32LE(0xffffffff, 12);
      socket.on('error', () => socket.destroy());
      socket.on('data', () => socket.write(header));
    });
    const client = await XenstoreClient.open(unixSocket(path));
    if (!client.ok) throw new Error(client.error.message);
    const read = await client.value.read('/a');
    t.is(read.ok ? '' : read.error.code, 'DISCONNECTED');
    await new Promise((resolve) => server.close(resolve));
  });
});

test('a client comes back to a server that was started again', async (t) => {
  await inDirectory(async (path) => {
    const sockets: Socket[] = [];
    const serve = (socket: Socket) => {
      sockets.push(socket);
      replying(4096, 'OK\0')(socket);
    };
    const first = await listen(path, serve);
    const client = await XenstoreClient.open(unixSocket(path), { reconnectAttempts: 100 });
    if (!client.ok) throw new Error(client.error.message);
    const watch = await client.value.watch('/a');
    if (!watch.ok) throw new Error(watch.error.message);
    const closed = new Promise((resolve) => first.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
    const second = await listen(path, serve);
    t.deepEqual(await watch.value.next(), { done: false, value: { kind: 'missed' } });
    t.true((await client.value.mkdir('/b')).ok);
    client.value.close();
    await new Promise((resolve) => second.close(resolve));
  });
});
