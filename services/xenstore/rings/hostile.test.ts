import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { messageTypes, type Packet, payloadMax } from '../core/wire.ts';
import { ClientRing } from './client.ts';
import {
  fields,
  pageLength,
  requestQueue,
  responseQueue,
  ringFeatures,
  ringLength,
} from './layout.ts';
import { MemoryPage, type RingPage } from './page.ts';
import { ServerRing } from './server.ts';

const features = ringFeatures.reconnection | ringFeatures.error;

/**
 * A page that watches over the server: that it stays within its own regions, and never copies a byte
 * of the stream of requests out twice. The guest writes to `memory`, unobserved.
 */
class ObservedPage implements RingPage {
  readonly memory = new MemoryPage(new ArrayBuffer(pageLength));
  readonly faults: string[] = [];
  /** Where in the stream the server has to read on; null where it may begin anywhere. */
  #next: number | null = null;
  #produced = 0;

  /** The guest has made the ring one that was never used, or a reset is due. */
  mayBeginAnew(): void {
    this.#next = null;
  }

  load(offset: number): number {
    if (offset % 4 !== 0 || offset < 2048 || offset > 2072) this.faults.push(`load ${offset}`);
    const value = this.memory.load(offset);
    if (offset === requestQueue.producer) this.#produced = value;
    return value;
  }

