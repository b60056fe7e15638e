import test from 'ava';
import { messageTypes, type Packet } from '../core/wire.ts';
import { ClientRing } from './client.ts';
import { fields, pageLength, requestQueue, responseQueue, ringFeatures } from './layout.ts';
import { MemoryPage, type RingPage } from './page.ts';
import { requestsPerTurn, ServerRing, unsentMax, unsentPause } from './server.ts';

const bothFeatures = ringFeatures.reconnection | ringFeatures.error;

function ring(features = bothFeatures, start = 0) {
  const page = new MemoryPage(new ArrayBuffer(pageLength));
  for (const { consumer, producer } of [requestQueue, responseQueue]) {
    page.store(consumer, start);
    page.store(producer, start);
  }
  const notices = { server: 0, client: 0 };
  const server = new ServerRing(page, {
    features,
    notify: () => {
      notices.client += 1;
    },
  });
  const client = new ClientRing(page, () => {
    notices.server += 1;
  });
  return { page, server, client, notices };
}

function packet(requestId: number, length: number): Packet {
  const payload = new Uint8Array(length).fill(requestId);
  return { type: messageTypes.WRITE, requestId, transactionId: 0, payload };
}

function idsOf(turn: ReturnType<ServerRing['turn']>): readonly number[] | string {
  return turn.kind === 'requests' ? turn.packets.map(({ requestId }) => requestId) : turn.kind;
}

test('a request and its reply cross the page, and each side is told once', (t) => {
  const { server, client, notices } = ring();
  t.true(client.send(packet(1, 10)));
  client.flush();
  t.deepEqual(notices, { server: 1, client: 0 });
  t.deepEqual(idsOf(server.turn()), [1]);
  server.send(packet(1, 3));
  t.is(server.flush(), 1);
  t.deepEqual(notices, { server: 1, client: 1 });
  t.deepEqual(client.receive(), { kind: 'packets', packets: [packet(1, 3)] });
});

/** A page of which something is done right after its bytes are copied, or one of its words is loaded. */
function interrupted(memory: MemoryPage, at: 'copyOut' | number, then: () => void): RingPage {
  return {
    load: (offset) => {
      const value = memory.load(offset);
      if (offset === at) then();
      return value;
    },
    store: (offset, value) => memory.store(offset, value),
    copyOut: (offset, target) => {
      memory.copyOut(offset, target);
      if (at === 'copyOut') then();
    },
    copyIn: (offset, source) => memory.copyIn(offset, source),
  };
}

test('what a guest writes before it sees that its bytes were taken is taken without a signal', (t) => {
  const memory = new MemoryPage(new ArrayBuffer(pageLength));
  const client = new ClientRing(memory, () => undefined);
  let interruptions = 0;
  const page = interrupted(memory, 'copyOut', () => {
    interruptions += 1;
    if (interruptions !== 1) return;
    client.send(packet(2, 3));
    client.flush();
  });
  const server = new ServerRing(page, { features: 0, notify: () => undefined });
  client.send(packet(1, 0));
  client.flush();
  t.deepEqual(server.turn(), { kind: 'requests', packets: [packet(1, 0)], more: true });
  t.deepEqual(server.turn(), { kind: 'requests', packets: [packet(2, 3)], more: false });
});

test('room that a guest makes while its page is filled is used without a signal', (t) => {
  const memory = new MemoryPage(new ArrayBuffer(pageLength));
  const client = new ClientRing(memory, () => undefined);
  let looks = 0;
  const page = interrupted(memory, responseQueue.consumer, () => {
    looks -= 1;
    // After the look that finds out how much room there is.
    if (looks === 0) client.receive();
  });
  const server = new ServerRing(page, { features: 0, notify: () => undefined });
  server.send(packet(1, 900));
  server.flush();
  looks = 2;
  server.send(packet(2, 500));
  server.flush();
  t.false(server.congested);
});

test('indexes may begin anywhere, and pass 2^32', (t) => {
  const { page, server, client } = ring(bothFeatures, 0xfffffff0);
  client.send(packet(1, 100));
  client.flush();
  t.deepEqual(server.turn(), { kind: 'requests', packets: [packet(1, 100)], more: false });
  t.is(page.load(requestQueue.consumer), 100);
});

