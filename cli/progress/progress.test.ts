import test from 'ava';
import { milliseconds } from '../../base/units.ts';
import type { Operation, OperationState, StepState } from '../../proto/gen/flotilla.pool.v1.ts';
import { plainStyle } from '../output/style.ts';
import { changeLines, observe, type Progress, progressLines } from './progress.ts';

const ascii = { ...plainStyle, unicode: false };

function operation(state: OperationState, steps: readonly StepState[]): Operation {
  return {
    id: 'a1',
    verb: 'vm.start',
    resourceType: 'vm',
    resourceId: 'v1',
    resourceName: 'web',
    state,
    steps: steps.map((step, index) => ({
      name: `step.${index}`,
      description: ['attach disk xvda', 'build the domain', 'let the guest run'][index] ?? '',
      state: step,
    })),
    error: null,
    host: 'host-1',
    cancelRequested: false,
    createTime: null,
    endTime: null,
    revision: 1,
  };
}

const pending = 'STEP_STATE_PENDING';
const running = 'STEP_STATE_RUNNING';
const done = 'STEP_STATE_DONE';
const looks: readonly (readonly [at: number, operation: Operation])[] = [
  [0, operation('OPERATION_STATE_PENDING', [pending, pending, pending])],
  [100, operation('OPERATION_STATE_RUNNING', [running, pending, pending])],
  [1600, operation('OPERATION_STATE_RUNNING', [done, running, pending])],
  [2600, operation('OPERATION_STATE_SUCCEEDED', [done, done, done])],
];

/** What has been seen after the first `count` looks. */
function seen(count: number): Progress {
  let progress: Progress | undefined;
  for (const [at, each] of looks.slice(0, count))
    progress = observe(progress, each, milliseconds(at));
  if (progress === undefined) throw new Error('no look');
  return progress;
}

test('a terminal shows every step with its mark and its time', (t) => {
  t.deepEqual(progressLines(seen(3), milliseconds(2000), plainStyle), [
    'vm.start web           2.0 s',
    '  ✓ attach disk xvda   1.5 s',
    '  ⠋ build the domain   0.4 s',
    '  · let the guest run',
  ]);
});

test('the spinner turns with the clock alone', (t) => {
  const later = progressLines(seen(3), milliseconds(2100), plainStyle);
  t.is(later[2], '  ⠙ build the domain   0.5 s');
});

test('times stand still when the operation has ended', (t) => {
  const lines = progressLines(seen(4), milliseconds(60_000), plainStyle);
  t.is(lines[0], 'vm.start web           2.6 s');
  t.is(lines[2], '  ✓ build the domain   1.0 s');
  t.is(lines[3], '  ✓ let the guest run');
});

test('an operation that waits, undoes or was cancelled says so', (t) => {
  const first = (each: Operation): string | undefined =>
    progressLines(observe(undefined, each, milliseconds(0)), milliseconds(0), plainStyle)[0];
  t.is(
    first(operation('OPERATION_STATE_PENDING', [])),
    'vm.start web  0.0 s  waits for its service',
  );
  t.is(
    first(operation('OPERATION_STATE_UNDOING', [])),
    'vm.start web  0.0 s  undoing what was done',
  );
  t.is(first(operation('OPERATION_STATE_CANCELLED', [])), 'vm.start web  0.0 s  cancelled');
  t.is(
    first({ ...operation('OPERATION_STATE_RUNNING', []), cancelRequested: true }),
    'vm.start web  0.0 s  cancel requested',
  );
});

test('where the locale is not UTF-8 the marks are ASCII', (t) => {
  const steps: StepState[] = ['STEP_STATE_UNDONE', 'STEP_STATE_FAILED', pending];
  const failed = operation('OPERATION_STATE_FAILED', steps);
  const lines = progressLines(observe(undefined, failed, milliseconds(0)), milliseconds(0), ascii);
  t.deepEqual(lines.slice(1), [
    '  < attach disk xvda',
    '  x build the domain',
    '  . let the guest run',
  ]);
});

test('what is not a terminal gets a line for each change, and none where nothing changed', (t) => {
  t.deepEqual(changeLines(undefined, seen(1)), ['vm.start web: operation a1']);
  t.deepEqual(changeLines(seen(1), seen(2)), ['vm.start web: begun: attach disk xvda']);
  t.deepEqual(changeLines(seen(2), seen(2)), []);
  t.deepEqual(changeLines(seen(3), seen(4)), [
    'vm.start web: done: build the domain',
    'vm.start web: done: let the guest run',
    'vm.start web: done after 2.6 s',
  ]);
});
