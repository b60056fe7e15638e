import test from 'ava';
import { ok } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { logIndex } from '../core/ids.ts';
import { ReadBarriers } from './barriers.ts';
import { defaultLimits } from './limits.ts';

function barriers(): ReadBarriers {
  let id = 0;
  const limits = {
    ...defaultLimits,
    pendingReadsMax: 2,
    requestTimeout: milliseconds(100),
    readRetry: milliseconds(30),
  };
  return new ReadBarriers(limits, () => {
    id += 1;
    return id;
  });
}

test('callers share a question, and those who come later wait for the next', async (t) => {
  const reads = barriers();
  const first = reads.wait(0);
  t.is(reads.ask(0), 1);
  const second = reads.wait(1);
  t.is(reads.ask(1), null);
  reads.answer(1, logIndex(5));
  reads.applied(logIndex(5));
  t.deepEqual(await first, ok(undefined));
  t.is(reads.ask(2), 2);
  reads.answer(2, logIndex(5));
  reads.applied(logIndex(5));
  t.deepEqual(await second, ok(undefined));
});

test('an answer waits until everything up to its index is applied', async (t) => {
  const reads = barriers();
  let done = false;
  const read = reads.wait(0).then(() => {
    done = true;
  });
  reads.ask(0);
  reads.answer(1, logIndex(7));
  reads.applied(logIndex(6));
  await null;
  t.false(done);
  reads.applied(logIndex(8));
  await read;
  t.true(done);
});

test('a question without an answer is asked again, and the late answer is not taken', async (t) => {
  const reads = barriers();
  const read = reads.wait(0);
  t.is(reads.ask(0), 1);
  t.is(reads.ask(29), null);
  t.is(reads.ask(30), 2);
  reads.answer(1, logIndex(3));
  reads.applied(logIndex(9));
  reads.expire(100);
  const result = await read;
  t.is(result.ok ? null : result.error.code, 'no-leader');
});

test('an answer that is never applied here ends with the time of those who wait', async (t) => {
  const reads = barriers();
  const read = reads.wait(0);
  reads.ask(0);
  reads.answer(1, logIndex(7));
  reads.applied(logIndex(6));
  reads.expire(99);
  reads.expire(100);
  const result = await read;
  t.is(result.ok ? null : result.error.code, 'no-leader');
  void reads.wait(100);
  void reads.wait(100);
  t.is(reads.ask(100), 2, 'there is room again');
});

test('waiting callers are bounded, and get an answer when the leader has no room', async (t) => {
  const reads = barriers();
  const first = reads.wait(0);
  reads.ask(0);
  const second = reads.wait(0);
  const third = await reads.wait(0);
  t.is(third.ok ? null : third.error.code, 'overloaded');
  reads.refused(1, 'overloaded');
  for (const result of [await first, await second])
    t.is(result.ok ? null : result.error.code, 'overloaded');
  void reads.wait(0);
  t.is(reads.ask(0), 2, 'there is room again');
});

test('who has no answer when the leader changes, or is lost, asks the next', async (t) => {
  const reads = barriers();
  const first = reads.wait(0);
  t.is(reads.ask(0), 1);
  reads.askAnew();
  t.true(reads.hasWaiting);
  t.is(reads.ask(1), 2, 'at once');
  reads.answer(1, logIndex(5));
  reads.refused(2, 'no-leader');
  t.true(reads.hasWaiting, 'what the lost leader says is too late');
  t.is(reads.ask(2), 3);
  reads.answer(3, logIndex(5));
  reads.applied(logIndex(5));
  t.deepEqual(await first, ok(undefined));
});
