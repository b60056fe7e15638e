import test from 'ava';
import { CorePool } from '../../test/golden/raft/core-pool.ts';
import { unhurriedFollowers } from './haste.ts';
import { memberId } from './ids.ts';

/** A pool whose first member leads, and whose members all have the whole log. */
function settled(size: number): CorePool {
  const pool = new CorePool(size);
  pool.elect(1);
  pool.settle();
  return pool;
}

test('[R61] a leader hurries with as many as make a majority with it', (t) => {
  for (const [size, unhurried] of [
    [1, []],
    [2, []],
    [3, [3]],
    [4, [4]],
    [5, [4, 5]],
  ] as const)
    t.deepEqual(
      unhurriedFollowers(settled(size).raft(1)),
      unhurried.map(memberId),
      `${size} voters`,
    );
});

test('[R61] it hurries with whoever has confirmed most', (t) => {
  const pool = settled(3);
  pool.propose(1, 'a');
  pool.drop(({ to }) => to === 2);
  pool.deliver();
  pool.persist(3);
  pool.deliver();
  t.deepEqual(unhurriedFollowers(pool.raft(1)), [memberId(2)]);
});

test('[R61] where confirmed logs are equal it hurries with whoever answers', (t) => {
  const pool = settled(3);
  pool.step(1, { kind: 'read', id: 1 });
  pool.drop(({ to }) => to === 2);
  pool.deliver();
  pool.deliver();
  t.deepEqual(unhurriedFollowers(pool.raft(1)), [memberId(2)]);
});

test('[R61] learners are never hurried with, and followers hurry with nobody', (t) => {
  const pool = settled(2);
  const peers = ['host3:1'];
  pool.change(1, { kind: 'add', member: memberId(3), peers, staysLearner: true });
  pool.settle();
  pool.join(3, []);
  pool.tick(1, 20);
  pool.settle();
  t.deepEqual(unhurriedFollowers(pool.raft(1)), [memberId(3)]);
  t.deepEqual(unhurriedFollowers(pool.raft(2)), []);
});

test('[R61] where too few keep up, and in a hand-over, it hurries with all', (t) => {
  const fresh = new CorePool(5);
  fresh.elect(1);
  fresh.settle();
  for (const member of [3, 4, 5].map(memberId)) fresh.step(1, { kind: 'unreachable', member });
  t.deepEqual(
    unhurriedFollowers(fresh.raft(1)),
    [],
    'only one of the two that are needed keeps up',
  );

  const pool = settled(3);
  pool.propose(1, 'a');
  pool.step(1, { kind: 'transfer', to: memberId(2) });
  t.deepEqual(unhurriedFollowers(pool.raft(1)), []);
});
