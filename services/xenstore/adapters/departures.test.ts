import test from 'ava';
import { Departures } from './departures.ts';

/** Clients whose flushes are written down, and what waits for the end of a turn of the loop. */
function pretended() {
  const departures = new Departures();
  const left: string[] = [];
  const client = (name: string) => () => {
    left.push(name);
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { departures, left, client, turn };
}

test('a client that asks alone is answered at once', async (t) => {
  const { departures, left, client, turn } = pretended();
  const one = client('one');
  departures.answered(one);
  await turn();
  departures.answered(one);
  departures.answered(one);
  t.deepEqual(left, ['one', 'one', 'one']);
});

test('those of several clients leave one after another at the end of the turn, each once', async (t) => {
  const { departures, left, client, turn } = pretended();
  const [one, two, three] = [client('one'), client('two'), client('three')];
  for (const each of [one, two, three, one]) departures.answered(each);
  t.deepEqual(left, []);
  await turn();
  t.deepEqual(left, ['one', 'two', 'three']);
  for (const each of [two, three]) departures.answered(each);
  t.deepEqual(left, ['one', 'two', 'three']);
  await turn();
  t.deepEqual(left, ['one', 'two', 'three', 'two', 'three']);
});

test('an event for another client leaves in the turn of the reply to who has caused it', async (t) => {
  const { departures, left, client, turn } = pretended();
  const [writer, watcher] = [client('writer'), client('watcher')];
  departures.answered(writer);
  await turn();
  left.length = 0;
  departures.soon(watcher);
  departures.answered(writer);
  t.deepEqual(left, []);
  await turn();
  t.deepEqual(left, ['watcher', 'writer']);
});

test('what is gathered while others leave has its turn later', async (t) => {
  const { departures, left, client, turn } = pretended();
  const late = client('late');
  departures.soon(() => {
    left.push('first');
    departures.soon(late);
  });
  await turn();
  t.deepEqual(left, ['first']);
  await turn();
  t.deepEqual(left, ['first', 'late']);
});
