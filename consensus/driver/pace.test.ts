import test from 'ava';
import { type Extent, Pace } from './pace.ts';

/** A loop that goes on when it is told to. */
function paced() {
  const soon: (() => void)[] = [];
  const deferred: (() => void)[] = [];
  const steps: Extent[] = [];
  const clock = {
    soon: (callback: () => void) => void soon.push(callback),
    defer: (callback: () => void) => void deferred.push(callback),
  };
  const go = (callbacks: (() => void)[]) => {
    for (const callback of callbacks.splice(0)) callback();
  };
  const pace = new Pace(clock, (extent) => steps.push(extent));
  return { pace, steps, goSoon: () => go(soon), goRound: () => go(deferred) };
}

test('what is asked for again before its step is one step', (t) => {
  const { pace, steps, goSoon, goRound } = paced();
  pace.hurry('arrived');
  pace.hurry('arrived');
  pace.schedule();
  pace.schedule();
  goSoon();
  t.deepEqual(steps, ['arrived']);
  goRound();
  t.deepEqual(steps, ['arrived', 'all']);
  goSoon();
  goRound();
  t.is(steps.length, 2);
});

test('a step of all that is taken soon leaves none for when the loop has come round', (t) => {
  const { pace, steps, goSoon, goRound } = paced();
  pace.hurry('arrived');
  pace.hurry('all');
  pace.hurry('arrived');
  pace.schedule();
  goSoon();
  goRound();
  t.deepEqual(steps, ['all']);
});

test('nothing is stepped once it is stopped', (t) => {
  const { pace, steps, goSoon, goRound } = paced();
  pace.hurry('arrived');
  pace.schedule();
  pace.stop();
  goSoon();
  goRound();
  pace.hurry('arrived');
  goSoon();
  t.deepEqual(steps, []);
});
