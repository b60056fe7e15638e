import test from 'ava';
import { bytes } from '../../base/units.ts';
import { CorePool } from '../../test/golden/raft/core-pool.ts';
import { logIndex, memberId } from './ids.ts';
import type { Outputs } from './output.ts';

/** A pool, and what its members said about reads and proposals: "member: what". */
function observed(members: number, limits: Partial<CorePool['limits']> = {}) {
  const said: string[] = [];
  const listen = (id: number, outputs: Outputs): void => {
    for (const read of outputs.reads) said.push(`${id}: read ${read.id} at ${read.index}`);
    for (const read of outputs.refusedReads) said.push(`${id}: no read ${read.id}, ${read.reason}`);
    for (const { id: name, reason } of outputs.refusedProposals)
      said.push(`${id}: no proposal ${name.number}, ${reason}`);
  };
  const pool = new CorePool(members, limits, (raft, outputs) => listen(raft.id, outputs));
  return { pool, said };
}

function read(pool: CorePool, id: number, number: number): void {
  pool.step(id, { kind: 'read', id: number });
}

test('[R28] a read is served at the commit index of its round, once a majority has answered', (t) => {
  const { pool, said } = observed(5);
  pool.elect(1);
  read(pool, 1, 7);
  pool.deliver(({ to }) => to === 2);
  pool.deliver(({ from }) => from === 2);
  t.deepEqual(said, [], 'two of five');
  pool.propose(1, 'later');
  pool.settle(({ kind }) => kind === 'append' || kind === 'append-reply');
  t.deepEqual(said, ['1: read 7 at 1'], 'answers to appends confirm too');
});

test('[R28] answers to an earlier round do not confirm a later one', (t) => {
  const { pool, said } = observed(3);
  pool.elect(1);
  pool.tick(1, 20);
  pool.deliver(({ kind }) => kind === 'heartbeat');
  read(pool, 1, 7);
  pool.deliver(({ kind }) => kind === 'heartbeat-reply');
  t.deepEqual(said, []);
  pool.settle();
  t.deepEqual(said, ['1: read 7 at 1']);
});

test('[R28] a follower’s read is answered by the leader', (t) => {
  const { pool, said } = observed(3);
  pool.elect(1);
  pool.propose(1, 'a');
  pool.settle();
  read(pool, 3, 7);
  pool.settle();
  t.deepEqual(said, ['3: read 7 at 2']);
});

test('[R29] a new leader serves no read before an entry of its term is committed', (t) => {
  const { pool, said } = observed(3);
  pool.elect(1);
  pool.raft(2).electionElapsed = 100;
  pool.raft(3).electionElapsed = 100;
  pool.tick(3, 200);
  pool.settle(({ kind }) => kind !== 'append');
  t.is(pool.raft(3).role, 'leader');
  read(pool, 3, 7);
  pool.tick(3, 20);
  pool.settle(({ kind }) => kind !== 'append');
  t.deepEqual(said, []);
  pool.settle();
  t.deepEqual(said, ['3: read 7 at 2']);
});

test('[R30] reads that come while a round is under way share the next', (t) => {
  const { pool, said } = observed(3, { waitingReadsMax: 2 });
  pool.elect(1);
  for (const id of [1, 2, 3]) read(pool, 1, id);
  t.is(pool.messages.length, 2, 'one heartbeat to each follower');
  read(pool, 1, 4);
  t.deepEqual(said, ['1: no read 4, overloaded']);
  pool.deliver();
  pool.deliver();
  t.deepEqual(said.slice(1), ['1: read 1 at 1']);
  pool.settle();
  t.deepEqual(said.slice(2), ['1: read 2 at 1', '1: read 3 at 1']);
});

test('[R31] without a leader a read is refused, and a leader that falls refuses its own', (t) => {
  const { pool, said } = observed(3);
  read(pool, 1, 1);
  t.deepEqual(said, ['1: no read 1, no-leader']);
  pool.elect(1);
  read(pool, 1, 2);
  read(pool, 1, 3);
  pool.drop();
  pool.tick(1, 200);
  pool.drop();
  pool.tick(1, 200);
  t.deepEqual(said.slice(1), ['1: no read 2, no-leader', '1: no read 3, no-leader']);
});

test('[R31] a learner counts on a silent leader for no longer than a time-out', (t) => {
  const pool = new CorePool(3, {}, undefined, [memberId(4)]);
  pool.elect(1);
  pool.settle();
  t.is(pool.raft(4).leader, memberId(1));
  for (let tick = 0; tick < 30; tick += 1) pool.tick(4, 20);
  t.like(pool.raft(4), { leader: null, role: 'follower' });
  t.deepEqual(pool.step(4, { kind: 'read', id: 7 }).refusedReads, [{ id: 7, reason: 'no-leader' }]);
  pool.tick(1, 60);
  pool.settle();
  t.is(pool.raft(4).leader, memberId(1));
});

test('[R32] a proposal that arrives twice is taken once', (t) => {
  const { pool } = observed(3);
  pool.elect(1);
  pool.propose(2, 'a');
  const [proposal] = pool.messages;
  pool.settle();
  t.is(pool.raft(1).log.lastIndex, logIndex(2));
  if (proposal !== undefined) pool.receive(proposal);
  pool.settle();
  t.is(pool.raft(1).log.lastIndex, logIndex(2));
});

test('[R32] a proposal is not taken in a later term than it was handed over in', (t) => {
  const { pool } = observed(3);
  pool.elect(1);
  pool.propose(2, 'a');
  const [proposal] = pool.messages;
  pool.drop();
  pool.elect(3);
  pool.elect(1);
  const { lastIndex } = pool.raft(1).log;
  if (proposal !== undefined) pool.receive(proposal);
  t.is(pool.raft(1).log.lastIndex, lastIndex);
});

test('[R33] a leader with too much to commit refuses, and what it refused stays refused', (t) => {
  const { pool, said } = observed(3, { uncommittedBytesMax: bytes(300) });
  pool.elect(1);
  pool.propose(2, 'x'.repeat(100), 'y'.repeat(100));
  const [proposal] = pool.messages;
  pool.settle();
  t.deepEqual(said, ['2: no proposal 2, overloaded']);
  t.is(pool.raft(1).log.lastIndex, logIndex(2));
  if (proposal !== undefined) pool.receive(proposal);
  pool.settle();
  t.is(pool.raft(1).log.lastIndex, logIndex(2), 'also when the message is repeated');
  pool.propose(2, 'z'.repeat(100));
  pool.settle();
  t.is(pool.raft(2).commit, logIndex(3), 'there is room again');
});

test('[R34] without a leader a proposal is refused at once', (t) => {
  const { pool, said } = observed(3);
  pool.propose(1, 'a');
  t.deepEqual(said, ['1: no proposal 1, no-leader']);
  t.deepEqual(pool.messages, []);
});
