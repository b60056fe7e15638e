import test from 'ava';
import { bytes } from '../../base/units.ts';
import { CorePool, stateOf } from '../../test/golden/raft/core-pool.ts';
import { renderPayload } from '../../test/golden/raft/render.ts';
import type { Entry } from './entry.ts';
import { logIndex, memberId, term } from './ids.ts';
import type { Message, MessageBody } from './message.ts';
import type { Raft } from './raft.ts';

function message(from: number, to: number, at: number, body: MessageBody): Message {
  return { from: memberId(from), to: memberId(to), term: term(at), ...body };
}

function noop(index: number, at: number): Entry {
  return { index: logIndex(index), term: term(at), payload: { kind: 'noop' } };
}

/** An append of entries that say nothing, of these terms, after the entry (`after`, `before`). */
function append(at: number, after: number, before: number, ...terms: number[]): Message {
  return message(2, 1, at, {
    kind: 'append',
    previousIndex: logIndex(after),
    previousTerm: term(before),
    entries: terms.map((each, i) => noop(after + 1 + i, each)),
    commit: logIndex(0),
    round: 0,
  });
}

function terms({ log }: Raft): readonly number[] {
  return log.read(logIndex(1), Number.POSITIVE_INFINITY, 1000).map((entry) => entry.term);
}

function sentTo(pool: CorePool, to: number): readonly Message[] {
  return pool.messages.filter((each) => each.to === to);
}

function entryCounts(messages: readonly Message[]): readonly number[] {
  return messages.flatMap((each) => (each.kind === 'append' ? [each.entries.length] : []));
}

test('[R12] a pool’s first entry says who takes part, so that who joins need not be told', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  pool.propose(1, 'a');
  pool.settle();
  pool.change(1, { kind: 'add', member: memberId(4), peers: ['host4:1'], staysLearner: true });
  pool.settle();
  pool.join(4, []);
  pool.tick(1, 20);
  pool.settle();
  const { log } = pool.raft(4);
  t.deepEqual(log.configurationAt(logIndex(2)), pool.raft(1).log.configurationAt(logIndex(2)));
  t.deepEqual(log.configurationAt(logIndex(2)).voters, [1, 2, 3].map(memberId));
  pool.elect(2);
  const first = pool.raft(2).log.read(pool.raft(2).log.lastIndex, 1, 1);
  t.deepEqual(first[0]?.payload, { kind: 'noop' }, 'once is enough');
});

test('[R12] a term begins with an entry that says nothing and commits what came before', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  pool.propose(1, 'a');
  pool.drop(({ to }) => to === 3);
  pool.deliver();
  pool.persist(1);
  pool.persist(2);
  pool.drop();
  t.is(
    pool.raft(1).commit,
    logIndex(1),
    'the answer was lost, so nobody knows that a majority has it',
  );
  pool.elect(2);
  t.is(pool.raft(2).commit, logIndex(3));
  t.deepEqual(terms(pool.raft(3)), [1, 1, 2]);
});

test('[R13] entries are taken only after the entry that the leader names', (t) => {
  const pool = new CorePool(3);
  pool.receive(append(3, 0, 0, 1, 1));
  pool.persist(1);
  pool.drop();
  pool.receive(append(3, 5, 3, 3));
  t.like(pool.messages[0], { kind: 'append-rejected', rejected: 5, hintIndex: 2, hintTerm: 1 });
  pool.receive(append(4, 2, 3, 3));
  t.like(pool.messages[1], { kind: 'append-rejected', rejected: 2, hintIndex: 1, hintTerm: 1 });
  t.deepEqual(terms(pool.raft(1)), [1, 1]);
  pool.receive(append(5, 2, 1, 3));
  t.deepEqual(terms(pool.raft(1)), [1, 1, 3]);
});

