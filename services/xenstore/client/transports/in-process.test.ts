import test from 'ava';
import { bytesOf } from '../../core/payload.ts';
import type { Packet } from '../../core/wire.ts';
import { XenstoreClient } from '../client.ts';
import { inProcess, type LocalPeer } from './in-process.ts';

function serving() {
  const requests: Packet[] = [];
  const peers: LocalPeer[] = [];
  let taken = 0;
  let disconnected = 0;
  const transport = inProcess((peer) => {
    peers.push(peer);
    return {
      request: (packet) => {
        requests.push(packet);
        peer.send({ ...packet, payload: bytesOf('OK\0') });
      },
      taken: (packets) => {
        taken += packets;
      },
      disconnect: () => {
        disconnected += 1;
      },
    };
  });
  return { transport, requests, peers, counts: () => ({ taken, disconnected }) };
}

async function opened(server: ReturnType<typeof serving>): Promise<XenstoreClient> {
  const client = await XenstoreClient.open(server.transport);
  if (!client.ok) throw new Error(client.error.message);
  return client.value;
}

test('what is sent while the server holds the client is given when it lets go, in order', async (t) => {
  const server = serving();
  const client = await opened(server);
  server.peers[0]?.hold(true);
  const made = Promise.all([client.mkdir('/a'), client.mkdir('/b')]);
  t.is(server.requests.length, 0);
  server.peers[0]?.hold(false);
  t.true((await made).every(({ ok }) => ok));
  t.deepEqual(
    server.requests.map(({ payload }) => Buffer.from(payload).toString()),
    ['/a\0', '/b\0'],
  );
  t.deepEqual(server.counts(), { taken: 2, disconnected: 0 });
  client.close();
  t.deepEqual(server.counts(), { taken: 2, disconnected: 1 });
});

test('a server that closes the connection fails what comes', async (t) => {
  const server = serving();
  const client = await opened(server);
  server.peers[0]?.close();
  const made = await client.mkdir('/a');
  t.is(made.ok ? '' : made.error.code, 'DISCONNECTED');
  t.is(server.requests.length, 0);
});
