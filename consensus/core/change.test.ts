import test from 'ava';
import { CorePool } from '../../test/golden/raft/core-pool.ts';
import { membersOf } from './configuration.ts';
import { logIndex, memberId, term } from './ids.ts';
import { learnersMax, type MembershipChange, votersMax } from './membership.ts';
import type { Outputs } from './output.ts';

const add = (member: number, staysLearner = false): MembershipChange => ({
  kind: 'add',
  member: memberId(member),
  peers: [`host${member}:1`],
  staysLearner,
});
const promote = (member: number): MembershipChange => ({
  kind: 'promote',
  member: memberId(member),
});
const remove = (member: number): MembershipChange => ({ kind: 'remove', member: memberId(member) });

const reasons = ({ refusedChanges }: Outputs): readonly string[] =>
  refusedChanges.map(({ reason }) => reason);

/** A pool that member 1 leads. */
function led(members: number): CorePool {
  const pool = new CorePool(members);
  pool.elect(1);
  return pool;
}

/** Time passes for the leader, and what it says arrives. */
function rounds(pool: CorePool, count: number, leader = 1): void {
  for (let i = 0; i < count; i += 1) {
    pool.tick(leader, 20);
    pool.settle();
  }
}

/** A member that was added, has started and has caught up. */
function joined(pool: CorePool, member: number, staysLearner = false): void {
  pool.change(1, add(member, staysLearner));
  pool.settle();
  pool.join(member);
  rounds(pool, 4);
}

const votersAt = (pool: CorePool, id: number): readonly number[] =>
  pool.raft(id).log.configuration.voters;

test('[R45] a leader takes no change before an entry of its own term is committed', (t) => {
  const pool = led(3);
  pool.raft(2).electionElapsed = 100;
  pool.raft(3).electionElapsed = 100;
  pool.tick(2, 200);
  pool.settle(({ kind }) => kind !== 'append');
  t.like(pool.raft(2), { role: 'leader', term: term(2) });
  t.deepEqual(reasons(pool.change(2, add(4))), ['not-ready']);
  rounds(pool, 2, 2);
  t.deepEqual(reasons(pool.change(2, add(4))), []);
});

test('[R45] while it hands over a leader takes no change', (t) => {
  const pool = led(3);
  pool.step(1, { kind: 'transfer', to: memberId(2) });
  t.deepEqual(reasons(pool.change(1, add(4))), ['not-ready']);
});

test('[R46] one change at a time: the next is taken once the one before is committed', (t) => {
  const pool = led(3);
  t.deepEqual(reasons(pool.change(1, add(4))), []);
  t.deepEqual(reasons(pool.change(1, remove(3))), ['change-under-way']);
  pool.settle();
  t.deepEqual(reasons(pool.change(1, remove(3))), []);
});

test('[R47] a follower hands a change to its leader, which takes it once', (t) => {
  const pool = led(3);
  pool.change(2, add(4));
  const [message] = pool.messages;
  pool.settle();
  t.like(pool.raft(1).log.configuration, { learners: [4], joining: [4] });
  pool.change(1, remove(4));
  pool.settle();
  if (message !== undefined) pool.receive(message);
  pool.settle();
  t.deepEqual(pool.raft(1).log.configuration.learners, []);
});

test('[R47] the committed entry names the change, and a refusal comes back to who asked', (t) => {
  const said: unknown[] = [];
  const pool = new CorePool(3, {}, ({ id }, { committed, refusedChanges }) => {
    if (id !== 2) return;
    for (const { payload } of committed)
      if (payload.kind === 'configuration') said.push(payload.proposal);
    said.push(...refusedChanges);
  });
  pool.elect(1);
  pool.change(2, add(4));
  pool.settle();
  t.like(said.at(-1), { member: memberId(2), number: 1 });
  pool.change(2, add(4));
  pool.settle();
  t.deepEqual(said.at(-1), { number: 2, reason: 'member-exists' });
});

test('[R47] a change is not taken in a later term than it was handed over in', (t) => {
  const pool = led(3);
  pool.change(2, add(4));
  const [message] = pool.messages;
  pool.drop();
  pool.elect(3);
  pool.elect(1);
  if (message !== undefined) pool.receive(message);
  t.deepEqual(membersOf(pool.raft(1).log.configuration), [1, 2, 3].map(memberId));
});

test('[R47] without a leader a change is refused at once', (t) => {
  t.deepEqual(reasons(new CorePool(3).change(1, add(4))), ['no-leader']);
});

