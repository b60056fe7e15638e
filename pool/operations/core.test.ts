import test from 'ava';
import fc from 'fast-check';
import { milliseconds } from '../../base/units.ts';
import type { Failure } from '../failure.ts';
import type { HostId, Timestamp } from '../records/identifiers.ts';
import type { OperationRecord } from '../records/operation.ts';
import { isCancellable, isEnded, nextAction, type OperationInput, step } from './core.ts';
import { newOperation } from './record.ts';

const host = '00000000-0000-4000-8000-000000000001' as HostId;
const now = 5 as Timestamp;
const storageFailed: Failure = { reason: 'STORAGE', message: 'the disk broke', remedy: 'Mend it.' };

function operation(...irreversible: boolean[]): OperationRecord {
  return newOperation({
    verb: 'vm.start',
    resource: { type: 'vm', id: 'v', name: 'web' },
    service: 'vm-lifecycle',
    host,
    steps: irreversible.map((final, index) => ({
      name: `step.${index}`,
      description: `step ${index}`,
      irreversible: final,
    })),
    now: milliseconds(1),
  });
}

function run(start: OperationRecord, ...inputs: OperationInput[]): OperationRecord {
  return inputs.reduce(step, start);
}

const states = (record: OperationRecord) => record.steps.map((item) => item.state);

test('an operation whose steps are all done succeeds', (t) => {
  const done = run(
    operation(false, false),
    { kind: 'begin' },
    { kind: 'done', index: 0, output: { path: '/a' } },
    { kind: 'done', index: 1, output: {} },
  );
  t.deepEqual(nextAction(done), { kind: 'end', outcome: 'succeeded' });
  const ended = step(done, { kind: 'end', now });
  t.is(ended.state, 'succeeded');
  t.is(ended.endedAt, now);
  t.deepEqual(ended.steps[0]?.output, { path: '/a' });
  t.deepEqual(nextAction(ended), { kind: 'nothing' });
});

test('a step that fails is undone, then those before it in reverse, and it goes on saying failed', (t) => {
  let record = run(
    operation(false, false, false),
    { kind: 'begin' },
    { kind: 'done', index: 0, output: {} },
    { kind: 'failed', index: 1, failure: storageFailed },
  );
  t.like(nextAction(record), { kind: 'undo', index: 1 });
  record = step(record, { kind: 'undone', index: 1 });
  t.like(nextAction(record), { kind: 'undo', index: 0 });
  record = run(record, { kind: 'undone', index: 0 }, { kind: 'end', now });
  t.is(record.state, 'failed');
  t.is(record.failure?.reason, 'STORAGE');
  t.deepEqual(states(record), ['undone', 'failed', 'pending']);
});

test('a cancel before the first step ends the operation as cancelled with nothing to undo', (t) => {
  const record = step(operation(false), { kind: 'cancel' });
  t.deepEqual(nextAction(record), { kind: 'turn-back' });
  const ended = run(record, { kind: 'turn-back' }, { kind: 'end', now });
  t.is(ended.state, 'cancelled');
  t.deepEqual(states(ended), ['pending']);
});

test('a cancel undoes the step that runs and those that are done', (t) => {
  const record = run(
    operation(false, false),
    { kind: 'begin' },
    { kind: 'done', index: 0, output: {} },
    { kind: 'cancel' },
    { kind: 'turn-back' },
    { kind: 'undone', index: 1 },
    { kind: 'undone', index: 0 },
    { kind: 'end', now },
  );
  t.is(record.state, 'cancelled');
  t.deepEqual(states(record), ['undone', 'undone']);
});

test('a cancel is not heeded once an irreversible step has begun', (t) => {
  const record = run(
    operation(false, true),
    { kind: 'begin' },
    { kind: 'done', index: 0, output: {} },
    { kind: 'cancel' },
  );
  t.false(isCancellable(record));
  t.like(nextAction(record), { kind: 'do', index: 1 });
  const ended = run(record, { kind: 'done', index: 1, output: {} }, { kind: 'end', now });
  t.is(ended.state, 'succeeded');
});

test('a failure after an irreversible step undoes only what came after it', (t) => {
  const record = run(
    operation(false, true, false, false),
    { kind: 'begin' },
    { kind: 'done', index: 0, output: {} },
    { kind: 'done', index: 1, output: {} },
    { kind: 'done', index: 2, output: {} },
    { kind: 'failed', index: 3, failure: storageFailed },
    { kind: 'undone', index: 3 },
    { kind: 'undone', index: 2 },
  );
  t.deepEqual(nextAction(record), { kind: 'end', outcome: 'failed' });
  t.deepEqual(states(record), ['done', 'done', 'undone', 'failed']);
});

test('an irreversible step that fails is undone with those before it', (t) => {
  const record = run(
    operation(false, true),
    { kind: 'begin' },
    { kind: 'done', index: 0, output: {} },
    { kind: 'failed', index: 1, failure: storageFailed },
  );
  t.like(nextAction(record), { kind: 'undo', index: 1 });
  t.like(nextAction(step(record, { kind: 'undone', index: 1 })), { kind: 'undo', index: 0 });
});

