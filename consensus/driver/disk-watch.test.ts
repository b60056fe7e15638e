import test from 'ava';
import { milliseconds } from '../../base/units.ts';
import { CorePool } from '../../test/golden/raft/core-pool.ts';
import { memberId } from '../core/ids.ts';
import { DiskWatch } from './disk-watch.ts';
import { defaultLimits } from './limits.ts';

const limits = { ...defaultLimits, handOverRetry: milliseconds(100) };
const noRoom = { code: 'full', detail: 'no room left' } as const;

/** Member 1 leads two voters and a learner, of whom 2 lacks an entry. */
function led(): CorePool {
  const pool = new CorePool(3, {}, undefined, [memberId(4)]);
  pool.elect(1);
  pool.propose(1, 'a');
  pool.drop(({ to }) => to === 2);
  pool.settle();
  return pool;
}

test('while the disk takes writes nothing is refused and nobody else is to lead', (t) => {
  const disk = new DiskWatch(limits);
  t.is(disk.refusal, null);
  t.is(disk.successor(led().raft(1), 0), null);
});

test('a full disk refuses, and says what the store has said', (t) => {
  const disk = new DiskWatch(limits);
  disk.changed('full', noRoom);
  t.deepEqual(disk.refusal, { code: 'read-only', detail: 'no room left' });
  disk.changed('good', null);
  t.is(disk.refusal, null);
});

test('the voter with the longest log is to lead, never a learner, and is asked again after a while', (t) => {
  const raft = led().raft(1);
  const disk = new DiskWatch(limits);
  disk.changed('full', noRoom);
  t.is(disk.successor(raft, 0), memberId(3));
  t.is(disk.successor(raft, 99), null);
  t.is(disk.successor(raft, 100), memberId(3));
});

test('a follower has nothing to hand over, nor has a leader that does so already', (t) => {
  const pool = led();
  const disk = new DiskWatch(limits);
  disk.changed('failed', null);
  t.is(disk.successor(pool.raft(2), 0), null);
  pool.step(1, { kind: 'transfer', to: memberId(2) });
  t.is(disk.successor(pool.raft(1), 0), null);
});