test('[R14] only what differs gives way, and a late append takes nothing back', (t) => {
  const pool = new CorePool(3);
  pool.receive(append(2, 0, 0, 1, 1, 2, 2));
  pool.receive(append(2, 0, 0, 1, 1));
  t.deepEqual(terms(pool.raft(1)), [1, 1, 2, 2]);
  pool.receive(append(4, 1, 1, 1, 4));
  t.deepEqual(terms(pool.raft(1)), [1, 1, 4]);
});

test('[R15] the leader steps over a whole term with each rejection', (t) => {
  const pool = new CorePool(3);
  const logs = [
    [1, 1, 2, 2, 2, 4, 4, 4, 7, 7, 7],
    [1, 1, 3, 3, 3, 5, 5, 5],
    [1, 1, 3, 3, 3, 5, 5, 5],
  ];
  for (const [position, log] of logs.entries()) {
    const disk = pool.disk(position + 1);
    disk.hardState = stateOf(8, null);
    disk.entries = log.map((at, i) => noop(i + 1, at));
    pool.restart(memberId(position + 1));
  }
  pool.tick(2, 200);
  pool.settle(({ from, to }) => from !== 1 && to !== 1);
  t.like(pool.raft(2), { role: 'leader', term: term(9) });
  pool.drop();
  pool.tick(2, 20);
  let rejections = 0;
  for (let i = 0; i < 20; i += 1) {
    rejections += pool.messages.filter(({ kind }) => kind === 'append-rejected').length;
    pool.deliver();
    pool.persist(1);
  }
  t.deepEqual(terms(pool.raft(1)), [1, 1, 3, 3, 3, 5, 5, 5, 9]);
  t.is(rejections, 2, 'one for the entries of terms 4 and 7, one for those of term 2');
});

test('[R16] one append probes; then appends follow one another within bounds', (t) => {
  const pool = new CorePool(3, { inflightMessagesMax: 3 });
  pool.tick(1, 200);
  pool.deliver(({ kind }) => kind === 'pre-vote');
  pool.deliver(({ kind }) => kind === 'pre-vote-reply');
  pool.persist(1);
  pool.deliver(({ kind }) => kind === 'vote');
  pool.persist(2);
  pool.deliver(({ kind }) => kind === 'vote-reply');
  t.is(pool.raft(1).role, 'leader');
  for (const text of 'abcdef') pool.propose(1, text);
  t.deepEqual(entryCounts(sentTo(pool, 2)), [1], 'nobody knows yet what member 2 has');
  pool.deliver(({ to }) => to === 2);
  pool.persist(2);
  pool.deliver(({ to }) => to === 1);
  t.deepEqual(entryCounts(sentTo(pool, 2)), [6]);
  for (const text of 'ghijk') pool.propose(1, text);
  t.deepEqual(entryCounts(sentTo(pool, 2)), [6, 1, 1], 'three are under way');
});

test('[R16] the bytes under way are bounded', (t) => {
  const pool = new CorePool(3, { inflightBytesMax: bytes(300) });
  pool.elect(1);
  for (let i = 0; i < 4; i += 1) pool.propose(1, 'x'.repeat(100));
  t.deepEqual(entryCounts(sentTo(pool, 2)), [1, 1]);
});

test('[R17] an append is bounded in entries and in bytes, but carries at least one', (t) => {
  const pool = new CorePool(3, { appendEntriesMax: 2, appendBytesMax: bytes(500) });
  pool.elect(1);
  pool.propose(1, 'a', 'b', 'c', 'x'.repeat(900), 'd');
  t.deepEqual(entryCounts(sentTo(pool, 2)), [2, 1, 1, 1]);
});

test('[R18] what was lost on the way is found at the next heartbeat', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  pool.propose(1, 'a');
  pool.propose(1, 'b');
  pool.drop(({ to }) => to === 3);
  pool.settle();
  t.is(pool.raft(3).log.lastIndex, logIndex(1));
  pool.tick(1, 20);
  pool.settle();
  t.is(pool.raft(3).commit, logIndex(3));
});

