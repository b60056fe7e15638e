import test from 'ava';
import { CorePool, stateOf } from '../../test/golden/raft/core-pool.ts';
import { logIndex, memberId, term } from './ids.ts';
import type { Message, MessageBody } from './message.ts';
import type { Outputs } from './output.ts';

function message(from: number, to: number, at: number, body: MessageBody): Message {
  return { from: memberId(from), to: memberId(to), term: term(at), ...body };
}

function vote(from: number, to: number, at: number, index = 0, lastTerm = 0): Message {
  const last = { lastIndex: logIndex(index), lastTerm: term(lastTerm) };
  return message(from, to, at, { kind: 'vote', ...last, force: false });
}

const kinds = ({ messages }: Outputs): readonly string[] => messages.map(({ kind }) => kind);

/** The answers to requests for votes that were sent since, as "voter: answer". */
function votes(pool: CorePool): readonly string[] {
  return pool.messages.flatMap((each) =>
    each.kind === 'vote-reply' ? [`${each.from}: ${each.granted ? 'yes' : 'no'}`] : [],
  );
}

test('[R1] a message of a later term makes the receiver a follower with an open vote', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  pool.receive(message(2, 1, 9, { kind: 'heartbeat-reply', round: 0 }));
  t.like(pool.raft(1), { role: 'follower', term: term(9), vote: null, leader: null });
});

test('[R1] a question before an election changes neither term nor role', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  const last = { lastIndex: logIndex(9), lastTerm: term(9) };
  pool.receive(message(2, 1, 9, { kind: 'pre-vote', ...last }));
  t.like(pool.raft(1), { role: 'leader', term: term(1) });
});

test('[R2] a leader of an earlier term is answered with the later one and steps down', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  pool.receive(
    message(3, 2, 5, { kind: 'heartbeat', commit: logIndex(0), match: logIndex(0), round: 0 }),
  );
  pool.persist(2);
  pool.drop();
  pool.tick(1, 20);
  pool.deliver(({ to }) => to === 2);
  t.like(pool.raft(2), { term: term(5), leader: memberId(3) });
  pool.deliver(({ from }) => from === 2);
  t.like(pool.raft(1), { role: 'follower', term: term(5) });
});

test('[R2] an answer of an earlier term changes nothing', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  pool.elect(2);
  const before = pool.raft(2).commit;
  pool.propose(2, 'a');
  pool.receive(message(1, 2, 1, { kind: 'append-reply', match: logIndex(99), round: 0 }));
  t.is(pool.raft(2).commit, before);
});

test('[R3] a member votes once in a term, also when it is asked again', (t) => {
  const pool = new CorePool(3);
  pool.receive(vote(2, 1, 1));
  pool.receive(vote(3, 1, 1));
  pool.receive(vote(2, 1, 1));
  pool.persist(1);
  t.deepEqual(votes(pool), ['1: yes', '1: no', '1: yes']);
  t.is(pool.raft(1).vote, memberId(2));
});

test('[R4] nobody votes for a log that lacks something', (t) => {
  const answer = (index: number, lastTerm: number): readonly string[] => {
    const pool = new CorePool(3);
    pool.elect(1);
    pool.propose(1, 'a', 'b');
    pool.settle();
    pool.raft(2).electionElapsed = 100;
    pool.receive(vote(3, 2, 5, index, lastTerm));
    pool.persist(2);
    return votes(pool);
  };
  t.deepEqual(answer(3, 1), ['2: yes'], 'the same log');
  t.deepEqual(answer(2, 1), ['2: no'], 'a shorter log');
  t.deepEqual(answer(99, 0), ['2: no'], 'a longer log of an earlier term');
  t.deepEqual(answer(1, 2), ['2: yes'], 'a shorter log of a later term');
});

test('[R5] a candidate leads with a majority, its own vote counted when it is durable', (t) => {
  const pool = new CorePool(5);
  pool.tick(1, 200);
  pool.deliver();
  pool.deliver();
  t.is(pool.raft(1).role, 'candidate');
  pool.receive(message(2, 1, 1, { kind: 'vote-reply', granted: true }));
  pool.receive(message(3, 1, 1, { kind: 'vote-reply', granted: true }));
  t.is(pool.raft(1).role, 'candidate', 'two voters, and its own vote is not durable');
  pool.persist(1, 1);
  t.is(pool.raft(1).role, 'leader');
});

test('[R5] votes of a minority, or from one voter twice, make no leader', (t) => {
  const pool = new CorePool(5);
  pool.tick(1, 200);
  pool.deliver();
  pool.deliver();
  pool.persist(1);
  pool.receive(message(2, 1, 1, { kind: 'vote-reply', granted: true }));
  pool.receive(message(2, 1, 1, { kind: 'vote-reply', granted: true }));
  pool.receive(message(3, 1, 1, { kind: 'vote-reply', granted: false }));
  t.is(pool.raft(1).role, 'candidate');
});

test('[R6] the time-out is drawn between least and longest, anew for each wait', (t) => {
  const pool = new CorePool(3);
  t.deepEqual(kinds(pool.tick(1, 149, 0.5)), []);
  t.deepEqual(kinds(pool.tick(1, 1, 0.9)), ['pre-vote', 'pre-vote'], 'drawn by the first tick');
  t.deepEqual(kinds(pool.tick(1, 189, 0.9)), []);
  t.deepEqual(kinds(pool.tick(1, 1, 0)), ['pre-vote', 'pre-vote'], 'and drawn again');
});