test('an undo that fails is told of, and the undoing goes on', (t) => {
  const record = run(
    operation(false, false),
    { kind: 'begin' },
    { kind: 'done', index: 0, output: {} },
    { kind: 'cancel' },
    { kind: 'turn-back' },
    { kind: 'undo-failed', index: 1, failure: storageFailed },
    { kind: 'undone', index: 0 },
    { kind: 'end', now },
  );
  t.is(record.state, 'failed');
  t.is(
    record.failure?.message,
    'vm.start of web was cancelled; undoing "step 1" failed as well: the disk broke',
  );
});

test('a step that fails because of a cancel counts as cancelled', (t) => {
  const record = run(
    operation(false),
    { kind: 'begin' },
    { kind: 'cancel' },
    { kind: 'failed', index: 0, failure: storageFailed },
    { kind: 'undone', index: 0 },
    { kind: 'end', now },
  );
  t.is(record.state, 'cancelled');
});

test('what comes late about a step changes nothing', (t) => {
  const record = run(
    operation(false, false),
    { kind: 'begin' },
    { kind: 'done', index: 0, output: {} },
  );
  t.is(step(record, { kind: 'done', index: 0, output: { again: true } }), record);
  t.is(step(record, { kind: 'failed', index: 0, failure: storageFailed }), record);
  t.is(step(record, { kind: 'undone', index: 1 }), record);
  t.is(step(record, { kind: 'begin' }), record);
});

const inputArbitrary = (count: number): fc.Arbitrary<OperationInput> => {
  const index = fc.nat({ max: count });
  return fc.oneof(
    fc.constant<OperationInput>({ kind: 'begin' }),
    index.map((at): OperationInput => ({ kind: 'done', index: at, output: { at } })),
    index.map((at): OperationInput => ({ kind: 'failed', index: at, failure: storageFailed })),
    fc.constant<OperationInput>({ kind: 'cancel' }),
    fc.constant<OperationInput>({ kind: 'turn-back' }),
    index.map((at): OperationInput => ({ kind: 'undone', index: at })),
    index.map((at): OperationInput => ({ kind: 'undo-failed', index: at, failure: storageFailed })),
    fc.constant<OperationInput>({ kind: 'end', now }),
  );
};

test('whatever comes in whatever order, the record stays coherent and an ended one never changes', (t) => {
  const kinds = fc.array(fc.boolean(), { minLength: 1, maxLength: 4 });
  const sequences = kinds.chain((irreversible) =>
    fc.tuple(
      fc.constant(irreversible),
      fc.array(inputArbitrary(irreversible.length), { maxLength: 40 }),
    ),
  );
  fc.assert(
    fc.property(sequences, ([irreversible, inputs]) => {
      let record = operation(...irreversible);
      for (const input of inputs) {
        const next = step(record, input);
        if (isEnded(record)) t.is(next, record);
        checkInvariants(t, next);
        record = next;
      }
    }),
    { numRuns: 400 },
  );
  t.pass();
});

test('following the actions, with any step failing and any cancel, always comes to an end', (t) => {
  const plan = fc.record({
    irreversible: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
    failsAt: fc.nat({ max: 6 }),
    undoFailsAt: fc.nat({ max: 6 }),
    cancelAfter: fc.nat({ max: 14 }),
  });
  fc.assert(
    fc.property(plan, ({ irreversible, failsAt, undoFailsAt, cancelAfter }) => {
      let record = operation(...irreversible);
      for (let turn = 0; turn < 30 && !isEnded(record); turn += 1) {
        if (turn === cancelAfter) record = step(record, { kind: 'cancel' });
        record = step(record, follow(record, failsAt, undoFailsAt));
        checkInvariants(t, record);
      }
      t.true(isEnded(record));
      const done = record.steps.filter((item) => item.state === 'done').length;
      if (record.state === 'succeeded') t.is(done, record.steps.length);
      if (record.state === 'cancelled') t.is(done, 0);
    }),
    { numRuns: 400 },
  );
});

function follow(record: OperationRecord, failsAt: number, undoFailsAt: number): OperationInput {
  const action = nextAction(record);
  switch (action.kind) {
    case 'begin':
    case 'turn-back':
      return { kind: action.kind };
    case 'do':
      return action.index === failsAt
        ? { kind: 'failed', index: action.index, failure: storageFailed }
        : { kind: 'done', index: action.index, output: {} };
    case 'undo':
      return action.index === undoFailsAt
        ? { kind: 'undo-failed', index: action.index, failure: storageFailed }
        : { kind: 'undone', index: action.index };
    case 'end':
    case 'nothing':
      return { kind: 'end', now };
  }
}

function checkInvariants(t: { true(value: boolean): void }, record: OperationRecord): void {
  const { state, steps, cursor } = record;
  const running = steps.filter((item) => item.state === 'running').length;
  if (state === 'pending') t.true(steps.every((item) => item.state === 'pending'));
  if (state === 'running') {
    t.true(steps.slice(0, cursor).every((item) => item.state === 'done'));
    t.true(running === (cursor < steps.length ? 1 : 0));
    t.true(record.failure === null);
  }
  if (state === 'undoing') t.true(record.failure !== null);
  if (state === 'succeeded') t.true(steps.every((item) => item.state === 'done'));
  if (isEnded(record)) t.true(running === 0);
  const lastReturn = steps.findLastIndex((item) => item.irreversible && item.state === 'done');
  t.true(steps.slice(0, Math.max(lastReturn, 0)).every((item) => item.state === 'done'));
}
