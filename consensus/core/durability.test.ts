import test from 'ava';
import { commandEntry, firstConfiguration, hardState } from '../../test/contract/log-store.ts';
import { CorePool } from '../../test/golden/raft/core-pool.ts';
import { logIndex, memberId, term } from './ids.ts';
import type { Message } from './message.ts';
import { recover } from './recovery.ts';

function append(at: number, after: number, before: number, index: number, of: number): Message {
  return {
    from: memberId(2),
    to: memberId(1),
    term: term(at),
    kind: 'append',
    previousIndex: logIndex(after),
    previousTerm: term(before),
    entries: [commandEntry(index, of)],
    commit: logIndex(0),
    round: 0,
  };
}

test('[R24] a vote, and a request for votes, wait until term and vote are durable', (t) => {
  const pool = new CorePool(3);
  pool.tick(1, 200);
  pool.deliver();
  pool.deliver();
  t.deepEqual(pool.messages, []);
  pool.persist(1);
  t.deepEqual(
    pool.messages.map(({ kind }) => kind),
    ['vote', 'vote'],
  );
  pool.deliver();
  t.deepEqual(pool.messages, []);
  pool.persist(2);
  t.deepEqual(
    pool.messages.map(({ kind, from }) => `${from} ${kind}`),
    ['2 vote-reply'],
  );
});

test('[R24] a confirmation in a new term waits for it, a sign of life does not', (t) => {
  const pool = new CorePool(3);
  const known = { commit: logIndex(0), match: logIndex(0) };
  const from2 = { from: memberId(2), to: memberId(1), term: term(3) };
  pool.receive({ ...from2, kind: 'heartbeat', ...known, round: 0 });
  pool.receive(append(3, 0, 0, 1, 3));
  t.deepEqual(
    pool.messages.map(({ kind }) => kind),
    ['heartbeat-reply'],
  );
  pool.persist(1, 1);
  t.is(pool.messages.length, 1, 'the term is durable, the entry is not');
  pool.persist(1, 1);
  t.like(pool.messages.at(-1), { kind: 'append-reply', match: 1 });
});

test('[R25] an entry that gave way and came back counts only when its last write is done', (t) => {
  const pool = new CorePool(3);
  pool.receive(append(2, 0, 0, 1, 1));
  pool.receive(append(3, 0, 0, 1, 3));
  pool.receive(append(4, 0, 0, 1, 1));
  pool.persist(1, 1);
  t.is(pool.raft(1).log.durable, logIndex(0), 'the write of the first time');
  pool.persist(1, 1);
  t.is(pool.raft(1).log.durable, logIndex(0), 'the write of the other entry');
  pool.persist(1, 1);
  t.is(pool.raft(1).log.durable, logIndex(1));
});

test('[R26] after a restart a member has what was durable, and hands out the committed again', (t) => {
  const handedOut: number[] = [];
  const pool = new CorePool(3, {}, (raft, { committed }) => {
    if (raft.id === 2) handedOut.push(...committed.map(({ index }) => index));
  });
  pool.elect(1);
  pool.propose(1, 'a');
  pool.settle();
  pool.propose(1, 'b');
  pool.deliver();
  handedOut.length = 0;
  pool.restart(memberId(2));
  t.like(pool.raft(2), { role: 'follower', leader: null, term: term(1), vote: memberId(1) });
  t.is(pool.raft(2).log.lastIndex, logIndex(2), 'entry 3 was not durable');
  pool.tick(1, 20);
  pool.settle();
  t.deepEqual(handedOut, [1, 2, 3]);
});

test('[R27] a snapshot beyond the log, or against it, is the log', (t) => {
  const entries = [1, 2, 3].map((index) => commandEntry(index, 1));
  const start = { index: logIndex(0), term: term(0) };
  const at = (index: number, of: number) => ({
    index: logIndex(index),
    term: term(of),
    configuration: firstConfiguration,
  });
  const beyond = recover(hardState(4, 2, 3), at(9, 4), start, entries);
  t.deepEqual(beyond.base, { index: logIndex(9), term: term(4) });
  t.deepEqual(beyond.entries, []);
  t.deepEqual(beyond.hardState, hardState(4, 2, 3));

  const against = recover(hardState(2, 2, 1), at(2, 2), start, entries);
  t.deepEqual(against.base, { index: logIndex(2), term: term(2) });
  t.deepEqual(against.entries, []);

  const within = recover(hardState(2, 2, 1), at(2, 1), start, entries);
  t.deepEqual(within.entries, entries);

  const ahead = recover(hardState(2, 2, 1), at(9, 4), start, entries);
  t.deepEqual(ahead.hardState, hardState(4, 0, 1), 'the snapshot knew of a later term');
});
