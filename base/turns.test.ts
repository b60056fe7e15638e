import test from 'ava';
import { turns } from './turns.ts';

test('work about one thing is done one after the other, in the order in which it came', async (t) => {
  const order: string[] = [];
  const queue = turns(8);
  const work = (name: string) => async () => {
    order.push(`${name} begins`);
    await null;
    await null;
    order.push(`${name} ends`);
    return name;
  };
  const done = await Promise.all([queue.take('disk', work('a')), queue.take('disk', work('b'))]);
  t.deepEqual(done, ['a', 'b']);
  t.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends']);
});

test('work about other things does not wait', async (t) => {
  const queue = turns(8);
  const held = Promise.withResolvers<string>();
  const first = queue.take('one', () => held.promise);
  t.is(await queue.take('other', () => Promise.resolve('done')), 'done');
  held.resolve('late');
  t.is(await first, 'late');
});

test('beyond the bound nobody waits, and later there is room again', async (t) => {
  const queue = turns(2);
  const held = Promise.withResolvers<number>();
  const waiting = [queue.take('disk', () => held.promise), queue.take('disk', async () => 2)];
  t.is(await queue.take('disk', async () => 3), null);
  held.resolve(1);
  t.deepEqual(await Promise.all(waiting), [1, 2]);
  t.is(await queue.take('disk', async () => 4), 4);
});

test('work that throws lets the next one go on', async (t) => {
  const queue = turns(8);
  const broken = queue.take('disk', () => Promise.reject(new Error('a bug')));
  const next = queue.take('disk', async () => 'done');
  await t.throwsAsync(broken, { message: 'a bug' });
  t.is(await next, 'done');
});
