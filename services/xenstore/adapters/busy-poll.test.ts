import test from 'ava';
import { milliseconds } from '../../../base/units.ts';
import { BusyPoll } from './busy-poll.ts';

/** A poll with a window of 10, and how often it looks, every 3, before it would sleep. */
function poll(window = milliseconds(10)) {
  const busy = new BusyPoll(window);
  let now = 100;
  return {
    /** A request comes after a time, and is answered at once. */
    asked: (after: number) => {
      now += after;
      busy.answered(now, now);
    },
    looksUntilSleep: () => {
      let looks = 0;
      for (; busy.looks(now); now += 3) looks += 1;
      return looks;
    },
  };
}

test('after a first answer it sleeps: nothing says that another request comes soon', (t) => {
  const { asked, looksUntilSleep } = poll();
  asked(0);
  t.is(looksUntilSleep(), 0);
});

test('a client that asks again within the window is looked out for until the window is over', (t) => {
  const { asked, looksUntilSleep } = poll();
  asked(0);
  asked(9);
  t.is(looksUntilSleep(), 4);
});

test('a client that stops is looked out for once, and one that comes late not at all', (t) => {
  const { asked, looksUntilSleep } = poll();
  asked(0);
  asked(5);
  t.is(looksUntilSleep(), 4);
  t.is(looksUntilSleep(), 0);
  asked(50);
  t.is(looksUntilSleep(), 0);
  asked(50);
  t.is(looksUntilSleep(), 0);
});

test('without a window, as with one processor, it never looks', (t) => {
  const { asked, looksUntilSleep } = poll(milliseconds(0));
  asked(0);
  asked(0);
  t.is(looksUntilSleep(), 0);
});
