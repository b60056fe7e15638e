import test from 'ava';
import type { Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { CorePool } from '../../test/golden/raft/core-pool.ts';
import { memberId } from '../core/ids.ts';
import type { MembershipError } from '../replica.ts';
import { Handover } from './handover.ts';
import { defaultLimits } from './limits.ts';

/** Member 1 leads members 2 and 3, and the learner 4, all of whom have everything. */
function setting() {
  const pool = new CorePool(3, {}, undefined, [memberId(4)]);
  pool.elect(1);
  pool.tick(1, 20);
  pool.settle();
  const handover = new Handover({ ...defaultLimits, requestTimeout: milliseconds(100) });
  const refusal = (id: number, to: number): string | null =>
    handover.refusal(pool.raft(id), memberId(to))?.code ?? null;
  const begin = (to: number): Promise<Result<void, MembershipError>> => {
    pool.step(1, { kind: 'transfer', to: memberId(to) });
    return handover.wait(pool.raft(1), memberId(to), 0);
  };
  return { pool, handover, refusal, begin };
}

async function codeOf(promise: Promise<Result<void, MembershipError>>): Promise<string> {
  const result = await promise;
  return result.ok ? 'ok' : result.error.code;
}

test('only the leader hands over, and only to a voter who keeps up', (t) => {
  const { pool, refusal } = setting();
  t.is(refusal(1, 2), null);
  t.is(refusal(2, 3), 'no-leader');
  t.is(refusal(1, 4), 'member-not-found', 'a learner');
  t.is(refusal(1, 9), 'member-not-found');
  for (let i = 0; i < 11; i += 1) {
    pool.tick(1, 20);
    pool.settle(({ from, to }) => from !== 2 && to !== 2);
    pool.drop();
  }
  t.is(refusal(1, 2), 'not-caught-up');
});

test('one transfer at a time', async (t) => {
  const { handover, refusal, begin } = setting();
  const first = begin(2);
  t.is(refusal(1, 3), 'not-ready');
  handover.abandon({ code: 'stopped', detail: 'this member is shutting down' });
  t.is(await codeOf(first), 'outcome-unknown');
});

test('it is done when the successor is seen to lead', async (t) => {
  const { pool, handover, begin } = setting();
  const done = begin(2);
  pool.settle();
  handover.stepped(pool.raft(1));
  t.is(await codeOf(done), 'ok');
});

test('the leader goes on: the outcome is unknown, for the successor may still stand', async (t) => {
  const { pool, handover, begin } = setting();
  const done = begin(2);
  pool.drop();
  handover.stepped(pool.raft(1));
  for (let i = 0; i < 10; i += 1) {
    pool.tick(1, 20);
    pool.settle();
  }
  handover.stepped(pool.raft(1));
  t.is(await codeOf(done), 'outcome-unknown');
});

test('somebody else leads, or nobody in time', async (t) => {
  const one = setting();
  const third = one.begin(2);
  one.pool.drop();
  one.pool.elect(3);
  one.handover.stepped(one.pool.raft(1));
  t.is(await codeOf(third), 'outcome-unknown');
  const two = setting();
  const nobody = two.begin(2);
  two.handover.expire(100);
  t.is(await codeOf(nobody), 'outcome-unknown');
});