test('[R48] what cannot be is refused: twice the same member or address, strangers, voters', (t) => {
  const pool = led(3);
  pool.change(1, add(4, true));
  pool.settle();
  const taken: MembershipChange = {
    kind: 'add',
    member: memberId(5),
    peers: ['host9:1', 'host4:1'],
    staysLearner: true,
  };
  const update = (member: number, peer: string): MembershipChange => ({
    kind: 'update',
    member: memberId(member),
    peers: [peer],
  });
  const refused = (change: MembershipChange): string | undefined =>
    reasons(pool.change(1, change))[0];
  t.is(refused(add(4)), 'member-exists');
  t.is(refused(add(3)), 'member-exists');
  t.is(refused(taken), 'address-taken');
  t.is(refused(update(3, 'host4:1')), 'address-taken');
  t.is(refused(update(9, 'host9:1')), 'member-not-found');
  t.is(refused(remove(9)), 'member-not-found');
  t.is(refused(promote(9)), 'member-not-found');
  t.is(refused(promote(3)), 'not-a-learner');
  t.is(refused(update(4, 'host4:2')), undefined);
  pool.settle();
  t.deepEqual(pool.raft(2).log.configuration.addresses, [
    { member: memberId(4), peers: ['host4:2'] },
  ]);
});

test('[R48] voters, with those who will be, and learners are bounded', (t) => {
  const pool = led(votersMax - 1);
  const refused = (change: MembershipChange): string | undefined => {
    const reason = reasons(pool.change(1, change))[0];
    pool.settle();
    return reason;
  };
  t.is(refused(add(101)), undefined);
  t.is(refused(add(102)), 'too-many-members', 'the last seat is promised');
  for (let i = 1; i < learnersMax; i += 1) t.is(refused(add(102 + i, true)), undefined);
  t.is(refused(add(200, true)), 'too-many-members');
  pool.join(103);
  rounds(pool, 4);
  t.is(refused(promote(103)), 'too-many-members', 'the seat is another’s');
});

test('[R49] a voter is not removed if the rest that is heard of is no majority', (t) => {
  const pool = led(3);
  const silence = ({ from, to }: { from: number; to: number }): boolean => from !== 3 && to !== 3;
  for (let i = 0; i < 11; i += 1) {
    pool.tick(1, 20);
    pool.settle(silence);
    pool.drop();
  }
  t.deepEqual(reasons(pool.change(1, remove(2))), ['majority-needed']);
  t.deepEqual(reasons(pool.change(1, remove(1))), ['majority-needed']);
  t.deepEqual(reasons(pool.change(1, remove(3))), []);
  t.deepEqual(reasons(led(1).change(1, remove(1))), ['majority-needed'], 'nobody would be left');
});

test('[R50] a member joins as a learner, and votes by itself once it has caught up', (t) => {
  const pool = led(3);
  pool.change(1, add(4));
  pool.settle();
  rounds(pool, 20);
  t.deepEqual(votersAt(pool, 1), [1, 2, 3], 'it has not started');
  pool.join(4);
  rounds(pool, 4);
  t.deepEqual(votersAt(pool, 1), [1, 2, 3, 4]);
  t.deepEqual(votersAt(pool, 4), [1, 2, 3, 4]);
  t.like(pool.raft(4).log.configuration, { learners: [], joining: [] });
});

test('[R50] a later leader goes on with who joins, and lets a learner be that is to stay one', (t) => {
  const pool = led(3);
  pool.change(1, add(5, true));
  pool.settle();
  pool.change(1, add(4));
  pool.settle();
  pool.elect(2);
  pool.join(4);
  pool.join(5);
  rounds(pool, 4, 2);
  t.like(pool.raft(1).log.configuration, { voters: [1, 2, 3, 4], learners: [5] });
});

test('[R51] a learner that is behind, or silent, is not promoted', (t) => {
  const pool = led(3);
  pool.change(1, add(4, true));
  pool.settle();
  t.deepEqual(reasons(pool.change(1, promote(4))), ['not-caught-up'], 'never heard of');
  pool.join(4);
  rounds(pool, 4);
  pool.propose(1, 'a');
  const withoutLearner = ({ from, to, kind }: { from: number; to: number; kind: string }) =>
    kind.startsWith('heartbeat') || (from !== 4 && to !== 4);
  for (let i = 0; i < 6; i += 1) {
    pool.tick(1, 20);
    pool.settle(withoutLearner);
    pool.drop();
  }
  t.deepEqual(reasons(pool.change(1, promote(4))), ['not-caught-up'], 'a time-out behind');
  rounds(pool, 4);
  t.deepEqual(reasons(pool.change(1, promote(4))), []);
  pool.settle();
  t.deepEqual(votersAt(pool, 4), [1, 2, 3, 4]);
});

test('[R51] a learner that went silent is not promoted, though it has everything', (t) => {
  const pool = led(3);
  joined(pool, 4, true);
  for (let i = 0; i < 11; i += 1) {
    pool.tick(1, 20);
    pool.settle(({ from, to }) => from !== 4 && to !== 4);
    pool.drop();
  }
  t.deepEqual(reasons(pool.change(1, promote(4))), ['not-caught-up']);
});

