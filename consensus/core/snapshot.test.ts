import test from 'ava';
import { bytes } from '../../base/units.ts';
import { CorePool } from '../../test/golden/raft/core-pool.ts';
import { logIndex } from './ids.ts';
import type { Message } from './message.ts';

const pieces = (messages: readonly Message[]): readonly (readonly [number, number])[] =>
  messages.flatMap((each) =>
    each.kind === 'snapshot-chunk' ? [[each.snapshot.index, each.offset] as const] : [],
  );

/** A pool whose leader 1 has compacted its log up to 5 while member 3 heard nothing. */
function behind(): CorePool {
  const pool = new CorePool(3, { trailingEntries: 0 });
  pool.elect(1);
  pool.propose(1, ...'abcd');
  pool.drop(({ to }) => to === 3);
  pool.settle();
  pool.snapshot(1);
  return pool;
}

test('[R35] the log is compacted behind a snapshot, but for the trailing entries', (t) => {
  const pool = new CorePool(1, { trailingEntries: 2 });
  pool.elect(1);
  pool.propose(1, ...'abcd');
  pool.settle();
  const { compacted } = pool.snapshot(1);
  t.is(compacted, logIndex(3));
  t.is(pool.raft(1).log.base.index, logIndex(3));
  t.is(pool.raft(1).log.lastIndex, logIndex(5));
  t.is(pool.snapshot(1).compacted, null, 'a snapshot of the same place changes nothing');
});

test('[R35] the trailing entries are bounded in bytes, too', (t) => {
  const pool = new CorePool(1, { trailingEntries: 10, trailingBytes: bytes(350) });
  pool.elect(1);
  pool.propose(1, ...'abc', 'x'.repeat(200), 'd');
  pool.settle();
  t.is(pool.snapshot(1).compacted, logIndex(4));
});

test('[R35] what is still being written stays, although a snapshot stands for it', (t) => {
  const pool = new CorePool(3, { trailingEntries: 0 });
  pool.elect(1);
  pool.propose(1, ...'ab');
  // The others' copies commit it before the leader's own is durable.
  for (let round = 0; round < 4; round += 1) {
    pool.deliver();
    for (const id of [2, 3]) pool.persist(id);
  }
  t.like(pool.raft(1), { commit: logIndex(3), delivered: logIndex(3) });
  t.is(pool.raft(1).log.durable, logIndex(1));
  t.is(pool.snapshot(1).compacted, logIndex(1));
  pool.persist(1);
  pool.propose(1, 'c');
  pool.settle();
  t.is(pool.snapshot(1).compacted, logIndex(4));
});

test('[R36] a follower that needs compacted entries gets the snapshot, piece after piece', (t) => {
  const pool = behind();
  pool.tick(1, 20);
  const seen: (readonly [number, number])[] = [];
  for (let i = 0; i < 20; i += 1) {
    const now = pieces(pool.messages);
    t.true(now.length <= 1, 'one piece at a time');
    seen.push(...now);
    pool.deliver();
  }
  t.deepEqual(seen, [
    [5, 0],
    [5, 10],
  ]);
  t.is(pool.raft(3).log.base.index, logIndex(5));
});

test('[R36] a follower that has part of it says where to go on', (t) => {
  const pool = behind();
  pool.tick(1, 20);
  while (pieces(pool.messages).length === 0) pool.deliver();
  const [first] = pool.messages;
  pool.deliver();
  pool.drop();
  if (first !== undefined) pool.receive(first);
  t.like(pool.messages[0], { kind: 'snapshot-reply', received: 10, installed: false });
});

test('[R37] a piece without an answer is sent again, and a snapshot that is gone is replaced', (t) => {
  const pool = behind();
  pool.tick(1, 20);
  while (pieces(pool.messages).length === 0) pool.deliver();
  pool.drop();
  pool.tick(1, 150);
  t.deepEqual(pieces(pool.messages), []);
  pool.tick(1, 50);
  t.deepEqual(pieces(pool.messages), [[5, 0]]);
  pool.propose(1, 'e');
  pool.settle(({ to, from }) => to === 2 || from === 2);
  pool.snapshot(1);
  pool.drop();
  pool.step(1, { kind: 'chunk-missing', to: pool.raft(3).id, index: logIndex(5) });
  t.deepEqual(pieces(pool.messages), [[6, 0]]);
});

test('[R38] the snapshot replaces log and state, and the follower goes on from there', (t) => {
  const events: string[] = [];
  const pool = behind();
  const observe = new CorePool(3, { trailingEntries: 0 }, (raft, { restore, committed }) => {
    if (raft.id !== 3) return;
    if (restore !== null) events.push(`restore ${restore.index}`);
    for (const { index } of committed) events.push(`apply ${index}`);
  });
  observe.elect(1);
  observe.propose(1, ...'abcd');
  observe.drop(({ to }) => to === 3);
  observe.settle();
  observe.snapshot(1);
  observe.tick(1, 20);
  observe.settle();
  observe.propose(1, 'e');
  observe.settle();
  t.deepEqual(events, ['apply 1', 'restore 5', 'apply 6']);
  t.is(observe.raft(1).leadership?.progress.get(observe.raft(3).id)?.match, logIndex(6));
  t.is(pool.raft(3).commit, logIndex(1));
});

test('[R39] a snapshot that brings nothing new is answered and not stored', (t) => {
  const pool = behind();
  const { snapshot } = pool.raft(1);
  const data = Buffer.from('x');
  const chunk = { kind: 'snapshot-chunk', snapshot, offset: 0, data, last: false } as const;
  const { id: from, term } = pool.raft(1);
  pool.drop();
  const { storeChunk } = pool.receive({ from, to: pool.raft(2).id, term, ...chunk });
  t.is(storeChunk, null);
  t.like(pool.messages[0], { kind: 'snapshot-reply', index: 5, installed: true });
});
