import test from 'ava';
import fc from 'fast-check';
import { wouldWait } from '../../../linux/errno.ts';
import { encodePacket, headerLength, messageTypes, type Packet } from '../core/wire.ts';
import { SocketOutbox } from './socket-outbox.ts';

/** An errno of a client that is gone, as `send` returns it. */
const brokenPipe = -32;

/** A line on which there is room for so many bytes, and what has come out of it. */
function line() {
  const came: Uint8Array[] = [];
  const state = { room: Number.POSITIVE_INFINITY, awaited: false, left: 0, broken: 0, error: 0 };
  const outbox = new SocketOutbox({
    send: (content, length) => {
      if (state.error < 0) return state.error;
      const taken = Math.min(length, state.room);
      if (taken === 0) return wouldWait;
      state.room -= taken;
      came.push(Uint8Array.from(content.subarray(0, taken)));
      return taken;
    },
    awaitRoom: (wanted) => {
      state.awaited = wanted;
    },
    left: (packets) => {
      state.left += packets;
    },
    broken: () => {
      state.broken += 1;
    },
  });
  return { outbox, state, came: () => Buffer.concat(came) };
}

function packetOf(length: number, requestId: number): Packet {
  const payload = new Uint8Array(length).fill(requestId);
  return { type: messageTypes.READ, requestId, transactionId: 0, payload };
}

test('what is gathered leaves in one piece when it is flushed', (t) => {
  const { outbox, state, came } = line();
  const packets = [packetOf(3, 1), packetOf(0, 2), packetOf(700, 3)];
  for (const packet of packets) outbox.add(packet);
  t.is(state.left, 0);
  outbox.flush();
  t.deepEqual(came(), Buffer.concat(packets.map(encodePacket)));
  t.deepEqual(
    { left: state.left, unread: outbox.unread, length: outbox.length },
    {
      ...{ left: 3, unread: 0 },
      length: 0,
    },
  );
});

test('whatever room there is, everything leaves once, in order, and is told of when it has', (t) => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), length: fc.nat(300) }),
    fc.record({ kind: fc.constant('flush' as const) }),
    fc.record({ kind: fc.constant('room' as const), bytes: fc.nat(400) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, handsOver) => {
      const { outbox, state, came } = line();
      state.room = 0;
      const added: Packet[] = [];
      for (const each of steps) {
        if (each.kind === 'flush') outbox.flush();
        else if (each.kind === 'add') {
          added.push(packetOf(each.length, added.length + 1));
          outbox.add(added.at(-1) ?? packetOf(0, 0));
        } else {
          state.room = each.bytes;
          if (state.awaited) outbox.roomCame();
        }
        t.is(state.awaited, outbox.unread > 0);
      }
      const all = Buffer.concat(added.map(encodePacket));
      const ends = added.map((_, index) =>
        added
          .slice(0, index + 1)
          .reduce((sum, { payload }) => sum + headerLength + payload.length, 0),
      );
      const wholeAt = (length: number) => ends.filter((end) => end <= length).length;
      if (handsOver) {
        const { bytes, rest } = outbox.unsent();
        const sent = came().length;
        t.deepEqual(Buffer.concat([came(), bytes]), all);
        t.is(state.left, wholeAt(sent));
        const begun = ends[wholeAt(sent)] ?? sent;
        const began = ends[wholeAt(sent) - 1] ?? 0;
        t.is(rest, began === sent ? 0 : begun - sent);
        // Another process goes on with it.
        const next = line();
        next.outbox.resume({ bytes, rest });
        t.deepEqual(Buffer.concat([came(), next.came()]), all);
        t.is(state.left + next.state.left, added.length);
        return;
      }
      state.room = Number.POSITIVE_INFINITY;
      outbox.flush();
      outbox.roomCame();
      t.deepEqual(came(), all);
      t.is(state.left, added.length);
      t.is(outbox.unread, 0);
    }),
  );
  t.pass();
});

test('a client that is gone is told of once, and nothing more is sent to it', (t) => {
  const { outbox, state, came } = line();
  state.room = 10;
  outbox.add(packetOf(20, 1));
  outbox.flush();
  t.is(came().length, 10);
  state.error = brokenPipe;
  outbox.roomCame();
  t.is(state.broken, 1);
  outbox.add(packetOf(20, 2));
  outbox.flush();
  outbox.roomCame();
  t.deepEqual(
    { broken: state.broken, came: came().length, left: state.left },
    {
      ...{ broken: 1, came: 10 },
      left: 0,
    },
  );
});