test('[R52] a leader that removes itself does not count itself, and hands over once it is done', (t) => {
  const pool = led(3);
  pool.change(1, remove(1));
  pool.persist(1);
  pool.deliver(({ to }) => to === 2);
  pool.persist(2);
  pool.deliver(({ from }) => from === 2);
  t.is(pool.raft(1).commit, logIndex(1), 'one of two that remain, and itself');
  t.is(pool.raft(1).role, 'leader');
  pool.settle();
  t.like(pool.raft(1), { role: 'follower', standing: 'removed' });
  const leaders = [2, 3].filter((id) => pool.raft(id).role === 'leader');
  t.is(leaders.length, 1, 'without a time-out');
  t.deepEqual(votersAt(pool, leaders[0] ?? 0), [2, 3]);
});

test('[R52] commands that a removed leader had taken are in its successor’s log', (t) => {
  const pool = led(3);
  pool.change(1, remove(1));
  pool.propose(1, 'a');
  pool.settle();
  const leader = [2, 3].find((id) => pool.raft(id).role === 'leader') ?? 0;
  t.is(pool.raft(leader).commit, logIndex(4), 'the first entry, the removal, a, its own first');
});

test('[R52] a leader that removes itself and finds nobody to hand over to steps down', (t) => {
  const pool = led(3);
  pool.change(1, remove(1));
  pool.settle(({ kind }) => kind !== 'take-over');
  pool.drop();
  t.is(pool.raft(1).role, 'follower');
  pool.tick(1, 200);
  t.deepEqual(pool.messages, [], 'and never stands');
});

test('[R52] the last voter of a pool waits for the leader that leaves it', (t) => {
  const pool = led(2);
  pool.change(1, remove(1));
  pool.deliver();
  pool.tick(2, 20);
  t.is(pool.raft(2).role, 'follower');
  pool.settle();
  t.like(pool.raft(2), { role: 'leader', term: term(2) });
});

test('[R56] a voter whose removal is not committed stands, leads, and hands over', (t) => {
  const pool = led(2);
  pool.change(1, remove(2));
  pool.deliver();
  pool.persist(2);
  // The leader loses the entry. Member 2 has it, and without member 2 there is no majority of two.
  pool.restart(memberId(1));
  pool.drop();
  t.deepEqual([votersAt(pool, 1), votersAt(pool, 2)], [[1, 2], [1]]);
  pool.tick(2, 200);
  pool.settle();
  t.like(pool.raft(1), { role: 'leader', term: term(3) });
  t.like(pool.raft(2), { role: 'follower', standing: 'removed', term: term(2) });
  t.deepEqual(votersAt(pool, 1), [1]);
});

test('[R53] a member that is removed hears of it', (t) => {
  const pool = led(3);
  pool.change(1, remove(3));
  pool.settle();
  t.is(pool.raft(3).standing, 'removed');
  t.true(pool.raft(1).leadership?.progress.has(memberId(3)));
  rounds(pool, 10);
  t.false(pool.raft(1).leadership?.progress.has(memberId(3)), 'and is left alone after a time-out');
});

test('[R53] a leader that has inherited a removal tells the removed member', (t) => {
  const pool = led(3);
  pool.change(1, remove(3));
  pool.settle(({ to, kind }) => to !== 3 && kind !== 'commit');
  pool.drop();
  t.is(pool.raft(2).commit, logIndex(1));
  pool.step(1, { kind: 'transfer', to: memberId(2) });
  pool.settle();
  t.is(pool.raft(2).role, 'leader');
  t.is(pool.raft(3).standing, 'removed');
});

test('[R54] a removed member that never learned of it disturbs nobody', (t) => {
  const pool = led(3);
  pool.change(1, remove(3));
  pool.settle(({ from, to }) => from !== 3 && to !== 3);
  pool.drop();
  for (let i = 0; i < 20; i += 1) {
    pool.tick(1, 20);
    pool.tick(2, 20);
    pool.tick(3, 20);
    // It can speak, and hears no leader.
    pool.settle(({ kind, to }) => to !== 3 || kind === 'pre-vote-reply');
    pool.drop();
  }
  t.is(pool.raft(3).role, 'pre-candidate');
  for (const id of [1, 2, 3]) t.is(pool.raft(id).term, term(1));
  t.is(pool.raft(1).role, 'leader');
});

test('[R55] a member that joins does not take the log before its addition for its removal', (t) => {
  const pool = led(3);
  joined(pool, 4);
  pool.change(1, add(5));
  pool.settle();
  pool.join(5);
  pool.deliver();
  t.is(pool.raft(5).standing, 'outside');
  rounds(pool, 6);
  t.is(pool.raft(5).standing, 'inside');
  pool.change(1, remove(5));
  pool.settle();
  t.is(pool.raft(5).standing, 'removed');
});