test('[R18] an append that overtakes another is rejected, and nothing is lost', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  pool.propose(1, 'a');
  pool.propose(1, 'b');
  pool.messages.reverse();
  pool.settle();
  pool.tick(1, 20);
  pool.settle();
  t.deepEqual(terms(pool.raft(2)), [1, 1, 1]);
  t.is(pool.raft(2).commit, logIndex(3));
});

test('[R19] an entry of an earlier term is not committed by counting copies', (t) => {
  // Ongaro figure 3.7: member 1 leads again and copies its old entry to a majority.
  const pool = new CorePool(5, { appendEntriesMax: 1 });
  pool.elect(1);
  pool.propose(1, 'old');
  pool.drop();
  pool.persist(1);
  pool.restart(memberId(1));
  for (const id of [2, 3, 4, 5]) pool.raft(id).electionElapsed = 100;
  pool.tick(1, 200);
  pool.settle(({ kind }) => kind !== 'append' && kind !== 'append-reply');
  const { term: now } = pool.raft(1);
  t.is(pool.raft(1).role, 'leader');
  for (const id of [2, 3, 4])
    pool.receive(message(id, 1, now, { kind: 'append-reply', match: logIndex(2), round: 0 }));
  t.is(pool.raft(1).commit, logIndex(1), 'a majority has the old entry');
  const { lastIndex } = pool.raft(1).log;
  for (const id of [2, 3])
    pool.receive(message(id, 1, now, { kind: 'append-reply', match: lastIndex, round: 0 }));
  t.is(pool.raft(1).commit, lastIndex, 'and now one of its own term');
});

test('[R20] copies count when they are durable, and the leader does not wait to send', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  pool.propose(1, 'a');
  t.deepEqual(entryCounts(sentTo(pool, 2)), [1], 'its own write is still under way');
  pool.deliver();
  pool.persist(2);
  pool.deliver();
  t.is(pool.raft(1).commit, logIndex(1), 'two have it, one durably');
  pool.persist(1);
  t.is(pool.raft(1).commit, logIndex(2));
});

test('[R20] followers may commit what the leader has not written yet', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  pool.propose(1, 'a');
  pool.deliver();
  pool.persist(2);
  pool.persist(3);
  pool.deliver();
  t.is(pool.raft(1).commit, logIndex(2));
  t.is(pool.raft(1).log.durable, logIndex(1));
});

test('[R21] a follower commits no further than what it knows to agree', (t) => {
  const pool = new CorePool(3);
  pool.receive(append(1, 0, 0, 1, 1, 1));
  const entry = append(2, 1, 1);
  if (entry.kind !== 'append') throw new Error('it is an append');
  pool.receive({ ...entry, commit: logIndex(3) });
  t.is(pool.raft(1).commit, logIndex(1), 'entries 2 and 3 may not be the leader’s');
});

test('[R22] committed entries are handed out once and in order', (t) => {
  const handedOut: string[] = [];
  const pool = new CorePool(3, {}, (raft, { committed }) => {
    for (const entry of committed)
      if (raft.id === 2) handedOut.push(`${entry.index} ${renderPayload(entry)}`);
  });
  pool.elect(1);
  pool.propose(1, 'a', 'b');
  pool.settle();
  pool.propose(1, 'c');
  pool.settle();
  pool.tick(1, 20);
  pool.settle();
  t.deepEqual(handedOut, ['1 voters 1,2,3', '2 a', '3 b', '4 c']);
});

test('[R23] a follower confirms what is durable and known to be the leader’s', (t) => {
  const pool = new CorePool(3);
  pool.receive(append(1, 0, 0, 1, 1, 1));
  pool.persist(1);
  pool.drop();
  pool.receive(append(2, 1, 1));
  pool.persist(1);
  t.like(pool.messages.at(-1), { kind: 'append-reply', match: 1 });
  pool.receive(append(2, 1, 1, 1, 1, 2));
  t.is(pool.messages.length, 2, 'the new entry is not durable; the other two are');
  t.like(pool.messages.at(-1), { kind: 'append-reply', match: 3 });
  pool.persist(1);
  t.like(pool.messages.at(-1), { kind: 'append-reply', match: 4 });
});
