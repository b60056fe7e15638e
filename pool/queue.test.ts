import test from 'ava';
import { queue } from './queue.ts';

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const seen: Item[] = [];
  for await (const item of items) seen.push(item);
  return seen;
}

test('items come in order, whether they wait for the reader or the reader for them', async (t) => {
  const numbers = queue<number>(10);
  numbers.push(1);
  const reading = all(numbers);
  numbers.push(2);
  await null;
  numbers.push(3);
  setTimeout(() => {
    numbers.push(4);
    numbers.finish();
  }, 5);
  t.deepEqual(await reading, [1, 2, 3, 4]);
});

test('what does not fit is refused, and fits when something was read', async (t) => {
  const sizes = queue<string>(10);
  t.true(sizes.push('six', 6));
  t.false(sizes.push('five', 5));
  t.true(sizes.push('four', 4));
  const reader = sizes[Symbol.asyncIterator]();
  t.is((await reader.next()).value, 'six');
  t.true(sizes.push('five', 5));
  sizes.finish();
  t.is((await reader.next()).value, 'four');
  t.is((await reader.next()).value, 'five');
  t.true((await reader.next()).done);
});

test('ending forgets what waits and delivers a last word', async (t) => {
  const words = queue<string>(10);
  words.push('a');
  words.push('b');
  words.end('too slow');
  words.push('c');
  words.end('ignored');
  t.deepEqual(await all(words), ['too slow']);
});
