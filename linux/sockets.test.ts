import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { errorName, wouldWait } from './errno.ts';
import { Readiness } from './readiness.ts';
import { Sockets } from './sockets.ts';

interface Ends {
  readonly sockets: Sockets;
  readonly listening: number;
  readonly path: string;
  /** The end that is ours, and Node's. */
  connected(): Promise<{ descriptor: number; client: Socket }>;
}

function listening(t: ExecutionContext): Ends {
  const directory = mkdtempSync(join(tmpdir(), 'sockets-'));
  const path = join(directory, 'socket');
  const sockets = new Sockets();
  const bound = sockets.bind(path);
  if (!bound.ok) throw new Error(bound.error);
  const descriptor = bound.value;
  t.true(sockets.listen(descriptor).ok);
  t.teardown(() => {
    sockets.close(descriptor);
    rmSync(directory, { recursive: true });
  });
  const connected = async () => {
    const client = connect(path);
    await once(client, 'connect');
    const accepted = sockets.accept(descriptor);
    t.true(accepted >= 0);
    t.teardown(() => client.destroy());
    return { descriptor: accepted, client };
  };
  return { sockets, listening: descriptor, path, connected };
}

test('what a client sends comes, what it is sent reaches it, and its end is the end', async (t) => {
  const { sockets, connected } = listening(t);
  const { descriptor, client } = await connected();
  const buffer = Buffer.alloc(16);
  t.is(sockets.receive(descriptor, buffer), wouldWait);
  client.write('asked');
  await new Promise(setImmediate);
  t.is(sockets.receive(descriptor, buffer), 5);
  t.is(buffer.toString('latin1', 0, 5), 'asked');
  t.is(sockets.send(descriptor, Buffer.from('answered, and more'), 8), 8);
  const [answer] = await once(client, 'data');
  t.is(String(answer), 'answered');
  client.destroy();
  await once(client, 'close');
  t.is(sockets.receive(descriptor, buffer), 0);
  t.is(errorName(sockets.send(descriptor, buffer, 1)), 'EPIPE');
  sockets.close(descriptor);
});

test('no call waits: not for a client, and not for room', async (t) => {
  const { sockets, listening: server, connected } = listening(t);
  t.is(sockets.accept(server), wouldWait);
  const { descriptor, client } = await connected();
  client.pause();
  const piece = Buffer.alloc(65_536);
  let sent = 0;
  let taken = sockets.send(descriptor, piece, piece.length);
  for (; taken > 0; taken = sockets.send(descriptor, piece, piece.length)) sent += taken;
  t.is(taken, wouldWait);
  t.true(sent > 0);
  sockets.close(descriptor);
});

test('a path that is taken, or that no socket can have, is refused by name', (t) => {
  const { sockets, path } = listening(t);
  t.deepEqual(sockets.bind(path), { ok: false, error: 'EADDRINUSE' });
  t.deepEqual(sockets.bind(`/${'a'.repeat(107)}`), { ok: false, error: 'ENAMETOOLONG' });
  t.deepEqual(sockets.bind('/tmp/a\0b'), { ok: false, error: 'ENAMETOOLONG' });
  t.deepEqual(sockets.keepAcrossExec(-1, true), { ok: false, error: 'EBADF' });
});

test('a set tells of those that are ready, by their tokens, and of what they are ready for', async (t) => {
  const { sockets, connected } = listening(t);
  const [one, two] = [await connected(), await connected()];
  const set = new Readiness();
  t.teardown(() => set.close());
  const largest = 0xffffffff;
  set.add(one.descriptor, 7, { readable: true, writable: false });
  set.add(two.descriptor, largest, { readable: true, writable: false });
  t.is(set.look(), 0);
  two.client.write('asked');
  await new Promise(setImmediate);
  t.is(set.look(), 1);
  t.is(set.token(0), largest);
  t.deepEqual(set.ready(0), { readable: true, writable: false, broken: false });
  set.change(two.descriptor, largest, { readable: false, writable: false });
  t.is(set.look(), 0);
  set.change(one.descriptor, 7, { readable: true, writable: true });
  t.is(set.look(), 1);
  t.is(set.token(0), 7);
  t.deepEqual(set.ready(0), { readable: false, writable: true, broken: false });
  set.remove(one.descriptor);
  two.client.destroy();
  await once(two.client, 'close');
  t.is(set.look(), 1);
  t.like(set.ready(0), { broken: true });
  for (const { descriptor } of [one, two]) sockets.close(descriptor);
});

test("Node's loop calls while something of a set is ready, and no longer", async (t) => {
  const { sockets, connected } = listening(t);
  const { descriptor, client } = await connected();
  const set = new Readiness();
  t.teardown(() => set.close());
  set.add(descriptor, 1, { readable: true, writable: false });
  const buffer = Buffer.alloc(4);
  const came: string[] = [];
  let calls = 0;
  await new Promise<void>((resolve) => {
    set.watch(() => {
      calls += 1;
      const length = sockets.receive(descriptor, buffer);
      came.push(buffer.toString('latin1', 0, length));
      if (came.join('').length === 10) resolve();
    });
    client.write('ten bytes.');
  });
  t.deepEqual(came, ['ten ', 'byte', 's.']);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.is(calls, 3);
  sockets.close(descriptor);
});