test('a payload of 4096 bytes crosses in pieces, in both directions', (t) => {
  const { server, client } = ring();
  client.send(packet(1, 4096));
  const arrived: Packet[] = [];
  for (let round = 0; round < 10; round += 1) {
    client.flush();
    const turn = server.turn();
    if (turn.kind === 'requests') for (const each of turn.packets) server.send(each);
    server.flush();
    const received = client.receive();
    if (received.kind === 'packets') arrived.push(...received.packets);
  }
  t.deepEqual(arrived, [packet(1, 4096)]);
});

test('a full ring is valid (XSA-38)', (t) => {
  const { page, server, client } = ring();
  client.send(packet(1, 1024 - 16));
  client.flush();
  t.is(page.load(requestQueue.producer), 1024);
  t.deepEqual(idsOf(server.turn()), [1]);
});

test('a ring that is more than full ends its own connection and is shown why (XSA-38)', (t) => {
  for (const [offset, value] of [
    [requestQueue.producer, 1025],
    [requestQueue.producer, 0xffffffff],
    [responseQueue.consumer, 1],
    [requestQueue.consumer, 1],
    [responseQueue.producer, 1],
  ] as const) {
    const { page, server, client } = ring();
    const other = ring();
    page.store(offset, value);
    t.deepEqual(server.turn(), { kind: 'broken', fault: 'indexes' });
    t.deepEqual(server.turn(), { kind: 'silent' });
    t.is(page.load(fields.error), 2);
    t.deepEqual(client.receive(), { kind: 'broken', error: 2 });
    other.client.send(packet(1, 0));
    other.client.flush();
    t.deepEqual(idsOf(other.server.turn()), [1]);
  }
});

test("a guest that moves the server's own index back has no request served twice", (t) => {
  const { page, server, client } = ring();
  client.send(packet(1, 10));
  client.flush();
  t.deepEqual(idsOf(server.turn()), [1]);
  page.store(requestQueue.consumer, 0);
  page.store(responseQueue.consumer, 0xffffffff);
  t.deepEqual(server.turn(), { kind: 'broken', fault: 'indexes' });
});

test('a payload over 4096 bytes is a violation; what came before it is served', (t) => {
  const { page, server } = ring();
  page.store(requestQueue.producer, 32);
  const long = new Uint8Array(32);
  long[0] = messageTypes.READ;
  new DataView(long.buffer).setUint32(28, 4097, true);
  page.copyIn(requestQueue.data, long);
  const turn = server.turn();
  t.is(turn.kind === 'requests' && turn.packets.length, 1);
  t.true(turn.kind === 'requests' && turn.more);
  t.deepEqual(server.turn(), { kind: 'broken', fault: 'protocol' });
  t.is(page.load(fields.error), 3);
});

test('a guest that asks to reconnect gets two empty buffers, even after a fault', (t) => {
  const { page, server, client, notices } = ring();
  client.send(packet(1, 2000));
  client.flush();
  server.turn();
  server.fail('communication');
  t.deepEqual(client.receive(), { kind: 'broken', error: 1 });
  t.deepEqual(server.turn(), { kind: 'broken', fault: 'communication' });
  t.true(client.reconnect());
  t.false(client.send(packet(2, 0)));
  t.deepEqual(client.receive(), { kind: 'reconnecting' });
  const before = notices.client;
  t.deepEqual(server.turn(), { kind: 'reset' });
  t.is(notices.client, before + 1);
  t.is(page.load(fields.error), 0);
  t.deepEqual(client.receive(), { kind: 'reconnected' });
  client.send(packet(3, 5));
  client.flush();
  t.deepEqual(server.turn(), { kind: 'requests', packets: [packet(3, 5)], more: false });
});

test('a guest that finds a reconnection in progress waits for its end', (t) => {
  const { page, server } = ring();
  page.store(fields.connection, 1);
  const client = new ClientRing(page, () => undefined);
  t.deepEqual(client.receive(), { kind: 'reconnecting' });
  server.turn();
  t.deepEqual(client.receive(), { kind: 'reconnected' });
});

test('nothing is written to fields that are not offered', (t) => {
  const { page, server, client } = ring(0);
  page.store(fields.connection, 1);
  page.store(requestQueue.producer, 5000);
  t.false(client.reconnect());
  t.deepEqual(server.turn(), { kind: 'broken', fault: 'indexes' });
  t.is(page.load(fields.error), 0);
  t.is(page.load(fields.connection), 1);
});