test('[R7] without a majority of yeses the term does not rise', (t) => {
  const pool = new CorePool(5);
  for (let i = 0; i < 10; i += 1) pool.tick(1, 200);
  t.like(pool.raft(1), { role: 'pre-candidate', term: term(0) });
  const answer = { kind: 'pre-vote-reply', asked: term(1), granted: true } as const;
  pool.receive(message(2, 1, 0, answer));
  t.is(pool.raft(1).term, term(0));
  pool.receive(message(3, 1, 0, answer));
  t.like(pool.raft(1), { role: 'candidate', term: term(1) });
});

test('[R7] an answer about another term does not count', (t) => {
  const pool = new CorePool(3);
  pool.tick(1, 200);
  pool.receive(message(2, 1, 0, { kind: 'pre-vote-reply', asked: term(2), granted: true }));
  t.like(pool.raft(1), { role: 'pre-candidate', term: term(0) });
});

test('[R8] who hears its leader says no, and does not look at requests for votes', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  const last = { lastIndex: logIndex(9), lastTerm: term(1) };
  for (const id of [1, 2]) {
    pool.receive(message(3, id, 1, { kind: 'pre-vote', ...last }));
    pool.receive(vote(3, id, 9, 9, 9));
    t.is(pool.raft(id).term, term(1));
  }
  t.deepEqual(
    pool.messages.map((each) => each.kind === 'pre-vote-reply' && each.granted),
    [false, false],
  );
  pool.tick(2, 90);
  pool.receive(vote(3, 2, 9, 9, 9));
  t.is(pool.raft(2).term, term(9), 'the leader was silent for long');
});

test('[R9] a leader without a majority for a longest time-out steps down', (t) => {
  const pool = new CorePool(5);
  pool.elect(1);
  const period = (...answering: readonly number[]): void => {
    pool.tick(1, 100);
    for (const id of answering)
      pool.receive(message(id, 1, 1, { kind: 'heartbeat-reply', round: 0 }));
    pool.tick(1, 100);
    pool.drop();
  };
  period();
  period(2, 3);
  t.is(pool.raft(1).role, 'leader', 'two others and itself are a majority');
  period(2);
  t.like(pool.raft(1), { role: 'follower', leader: null, term: term(1) });
});

test('[R58] of two that ask at the same time one gives way, and there is no split vote', (t) => {
  const pool = new CorePool(3);
  pool.elect(3);
  pool.drop();
  for (const id of [1, 2]) pool.raft(id).electionElapsed = 100;
  pool.tick(1, 200);
  pool.tick(2, 200);
  pool.settle(({ from, to }) => from !== 3 && to !== 3);
  t.like(pool.raft(2), { role: 'leader', term: term(2) });
  t.like(pool.raft(1), { role: 'follower', leader: memberId(2) });
});

test('[R58] the one whose log has less gives way, whatever the ids', (t) => {
  const pool = new CorePool(3);
  pool.elect(3);
  pool.propose(3, 'a');
  pool.settle(({ from, to }) => from + to === 4);
  pool.drop();
  for (const id of [1, 2]) pool.raft(id).electionElapsed = 100;
  pool.tick(1, 200);
  pool.tick(2, 200);
  pool.settle(({ from, to }) => from !== 3 && to !== 3);
  t.like(pool.raft(1), { role: 'leader', term: term(2) });
});

test('[R10] a candidate that hears the leader of its term follows it', (t) => {
  const pool = new CorePool(3);
  pool.tick(1, 200);
  pool.deliver();
  pool.deliver();
  t.is(pool.raft(1).role, 'candidate');
  pool.receive(
    message(2, 1, 1, { kind: 'heartbeat', commit: logIndex(0), match: logIndex(0), round: 0 }),
  );
  t.like(pool.raft(1), { role: 'follower', leader: memberId(2), vote: memberId(1) });
});

test('[R11] the only voter stands at once, and a learner never', (t) => {
  const pool = new CorePool(1, {}, undefined, [memberId(2)]);
  pool.tick(1, 1);
  pool.persist(1);
  t.is(pool.raft(1).role, 'leader');
  pool.drop();
  for (let i = 0; i < 10; i += 1) t.deepEqual(kinds(pool.tick(2, 200)), []);
  t.is(pool.raft(2).role, 'follower');
});

test('[R11] while its vote is being written the only voter does not stand again', (t) => {
  const pool = new CorePool(1);
  for (let i = 0; i < 10; i += 1) pool.tick(1, 200);
  t.is(pool.raft(1).term, term(1));
});

test('[R44] who loses the connection to its leader stops waiting for it early', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  for (const id of [2, 3]) pool.step(id, { kind: 'unreachable', member: memberId(1) });
  t.deepEqual(kinds(pool.tick(2, 19)), []);
  t.deepEqual(kinds(pool.tick(2, 1)), ['pre-vote', 'pre-vote'], '100 ms, of which 80 had passed');
  pool.deliver(({ to }) => to === 3);
  t.like(pool.messages.at(-1), { kind: 'pre-vote-reply', granted: true });
});

test('[R44] a heartbeat of the leader ends the wait, and another member’s loss means nothing', (t) => {
  const pool = new CorePool(3);
  pool.elect(1);
  pool.step(2, { kind: 'unreachable', member: memberId(3) });
  t.deepEqual(kinds(pool.tick(2, 99)), []);
  pool.step(2, { kind: 'unreachable', member: memberId(1) });
  pool.tick(1, 20);
  pool.settle();
  t.deepEqual(kinds(pool.tick(2, 99)), []);
});

test('[R3] a vote holds over a restart', (t) => {
  const pool = new CorePool(3);
  pool.disk(1).hardState = stateOf(4, 2);
  pool.restart(memberId(1));
  pool.receive(vote(3, 1, 4));
  pool.persist(1);
  t.deepEqual(votes(pool), ['1: no']);
});
