import test from 'ava';
import { Departures } from './departures.ts';

/** Clients whose flushes are written down. */
function pretended() {
  const departures = new Departures();
  const left: string[] = [];
  const client = (name: string) => () => {
    left.push(name);
  };
  const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve));
  return { departures, left, client, turnOfLoop };
}

test('what is for several clients leaves when the turn ends, once each', (t) => {
  const { departures, left, client } = pretended();
  const [one, two, three] = [client('one'), client('two'), client('three')];
  departures.turn(() => {
    for (const each of [one, two, three, one]) departures.soon(each);
    t.deepEqual(left, []);
  });
  t.deepEqual(left, ['one', 'two', 'three']);
  departures.turn(() => departures.soon(two));
  t.deepEqual(left, ['one', 'two', 'three', 'two']);
});

test('an event for another client leaves in the turn of the reply to who has caused it', (t) => {
  const { departures, left, client } = pretended();
  const [writer, watcher] = [client('writer'), client('watcher')];
  departures.turn(() => {
    departures.soon(watcher);
    departures.soon(writer);
  });
  t.deepEqual(left, ['watcher', 'writer']);
});

test("what comes of no client's request leaves at the end of a turn of Node's loop", async (t) => {
  const { departures, left, client, turnOfLoop } = pretended();
  departures.soon(client('one'));
  departures.soon(client('two'));
  t.deepEqual(left, []);
  await turnOfLoop();
  t.deepEqual(left, ['one', 'two']);
});

test('what is there before a turn leaves with it, and is not sent again', async (t) => {
  const { departures, left, client, turnOfLoop } = pretended();
  departures.soon(client('early'));
  departures.turn(() => departures.soon(client('late')));
  t.deepEqual(left, ['early', 'late']);
  await turnOfLoop();
  t.deepEqual(left, ['early', 'late']);
});

test('what is gathered while others leave has its turn later', async (t) => {
  const { departures, left, client, turnOfLoop } = pretended();
  departures.turn(() =>
    departures.soon(() => {
      left.push('first');
      departures.soon(client('second'));
    }),
  );
  t.deepEqual(left, ['first']);
  await turnOfLoop();
  t.deepEqual(left, ['first', 'second']);
});
