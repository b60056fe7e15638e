import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { messageTypes, payloadMax } from '../core/wire.ts';
import { descriptorOf } from './descriptors.ts';
import { SocketOutbox } from './socket-outbox.ts';

/** More than the buffers of a Unix socket hold. */
const packets = 1_000;

test('what waits for a client that is gone is not written to the next one of its descriptor', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'outbox-'));
  const path = join(directory, 'socket');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const accepted = async (): Promise<{ client: Socket; socket: Socket }> => {
    const client = connect(path).pause();
    const [socket] = await once(server, 'connection');
    return { client, socket };
  };
  const first = await accepted();
  const descriptor = descriptorOf(first.socket);
  first.socket.on('error', () => undefined);
  const told = { left: () => undefined, drained: () => undefined };
  const outbox = new SocketOutbox(first.socket, told);
  const payload = new Uint8Array(payloadMax);
  for (let packet = 0; packet < packets; packet += 1) {
    outbox.add({ type: messageTypes.READ, requestId: 0, transactionId: 0, payload });
    outbox.flush();
  }
  t.true(outbox.unread > 0);
  first.socket.destroy();
  await once(first.socket, 'close');
  const others = [await accepted(), await accepted(), await accepted()];
  t.true(
    others.some(({ client, socket }) =>
      [client, socket].some((each) => descriptorOf(each) === descriptor),
    ),
  );
  outbox.add({ type: messageTypes.READ, requestId: 0, transactionId: 0, payload });
  outbox.flush();
  await turn();
  for (const { client, socket } of others) {
    let came = 0;
    for (const each of [client, socket]) each.on('data', (data: Buffer) => (came += data.length));
    client.resume();
    await turn();
    await turn();
    t.is(came, 0);
    client.destroy();
    socket.destroy();
  }
  first.client.destroy();
  server.close();
  rmSync(directory, { recursive: true });
});