test('a page that was zeroed between two packets is a ring as if never used', (t) => {
  const { page, server, client } = ring();
  client.send(packet(1, 10));
  client.flush();
  server.turn();
  server.send(packet(1, 10));
  server.flush();
  client.receive();
  page.copyIn(0, new Uint8Array(pageLength));
  const kernel = new ClientRing(page, () => undefined);
  kernel.send(packet(2, 10));
  kernel.flush();
  t.deepEqual(idsOf(server.turn()), [2]);
  t.is(page.load(fields.features), bothFeatures);
  server.send(packet(2, 0));
  t.is(server.flush(), 1);
  t.deepEqual(kernel.receive(), { kind: 'packets', packets: [packet(2, 0)] });
});

test('a page that is zeroed in the middle of a packet is broken', (t) => {
  const { page, server, client } = ring();
  client.send(packet(1, 2000));
  client.flush();
  server.turn();
  page.copyIn(0, new Uint8Array(pageLength));
  t.deepEqual(server.turn(), { kind: 'broken', fault: 'indexes' });
});

test('a turn takes no more requests than its share, and says that there are more', (t) => {
  const { server, client } = ring();
  for (let id = 1; id <= 40; id += 1) client.send(packet(id, 0));
  client.flush();
  const first = server.turn();
  t.is(idsOf(first).length, requestsPerTurn);
  t.true(first.kind === 'requests' && first.more);
  t.deepEqual(idsOf(server.turn(100)).length, 40 - requestsPerTurn);
});

test('a guest that takes no replies is not asked for more, and in the end not served', (t) => {
  const { page, server, client } = ring();
  client.send(packet(1, 0));
  client.send(packet(2, 0));
  client.flush();
  t.deepEqual(idsOf(server.turn(1)), [1]);
  while (server.flush() >= 0) {
    server.send(packet(9, 4096));
    const turn = server.turn(0);
    if (turn.kind === 'requests' && !turn.more) break;
  }
  t.deepEqual(idsOf(server.turn()), []);
  for (let length = 0; length <= unsentMax - unsentPause; length += 4096)
    server.send(packet(9, 4096));
  t.is(server.fault, null);
  t.is(server.flush(), 0);
  t.is(server.fault, 'communication');
  t.false(server.congested);
  t.is(page.load(fields.error), 1);
});

test('a server that starts anew goes on where the page is', (t) => {
  const { page, server, client } = ring();
  for (const id of [1, 2, 3]) client.send(packet(id, 10));
  client.flush();
  server.turn(1);
  server.flush();
  const restarted = new ServerRing(page, { features: bothFeatures, notify: () => undefined });
  t.deepEqual(idsOf(restarted.turn()), [2, 3]);
});

test('a process that takes over goes on in the middle of a request and of a reply', (t) => {
  const { page, server, client } = ring();
  client.send(packet(1, 4096));
  client.send(packet(2, 10));
  client.flush();
  t.deepEqual(idsOf(server.turn()), []);
  server.send(packet(8, 3000));
  server.send(packet(9, 20));
  t.is(server.flush(), 0);
  const state = server.state();
  t.is(state.received.length, 1024);
  t.is(state.unsent.rest, 16 + 3000 - 1024);
  const heir = new ServerRing(page, { features: bothFeatures, notify: () => undefined, state });
  const requests: Packet[] = [];
  const replies: Packet[] = [];
  let taken = 0;
  for (let round = 0; round < 10; round += 1) {
    const received = client.receive();
    if (received.kind === 'packets') replies.push(...received.packets);
    client.flush();
    taken += heir.flush();
    const turn = heir.turn();
    if (turn.kind === 'requests') requests.push(...turn.packets);
  }
  t.deepEqual(requests, [packet(1, 4096), packet(2, 10)]);
  t.deepEqual(replies, [packet(8, 3000), packet(9, 20)]);
  t.is(taken, 2);
  t.deepEqual(heir.state(), {
    received: new Uint8Array(0),
    unsent: { bytes: Buffer.alloc(0), rest: 0 },
    consumed: page.load(requestQueue.consumer),
    consumedBefore: page.load(requestQueue.consumer),
    produced: page.load(responseQueue.producer),
    ended: 0,
    fault: null,
    resetting: null,
  });
});