  store(offset: number, value: number): void {
    const own = [requestQueue.consumer, responseQueue.producer, ...Object.values(fields)];
    if (!own.some((each) => each === offset) && value !== 0) this.faults.push(`store ${offset}`);
    if (offset === requestQueue.consumer && this.#next !== null && value !== 0)
      if (value !== this.#next) this.faults.push(`consumed ${value}, read ${this.#next}`);
    this.memory.store(offset, value);
  }

  copyOut(offset: number, target: Uint8Array): void {
    if (offset < 0 || offset + target.length > ringLength) this.faults.push(`read ${offset}`);
    this.#next ??= this.memory.load(requestQueue.consumer);
    if (this.#next % ringLength !== offset) this.faults.push(`read ${offset} out of turn`);
    this.#next = (this.#next + target.length) >>> 0;
    if ((this.#produced - this.#next) >>> 0 > ringLength) this.faults.push('read too far');
    this.memory.copyOut(offset, target);
  }

  copyIn(offset: number, source: Uint8Array): void {
    const { data } = responseQueue;
    if (offset < data || offset + source.length > data + ringLength)
      this.faults.push(`write ${offset}`);
    this.memory.copyIn(offset, source);
  }
}

function packet(requestId: number, length: number): Packet {
  const payload = new Uint8Array(length).fill(requestId);
  return { type: messageTypes.WRITE, requestId, transactionId: 0, payload };
}

const indexOffset = fc.constantFrom(2048, 2052, 2056, 2060, 2064, 2068, 2072);
const word = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.integer({ min: 0, max: 2100 }),
  fc.constantFrom(0, 1, 1023, 1024, 1025, 0x7fffffff, 0x80000000, 0xffffffff),
);

const length = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: payloadMax }));

// Mostly a guest that works, so that there is something to spoil.
const act = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('scribble-word'),
      offset: indexOffset,
      value: word,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('shift-word'),
      offset: indexOffset,
      by: fc.integer({ min: -1100, max: 1100 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('scribble-bytes'),
      offset: fc.integer({ min: 0, max: 2000 }),
      bytes: fc.uint8Array({ maxLength: 48 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('zero') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reconnect') }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('request'), length }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('turn'), limit: fc.integer({ min: 0, max: 20 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('reply'), length }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('flush') }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('receive') }) },
);

const acts = fc.array(act, { maxLength: 60, size: 'max' });

test('whatever a guest writes to its page, the server stays in bounds and reads no byte twice', (t) => {
  const property = fc.property(acts, fc.integer({ min: 0, max: 0xffffffff }), (history, start) => {
    const page = new ObservedPage();
    for (const { consumer, producer } of [requestQueue, responseQueue]) {
      page.memory.store(consumer, start);
      page.memory.store(producer, start);
    }
    const server = new ServerRing(page, { features, notify: () => undefined });
    const guest = new ClientRing(page.memory, () => undefined);
    for (const each of history) {
      switch (each.kind) {
        case 'scribble-word':
          page.memory.store(each.offset, each.value);
          break;
        case 'shift-word':
          page.memory.store(each.offset, page.memory.load(each.offset) + each.by);
          break;
        case 'scribble-bytes':
          page.memory.copyIn(each.offset, each.bytes);
          break;
        case 'zero':
          page.memory.copyIn(0, new Uint8Array(pageLength));
          break;
        case 'reconnect':
          guest.reconnect();
          break;
        case 'request':
          guest.send(packet(1, each.length));
          guest.flush();
          break;
        case 'turn': {
          if (mayBeginAnew(page.memory)) page.mayBeginAnew();
          const turn = server.turn(each.limit);
          if (turn.kind === 'reset') page.mayBeginAnew();
          if (turn.kind === 'requests')
            for (const { payload } of turn.packets)
              if (payload.length > payloadMax) page.faults.push('a payload too long');
          break;
        }
        case 'reply':
          server.send(packet(2, each.length));
          break;
        case 'flush':
          if (mayBeginAnew(page.memory)) page.mayBeginAnew();
          server.flush();
          break;
        case 'receive':
          guest.receive();
          break;
      }
    }
    if (page.faults.length > 0) throw new Error(page.faults.join('; '));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1500 }));
});

/** The guest has zeroed the indexes, by which it gives up what it was sending. */
function mayBeginAnew(page: RingPage): boolean {
  return [requestQueue.consumer, responseQueue.consumer, responseQueue.producer].every(
    (offset) => page.load(offset) === 0,
  );
}

test('whatever the server does to the page, a guest does not throw', (t) => {
  const property = fc.property(acts, (history) => {
    const page = new MemoryPage(new ArrayBuffer(pageLength));
    const guest = new ClientRing(page, () => undefined);
    for (const each of history)
      if (each.kind === 'scribble-word') page.store(each.offset, each.value);
      else if (each.kind === 'shift-word')
        page.store(each.offset, page.load(each.offset) + each.by);
      else if (each.kind === 'scribble-bytes') page.copyIn(each.offset, each.bytes);
      else if (each.kind === 'request') guest.send(packet(1, each.length));
      else if (each.kind === 'flush') guest.flush();
      else if (each.kind === 'reconnect') guest.reconnect();
      else {
        const received = guest.receive();
        if (received.kind === 'packets')
          if (received.packets.some(({ payload }) => payload.length > payloadMax)) return false;
      }
    return true;
  });
  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
});

test('in any interleaving a guest that behaves gets all its replies, whole and in order', (t) => {
  const lengths = fc.array(fc.integer({ min: 0, max: payloadMax }), {
    minLength: 1,
    maxLength: 12,
  });
  const turns = fc.array(fc.constantFrom('send', 'turn', 'flush', 'receive'), { maxLength: 80 });
  const starts = fc.integer({ min: 0, max: 0xffffffff });
  const property = fc.property(lengths, turns, starts, (wanted, order, start) => {
    const page = new MemoryPage(new ArrayBuffer(pageLength));
    for (const { consumer, producer } of [requestQueue, responseQueue]) {
      page.store(consumer, start);
      page.store(producer, start);
    }
    const server = new ServerRing(page, { features, notify: () => undefined });
    const guest = new ClientRing(page, () => undefined);
    const requests = wanted.map((length, index) => packet(index + 1, length));
    const replies: Packet[] = [];
    let sent = 0;
    let taken = 0;
    const act = (kind: string) => {
      const next = requests[sent];
      if (kind === 'send' && next !== undefined) sent += guest.send(next) ? 1 : 0;
      if (kind === 'send') guest.flush();
      if (kind === 'turn') {
        const turn = server.turn(2);
        if (turn.kind === 'requests') for (const each of turn.packets) server.send(each);
      }
      if (kind === 'flush') taken += server.flush();
      if (kind === 'receive') {
        const received = guest.receive();
        if (received.kind === 'packets') replies.push(...received.packets);
      }
    };
    for (const kind of order) act(kind);
    // Enough for the longest packets to cross in pieces of the buffer, in both directions.
    for (let round = 0; replies.length < requests.length && round < 300; round += 1)
      for (const kind of ['send', 'turn', 'flush', 'receive']) act(kind);
    return isDeepStrictEqual(replies, requests) && taken === requests.length;
  });
  t.notThrows(() => fc.assert(property, { numRuns: 150 }));
});
