import test from 'ava';
import { milliseconds } from '../../../base/units.ts';
import { BusyPoll } from './busy-poll.ts';

/** A poll with a window of 10 on a loop whose turns take 3. */
function poll() {
  let now = 100;
  let turns = 0;
  let waiting: (() => void) | null = null;
  const later = (look: () => void) => {
    waiting = look;
  };
  const busy = new BusyPoll(milliseconds(10), () => now, later);
  return {
    /** A request comes after a time, and is answered at once. */
    asked: (after: number) => {
      now += after;
      busy.answered(now);
    },
    /** Turns of the loop until it would sleep. */
    untilSleep: () => {
      turns = 0;
      while (waiting !== null) {
        const look: () => void = waiting;
        waiting = null;
        now += 3;
        turns += 1;
        look();
      }
      return turns;
    },
  };
}

test('after a lone request the loop sleeps at once', (t) => {
  const { asked, untilSleep } = poll();
  asked(0);
  t.is(untilSleep(), 0);
  asked(50);
  t.is(untilSleep(), 0);
});

test('beside a client that asks at once again it stays awake for the window, and no longer', (t) => {
  const { asked, untilSleep } = poll();
  asked(0);
  asked(9);
  t.is(untilSleep(), 4);
  t.is(untilSleep(), 0);
});

test('requests meanwhile extend it, and there is one look a turn', (t) => {
  const { asked, untilSleep } = poll();
  asked(0);
  asked(5);
  asked(5);
  asked(5);
  t.is(untilSleep(), 4);
});

test('a window of nothing never keeps it awake', (t) => {
  const busy = new BusyPoll(
    milliseconds(0),
    () => 1,
    () => t.fail(),
  );
  busy.answered(1);
  busy.answered(1);
  t.pass();
});
