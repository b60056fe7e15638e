import test from 'ava';
import { goodRun, neverRan, nextRestart, restartDelays } from './restart.ts';
import { milliseconds } from './units.ts';

test('a process that keeps failing is started later and later, up to the last delay', (t) => {
  let history = neverRan;
  const waits: number[] = [];
  for (let run = 0; run < restartDelays.length + 2; run += 1) {
    const next = nextRestart(history, milliseconds(10));
    history = next.history;
    waits.push(next.wait);
  }
  t.deepEqual(waits, [...restartDelays, 10_000, 10_000]);
});

test('a process that ran well is started again soon', (t) => {
  const tired = { shortRuns: 5 };
  t.is(nextRestart(tired, goodRun).wait, restartDelays[0] ?? goodRun);
});
